"""A summary as a message of any format, for one receiver.

Source: the standards of the formats (PLO 1.5, 1.6; epikrise 1.1, 1.2; dialogmelding 1.0; HIS 1077:2017 for
1.1); HISD 1154:2018 (change and cancellation: the whole content, a new MsgId, a reference back).
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.contracts.messages import (
    Attachment,
    CodedValue,
    CodeList,
    EventEntry,
    Format,
    Head,
    Message,
    Party,
    Receiver,
    TextBlock,
    Unit,
)
from gateway.contracts.summary import Summary, SurveyForm
from gateway.contracts.values import replace
from gateway.formats.codes import listed_code, simple_code
from gateway.formats.summary_xml import write_summary
from gateway.rendering import structure
from gateway.rendering.form import form
from gateway.rendering.order import APPLICATION, RenderingOrder
from gateway.rendering.structure import DIALOGUES, EPIKRISES, coded
from gateway.rendering.text import Block, blocks, render_text, title

SUMMARY_DESCRIPTION = "Pakkeforløp hjem, sammendraget som XML"

_ACK = simple_code("7304", "J")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """What a message of a format is called, in the head and in the content."""

    msg_type: CodedValue
    root: str
    topic: CodedValue | None = None
    headings: str | None = None
    """Column of the form's heading codes"""
    heading_list: str | None = None


_DISCHARGE = _Kind(
    msg_type=simple_code("8279", "UTSKRIVNINGSRAPPORT"),
    root="TverrfagligEpikrise",
    topic=listed_code(CodeList.PLO_CONTENT_DISCHARGE, "11"),
    headings="discharge",
    heading_list=CodeList.PLO_HEADING_NURSING,
)
_APPLICATION = _Kind(
    msg_type=simple_code("8279", "HELSEOPPL_SOKNAD"),
    root="HelseopplysningerVedSoknad",
    topic=listed_code(CodeList.PLO_CONTENT_HEALTH, "2"),
    headings="application",
    heading_list=CodeList.PLO_HEADING_HEALTH,
)
_EPIKRISE = _Kind(msg_type=simple_code("8279", "EPIKRISE"), root="Message", headings="epikrise")
_NOTE = _Kind(
    msg_type=simple_code("8279", "DIALOG_NOTAT"),
    root="Dialogmelding",
    topic=listed_code(CodeList.DIALOGUE_TOPIC_FREE, "1"),
)
_DIALOGUE = _Kind(
    msg_type=simple_code("8279", "DIALOG_HELSEFAGLIG"),
    root="Dialogmelding",
    topic=listed_code(CodeList.DIALOGUE_TOPIC_CLINICAL, "6"),
)
_SUMMARY = _Kind(msg_type=simple_code("8279", "PAKKEFORLOP_HJEM"), root="Summary")

_KINDS = {
    Format.PLO_1_5: _DISCHARGE,
    Format.PLO_1_6: _DISCHARGE,
    Format.EPIKRISE_1_1: _EPIKRISE,
    Format.EPIKRISE_1_2: _EPIKRISE,
    Format.DIALOGMELDING_1_0: _NOTE,
    Format.DIALOGMELDING_1_1: _DIALOGUE,
    Format.SUMMARY_1: _SUMMARY,
}


