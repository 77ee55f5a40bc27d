"""What the processes of a benchmark are told: one file, read by each of them."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import orjson

from gateway.ops.bench.notes import Note, Person
from gateway.ops.bench.recording import Outgoing, Recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The same for all that is measured together."""

    keys: str
    """Folder of signing keys"""
    hospitals: dict[str, str]
    """Organisation numbers by HER-id, of those that send"""
    notes: list[Note]
    recorded: list[Recorded]

    def write(self, file: Path) -> None:
        """As JSON."""
        file.write_bytes(orjson.dumps(self, default=_plain))

    @classmethod
    def read(cls, file: Path) -> Setup:
        """From the file."""
        document = orjson.loads(file.read_bytes())
        return cls(
            keys=document["keys"],
            hospitals=document["hospitals"],
            notes=[_note(each) for each in document["notes"]],
            recorded=[
                Recorded(
                    sendings=tuple(map(_outgoing, each["sendings"])),
                    receipts=tuple(map(_outgoing, each["receipts"])),
                )
                for each in document["recorded"]
            ],
        )


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    raise TypeError


def _outgoing(document: dict[str, Any]) -> Outgoing:
    return Outgoing(**{**document, "segments": tuple(document["segments"])})


def _note(document: dict[str, Any]) -> Note:
    person = document["person"]
    return Note(
        **{
            **document,
            "body": base64.b64decode(document["body"]),
            "receivers": tuple(document["receivers"]),
            "person": Person(**{**person, "birth_date": date.fromisoformat(person["birth_date"])}),
        }
    )
