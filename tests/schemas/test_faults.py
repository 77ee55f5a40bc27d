"""Why a message is not valid: place, kind, words; and nothing of what the message says."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import xmlschema
from lxml import etree

from schemas import OWN, SchemaFault, SchemaSet, explanation
from tests.conftest import NOTES
from tests.schemas import corpus

MH = "{http://www.kith.no/xmlstds/msghead/2006-05-24}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
CANARY = "Kanarifugl"

own = SchemaSet()


def _note(name: str = "dips/01-*.xml") -> etree._Element:
    root = corpus.parse(next(NOTES.glob(name)))
    assert root is not None
    return copy.deepcopy(root)


def _first(root: etree._Element, name: str) -> etree._Element:
    return next(root.iter(f"{{*}}{name}"))


def _faults(change: Callable[[etree._Element], object]) -> tuple[SchemaFault, ...]:
    root = _note()
    change(root)
    return own.faults(corpus.again(root))


def _set(name: str, attribute: str, value: str) -> Callable[[etree._Element], object]:
    return lambda root: _first(root, name).set(attribute, value)


def _write(name: str, value: str) -> Callable[[etree._Element], object]:
    def change(root: etree._Element) -> None:
        _first(root, name).text = value

    return change


def _remove(name: str) -> Callable[[etree._Element], object]:
    def change(root: etree._Element) -> None:
        element = _first(root, name)
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)

    return change


def _append(name: str, tag: str) -> Callable[[etree._Element], object]:
    return lambda root: etree.SubElement(_first(root, name), tag)


@pytest.mark.parametrize(
    ("change", "path", "code", "words"),
    [
        (_write("GenDate", CANARY), "/MsgHead/MsgInfo/GenDate", "value-not-allowed", "a date with a time"),
        (
            _write("DateOfBirth", CANARY),
            "/MsgHead/MsgInfo/Patient/DateOfBirth",
            "value-not-allowed",
            "a date such",
        ),
        (_write("MIGversion", CANARY), "/MsgHead/MsgInfo/MIGversion", "value-not-allowed", "v1.2 2006-05-24"),
        (_set("TypeId", "S", CANARY), "TypeId/@S", "value-not-allowed", "numbers with dots"),
        (
            _set("MsgType", "X", CANARY),
            "/MsgHead/Document/RefDoc/MsgType/@X",
            "attribute-not-allowed",
            "no such",
        ),
        (
            _remove("Type"),
            "/MsgHead/MsgInfo/MIGversion",
            "missing-element",
            "expected Type before MIGversion",
        ),
        (_remove("Document"), "/MsgHead", "missing-element", "expected Document or PatientReport"),
        (
            _append("MsgInfo", f"{MH}Strange"),
            "/MsgHead/MsgInfo/Strange",
            "element-not-expected",
            "nothing more",
        ),
        (_append("MsgId", f"{MH}Type"), "/MsgHead/MsgInfo/MsgId", "element-not-expected", "only a value may"),
        (
            _append("MsgInfo", f"{MH}Patient"),
            "/MsgHead/MsgInfo/Patient[2]",
            "element-not-expected",
            "Patient",
        ),
        (_write("Sender", CANARY), "/MsgHead/MsgInfo/Sender", "text-not-allowed", "between the elements"),
        (_write("TypeId", CANARY), "TypeId", "text-not-allowed", "text stands"),
        (_append("Content", "{urn:other}Thing"), "/Content/Thing", "no-declaration", "no declaration"),
    ],
)
def test_a_fault_says_where_and_why(
    change: Callable[[etree._Element], object], path: str, code: str, words: str
) -> None:
    faults = _faults(change)
    assert faults
    first = faults[0]
    assert path in first.path
    assert first.code == code
    assert words in first.message
    assert first.message.startswith(f"line {first.line}, {first.path}: ")
    assert CANARY not in repr(faults)


def test_required_and_fixed_attributes_are_named() -> None:
    text = "{http://www.kith.no/xmlstds/epj/epj2/2008-02-20}"
    meta = "{http://www.kith.no/xmlstds/epj/meta/2008-02-20}"
    root = _note("dips/02-*.xml")
    holder = _first(root, "GenereltJournalnotat")
    assert holder.tag == f"{text}GenereltJournalnotat"
    del holder.attrib["komponentID"]
    holder.set(f"{meta}komponenttype", CANARY)
    holder.set(f"{meta}informasjonskategori", CANARY)
    faults = own.faults(corpus.again(root))
    assert {(fault.code, fault.path.rpartition("GenereltJournalnotat")[2]) for fault in faults} == {
        ("missing-attribute", ""),
        ("value-not-allowed", "/@komponenttype"),
        ("value-not-allowed", "/@informasjonskategori"),
    }
    assert CANARY not in repr(faults)


def test_an_element_of_the_wrong_namespace_is_told_apart() -> None:
    root = _note()
    _first(root, "Sender").tag = "{urn:other}Sender"
    (first, *_) = own.faults(corpus.again(root))
    assert first.path == "/MsgHead/MsgInfo/Sender"
    assert "another namespace" in first.message


def test_positions_count_where_there_are_several() -> None:
    root = _note()
    idents = list(root.iter(f"{MH}Ident"))
    assert len(idents) > 1
    organisation = idents[0].getparent()
    assert organisation is not None
    idents[0].addnext(copy.deepcopy(idents[0]))
    organisation.findall(f"{MH}Ident")[1][1].set("S", CANARY)
    (fault,) = own.faults(corpus.again(root))
    assert fault.path.endswith("/Organisation/Ident[2]/TypeId/@S")


def test_what_makes_xmlschema_stumble_is_still_explained() -> None:
    """An unknown xsi:type makes the library raise an error of another family, with the value in its text."""
    faults = _faults(_set("MsgId", f"{XSI}type", CANARY))
    assert [fault.path for fault in faults] == ["/MsgHead/MsgInfo/MsgId"]
    assert "SCHEMAV_CVC_ELT_4_" in faults[0].message
    assert CANARY not in repr(faults)


def test_where_xmlschema_finds_nothing_libxml2_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explanation, "explain", lambda _root, _driver: ())
    (fault,) = _faults(_write("GenDate", CANARY))
    assert fault.path == "/MsgHead/MsgInfo/GenDate"
    assert fault.code == "value-not-allowed"
    assert fault.line is not None
    assert CANARY not in repr(fault)


def test_a_message_broken_all_over_gives_a_list_that_can_be_read() -> None:
    root = _note()
    for element in root.iter(f"{MH}TypeId"):
        for _ in range(20):
            parent = element.getparent()
            assert parent is not None
            parent.addnext(copy.deepcopy(parent))
    for element in root.iter(f"{MH}TypeId"):
        element.set("S", CANARY)
    assert len(own.faults(corpus.again(root))) == 50


def _with_canaries(root: etree._Element) -> etree._Element:
    """Put a canary in every text and every attribute, beside what stands there."""
    for element in root.iter(etree.Element):
        element.text = f"{CANARY} {element.text or ''}"
        if element is not root:
            element.tail = f"{CANARY} {element.tail or ''}"
        for name, value in element.attrib.items():
            element.set(name, f"{CANARY} {value!s}")
    return root


def test_no_fault_holds_a_value_of_the_message() -> None:
    for path in sorted(NOTES.glob("*/*.xml")):
        root = corpus.parse(path)
        if root is None or not own.covers(root):
            continue
        dice = corpus.dice_of(path.name)
        full = _with_canaries(copy.deepcopy(root))
        sparse = corpus.changed(root, dice)
        for element in sparse.iter(etree.Element):
            if dice.random() < 0.05:
                element.text = f"{CANARY}{element.text or ''}"
            for name in element.attrib:
                if dice.random() < 0.05:
                    element.set(name, CANARY)
        for message in (full, sparse):
            fresh = corpus.again(message)
            told = (*own.faults(fresh), *explanation.explain(fresh, OWN))
            assert CANARY not in repr(told)
            if not own.is_valid(fresh):
                assert told
                assert CANARY not in repr(explanation.plain(fresh, own._sets[0].schema))


def test_libraries_would_have_told_the_values() -> None:
    """What the tests above guard against is real."""
    root = _note()
    _first(root, "GenDate").text = CANARY
    errors = list(explanation.validator(OWN).iter_errors(root))
    assert CANARY in str(errors[0])
    assert isinstance(errors[0], xmlschema.XMLSchemaValidationError)


def test_names_of_any_length_are_cut() -> None:
    faults = _faults(_append("MsgInfo", MH + "x" * 10_000))
    assert len(faults[0].message) < 500
