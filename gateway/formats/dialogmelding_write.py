"""Dialogmelding 1.0 and 1.1, written: one Notat.

Source: dialogmelding.xsd, dialogmelding-v1.1.xsd; HIS 1077 (helsefaglig dialog); HIS 1151 (avvik).
"""

from __future__ import annotations

from gateway.contracts.messages import (
    CodedValue,
    CodeList,
    Format,
    Message,
    ProfessionalEntry,
    ProfessionalFunction,
    RelativeEntry,
    TextBlock,
)
from gateway.formats import codes, names
from gateway.formats import components_write as write
from gateway.formats.components_write import DIALOG
from gateway.formats.xml_writing import code, text, wrap

_TOPICS = {
    "DIALOG_HELSEFAGLIG": codes.listed_code(CodeList.DIALOGUE_TOPIC_CLINICAL, "6"),
    "DIALOG_SVAR": codes.listed_code(CodeList.DIALOGUE_TOPIC_ANSWER, "5"),
    "DIALOG_AVVIK": codes.listed_code(CodeList.DIALOGUE_TOPIC_DEVIATION, "9"),
}
_TOPIC = codes.listed_code(CodeList.DIALOGUE_TOPIC_FREE, "1")
"""TemaKodet where the message has none, by MsgInfo/Type"""

REMARK = "Merknad"


def write_dialogmelding(message: Message) -> str:
    """The `Dialogmelding` element.

    It has places for the topic, the subject, one text with a remark, the people and a date. Several texts
    become one, each under its heading. What else the message holds must be said in the text. Version 1.0 has
    no place for a unit.
    """
    body = [block for block in message.texts if not block.place.endswith(REMARK)]
    remarks = [block for block in message.texts if block.place.endswith(REMARK)]
    written = next((e.start for e in message.events if e.start), None)
    units = message.format is Format.DIALOGMELDING_1_1
    note = wrap(
        "Notat",
        code("TemaKodet", message.topic)
        or code("TemaKodet", _TOPICS.get(message.head.msg_type.value or "", _TOPIC)),
        text("Tema", message.subject),
        text("TekstNotatInnhold", joined(body)),
        text("Merknad", joined(remarks)),
        write.date("DatoNotat", written),
        "".join(_professional(entry, units=units) for entry in message.professionals),
        "".join(_relative(entry) for entry in message.relatives),
    )
    attributes = f' xmlns="{names.DIALOG[message.format]}" xmlns:fk1="{names.COMPONENTS}"'
    return wrap("Dialogmelding", note, attributes=attributes)


def joined(blocks: list[TextBlock]) -> str:
    """Several texts as one: each under the text of its heading, a blank line between them."""
    if len(blocks) == 1 and blocks[0].heading is None:
        return blocks[0].text
    return "\n\n".join(under_heading(block) for block in blocks)


def under_heading(block: TextBlock) -> str:
    """A text with the text of its heading, if it has one, on the line above."""
    return f"{block.heading.name}\n{block.text}" if block.heading and block.heading.name else block.text


def _professional(entry: ProfessionalEntry, *, units: bool) -> str:
    connected = ""
    if units and entry.unit is not None and write.unit_is_complete(entry.unit):
        connected = wrap(
            "TilknyttetEnhet",
            wrap("Kontaktenhet", write.unit(write.PLO, entry.unit, type_first=True)),
            text("Merknad", entry.remark),
        )
    person = wrap("HealthcareProfessional", write.person(DIALOG, entry.person))
    if not person and not connected:
        return ""
    in_note = code("RolleNotat", codes.AUTHOR) if entry.function is ProfessionalFunction.AUTHOR else ""
    role = code("RoleToPatient", write.role_to_patient(entry))
    if not in_note and not role:
        role = code("RoleToPatient", codes.HEALTH_CONTACT)
    if not person and not units:
        return ""
    return wrap("RollerRelatertNotat", in_note, role, connected, person)


def _relative(entry: RelativeEntry) -> str:
    person = wrap("Person", write.given_name_first(DIALOG, entry.person))
    if not person:
        return ""
    return wrap("RollerRelatertNotat", code("RoleToPatient", _relation(entry.relation)), person)


def _relation(relation: CodedValue | None) -> CodedValue | None:
    """A relation of a list that is not named (a CS) as words."""
    if relation is None or relation.code_list is not None:
        return relation
    return CodedValue(original_text=relation.original_text or relation.name or relation.value)
