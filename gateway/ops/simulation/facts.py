"""What stands on the outside of a note: ids, sender, receivers, patient.

Read from the text itself with patterns, not with the gateway's readers: the ledger must be able to find the
gateway wrong, and even a file that is cut off has a sender. Both envelope kinds (MsgHead, epikrise) are read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

_P = r"(?:[\w.-]+:)?"
"""An optional namespace prefix"""

MSG_ID = re.compile(rf"<{_P}MsgId>\s*([^<]*?)\s*<")
DOCUMENT_ID = re.compile(rf"<{_P}ServProvId>\s*([^<]*?)\s*<")
REFERENCE = re.compile(rf"<{_P}RefTo(?:Parent|Conversation)>\s*([^<]*?)\s*<")
_GENERATED = re.compile(rf"<{_P}GenDate(?:>\s*([^<]*?)\s*<|\s+V=[\"']([^\"']*))")
_TYPE = re.compile(rf"<{_P}Type\s[^>]*?\bV=[\"']([^\"']*)")
_HER_ID = re.compile(rf"<{_P}Id>\s*([^<]*?)\s*</{_P}Id>\s*<{_P}Type(?:Id)?\s[^>]*?\bV=[\"']HER[\"']")
_ROOT = re.compile(rf"<{_P}(MsgHead|Message)[\s>]")
_NAMESPACE = re.compile(
    r"xmlns(?::[\w.-]+)?=[\"'](http://www\.kith\.no/xmlstds/(?:msghead|epikrise)/[^\"']*)"
)

PATIENT_NAME = re.compile(rf"<{_P}(FamilyName|MiddleName|GivenName|Name)>\s*([^<]*?)\s*<")
PERSON_NUMBER = re.compile(rf"<{_P}(?:OffId|Id)>\s*(\d{{11}})\s*<")
BIRTH_DATE = re.compile(rf"<{_P}DateOfBirth(?:>\s*|\s+V=[\"'])(\d{{4}}-?\d\d-?\d\d)")


def block(text: str, *names: str) -> tuple[int, int] | None:
    """Start and end of the first element with one of these local names; to the end where it is cut off."""
    for name in names:
        start = re.search(rf"<{_P}{name}(?:\s[^>]*)?>", text)
        if start is not None:
            end = re.compile(rf"</{_P}{name}>").search(text, start.end())
            return start.end(), end.start() if end is not None else len(text)
    return None


def patient_block(text: str) -> tuple[int, int] | None:
    """Where the patient's own elements stand: not the relatives and professionals inside it."""
    place = block(text, "Patient")
    if place is None:
        return None
    start, end = place
    inner = re.search(rf"<{_P}Pat(?:Rel|ientRel)\w*[\s>]", text[start:end])
    return (start, start + inner.start()) if inner is not None else place


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The outside of a note."""

    envelope: str
    """`msghead`, `epikrise`, or empty"""
    namespace: str
    msg_type: str
    msg_id: str
    document_id: str | None
    generated_at: str
    """As written"""
    parent: str | None
    root: str | None
    sender: tuple[str, ...]
    """HER-ids, enterprise first"""
    receivers: tuple[tuple[str, ...], ...]
    """HER-ids of each receiver that is named, enterprise first"""
    patient: str
    """What tells one patient from another: the identifier, or name and birth date. Never printed"""
    well_formed: bool


def patient_key(number: str | None, names: str, birth_date: str | None) -> str:
    """The identifier of eleven digits, else the words of the name in any order with the birth date."""
    if number:
        return number
    words = sorted(re.findall(r"\w+", names.lower()))
    return f"{' '.join(words)}|{(birth_date or '').replace('-', '')[:8]}"


def read_facts(text: str, body: bytes) -> Facts:
    """The outside of a note, from its decoded text and its bytes."""
    root = _ROOT.search(text)
    namespace = _NAMESPACE.search(text)
    generated = _GENERATED.search(text)
    references = REFERENCE.findall(text)
    kind = _TYPE.search(text)
    return Facts(
        envelope={"MsgHead": "msghead", "Message": "epikrise"}[root.group(1)] if root else "",
        namespace=namespace.group(1) if namespace else "",
        msg_type=kind.group(1) if kind else "",
        msg_id=_first(MSG_ID, text) or "",
        document_id=_first(DOCUMENT_ID, text),
        generated_at=(generated.group(1) or generated.group(2) or "") if generated else "",
        parent=references[0] if references else None,
        root=references[-1] if references else None,
        sender=_her_ids(text, block(text, "Sender", "ServProvider")),
        receivers=tuple(_receivers(text)),
        patient=_patient(text),
        well_formed=_well_formed(body),
    )


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found.group(1) if found else None


def _her_ids(text: str, place: tuple[int, int] | None) -> tuple[str, ...]:
    if place is None:
        return ()
    found = (re.sub(r"\D", "", value) for value in _HER_ID.findall(text[slice(*place)]))
    return tuple(value for value in found if value)


def _receivers(text: str) -> list[tuple[str, ...]]:
    receivers = []
    for name in ("Receiver", "Requester", "OtherReceiver", "CopyDest"):
        for element in re.finditer(rf"<{_P}{name}[\s>].*?</{_P}{name}>", text, re.DOTALL):
            if her_ids := _her_ids(text, element.span()):
                receivers.append(her_ids)  # noqa: PERF401 - two nested loops read better than one expression
    return receivers


def _patient(text: str) -> str:
    place = patient_block(text)
    if place is None:
        return ""
    part = text[slice(*place)]
    names = " ".join(name for _, name in PATIENT_NAME.findall(part))
    return patient_key(_first(PERSON_NUMBER, part), names, _first(BIRTH_DATE, part))


def _well_formed(body: bytes) -> bool:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return False
    return True
