"""Vocabularies as compiled patterns, made when they are first asked for."""

from __future__ import annotations

import re
from functools import cache

from adapters.reading.phrases import compile_phrases
from mappings import vocabulary


class Words:
    """Some entries of a vocabulary as one pattern over lower-case text."""

    __slots__ = ("_keys", "_name", "_pattern")

    def __init__(self, name: str, *keys: str) -> None:
        """Name the vocabulary and the entries; nothing is read before the first use."""
        self._name = name
        self._keys = keys
        self._pattern: re.Pattern[str] | None = None

    @property
    def pattern(self) -> re.Pattern[str]:
        """The compiled pattern."""
        if self._pattern is None:
            self._pattern = _compiled(self._name, self._keys)
        return self._pattern

    def find(self, text: str, start: int = 0) -> re.Match[str] | None:
        """The first place in a lower-case text."""
        return self.pattern.search(text, start)

    def at_start(self, text: str) -> re.Match[str] | None:
        """A place at the very beginning of a lower-case text."""
        return self.pattern.match(text)

    def all(self, text: str) -> list[re.Match[str]]:
        """Every place in a lower-case text."""
        return list(self.pattern.finditer(text))

    def __contains__(self, text: str) -> bool:
        """Whether a lower-case text holds any."""
        return self.pattern.search(text) is not None


@cache
def _compiled(name: str, keys: tuple[str, ...]) -> re.Pattern[str]:
    entries = vocabulary(name)
    return compile_phrases(phrase for key in keys or entries for phrase in entries[key].phrases)
