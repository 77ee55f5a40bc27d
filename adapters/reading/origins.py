"""Where the people of a note, and their numbers, stand in the message."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.reading.envelope import place_of_patient
from adapters.reading.model import Statement, Trace
from adapters.reading.parties import numbers
from adapters.reading.people import Signature
from adapters.reading.phones import find_phones
from adapters.reading.vocabulary import lower
from gateway.contracts.messages import Message
from gateway.contracts.summary import NextOfKin, Patient


def trace_people(
    message: Message,
    statements: Sequence[Statement],
    patient: Patient,
    next_of_kin: Sequence[NextOfKin],
    trace: Trace,
) -> None:
    """Say of the patient, the numbers and the relatives which place gave them."""
    record = message.head.patient
    own = numbers(record.telecoms) if record is not None else []
    for index, phone in enumerate(patient.phones):
        field = f"patient.phones[{index}]"
        if phone in own:
            trace.structured(field, phone, f"{place_of_patient(message)}/TeleCom")
        elif (statement := _with_phone(statements, phone)) is not None:
            trace.add(field, statement, "people.own_phone")
        else:
            trace.structured(field, phone, _entry_place(message))
    for index, one in enumerate(next_of_kin):
        field = f"next_of_kin[{index}]"
        if any(entry.person.full_name == one.name for entry in message.relatives):
            trace.structured(field, one.name, _entry_place(message))
        elif (statement := _with_name(statements, one.name)) is not None:
            trace.add(field, statement, "kinship")


def trace_signature(signature: Signature | None, trace: Trace) -> None:
    """Say that the author was read from the signature."""
    if signature is not None:
        trace.structured("author", " ".join(signature.lines), "the end of the text")


def _entry_place(message: Message) -> str:
    return next((entry.place for entry in message.relatives if entry.place), "a coded field")


def _with_phone(statements: Sequence[Statement], phone: str) -> Statement | None:
    return next((s for s in statements if any(p.e164 == phone for p in find_phones(s.text))), None)


def _with_name(statements: Sequence[Statement], name: str) -> Statement | None:
    return next((s for s in statements if lower(name) in s.low), None)
