"""`adapters new`: a package with a working adapter, a note of its system, and what a person reads in it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from gateway.contracts.errors import EXIT_USAGE, GatewayError
from gateway.ops.adapter_kit import files

_NAME = re.compile(r"[a-z][a-z0-9_]{1,30}")


class ScaffoldError(GatewayError):
    """The scaffold can not be written."""

    code = "scaffold"
    exit_code = EXIT_USAGE


@dataclass(frozen=True, slots=True)
class Scaffold:
    """What was written."""

    directory: Path
    written: tuple[Path, ...]


def scaffold(name: str, parent: Path, taken: Collection[str]) -> Scaffold:
    """Write the package of a new adapter to `parent/name`.

    Args:
        name: the adapter's name.
        parent: the folder to write to.
        taken: the names of the adapters that are installed: with a second of the same, nothing would start.

    Raises:
        ScaffoldError: the name can not be a module's or is taken, or the folder is there already.
    """
    if not _NAME.fullmatch(name):
        raise ScaffoldError(
            f"{name} can not be the name of an adapter",
            hint="small letters, digits and underscores, a letter first: demo_epj",
        )
    if name in taken:
        raise ScaffoldError(
            f"an adapter {name} is installed already",
            hint="choose another name: pakkehjem adapters list shows those that are taken",
        )
    directory = parent / name
    if directory.exists():
        raise ScaffoldError(f"{directory} is there already", hint="choose another name; nothing was changed")
    class_name = "".join(part.capitalize() for part in name.split("_"))
    values = {"NAME": name, "CLASS": class_name, "TITLE": name.replace("_", " ").upper()}
    written = []
    for relative, text in files.FILES.items():
        path = directory / _filled(relative, values)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_filled(text, values), encoding="utf-8")
        except OSError as error:
            raise ScaffoldError(f"{path} can not be written: {error.strerror}") from None
        written.append(path)
    return Scaffold(directory, tuple(written))


def _filled(text: str, values: dict[str, str]) -> str:
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text