def render(summary: Summary, order: RenderingOrder) -> Message:
    """The message that carries a summary to a receiver.

    The text says all of it to a person, and can be read back (`read_rendering`); structured places are
    filled besides. A change and a cancellation carry the whole content again.

    Raises:
        ValueError: a summary can not be sent in this format.
    """
    kind = _kind(order)
    if order.format is Format.SUMMARY_1:
        return Message(
            format=order.format,
            head=_head(summary, order, kind),
            action=order.action,
            content_root=kind.root,
            canonical=write_summary(summary),
            attachments=order.attachments,
        )
    attachments = order.attachments
    if order.attach_summary:
        attachments += (
            Attachment(mime_type="text/xml", description=SUMMARY_DESCRIPTION, content=write_summary(summary)),
        )
    return Message(
        format=order.format,
        head=_head(summary, order, kind),
        action=order.action,
        content_root=kind.root,
        topic=kind.topic,
        subject=form().titles[order.action],
        texts=_texts(summary, order, kind),
        diagnoses=structure.diagnoses(summary, order.format),
        procedures=structure.procedures(summary),
        relatives=structure.relatives(summary, order.format),
        professionals=structure.professionals(summary, order.format, _enterprise(summary, order)),
        events=(_event(summary, order),),
        language=structure.language(summary),
        attachments=attachments,
    )


def _kind(order: RenderingOrder) -> _Kind:
    kind = _KINDS.get(order.format)
    if kind is None:
        raise ValueError(f"a summary can not be sent as {order.format}")
    if kind is _DISCHARGE and order.other == APPLICATION:
        return _APPLICATION
    return kind


def _head(summary: Summary, order: RenderingOrder, kind: _Kind) -> Head:
    epikrise = order.format in EPIKRISES
    return Head(
        msg_type=kind.msg_type,
        msg_id=order.msg_id,
        generated_at=order.at.isoformat(timespec="seconds"),
        sent_at=order.at,
        document_id=(order.document_id or order.msg_id) if epikrise else None,
        processing_status=simple_code("8113", order.processing_status),
        ack=_ACK,
        conversation=order.conversation,
        sender=_sender(summary, order),
        receivers=(Receiver(party=order.receiver),),
        patient=structure.patient_record(summary.patient),
    )


def _enterprise(summary: Summary, order: RenderingOrder) -> Unit | None:
    """The hospital that the note comes from, where it is the sender."""
    sender = order.sender.organisation
    hospital = summary.source.organisation.her_id
    return sender if hospital is not None and sender.her_id == hospital else None


def _sender(summary: Summary, order: RenderingOrder) -> Party:
    """The sender; an epikrise of the hospital itself names the responsible professional there."""
    sender = order.sender
    if order.format not in EPIKRISES or sender.person is not None or _enterprise(summary, order) is None:
        return sender
    entry = structure.author(summary.author, summary.source.unit)
    return replace(sender, person=entry.person) if entry and entry.person.identifiers else sender


def _texts(summary: Summary, order: RenderingOrder, kind: _Kind) -> tuple[TextBlock, ...]:
    if order.format in DIALOGUES:
        text = render_text(summary, action=order.action, gp=order.receiver_is_gp)
        return (TextBlock(text=text.rstrip("\n")),)
    first, *others = blocks(summary)
    head = "\n".join(title(order.action, gp=order.receiver_is_gp))
    return (
        TextBlock(text=f"{head}\n\n{first.text}", heading=_heading(first, kind)),
        *(TextBlock(text=block.text, heading=_heading(block, kind)) for block in others),
    )


def _heading(block: Block, kind: _Kind) -> CodedValue | None:
    if kind.headings is None:
        return None
    own = form().note_codes if block.section is None else block.section.codes
    code = own.get(kind.headings)
    if code is None:
        return None
    return listed_code(kind.heading_list, code) if kind.heading_list else simple_code("8311", code)


def _event(summary: Summary, order: RenderingOrder) -> EventEntry:
    """The conversation; where no date of one is known, and in a dialogue message, the writing of the note."""
    survey = summary.survey
    contact: SurveyForm | None = survey.form if survey else None
    code = coded("contact_form", contact) if order.format in EPIKRISES else None
    if survey is not None and survey.held_on is not None and order.format not in DIALOGUES:
        return EventEntry(code=code, description="Kartleggingssamtale", start=survey.held_on.isoformat())
    written = summary.source.sent_at or order.at
    return EventEntry(code=code, description="Notat skrevet", start=written.isoformat(timespec="seconds"))
