"""What the adapters share: all of the reading. A system's own class names what it does otherwise."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import ClassVar, cast

from pydantic import ValidationError

from adapters.reading.action import action_by_words
from adapters.reading.envelope import trace_head
from adapters.reading.interpreter import read_interpreter
from adapters.reading.limits import readable
from adapters.reading.model import Statement, Topic, Trace
from adapters.reading.note import read_note, unplaced
from adapters.reading.origins import trace_people, trace_signature
from adapters.reading.parties import (
    municipality_code,
    numbers,
    numbers_of_others,
    participant,
    read_author,
    read_day,
    read_gp,
    read_patient,
)
from adapters.reading.people import Signature, read_signature
from adapters.reading.relatives import People, read_people
from adapters.reading.segments import segment
from adapters.reading.title import has_sections, is_note
from adapters.reading.vocabulary import forget
from gateway.contracts.errors import AdapterError
from gateway.contracts.messages import Format, Message, ProfessionalEntry, ProfessionalFunction, TextBlock
from gateway.contracts.next_points import next_points
from gateway.contracts.reading import Reading
from gateway.contracts.receipts import ErrorCode, fault
from gateway.contracts.registry import Registry
from gateway.contracts.summary import (
    Action,
    Basis,
    Pathway,
    PathwayStatus,
    Patient,
    Source,
    SourceFormat,
    Summary,
)
from gateway.contracts.text import as_text, line_or_none

_NO_DAY = datetime.date(2000, 1, 1)
"""What days are counted from in a message that does not say when it was made"""


class RecordSystem:
    """A record system; the class attributes are where systems differ."""

    name: ClassVar[str]
    title: ClassVar[str]
    source_url: ClassVar[str]

    formats: ClassVar[frozenset[Format]]
    """The formats in which the system sends notes"""
    author_roles: ClassVar[frozenset[str]] = frozenset()
    """Roles (9034) of a contact person in the content who is the author"""
    heading_codes: ClassVar[dict[str, str]] = {}
    """The system's own codes of headings, by topic"""
    subject_is_title: ClassVar[bool] = False
    """Whether the subject is part of the note (else it names a kind of letter)"""
    action_in_words: ClassVar[bool] = False
    """Whether only the words tell a change or a cancellation"""
    receivers_have_roles: ClassVar[bool] = True
    """Whether a receiver's role says that it is the GP (else every person among them is)"""

    def recognises(self, message: Message) -> int:
        """1 by the format; more by the marks of the system."""
        return int(message.format in self.formats) and 1 + self.marks(message)

    def marks(self, message: Message) -> int:
        """How many marks of the system the message bears."""
        del message
        return 0

    def read(self, message: Message, registry: Registry | None) -> Reading:
        """Read the note.

        Raises:
            AdapterError: the message holds what no summary can.
        """
        try:
            return self._read(message, registry)
        except ValidationError:
            # The error's text may hold values: it is not passed on.
            raise AdapterError(
                f"{self.title}: the message holds a value that the summary can not",
                faults=(fault(ErrorCode.OTHER, "Meldingen kan ikke leses."),),
            ) from None
        finally:
            forget()

    def author(self, message: Message) -> ProfessionalEntry | None:
        """Who wrote the note, where the content says so."""
        for function in (ProfessionalFunction.AUTHOR, ProfessionalFunction.CONTACT):
            for entry in message.professionals:
                role = entry.person.role.value if entry.person.role else None
                if entry.function is function and (
                    function is ProfessionalFunction.AUTHOR or role in self.author_roles
                ):
                    return entry
        return None

    def _read(self, message: Message, registry: Registry | None) -> Reading:
        trace = Trace()
        written = self._blocks(message)
        read = readable(written)
        texts = read.blocks[len(written) - len(message.texts) :]
        statements = segment(read.blocks, self.heading_codes)
        sent_on = _sent_on(message)
        signature = read_signature([line for block in texts for line in block.text.splitlines()])
        _set_apart(statements, signature)
        note = read_note(message, statements, sent_on, trace, action_is_coded=not self.action_in_words)
        patient, people = self._people(message, statements, registry, signature, trace)
        interpreter = read_interpreter(message.language, message.language_place, texts, trace)
        if interpreter.language is not None:
            patient = patient.model_copy(update={"language": interpreter.language})
        trace_people(message, statements, patient, people.next_of_kin, trace)
        pathway = note.pathway
        if read.beyond is not None:
            # What was not read may say otherwise: a person has to look.
            pathway = pathway.model_copy(update={"status": PathwayStatus.UNKNOWN, "started_on": None})
        pathway = pathway.model_copy(
            update={
                "next_points": next_points(
                    pathway.status,
                    pathway.interaction_point,
                    started_on=pathway.started_on,
                    diagnosis_date=note.diagnosis.date if note.diagnosis else None,
                    survey_date=note.survey.held_on if note.survey else None,
                    discharge_date=_discharged_on(message),
                )
            }
        )
        _trace_points(message, pathway, trace)
        summary = Summary(
            pathway=pathway,
            patient=patient,
            next_of_kin=people.next_of_kin,
            gp=read_gp(message, statements, registry, trace, any_person=not self.receivers_have_roles),
            diagnosis=note.diagnosis,
            survey=note.survey,
            strains=note.strains,
            what_matters=note.what_matters,
            needs=note.needs,
            referrals=note.referrals,
            contact=note.contact,
            existing_follow_up=note.existing_follow_up,
            author=read_author(self.author(message), signature, message.head.sender, trace),
            source=self._source(message, statements, trace),
            note=_whole(written),
        )
        trace_head(message, summary, trace)
        if self.author(message) is None:
            trace_signature(signature, trace)
        left = (
            *unplaced(statements, signature),
            *note.contradicts,
            *people.against,
            *((interpreter.against,) if interpreter.against is not None else ()),
            *((read.beyond,) if read.beyond is not None else ()),
        )
        subject = message.subject if self.subject_is_title else None
        noticed = [
            code
            for code, applies in (
                ("PH001", not is_note(subject, texts, statements, self.heading_codes)),
                ("PH061", note.score_out_of_range),
                ("PH090", bool(left)),
            )
            if applies
        ]
        return Reading(summary=summary, noticed=tuple(noticed), evidence=tuple(trace.evidence), unplaced=left)

    def _blocks(self, message: Message) -> tuple[TextBlock, ...]:
        """The pieces of the note, the subject first where it is one of them."""
        if self.subject_is_title and message.subject:
            return (TextBlock(text=message.subject, place="subject"), *message.texts)
        return message.texts

    def _people(
        self,
        message: Message,
        statements: list[Statement],
        registry: Registry | None,
        signature: Signature | None,
        trace: Trace,
    ) -> tuple[Patient, People]:
        record = message.head.patient
        people = read_people(
            message.relatives,
            statements,
            own=numbers(record.telecoms) if record else (),
            others=numbers_of_others(message, signature),
            names=_names(message, signature),
        )
        code = municipality_code(message, registry, trace)
        return read_patient(record, people.phones, code), people

    def _source(self, message: Message, statements: list[Statement], trace: Trace) -> Source:
        head = message.head
        conversation = head.conversation
        action = message.action
        if action is Action.NEW and self.action_in_words:
            found = action_by_words(
                message.subject,
                message.texts,
                refers=conversation is not None,
                full=has_sections(statements),
            )
            if found is not None:
                action = found.action
                trace.structured("source.action", found.words, found.place, rule="action")
        sender = head.sender
        return Source(
            system=self.name,
            format=cast("SourceFormat", message.format.value),
            action=action,
            msg_type=line_or_none(head.msg_type.value),
            msg_id=line_or_none(head.msg_id),
            conversation_id=line_or_none(conversation.root) if conversation else None,
            replaces=line_or_none(conversation.parent) if conversation and action is not Action.NEW else None,
            sent_at=head.sent_at,
            organisation=participant(sender.organisation if sender else None),
            unit=participant(sender.unit if sender else None),
        )


