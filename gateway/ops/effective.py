"""The configuration that is in force, for eyes: file, environment and defaults together, without secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from gateway.ops.configuration import Configuration

MASK = "********"

_SECRET_NAME = re.compile(r"(^|_)(password|secret|token)$")
_IN_URL = re.compile(
    r"(?P<user>://[^\s/@:]*):[^\s/@]*(?=@)"
    r"|(?P<name>[?&][\w.-]*(?:password|secret|token|signature|sig|key)=)(?!/)[^\s&#]*",
    re.IGNORECASE,
)


def effective(configuration: Configuration) -> dict[str, Any]:
    """Every section and key with its value; a password, in a URL too, is masked."""
    document: dict[str, Any] = _masked("", configuration.model_dump(mode="json"))
    return document


def masked(text: str) -> str:
    """A text with what a URL in it keeps secret struck out."""
    return _IN_URL.sub(lambda m: f"{m['user']}:{MASK}" if m["user"] else f"{m['name']}{MASK}", text)


def _masked(name: str, value: Any) -> Any:  # noqa: ANN401 - whatever JSON has
    if isinstance(value, Mapping):
        return {key: _masked(str(key), each) for key, each in value.items()}
    if isinstance(value, list):
        return [_masked(name, each) for each in value]
    if not isinstance(value, str):
        return value
    # Pydantic shows a secret as stars; a name says of any other value that it is one.
    return MASK if _SECRET_NAME.search(name) or set(value) == {"*"} else masked(value)


def as_toml(document: Mapping[str, Any]) -> str:
    """The same as TOML; what is not set stands as a comment."""
    lines: list[str] = []
    for section, table in document.items():
        lines += ["", f"[{section}]"]
        for key, value in table.items():
            lines.append(f"# {key}" if value is None else f"{key} = {_toml(value)}")
    return "\n".join(lines[1:])


def _toml(value: Any) -> str:  # noqa: ANN401 - whatever JSON has
    if isinstance(value, Mapping):
        inside = ", ".join(f"{json.dumps(key, ensure_ascii=False)} = {_toml(v)}" for key, v in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list):
        return f"[{', '.join(_toml(each) for each in value)}]"
    # What JSON writes as a string, number or truth value TOML reads as one.
    return json.dumps(value, ensure_ascii=False)
