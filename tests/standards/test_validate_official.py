"""`validate` on all that is official: the verdict of the official schemas, file by file; no value told."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from gateway.ops import conversion, validation
from gateway.ops.validation import validate_message
from schemas import SchemaSet, documents
from tests.conftest import FIXTURES, NOTES
from tests.schemas import corpus

CANARY = "Kanarifugl"
FOLDERS = ("plo", "epikrise", "dialogmelding", "apprec", "testcases")
OURS = ("TverrfagligEpikrise", "HelseopplysningerVedSoknad", "Dialogmelding", "Message", "AppRec")
"""Roots of what the gateway reads and writes, whatever the version"""


@pytest.fixture(scope="module")
def official(standards: Path) -> etree.XMLSchema:
    return documents.compile_schema(standards / "xsd" / "all.xsd")


@pytest.fixture(scope="module")
def files(standards: Path) -> list[Path]:
    found = [p for folder in FOLDERS for p in sorted((standards / "examples" / folder).rglob("*.xml"))]
    assert len(found) > 90
    return found


def _schemas(monkeypatch: pytest.MonkeyPatch, chosen: SchemaSet) -> None:
    for module in (validation, conversion):
        monkeypatch.setattr(module, "schemas_in_use", lambda: chosen)


def _content(root: etree._Element) -> str:
    content = root.find("{*}Document/{*}RefDoc/{*}Content/*")
    return etree.QName(root if content is None else content).localname


def test_with_the_official_schemas_added_their_verdict_is_given(
    monkeypatch: pytest.MonkeyPatch, standards: Path, official: etree.XMLSchema, files: list[Path]
) -> None:
    _schemas(monkeypatch, SchemaSet(standards / "xsd"))
    verdicts = {True: 0, False: 0}
    kinds = set()
    for path in files:
        root = corpus.parse(path)
        report = validate_message(path.name, path.read_bytes())
        expected = root is not None and official(root)
        assert report["schema_valid"] is expected, path.name
        assert expected or report["errors"], path.name
        verdicts[expected] += 1
        if root is not None:
            kinds.add((_content(root), report["format"]))
    assert verdicts[True] > 80
    assert verdicts[False] > 5
    # Every kind of PLO message of either version that there is an example of, also those of no concern to us.
    assert len([kind for kind in kinds if (kind[1] or "").startswith("plo-")]) >= 12


def test_without_them_the_verdict_is_the_same_or_it_is_said_that_there_is_no_schema(
    monkeypatch: pytest.MonkeyPatch, official: etree.XMLSchema, files: list[Path]
) -> None:
    _schemas(monkeypatch, SchemaSet())
    ours = others = 0
    for path in files:
        root = corpus.parse(path)
        report = validate_message(path.name, path.read_bytes())
        if root is None:
            assert report["schema_valid"] is False
        elif _content(root) in OURS:
            assert report["schema_valid"] is official(root), path.name
            assert [e["code"] for e in report["errors"]] != ["no-schema"], path.name
            ours += 1
        else:
            (error,) = report["errors"]
            assert error["code"] == "no-schema"
            assert _content(root) in error["message"]
            assert report["schema_valid"] is False
            others += 1
    assert ours > 60
    assert others > 15


def test_an_explanation_holds_no_value_of_the_message(
    monkeypatch: pytest.MonkeyPatch, standards: Path, files: list[Path]
) -> None:
    _schemas(monkeypatch, SchemaSet(standards / "xsd"))
    explained = 0
    for path in [*files, *sorted(NOTES.rglob("*.xml")), *sorted((FIXTURES / "golden").glob("*.xml"))]:
        root = corpus.parse(path)
        if root is None:
            continue
        dice = corpus.dice_of(path.name)
        for share in (1.0, 0.1):
            message = corpus.changed(copy.deepcopy(root), dice)
            _plant(message, share, dice.random)
            report = validate_message("a", etree.tostring(message, encoding="UTF-8"))
            explained += len(report["errors"])
            assert CANARY not in repr(report["errors"]), path.name
            assert CANARY not in repr(report["findings"]), path.name
    assert explained > 1000


def _plant(root: etree._Element, share: float, chance: Callable[[], float]) -> None:
    """A canary in some of the texts and attributes, at the start of what stands there."""
    for element in root.iter(etree.Element):
        if element.text and element.text.strip() and chance() < share:
            element.text = f"{CANARY} {element.text}"
        for name, value in element.attrib.items():
            if chance() < share:
                element.set(name, f"{CANARY} {value!s}")
