"""The notes that the hospitals send: sample files, round after round, each round with people of its own.

The first round is the files byte for byte. In later rounds message ids, document ids and references are
fresh (the same everywhere in a round, so that a change still points to the note that it changes), and so are
the patients. Only those characters are replaced in the text: encoding, byte order mark and line ends stay.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.contracts.errors import ConfigurationError
from gateway.contracts.findings import Disposition
from gateway.contracts.summary import Action
from gateway.ops.simulation.facts import (
    DOCUMENT_ID,
    MSG_ID,
    PATIENT_NAME,
    PERSON_NUMBER,
    REFERENCE,
    Facts,
    patient_block,
    read_facts,
)
from gateway.ops.simulation.persons import Persons

_NAMESPACE = uuid.UUID("6f1d3f86-54d0-5c3f-9d27-1f0f6f7b51c4")
_ENCODING = re.compile(rb"<\?xml[^>]*\bencoding=[\"']([\w.-]+)")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a person says becomes of a note (`NAME.expected.json`)."""

    disposition: Disposition
    municipality: str | None
    """HER-id of the service"""
    gp: str | None
    action: Action | None
    """None: the file does not say"""
    lenient: bool
    """Whether more than one route or disposition is reasonable"""
    broken: bool
    """Broken on purpose: not well-formed, or not valid"""
    after_history: Disposition | None
    """The disposition once the note that it follows was handled"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A file."""

    name: str
    """`dips/01-kolonkreft-standard`"""
    system: str
    """The folder that it stands in"""
    body: bytes
    encoding: str
    expected: Expected | None

    @property
    def text(self) -> str:
        """The characters. Bytes that are none in its encoding survive the way back."""
        return self.body.decode(self.encoding, "surrogateescape")


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A note as it is sent."""

    sample: Sample
    round_number: int
    body: bytes
    facts: Facts

    @property
    def name(self) -> str:
        """For people: the file, and the round after the first."""
        return (
            self.sample.name if not self.round_number else f"{self.sample.name} (round {self.round_number})"
        )


class NoteBook:
    """All sample notes of a folder."""

    def __init__(self, samples: list[Sample], seed: int) -> None:
        """`seed` decides which fresh ids and persons later rounds get."""
        self.samples = samples
        self._seed = seed
        self._persons = Persons(
            (n for s in samples for n in PERSON_NUMBER.findall(_patient_text(s.text))), seed
        )

    @classmethod
    def load(cls, folder: Path, seed: int) -> NoteBook:
        """Read every `*.xml` under a folder, by system and name.

        Raises:
            ConfigurationError: there is none, or an expectation beside one can not be read.
        """
        files = sorted(folder.rglob("*.xml"))
        if not files:
            raise ConfigurationError(f"there are no notes (*.xml) in {folder}")
        return cls([_sample(file, folder) for file in files], seed)

    def notes(self, count: int, *, first_round: int = 0) -> Iterator[Note]:
        """So many notes, in the order of the files, round after round."""
        for i in range(count):
            lap, index = divmod(i, len(self.samples))
            yield self.note(index, first_round + lap)

    def note(self, index: int, round_number: int) -> Note:
        """One note of a round."""
        sample = self.samples[index]
        if not round_number:
            return Note(
                sample=sample, round_number=0, body=sample.body, facts=read_facts(sample.text, sample.body)
            )
        text = self._with_fresh_person(self._with_fresh_ids(sample.text, round_number), round_number)
        body = text.encode(sample.encoding, "surrogateescape")
        return Note(sample=sample, round_number=round_number, body=body, facts=read_facts(text, body))

    def _with_fresh_ids(self, text: str, round_number: int) -> str:
        for pattern in (MSG_ID, DOCUMENT_ID, REFERENCE):
            for old in {value for value in pattern.findall(text) if value}:
                fresh = str(uuid.uuid5(_NAMESPACE, f"{self._seed}:{round_number}:{old}"))
                text = re.sub(rf">(\s*){re.escape(old)}(\s*)<", rf">\g<1>{fresh}\g<2><", text)
        return text

    def _with_fresh_person(self, text: str, round_number: int) -> str:
        place = patient_block(text)
        if place is None:
            return text
        part = text[slice(*place)]
        number = PERSON_NUMBER.search(part)
        names = PATIENT_NAME.findall(part)
        known_by = number.group(1) if number is not None else " ".join(value for _, value in names)
        given, family = self._persons.name(known_by, round_number)

        def name(found: re.Match[str]) -> str:
            fresh = {"FamilyName": family, "MiddleName": "Test", "GivenName": given}.get(
                found.group(1), f"{family}, {given}" if "," in found.group(2) else f"{given} {family}"
            )
            return found.group(0).replace(found.group(2), _in_case_of(found.group(2), fresh))

        part = PATIENT_NAME.sub(name, part)
        text = text[: place[0]] + part + text[place[1] :]
        if number is not None:
            text = text.replace(known_by, self._persons.number(known_by, round_number))
        return text


def _in_case_of(model: str, fresh: str) -> str:
    return fresh.upper() if model.isupper() else fresh


def _patient_text(text: str) -> str:
    place = patient_block(text)
    return text[slice(*place)] if place is not None else ""


def _sample(file: Path, folder: Path) -> Sample:
    body = file.read_bytes()
    relative = file.relative_to(folder).with_suffix("")
    declared = _ENCODING.match(body.removeprefix(_BOM))
    return Sample(
        name=relative.as_posix(),
        system=relative.parts[0] if len(relative.parts) > 1 else "",
        body=body,
        encoding=declared.group(1).decode("ascii") if declared is not None else "utf-8",
        expected=_expected(file.with_name(f"{file.stem}.expected.json")),
    )


def _expected(file: Path) -> Expected | None:
    if not file.is_file():
        return None
    try:
        document = json.loads(file.read_bytes())
        lenient = document.get("lenient", ())
        history = document.get("history") or {}
        source = (document["summary"] or {}).get("source", {})
        return Expected(
            disposition=Disposition(document["disposition"]),
            municipality=document["route"]["municipality"],
            gp=document["route"]["gp"],
            action=Action(source["action"]) if "action" in source else None,
            lenient="route" in lenient or "disposition" in lenient,
            broken="broken" in document,
            after_history=Disposition(history["disposition"]) if "disposition" in history else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ConfigurationError(f"{file} is no expectation of a note") from None