def _set_apart(statements: Sequence[Statement], signature: Signature | None) -> None:
    """Let the lines below the author's name be about the author: «forløpskoordinator uro» is no unrest."""
    if signature is None:
        return
    named = [index for index, each in enumerate(statements) if signature.name in each.text]
    for statement in statements[named[-1] + 1 :] if named else ():
        if statement.text in signature.lines:
            statement.topic = Topic.AUTHOR


def _sent_on(message: Message) -> datetime.date:
    if message.head.sent_at is not None:
        return message.head.sent_at.date()
    days = [day for event in message.events if (day := read_day(event.end or event.start))]
    return max(days, default=_NO_DAY)


def _discharged_on(message: Message) -> datetime.date | None:
    """When the patient left the hospital: PLO «Utskrevet dato», the end of an epicrisis' stay (AdmCat 1)."""
    for event in message.events:
        if (event.description or "").lower().startswith("utskr"):
            return read_day(event.start)
        if event.code is not None and event.code.value == "1" and event.end:
            return read_day(event.end)
    return None


_BASES = {
    Basis.STARTED_ON: "pathway.started_on",
    Basis.DIAGNOSIS_DATE: "diagnosis.date",
    Basis.SURVEY_DATE: "survey.held_on",
}


def _trace_points(message: Message, pathway: Pathway, trace: Trace) -> None:
    """Say of the points to come what they are counted from."""
    for index, point in enumerate(pathway.next_points):
        name = f"pathway.next_points[{index}]"
        if point.basis in _BASES:
            trace.as_of(name, _BASES[point.basis], "counted")
        else:
            day = _discharged_on(message)
            place = next((event.place for event in message.events if event.place), "a coded field")
            trace.structured(name, day.isoformat() if day else None, place)


def _whole(blocks: tuple[TextBlock, ...]) -> str | None:
    """The whole note as it was written: its pieces with their headings."""
    pieces = []
    for block in blocks:
        heading = block.heading.name if block.heading and block.heading.name != "Annet" else None
        pieces.append(f"{heading}\n{block.text}" if heading else block.text)
    text = as_text("\n\n".join(pieces))
    return text if isinstance(text, str) and text else None


def _names(message: Message, signature: Signature | None) -> frozenset[str]:
    """The words of the names of the patient and of health personnel."""
    record = message.head.patient
    names = [signature.name if signature else None]
    if record is not None:
        names += [record.name, record.given_name, record.middle_name, record.family_name]
    names += [entry.person.full_name for entry in message.professionals]
    return frozenset(word for name in names if name for word in name.lower().replace(",", " ").split())
