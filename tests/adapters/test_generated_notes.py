"""Notes that are made from what they are to say, in the style of each system, and read back."""

from __future__ import annotations

import os

import pytest

import adapters
from tests.adapters.comparison import Differences, differences, message_of
from tests.adapters.generated_notes import expected, write

EXAMPLES = int(os.environ.get("PAKKEHJEM_EXAMPLES", "300"))
SYSTEMS = ("dips", "doculive", "helseplattformen")
_NEVER_WRONG = ("status", "phones", "contact", "diagnosis.confirmed", "survey.score", "objects", "relapse")
"""What no reading may have wrong: a missing strain is found by a person, a wrong status is acted on"""


class Counted(Differences):
    """Differences, with how many fields were compared."""

    def __init__(self) -> None:
        super().__init__()
        self.fields = 0

    def same(self, field: str, expected: object, actual: object) -> None:
        self.fields += 1
        super().same(field, expected, actual)

    def text(self, field: str, expected: str | None, actual: str | None) -> None:
        self.fields += bool(expected)
        super().text(field, expected, actual)


@pytest.mark.parametrize("system", SYSTEMS)
def test_generated_notes_are_read_back(system: str) -> None:
    adapter = adapters.installed().named(system)
    assert adapter is not None
    counted = Counted()
    grave = []
    right = notes = 0
    for seed in range(EXAMPLES):
        note = write(seed)
        if note.system != system:
            continue
        reading = adapter.read(message_of(note.as_mapping()), None)
        before = len(counted.found)
        differences(expected(note.told), reading.summary, counted)
        wrong = counted.found[before:] + (["no note"] if "PH001" in reading.noticed else [])
        grave += [f"seed {seed}: {one}" for one in wrong if one.startswith((*_NEVER_WRONG, "no note"))]
        notes += 1
        right += not wrong
    assert notes > EXAMPLES // 5
    assert grave == []
    assert 1 - len(counted.found) / counted.fields >= 0.98, counted.found
    assert right / notes >= 0.85, counted.found


def test_a_seed_is_a_note() -> None:
    assert write(7) == write(7)
    assert len({write(seed).text for seed in range(50)}) == 50
