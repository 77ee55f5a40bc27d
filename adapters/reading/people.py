"""Who wrote the note, by its signature; the GP by name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from adapters.reading.phones import find_phones
from adapters.reading.splitting import sentences
from adapters.reading.vocabulary import Words, lower, remembered

_ROLE = Words("people", "role")
_GREETING = Words("people", "greeting")
_SECRETARY = Words("people", "secretary")
_UNIT = Words("people", "unit")
_GP = Words("people", "gp")

_NAME_WORD = r"[A-ZÆØÅÄÖÉ][\w'’é-]+"
NAME = re.compile(rf"{_NAME_WORD}(?: (?:{_NAME_WORD}|[A-ZÆØÅ]\.)){{1,3}}")
_GP_NAME = re.compile(rf"(?:\s*[:,(\-–]?\s*(?:er\s+|heter\s+)?(?:dr\.?\s+|lege\s+)?)(?P<name>{NAME.pattern})")
_WORD = re.compile(r"[^\W\d_][\w.'’-]*")
_LONGEST = 14
"""A signature has no more words than this."""
_LINES_FROM_THE_END = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who signed."""

    name: str
    role: str | None
    unit: str | None
    phone: str | None
    lines: tuple[str, ...]
    """The lines it was read from"""


@remembered
def is_signature(text: str) -> bool:
    """Whether a line is a name with a role, or a greeting, and nothing more."""
    low = lower(text)
    if _GREETING.at_start(low):
        return True
    if low not in _ROLE or len(_WORD.findall(text)) > _LONGEST:
        return False
    return _signed(text) is not None


def is_greeting(text: str) -> bool:
    """Whether a line greets at the end of a note, with no more than a name and a role after it."""
    low = lower(text)
    return _GREETING.at_start(low) is not None and len(_WORD.findall(text)) <= _LONGEST


def read_signature(lines: Sequence[str]) -> Signature | None:
    """Read the signature of a note.

    Args:
        lines: the lines of the note, as written.
    """
    tail = [line.strip() for line in lines if line.strip()][-_LINES_FROM_THE_END:]
    if tail and len(_WORD.findall(tail[-1])) > _LONGEST:
        # All in one paragraph, the signature at its end.
        tail[-1:] = sentences(tail[-1])[-2:]
    greeted = next((i for i, line in enumerate(tail) if _GREETING.at_start(lower(line))), None)
    order = range(greeted, len(tail)) if greeted is not None else range(len(tail) - 1, -1, -1)
    for index in order:
        found = _signature_at(tail, index, greeted=greeted is not None)
        if found is not None:
            return found
    return None


def _signature_at(tail: list[str], index: int, *, greeted: bool) -> Signature | None:
    line = tail[index]
    low = lower(line)
    after = tail[index + 1 : index + 4]
    if not greeted and low not in _ROLE and not (after and _role_alone(after[0])):
        return None
    if low in _SECRETARY or low in _GP or len(_WORD.findall(line)) > _LONGEST:
        return None
    name = _signed(line)
    if name is None and (greeted or (after and _role_alone(after[0]))):
        name = _name_alone(line)
    if name is None:
        return None
    group = [line, *after]
    role = next((role for one in group if lower(one) not in _SECRETARY and (role := _role(one, name))), None)
    if role is None and not greeted:
        return None
    phones = [phone.e164 for one in group for phone in find_phones(one)]
    unit = next((unit for one in group if (unit := _unit(one, name, role))), None)
    return Signature(name=name, role=role, unit=unit, phone=phones[0] if phones else None, lines=tuple(group))


def _signed(line: str) -> str | None:
    """The name of a line that holds a role beside it."""
    rest = _without_greeting(line)
    role = _ROLE.find(lower(rest))
    if role is None:
        return None
    for name in NAME.finditer(rest):
        words = _trimmed(name[0])
        if words is None:
            continue
        start = rest.find(words, name.start())
        between = (
            rest[start + len(words) : role.start()] if role.start() > start else rest[role.end() : start]
        )
        if len(between) <= 14 and not re.search(r"[a-zæøå]{3,}\s+[a-zæøå]{3,}", between):
            return words
    return None


def _name_alone(line: str) -> str | None:
    rest = _without_greeting(line).strip(" ,.")
    found = NAME.match(rest)
    words = _trimmed(found[0]) if found else None
    return words if words and len(rest) - len(words) < 50 else None


@remembered
def _trimmed(name: str) -> str | None:
    """The name without the words of roles around it."""
    words = name.split()
    while len(words) > 1 and _is_role_word(words[0]):
        del words[0]
    while len(words) > 2 and _is_role_word(words[-1]):
        del words[-1]
    return " ".join(words) if len(words) >= 2 else None


def without_roles(name: str | None) -> str | None:
    """A name of health personnel without their title (`Overlege Hard Granitt`)."""
    return _trimmed(name) or name if name else None


def _is_role_word(word: str) -> bool:
    low = lower(word).strip(".,")
    return low in _ROLE or _GREETING.at_start(low) is not None or low in {"klinisk", "vennlig", "venleg"}


def _role_alone(line: str) -> bool:
    found = _ROLE.find(lower(line))
    return found is not None and " " not in line[: found.start()] and len(_WORD.findall(line)) <= 8


def _without_greeting(line: str) -> str:
    found = _GREETING.at_start(lower(line))
    return line[found.end() :].lstrip(" ,:.") if found else line


def _role(line: str, name: str) -> str | None:
    """The words of the role, as written."""
    rest = _without_greeting(line.replace(name, ","))
    for part in re.split(r"[,(/\t:]| {2,}", rest):
        words = part.split()
        for index, word in enumerate(words):
            if lower(word) not in _ROLE:
                continue
            last = index + 1 if lower(word) == "klinisk" else index
            return " ".join(words[index : last + 1]).strip(" ,;()") or None
    return None


def _unit(line: str, name: str, role: str | None) -> str | None:
    for part in re.split(r"[,(]|\. ", line.replace(name, ",")):
        words = part.replace(role or "\0", "").strip(" .")
        low = lower(words)
        if words and low in _UNIT and not find_phones(words) and len(words) <= 60 and words[0].isupper():
            return words
    return None


def gp_name(text: str) -> str | None:
    """The name that stands after the word for a GP."""
    low = lower(text)
    for found in _GP.all(low):
        end = len(text) if not (more := re.compile(r"[^\w]").search(text, found.end())) else more.start()
        name = _GP_NAME.match(text, end)
        if name is not None:
            words = name["name"]
            return words if lower(words) not in _UNIT else None
    return None
