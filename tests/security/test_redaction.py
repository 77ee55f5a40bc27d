from __future__ import annotations

import json
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.contracts.errors import LocalError, NotReadableError
from gateway.security.redaction import (
    MAX_ITEMS,
    MAX_TEXT,
    REDACTED,
    RULES,
    describe_exception,
    redact,
    scrub,
)

ID = "9dfb369b-ab13-4fae-a276-55daa05f1119"


class Colour(StrEnum):
    RED = "red"


def log(**event: Any) -> dict[str, Any]:
    return dict(redact(None, "info", {"event": "something-happened", **event}))


NUMBERS = {
    "13116900216": "",
    "fnr 13116900216.": "fnr .",
    "fnr=13116900216,x": "fnr=,x",
    "x13116900216y": "xy",
    "131169 00216": "",
    "131169-00216": "",
    "13.11.69 00216": "",
    "131169 002 16": "",
    "1311690021613116900216": "",
    "ring 90000011 nå": "ring  nå",
    "tlf.90000011": "tlf.",
    "900 00 123": "",
    "22 33 44 55": "",
    "+47 90000011": "",
    "+4790000011": "",
    "0047 900 00 011": "",
    "+46 70 123 45 67": "",
    "<Name>Kari</Name> etter": "",
    "før <Name": "før ",
    "</a> Kari": "",
    "<!-- Kari -->": "",
    "<?kari?>": "",
    "<![CDATA[Kari": "",
    "amqp://user:secret@host:5672/v": "amqp://@host:5672/v",
}


@pytest.mark.parametrize(("text", "left"), NUMBERS.items())
def test_strikes_out(text: str, left: str) -> None:
    assert scrub(text).replace(REDACTED, "") == left
    assert REDACTED in scrub(text)


@pytest.mark.parametrize(
    "text",
    [
        ID,
        f"sending {ID} failed",
        "12345678-1234-1234-1234-131169002160",
        "d" * 63 + "1",
        "8910011",
        "310000107",
        "8910011_async",
        "2026-03-02T13:45:00.123456+00:00",
        "10.12.14.123",
        "0.12345678",
        "a < b",
        "line 12, column 13",
        "Ærlig talt, på Ørsta",
    ],
)
def test_leaves(text: str) -> None:
    assert scrub(text) == text


def test_a_number_across_the_edge_goes_whole() -> None:
    for shift in range(30):
        text = "x" * (2 * MAX_TEXT - shift) + "13116900216"
        assert "131169" not in scrub(text)
    many = " ".join(["90000011"] * 40) + " 13116900216" * 40
    for cut in range(560, 620):
        assert "131169" not in scrub("y" * (cut - 500) + many)


def test_texts_are_cut() -> None:
    assert len(scrub("x" * 100_000)) == MAX_TEXT + 1


@given(before=st.text(max_size=40), after=st.text(max_size=40), number=st.integers(0, 10**11 - 1))
@settings(max_examples=100, deadline=None)
def test_eleven_digits_are_never_left(before: str, after: str, number: int) -> None:
    digits = f"{number:011d}"
    text = f"{before} {digits} {after}"
    assert digits not in scrub(text)


