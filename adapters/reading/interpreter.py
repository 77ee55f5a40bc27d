"""The interpreter that a note asks for, by a coded field or by words; and words that say otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.reading.languages import AskedInterpreter, asked_interpreters, is_own, language_of
from adapters.reading.model import Trace
from gateway.contracts.messages import CodedValue, TextBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class InterpreterReading:
    """The language of the interpreter."""

    language: str | None
    """ISO 639-1; None where no interpreter is asked for"""
    against: str | None = None
    """Words that say otherwise than the coded field"""


def read_interpreter(
    coded: CodedValue | None, place: str, blocks: Sequence[TextBlock], trace: Trace
) -> InterpreterReading:
    """Read it.

    A coded language holds against words that name another, or that deny the need. Who speaks Norwegian by the
    code and needs an interpreter by the words gets one: that code may be of the patient's language.

    Args:
        coded: the language that an interpreter is asked for, or the patient's.
        place: where that stands.
        blocks: the pieces of the note.
        trace: what gave which field.
    """
    said = [(one, block) for block in blocks for one in asked_interpreters(block.text)]
    asked = next(((one, block) for one, block in said if one.languages), None)
    if coded is None:
        return InterpreterReading(language=_by_words(asked, trace))
    language = language_of(coded.value, coded.name)
    if language is None:
        against = asked[0].words if asked is not None and is_own(coded.value, coded.name) else None
        return InterpreterReading(language=_by_words(asked, trace), against=against)
    trace.structured("patient.language", coded.name or coded.value, place)
    if any(language in one.languages for one, _ in said):
        return InterpreterReading(language=language)
    against = next((one.words for one, _ in said if one.languages or one.denied), None)
    return InterpreterReading(language=language, against=against)


def _by_words(asked: tuple[AskedInterpreter, TextBlock] | None, trace: Trace) -> str | None:
    if asked is None:
        return None
    one, block = asked
    line = block.text.count("\n", 0, one.start) + 1
    trace.structured("patient.language", one.words, f"{block.place}, line {line}", rule="languages.names")
    return one.languages[0]
