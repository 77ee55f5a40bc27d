"""The notes in `fixtures/notes`, as messages of the three systems, against their expected readings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import adapters
from gateway.contracts.errors import PermanentError
from gateway.contracts.messages import Message
from gateway.contracts.reading import Reading
from gateway.formats import read_message
from gateway.routing.register_file import RegisterFile
from gateway.security.gate import parse
from tests.adapters.comparison import Differences
from tests.conftest import NOTES, REGISTRY

_FILES = [path for path in sorted(NOTES.rglob("*.xml")) if path.with_suffix(".expected.json").exists()]


def _expected(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.with_suffix(".expected.json").read_text(encoding="utf-8"))
    return document


def _message(path: Path) -> Message:
    try:
        return read_message(parse(path.read_bytes()))
    except PermanentError:
        pytest.skip("not well-formed: no adapter sees it")


def _read(path: Path) -> Reading:
    message = _message(path)
    registry = RegisterFile.load(REGISTRY)
    adapter = adapters.installed().choose(message)
    assert adapter is not None
    assert adapter.name == path.parent.name
    return adapter.read(message, registry)


_READABLE = [path for path in _FILES if _expected(path)["summary"] is not None]
_OTHERS = [path for path in _FILES if _expected(path)["findings"] == ["PH001"]]


@pytest.mark.parametrize("path", _READABLE, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_note_of_each_system_is_read(path: Path) -> None:
    document = _expected(path)
    reading = _read(path)
    actual = json.loads(reading.summary.to_json())
    diff = Differences()
    _compare(
        diff, document["summary"], actual, tuple(document.get("lenient", ())), document.get("optional", {})
    )
    assert diff.found == []
    assert "PH001" not in reading.noticed
    lenient = "findings.PH061" in document.get("lenient", ())
    assert lenient or ("PH061" in reading.noticed) == ("PH061" in document["findings"])


@pytest.mark.parametrize("path", _OTHERS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_another_message_is_no_note(path: Path) -> None:
    assert "PH001" in _read(path).noticed


_LISTS = {"strains": "area", "needs": "responsible", "referrals": "text"}
_EXCERPTS = {
    "diagnosis.text",
    "what_matters",
    "contact.when",
    "existing_follow_up.text",
    "author.role",
    "author.unit",
}
_UNORDERED = {"patient.phones"}


def _compare(
    diff: Differences,
    expected: Mapping[str, Any],
    actual: Mapping[str, Any],
    lenient: tuple[str, ...],
    optional: Mapping[str, list[str]],
    prefix: str = "",
) -> None:
    for key, want in expected.items():
        name = f"{prefix}{key}"
        have = actual.get(key)
        if any(_covers(pattern, name) for pattern in lenient) or (want is None and not have):
            continue
        if name in _LISTS:
            open_kinds = any(pattern.startswith(f"{key}[") for pattern in lenient)
            _list(diff, name, want, have or [], open_kinds=open_kinds, also=optional.get(key, ()))
        elif isinstance(want, Mapping) and have is not None:
            _compare(diff, want, have, lenient, optional, f"{name}.")
        else:
            _one(diff, name, want, have)


def _list(
    diff: Differences, name: str, want: list[Any], have: list[Any], *, open_kinds: bool, also: Sequence[str]
) -> None:
    member = _LISTS[name]
    pairs = [("" if open_kinds or member == "text" else one[member] or "", one["text"]) for one in want]
    diff.items(name, pairs, [(one[member], one["text"]) for one in have], also=also)


def _one(diff: Differences, name: str, want: Any, have: Any) -> None:
    if name in _EXCERPTS:
        diff.text(name, want, have)
    elif name == "next_of_kin":
        _kin(diff, want, have or [])
    elif name in _UNORDERED:
        diff.same(name, sorted(want), sorted(have or ()))
    elif name.endswith("name") and want and have:
        diff.same(name, want.casefold(), have.casefold())
    elif name == "source.sent_at":
        diff.same(name, want[:16], (have or "")[:16])
    else:
        diff.same(name, want, have)


def _covers(pattern: str, name: str) -> bool:
    return name == pattern or name.startswith((f"{pattern}.", f"{pattern}["))


def _kin(diff: Differences, expected: list[dict[str, Any]], actual: list[dict[str, Any]]) -> None:
    have = sorted((one["name"].casefold(), one["phone"]) for one in actual)
    diff.same("next_of_kin", sorted((one["name"].casefold(), one["phone"]) for one in expected), have)
