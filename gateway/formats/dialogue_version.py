"""A dialogue message in the other version of the Dialogmelding, 1.0 or 1.1, with its whole content.

Version 1.1 has everything that 1.0 has. What 1.0 has no place for is said in its text: the subject, further
categories and the coded information of a question, and the unit of a role. A clinical dialogue
(DIALOG_HELSEFAGLIG) is of 1.1 only, and is a note (DIALOG_NOTAT) in 1.0; questions and their answers are the
same in both.

Source: dialogmelding.xsd (2006-10-11), dialogmelding-v1.1.xsd (2013-01-23, edited 2017); HIS 1077
(DIALOG_HELSEFAGLIG); HIS 1151 (DIALOG_AVVIK is of 1.0).
"""

from __future__ import annotations

import copy

from lxml import etree

from gateway.contracts.errors import FormatError
from gateway.contracts.messages import CodedValue, CodeList, Format
from gateway.formats import names
from gateway.formats.codes import listed_code, simple_code
from gateway.formats.element_names import Element, local_name, namespace_of
from gateway.formats.flatten import flatten
from gateway.formats.identify import content_of, identify
from gateway.formats.xml_reading import Reader, child, children, coded_of, string_of

_NOTE = simple_code("8279", "DIALOG_NOTAT")
_CLINICAL = simple_code("8279", "DIALOG_HELSEFAGLIG")
_TOPICS = {
    "DIALOG_NOTAT": listed_code(CodeList.DIALOGUE_TOPIC_FREE, "6"),
    "DIALOG_HELSEFAGLIG": listed_code(CodeList.DIALOGUE_TOPIC_CLINICAL, "6"),
}
"""«Henvendelse om pasient» in both lists"""
_SAME = {
    Format.DIALOGMELDING_1_0: ("DIALOG_FORESPORSEL", "DIALOG_SVAR", "DIALOG_AVVIK"),
    Format.DIALOGMELDING_1_1: ("DIALOG_FORESPORSEL", "DIALOG_SVAR"),
}
_TYPES = {
    Format.DIALOGMELDING_1_0: {"DIALOG_NOTAT": _NOTE, "DIALOG_HELSEFAGLIG": _NOTE},
    Format.DIALOGMELDING_1_1: {"DIALOG_NOTAT": _CLINICAL, "DIALOG_HELSEFAGLIG": _CLINICAL},
}
_AFTER_REMARK = ("DokIdNotat", "DatoNotat", "Foresporsel", "RollerRelatertNotat")
_AFTER_QUESTION = (
    "Formål",
    "Begrunnelse",
    "Hastegrad",
    "FraDato",
    "TilDato",
    "TypeJournalinfo",
    "KodetOpplysning",
    "DokIdForesp",
    "RollerRelatertNotat",
)
_LABELS = {
    "EmneSporsmal": "Emne",
    "TypeJournalinfo": "Type journalopplysning",
    "KodetOpplysning": "Kodet opplysning",
}


def in_version(root: Element, version: Format) -> Element:
    """A dialogue message in another version; its head, but for the type, and its attachments are the same.

    Args:
        root: a MsgHead with a Dialogmelding, both by their schemas; it is not changed.
        version: Dialogmelding 1.0 or 1.1.

    Raises:
        FormatError: it is no dialogue message, or the version has none of its kind.
    """
    before = identify(root).format
    if before not in names.DIALOG or version not in names.DIALOG:
        raise FormatError("Only a dialogue message can be written in another version of it.")
    made = copy.deepcopy(root)
    if before is version:
        return made
    content, kind = content_of(made), child(made, "MsgInfo", "Type")
    holder = content.getparent() if content is not None else None
    if content is None or holder is None or kind is None:
        raise FormatError("The message holds no dialogue message.")
    _retype(kind, content, version)
    if version is Format.DIALOGMELDING_1_0:
        _fit(content)
    holder.replace(content, _renamed(content, names.DIALOG[before], names.DIALOG[version]))
    return made


def _retype(kind: Element, content: Element, version: Format) -> None:
    """The type of the message and, where that changes, the topics of its notes."""
    written = (kind.get("V") or "").strip()
    if written in _SAME[version]:
        return
    new = _TYPES[version].get(written)
    if new is None or new.value is None:
        raise FormatError("The other version of the Dialogmelding has no message of this type.")
    if new.value == written:
        return
    kind.set("V", new.value)
    kind.set("DN", new.name or new.value)
    topic = _TOPICS[new.value]
    for note in children(content, "Notat"):
        _retopic(note, topic)


