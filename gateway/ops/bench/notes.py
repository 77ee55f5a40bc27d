"""The notes that are sent: two samples with fresh ids and a person of its own in each, signed."""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from gateway.contracts.messages import Attachment
from gateway.contracts.ports import MessageSigner
from gateway.contracts.registry import Registry
from gateway.formats.msghead_write import attached
from gateway.ops.samples import notes_directory
from gateway.ops.simulation.facts import PERSON_NUMBER, patient_block, read_facts
from gateway.ops.simulation.persons import FAMILY_NAMES, GIVEN_NAMES, check_digits

SAMPLES = ("dips/09-endetarm-utreisedag.xml", "helseplattformen/01-lunge-kulepunkter.xml")
"""A PLO 1.6 message and a dialogue message 1.1: each goes to a municipality and a GP"""

_NAMESPACE = uuid.UUID("b24c7c1c-6c44-5b40-8f0e-4f2a9d1f7e55")
_FIRST_BIRTH, _DAYS = date(1940, 1, 1), 59 * 365
_LAST_NUMBERS = 500
_FAMILY = re.compile(r"(<FamilyName>)[^<]*")
_GIVEN = re.compile(r"(<GivenName>)[^<]*")
_BIRTH = re.compile(r"(<DateOfBirth>)[^<]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An invented patient: a number of the kind of Skatteetaten's Tenor."""

    number: str
    birth_date: date
    family_name: str
    given_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A signed note as a hospital sends it."""

    body: bytes
    msg_id: str
    sender: str
    """HER-id of the hospital"""
    unit: str
    """HER-id of the department"""
    receivers: tuple[str, ...]
    """HER-ids of the municipality's service and the GP"""
    person: Person


def persons() -> Iterator[Person]:
    """As many as are wanted, each another one."""
    for serial in range(_DAYS * _LAST_NUMBERS):
        born = _FIRST_BIRTH + timedelta(days=serial % _DAYS)
        nine = f"{born.day:02}{born.month + 80}{born.year % 100:02}{serial // _DAYS:03}"
        if (digits := check_digits(nine)) is not None:
            yield Person(
                number=nine + digits,
                birth_date=born,
                family_name=FAMILY_NAMES[serial % len(FAMILY_NAMES)],
                given_name=GIVEN_NAMES[serial % len(GIVEN_NAMES)],
            )


def document(size: int) -> Attachment:
    """A document of so many bytes, which no compression makes smaller."""
    content = b"%PDF-1.7\n" + random.Random(size).randbytes(max(0, size - 9))  # noqa: S311 - filler, no secret
    return Attachment(mime_type="application/pdf", content=content, description="Vedlegg")


def make_notes(
    registry: Registry, signer: MessageSigner, count: int, *, attachment: int = 0, seed: int = 0
) -> list[Note]:
    """Signed notes, of the samples in turn.

    Args:
        registry: knows the hospitals.
        signer: has their keys.
        count: how many.
        attachment: bytes of a document that goes along; 0: none.
        seed: decides the ids.
    """
    extra = f"<Document>{attached(document(attachment))}</Document>" if attachment else ""
    samples = [_Sample(name, extra) for name in SAMPLES]
    made = []
    for serial, person in zip(range(count), persons(), strict=False):
        sample = samples[serial % len(samples)]
        hospital = registry.hospital(sample.sender)
        msg_id = str(uuid.uuid5(_NAMESPACE, f"{seed}:{serial}"))
        made.append(
            Note(
                body=signer.sign(
                    sample.text(msg_id, person).encode(),
                    org_no=hospital.org_no if hospital is not None else None,
                ),
                msg_id=msg_id,
                sender=sample.sender,
                unit=sample.unit,
                receivers=sample.receivers,
                person=person,
            )
        )
    return made


class _Sample:
    """A sample, and where in it the ids and the person stand."""

    def __init__(self, name: str, extra: str) -> None:
        body = (notes_directory() / name).read_bytes()
        text = body.decode()
        facts = read_facts(text, body)
        self.sender, self.unit = facts.sender[0], facts.sender[-1]
        self.receivers = tuple(her_ids[-1] for her_ids in facts.receivers)
        self._text = text.replace("</MsgHead>", f"{extra}</MsgHead>")
        self._msg_id = facts.msg_id
        place = patient_block(text)
        if place is None:
            raise ValueError(name)
        self._place = place

    def text(self, msg_id: str, person: Person) -> str:
        """With these."""
        start, end = self._place
        patient = self._text[start:end]
        for pattern, value in (
            (_FAMILY, person.family_name),
            (_GIVEN, person.given_name),
            (_BIRTH, person.birth_date.isoformat()),
        ):
            patient = pattern.sub(rf"\g<1>{value}", patient, count=1)
        number = PERSON_NUMBER.search(patient)
        if number is not None:
            patient = patient.replace(number.group(1), person.number)
        head = self._text[:start].replace(self._msg_id, msg_id)
        return f"{head}{patient}{self._text[end:]}"