def test_lets_through_what_it_knows() -> None:
    event = log(
        correlation_id=ID,
        queue="8900100_async",
        her_id="8900100",
        org_no="310000107",
        attempts=3,
        seconds=0.25,
        retry_in_seconds=1.5,
        at=datetime(2026, 3, 2, tzinfo=UTC),
        until=date(2026, 3, 2),
        code="journal-unavailable",
        kind=Colour.RED,
        id=UUID(ID),
        path=Path("/var/lib/x.db"),
        findings=["PH030", "PH031"],
        error=None,
        state=True,
        hint="Ask the operator.",
    )
    assert event == {
        "event": "something-happened",
        "correlation_id": ID,
        "queue": "8900100_async",
        "her_id": "8900100",
        "org_no": "310000107",
        "attempts": 3,
        "seconds": 0.25,
        "retry_in_seconds": 1.5,
        "at": "2026-03-02T00:00:00+00:00",
        "until": "2026-03-02",
        "code": "journal-unavailable",
        "kind": "red",
        "id": ID,
        "path": "/var/lib/x.db",
        "findings": ["PH030", "PH031"],
        "error": None,
        "state": True,
        "hint": "Ask the operator.",
    }


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("patient", "Kari"),
        ("name", "Kari"),
        ("message", "Kari"),
        ("body", b"<Name>Kari</Name>"),
        ("exception", "ValueError: Kari"),
        ("correlation_id", "Kari Nordmann"),
        ("correlation_id", "13116900216"),
        ("correlation_id", 13116900216),
        ("msg_id", "fnr-13116900216"),
        ("receiver", "Kari"),
        ("her_id", "13116900216"),
        ("count", 13116900216),
        ("count", 1311690021),
        ("count", "Kari"),
        ("count", float("inf")),
        ("at", "Kari"),
        ("code", {"Kari": 1}),
        ("code", b"Kari"),
        ("code", object()),
        ("codes", ["PH030", "Kari Nordmann"]),
        ("event", "Kari Nordmann"),
        ("event", ["Kari Nordmann <x"]),
        ("hint", "see <Name>Kari"),
        ("template", "13116900216"),
        ("Kari Nordmann", 1),
    ],
)
def test_withholds(key: str, value: object) -> None:
    said = json.dumps(log(**{key: value}))
    assert REDACTED in said
    assert "Kari" not in said
    assert "1311690" not in said


def test_lists_are_cut() -> None:
    assert len(log(codes=["x"] * 1000)["codes"]) == MAX_ITEMS


class Hostile:
    def __str__(self) -> str:
        raise RuntimeError("Kari")

    __repr__ = __str__


def test_never_raises() -> None:
    assert log(code=Hostile())["code"] == REDACTED
    assert redact(None, "", {Hostile(): 1}) == {"event": REDACTED, "level": "error"}  # type: ignore[dict-item] # hostile
    endless: list[Any] = []
    endless.append(endless)
    assert log(codes=endless) == {"event": REDACTED, "level": "error"}


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(key=st.sampled_from(sorted(RULES)) | st.text(max_size=10), value=json_like)
@settings(max_examples=200, deadline=None)
def test_whatever_comes_out_can_be_written(key: str, value: object) -> None:
    json.dumps(redact(None, "", {key: value})).encode("utf-8")


def _raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise error from cause
    except type(error) as caught:
        return caught


def test_exceptions_of_others_keep_their_text() -> None:
    error = _raised(ValueError("Kari Nordmann 13116900216"), KeyError("Kari"))
    said = describe_exception(error)
    assert said["type"] == "ValueError"
    assert said["message"] == REDACTED
    assert said["cause"] == "KeyError"
    assert str(said["frames"]).startswith("['test_redaction.py:")
    assert "Kari" not in json.dumps(said)


def test_exceptions_of_ours_say_what_is_wrong() -> None:
    said = describe_exception(LocalError("The key can not be read; 13116900216."))
    assert said["message"] == f"The key can not be read; {REDACTED}."
    assert said["type"] == "gateway.contracts.errors.LocalError"
    assert describe_exception(NotReadableError())["message"] == "The message can not be read."


def test_errors_of_the_system_say_what_but_not_where() -> None:
    error = FileNotFoundError(2, "No such file or directory", "/home/kari")
    assert describe_exception(error)["message"] == "No such file or directory"


def test_exceptions_in_an_event() -> None:
    error = _raised(ValueError("Kari"))
    for given_ in (error, (type(error), error, None)):
        assert log(exc_info=given_)["exception"]["type"] == "ValueError"
    assert log(exc_info=True)["exception"] is None
    try:
        raise error
    except ValueError:
        assert log(exc_info=True)["exception"]["type"] == "ValueError"
