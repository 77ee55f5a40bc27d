"""Values of the configuration that come from the environment: `PAKKEHJEM__QUEUES__URL`."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Self, cast

from gateway.contracts.errors import ConfigurationError

PREFIX = "PAKKEHJEM__"
"""Of the variables that set a value: then section and key, joined by two underscores"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What the environment sets."""

    document: dict[str, object]
    """As the tables of a file"""
    variables: dict[tuple[str, ...], str]
    """Which variable says what"""

    @classmethod
    def read(cls, environment: Mapping[str, str], *, raw: Collection[tuple[str, ...]] = ()) -> Self:
        """Take what is meant for the configuration.

        Args:
            environment: variables by name.
            raw: keys whose text is the value, whatever it looks like.

        Raises:
            ConfigurationError: a list or table is no valid JSON.
        """
        document: dict[str, object] = {}
        variables: dict[tuple[str, ...], str] = {}
        for name, text in sorted(environment.items()):
            if not name.upper().startswith(PREFIX):
                continue
            parts = name[len(PREFIX) :].split("__")
            # Sections and keys are lower case; what is below them (PH030) stands as it is.
            keys = (*(part.lower() for part in parts[:2]), *parts[2:])
            value: object = text if keys in raw else _value(name, text)
            for key in reversed(keys):
                value = {key: value}
            document = merged(document, cast("dict[str, object]", value))
            variables[keys] = name
        return cls(document=document, variables=variables)

    def variable(self, location: tuple[str, ...]) -> str | None:
        """The variable that a value, or a part of it, came from; None where all of it is from the file."""
        for keys, name in self.variables.items():
            shared = min(len(keys), len(location))
            if keys[:shared] == location[:shared]:
                return name
        return None


def _value(name: str, text: str) -> object:
    """A list or a table is written as JSON; anything else stands for itself."""
    if not text.lstrip().startswith(("[", "{")):
        return text
    try:
        return json.loads(text)
    except ValueError:
        raise ConfigurationError(
            f"{name} is no valid JSON", hint="""for example ["a", "b"] or {"PH030": "hold"}"""
        ) from None


def merged(below: Mapping[str, object], above: Mapping[str, object]) -> dict[str, object]:
    """Two documents, one over the other, table by table."""
    both = dict(below)
    for key, value in above.items():
        under = both.get(key)
        if isinstance(under, Mapping) and isinstance(value, Mapping):
            both[key] = merged(cast("Mapping[str, object]", under), cast("Mapping[str, object]", value))
        else:
            both[key] = value
    return both
