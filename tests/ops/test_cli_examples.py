"""Whatever a sender may put into a message: the official examples and acceptance cases, and damaged notes."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.conftest import NOTES, STANDARDS
from tests.ops.conftest import Pakkehjem

EXAMPLES = sorted((STANDARDS / "examples").rglob("*.xml"))
NAMES = [str(path.relative_to(STANDARDS / "examples")) for path in EXAMPLES]


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_answered_by_every_command(name: str, standards: Path, pakkehjem: Pakkehjem) -> None:
    file = standards / "examples" / name
    for command in (
        ("convert", file),
        ("validate", file),
        ("apprec", file, "--any-receiver"),
        ("apprec", file, "--any-receiver", "--accept-other"),
    ):
        done = pakkehjem(*command)
        assert done.code in {0, 1}, command
        assert "fault of the gateway" not in done.err
        # Where nothing comes out there is a reason, and the other way round.
        assert done.out or done.err


def test_the_examples_are_there(standards: Path) -> None:
    assert standards.is_dir()
    assert len(EXAMPLES) > 90


@pytest.mark.parametrize("system", ["dips", "doculive", "helseplattformen"])
def test_damage_anywhere_is_no_fault_of_ours(system: str, pakkehjem: Pakkehjem, tmp_path: Path) -> None:
    chance = random.Random(system)  # noqa: S311 - the same damage in every run
    content = next(NOTES.glob(f"{system}/01-*.xml")).read_bytes()
    file = tmp_path / "damaged.xml"
    for _ in range(40):
        damaged = bytearray(content)
        start = chance.randrange(len(damaged))
        match chance.randrange(4):
            case 0:
                del damaged[start : start + chance.randrange(1, 80)]
            case 1:
                damaged[start] = chance.randrange(256)
            case 2:
                del damaged[start:]
            case _:
                end = start + chance.randrange(1, 200)
                damaged[start:start] = damaged[start:end]
        file.write_bytes(damaged)
        for command in (("convert", file), ("validate", file), ("apprec", file, "--any-receiver")):
            done = pakkehjem(*command)
            assert done.code in {0, 1}
            assert "fault of the gateway" not in done.err