def _retopic(note: Element, topic: CodedValue) -> None:
    """Give a note a topic of the list of its type; what it was called stands in its subject."""
    coded = child(note, "TemaKodet")
    if coded is None:
        return
    was = coded_of(coded)
    called = (was.name or was.original_text) if was is not None else None
    coded.attrib.clear()
    for attribute, value in (("V", topic.value), ("S", topic.code_list), ("DN", topic.name)):
        coded.set(attribute, value or "")
    subject = string_of(child(note, "Tema"))
    if called is not None and called != topic.name:
        subject = f"{called}: {subject}" if subject else called
    _put(note, "Tema", subject or topic.name or "", before=("TekstNotatInnhold", "Merknad", *_AFTER_REMARK))


def _fit(content: Element) -> None:
    """Say in the text what 1.0 has no place for."""
    for note in list(children(content, "Notat")):
        for question in list(children(note, "Foresporsel")):
            _fit_question(question)
        said = _fit_roles(note)
        if said:
            remark = string_of(child(note, "Merknad"))
            _put(note, "Merknad", "\n\n".join(filter(None, (remark, *said))), before=_AFTER_REMARK)
    for question in list(children(content, "Foresporsel")):
        _fit_question(question)


def _fit_question(question: Element) -> None:
    said = [_said(each) for each in _taken(question, "EmneSporsmal", first=0)]
    asked = child(question, "Sporsmal")
    said.append(flatten(asked) if asked is not None else "")
    said += [_said(each) for each in _taken(question, "TypeJournalinfo", first=1)]
    said += [_said(each) for each in _taken(question, "KodetOpplysning", first=0)]
    said += _fit_roles(question)
    text = "\n".join(filter(None, said))
    if text:
        _put(question, "Sporsmal", text, before=_AFTER_QUESTION)


def _taken(parent: Element, name: str, *, first: int) -> list[Element]:
    """The children of a name from the given one on, taken out."""
    found = list(children(parent, name))[first:]
    for each in found:
        parent.remove(each)
    return found


def _said(element: Element) -> str:
    """A leaf with its name in words."""
    coded = coded_of(element)
    said = string_of(element)
    if coded is not None:
        said = " ".join(filter(None, (coded.name or coded.original_text, coded.value and f"({coded.value})")))
    label = _LABELS[local_name(element)]
    return f"{label}: {said}" if said else ""


def _fit_roles(parent: Element) -> list[str]:
    """A role is a person in 1.0: persons of a unit stand directly, and the unit is told of."""
    said = []
    for role in list(children(parent, "RollerRelatertNotat")):
        unit = child(role, "TilknyttetEnhet")
        if unit is not None:
            for person in [*children(unit, "HealthcareProfessional"), *children(unit, "Person")]:
                _move(person, role)
            role.remove(unit)
            said += [block.text for block in Reader().unread(unit, unit)]
        if not _persons(role):
            said += [block.text for block in Reader().unread(role, role)]
            parent.remove(role)
    return said


def _persons(role: Element) -> list[Element]:
    return [*children(role, "HealthcareProfessional"), *children(role, "Person")]


def _move(person: Element, role: Element) -> None:
    """To the role itself, or, where that has its person, to a role of the same kind after it."""
    if not _persons(role):
        role.append(person)
        return
    another = etree.SubElement(role, role.tag)
    another.extend([copy.deepcopy(each) for name in _KIND_OF_ROLE for each in children(role, name)])
    another.append(person)
    role.addnext(another)


_KIND_OF_ROLE = ("RolleNotat", "RoleToPatient")


def _put(parent: Element, name: str, text: str, *, before: tuple[str, ...]) -> None:
    """Set the text of a child, made where there is none, ahead of the first of the others."""
    element = child(parent, name)
    if element is None:
        element = etree.SubElement(parent, f"{{{namespace_of(parent)}}}{name}")
        following = next((e for other in before for e in children(parent, other)), None)
        if following is not None:
            following.addprevious(element)
    for inner in list(element):
        element.remove(inner)
    element.text = text


def _renamed(element: Element, old: str, new: str) -> Element:
    """The same content in another namespace; text with markup and the like are of neither, and untouched."""
    made = etree.fromstring(
        f'<{local_name(element)} xmlns="{new}" xmlns:fk1="{names.COMPONENTS}" xmlns:k="{names.KITH}"/>'
    )
    _fill(made, element, old, new)
    return made


def _fill(made: Element, element: Element, old: str, new: str) -> None:
    made.text, made.tail = element.text, element.tail
    for attribute, value in element.items():
        made.set(attribute, value)
    for inner in element:
        if namespace_of(inner) == old:
            _fill(etree.SubElement(made, f"{{{new}}}{local_name(inner)}"), inner, old, new)
        else:
            made.append(copy.deepcopy(inner))
