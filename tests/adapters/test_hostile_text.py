"""No text takes long to read, whatever stands in it; what is not read is noticed, and left to a person."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

import adapters
from adapters.reading.limits import LONGEST_LINE, MOST_CHARACTERS, MOST_LINES, readable
from gateway.contracts.messages import TextBlock
from gateway.contracts.reading import Reading
from gateway.contracts.summary import PathwayStatus
from tests.adapters.comparison import message_of

SYSTEMS = ("dips", "doculive", "helseplattformen")


def _repeated(words: str) -> Callable[[int], str]:
    return lambda length: words * (length // len(words))


SHAPES = {
    "one word": _repeated("a"),
    "word in word": _repeated("kreft"),
    "one line": _repeated("ikke behov for hjemmesykepleie "),
    "unfinished phrases": _repeated("pasienten vil ikke at kommunen ønsker "),
    "short lines": _repeated("a\n"),
    "labels": _repeated("a:\n"),
    "headings": _repeated("Behov:\n"),
    "headings with items": _repeated("Behov: hjemmesykepleie\n"),
    "bullets": _repeated("- a\n"),
    "lines that go on": _repeated("og han er redd for at det ikke skal gå bra med familien hans\n"),
    "digits": _repeated("1"),
    "figures": _repeated("9 "),
    "ordinals": _repeated("1."),
    "dates": _repeated("12.03.2026 "),
    "telephones": _repeated("tlf 90000001 "),
    "prefixes": _repeated("+47"),
    "scores": _repeated("NCCN 5 "),
    "names": _repeated("Kari Nordmann "),
    "relatives": _repeated("datter Kari Nordmann, "),
    "signatures": _repeated("Kari Nordmann, sykepleier\n"),
    "interpreters": _repeated("ikke en tolk "),
    "times to come": _repeated("innen 3 uker etter "),
    "conditions": _repeated("hvis pasienten "),
    "open brackets": _repeated("("),
    "nested brackets": lambda length: "(" * (length // 2) + ")" * (length // 2),
    "open quotations": _repeated("«"),
    "boxes": _repeated("[x] "),
    "blanks": lambda length: f"Behov{' ' * length}x",
    "tabs": _repeated("Behov\t"),
    "stops": _repeated(". "),
    "commas": _repeated("og, "),
    "slashes": _repeated("// "),
    "rules": _repeated("-"),
}


def _read(system: str, text: str) -> Reading:
    adapter = adapters.installed().named(system)
    assert adapter is not None
    written = f"Pakkeforløp hjem\n{text}"
    note = {"system": system, "subject": "Brev", "text": written, "sent_at": "2026-05-20T10:00:00+02:00"}
    return adapter.read(message_of(note), None)


def _seconds(system: str, text: str, *, attempts: int = 2, enough: float = 0.5) -> float:
    """CPU seconds to read a text, the best of some attempts: one is enough that took less than `enough`."""
    best = float("inf")
    for _ in range(attempts):
        start = time.process_time()
        _read(system, text)
        best = min(best, time.process_time() - start)
        if best < enough:
            break
    return best


@pytest.mark.parametrize("shape", SHAPES)
def test_a_megabyte_is_read_in_two_seconds(shape: str) -> None:
    text = SHAPES[shape](1_000_000)
    for system in SYSTEMS:
        assert _seconds(system, text) < 2


@pytest.mark.parametrize("shape", SHAPES)
def test_twice_the_text_takes_about_twice_the_time(shape: str) -> None:
    half, whole = (SHAPES[shape](size) for size in (MOST_CHARACTERS // 2, MOST_CHARACTERS))
    # Below a tenth of a second the clock says more of the machine than of the text.
    first = _seconds("dips", half, attempts=3, enough=0)
    assert _seconds("dips", whole, attempts=5, enough=first) < max(0.1, 3.5 * first)


@pytest.mark.parametrize("text", ["x" * MOST_CHARACTERS, "Behov: hjemmesykepleie\n" * MOST_LINES])
def test_a_note_too_long_to_be_read_is_left_to_a_person(text: str) -> None:
    last = "Pasienten ønsker ikke at kommunen får vite det."
    reading = _read("dips", f"Startet pakkeforløp hjem i dag.\n{text}\n{last}")
    assert reading.summary.pathway.status is PathwayStatus.UNKNOWN
    assert reading.summary.pathway.started_on is None
    assert "PH090" in reading.noticed
    assert reading.unplaced[-1].endswith(last)
    assert reading.summary.note is not None
    assert reading.summary.note.endswith(last)


def test_a_long_line_is_read_to_its_end() -> None:
    prose = "Det er lenge siden sist og mye har skjedd i mellomtiden. " * (LONGEST_LINE // 20)
    reading = _read("doculive", f"{prose}Han har startet i pakkeforløp hjem. Han er plaget av kvalme.")
    assert reading.summary.pathway.status is PathwayStatus.STARTED
    assert [strain.text for strain in reading.summary.strains] == ["Han er plaget av kvalme"]
    assert "kvalme." in (reading.summary.note or "")


def test_a_note_of_usual_length_is_read_as_it_stands() -> None:
    blocks = (TextBlock(text="Diagnose: lungekreft\n" * 50, place="a"), TextBlock(text="Behov", place="b"))
    assert readable(blocks).blocks == blocks
    assert readable(blocks).beyond is None


def test_what_is_not_read_begins_where_the_reading_ends() -> None:
    blocks = (TextBlock(text="x" * (MOST_CHARACTERS - 10), place="a"), TextBlock(text="y" * 30, place="b"))
    read = readable((*blocks, TextBlock(text="z", place="c")))
    assert [block.text.replace("\n", "") for block in read.blocks] == ["x" * (MOST_CHARACTERS - 10), "y" * 10]
    assert read.beyond == "y" * 20
