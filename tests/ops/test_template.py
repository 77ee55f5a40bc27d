"""The file that `init` writes explains every value, and says what the program would do without it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

from gateway.ops.configuration import Configuration
from gateway.ops.template import configuration_text

TEXT = configuration_text(
    broker=("embedded:queue.sqlite", None), journal=("sqlite:journal.sqlite", None), her_id="1", org_no="2"
)
VARIABLE = "PAKKEHJEM__{}__{}"


def sections() -> dict[str, type[BaseModel]]:
    found = {}
    for name, field in Configuration.model_fields.items():
        assert isinstance(field.annotation, type)
        assert issubclass(field.annotation, BaseModel)
        found[name] = field.annotation
    return found


def keys() -> Iterator[tuple[str, str, bool]]:
    """Section, key, and whether its value may not stand in the file."""
    for section, model in sections().items():
        for key, field in model.model_fields.items():
            yield section, key, SecretStr in getattr(field.annotation, "__args__", ())


def lines_of(section: str) -> list[str]:
    """The lines of a table, and of those below it."""
    found: list[str] = []
    inside = False
    for line in TEXT.splitlines():
        if heading := re.fullmatch(r"\[([a-z_.]+)\]", line):
            inside = heading[1].split(".")[0] == section
        if inside:
            found.append(line)
    return found


@pytest.mark.parametrize(("section", "key", "secret"), [*keys()], ids=str)
def test_every_key_stands_there_with_a_comment(section: str, key: str, secret: bool) -> None:  # noqa: FBT001 - a parameter
    lines = lines_of(section)
    assert lines, f"there is no [{section}]"
    if secret:
        name = VARIABLE.format(section.upper(), key.upper())
        assert any(line.lstrip().startswith("#") and name in line for line in lines), name
        return
    pattern = rf"(# )?{key} = |\[{section}\.{key}\]|.*[:#] {key} = "
    places = [n for n, line in enumerate(lines) if re.match(pattern, line)]
    assert places, f"{section}.{key} is not in the file"
    before, own = lines[places[0] - 1], lines[places[0]]
    after = lines[places[0] + 1] if places[0] + 1 < len(lines) else ""
    explained = (
        re.search(r"\S\s+# ?\S", own.removeprefix("# "))
        or re.match(r"# (?!\w+ = )", before)
        or re.match(r"#? +#? ?\S", after)
        or (own.startswith("[") and after.startswith("#"))
    )
    assert explained, f"{section}.{key} has no comment"


def test_what_it_says_is_what_the_program_would_do_without_it() -> None:
    written = Configuration.from_document(tomllib.loads(TEXT), Path("/somewhere"))
    plain = Configuration.from_document({}, Path("/somewhere"))
    # Who the gateway is has no default that would be right.
    for section in set(Configuration.model_fields) - {"gateway"}:
        assert getattr(written, section) == getattr(plain, section), section


def test_no_line_is_longer_than_a_terminal() -> None:
    assert [line for line in TEXT.splitlines() if len(line) > 110] == []
