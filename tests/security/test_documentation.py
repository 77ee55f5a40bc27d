"""Every test that docs/security.md names is there, and so is every code."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from gateway.security.errors import CMS_REASONS, GATE_REASONS, SIGNATURE_REASONS
from tests.conftest import ROOT

TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`((?:tests/)?[\w/]*test_\w+\.py)((?:::\w+)*)`((?: [a-z0-9][\w-]*(?: ·)?)*)")
TESTS = sorted({(found[1], found[2].removeprefix("::"), found[3]) for found in NAMED.finditer(TEXT)})


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def functions(file: Path) -> set[str]:
    found = set()
    for node in tree(file).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{each.name}" for each in node.body if isinstance(each, ast.FunctionDef)}
    return found


def words(file: Path) -> set[str]:
    return {n.value for n in ast.walk(tree(file)) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def cases(text: str) -> list[str]:
    """The cases that stand after a test: `xsw1 to xsw8`, or `a · b`."""
    if match := re.fullmatch(r" xsw(\d) to xsw(\d)", text):
        return [f"xsw{number}" for number in range(int(match[1]), int(match[2]) + 1)]
    return [word for word in text.split() if word != "·"]


@pytest.mark.parametrize(("name", "test", "after"), TESTS)
def test_a_test_that_is_named_exists(name: str, test: str, after: str) -> None:
    file = ROOT / name if "/" in name else ROOT / "tests" / "security" / name
    assert file.is_file()
    if test:
        assert test in functions(file)
        assert set(cases(after)) <= words(file)


def test_enough_are_named() -> None:
    assert len(TESTS) > 60
    assert sum(len(cases(after)) for _, _, after in TESTS) > 90


def test_every_code_is_in_the_table() -> None:
    told = set(re.findall(r"`([a-z0-9-]+)`", TEXT))
    known = {*GATE_REASONS, *SIGNATURE_REASONS, *CMS_REASONS}
    assert known - told == {"not-msghead"}
