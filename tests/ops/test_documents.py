"""What the documents tell people to type is run, as it stands there, and answers as it is shown there."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click
import pytest

from gateway.contracts.states import InboundKind, InboundState
from gateway.ops.cli import cli
from gateway.ops.configuration import CONFIG_VARIABLE
from tests.conftest import NOTES, ROOT
from tests.flow.dialogue import answer_to, written
from tests.flow.harness import Gateway, note, with_new_id
from tests.ops.conftest import Outcome, Pakkehjem
from tests.ops.test_cli_failed import QUEUE, fail_all

SYSTEMS = ("dips", "doculive", "helseplattformen")
DOCUMENTS = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md")])
NOT_RUN = {
    "make ": "sets up, and runs this test",
    "python3 -m venv /opt": "installs on the machine",
    "/opt/pakkehjem/": "installs on the machine, from the package index",
    "pg_restore ": "needs a server: tests/journal/test_upkeep.py restores a dump",
    "pakkehjem run ": "runs until it is stopped: tests/ops/test_stop.py",
    ".venv/bin/pakkehjem run ": "the same",
    ".venv/bin/pakkehjem simulate ": "needs the service beside it: tests/ops/test_simulation.py",
    ".venv/bin/pakkehjem messages trace ": "there is no message yet; docs/operations.md has the same",
}
"""Lines of the documents that are not run here, by their beginning, and why"""


@dataclass
class Line:
    """A command, and what the document shows of its answer; or an entry for the register."""

    command: str
    shown: list[str] = field(default_factory=list)
    entry: bool = False


def lines_of(document: Path) -> Iterator[Line]:
    """What stands in blocks without a language. After `$ ` stands a command, then what it prints."""
    for found in re.finditer(r"^( *)```(\w*)\n(.*?)^ *```$", document.read_text(), re.MULTILINE | re.DOTALL):
        lines = [each.removeprefix(found[1]) for each in found[3].replace("\\\n", "").splitlines()]
        if found[2] == "toml":
            yield Line("\n".join(lines), entry=True)
        if found[2]:
            continue
        shows = any(each.startswith("$ ") for each in lines)
        block: list[Line] = []
        for each in filter(None, lines):
            if not shows or each.startswith("$ "):
                block.append(Line(each.removeprefix("$ ")))
            else:
                block[-1].shown.append(each)
        yield from block


class Walk:
    """Somebody who types what a document says, in the folder of a gateway."""

    def __init__(self, pakkehjem: Pakkehjem, words: dict[str, str], gateway: Gateway) -> None:
        """`words`: what is meant by words that stand for something; `ID` by its group of commands."""
        self._pakkehjem = pakkehjem
        self._words = words
        self._service = {
            "systemctl stop pakkehjem": gateway.close,
            "systemctl start pakkehjem": gateway.start,
            "systemctl restart pakkehjem": gateway.restart,
        }

    def type(self, line: Line) -> None:
        """Run one line, where it is none of those that are not."""
        if any(line.command.startswith(beginning) for beginning in NOT_RUN):
            return
        if line.entry:
            with Path("register.toml").open("a", encoding="utf-8") as register:
                register.write(f"\n{line.command}\n")
            return
        words = shlex.split(line.command, comments=True)
        if " ".join(words) in self._service:
            self._service[" ".join(words)]()
        elif words[0] not in {"pakkehjem", ".venv/bin/pakkehjem"}:
            subprocess.run(["bash", "-euc", line.command], check=True, timeout=60)
        else:
            self._run(words[1:], line)

    def _run(self, words: list[str], line: Line) -> None:
        target = None
        if ">" in words:
            target = Path(words.pop())
            words.pop()
        meant = {**self._words, "ID": self._words.get(f"{words[0]} ID", "")}
        done = self._pakkehjem(*(re.sub(r"\b(DIR|ID|FILE)\b", lambda m: meant[m[0]], w) for w in words))
        assert done.code == 0, (line.command, done.err)
        if target:
            assert done.out
            target.write_text(done.out)
        if line.shown:
            compare(line, done)


def compare(line: Line, done: Outcome) -> None:
    """Word by word: widths and times differ. A line `…` ends what the document shows."""
    shown = plain("\n".join(line.shown))
    printed = plain(done.out + done.err)
    if shown[-1] == "…":
        assert printed[: len(shown) - 1] == shown[:-1]
    else:
        assert printed == shown


def plain(text: str) -> list[str]:
    return re.sub(r"\d\d-\d\d \d\d:\d\d", "MM-DD HH:MM", text).split()


@pytest.fixture
def config(config: Path) -> Path:
    """One in which a second note about the same patient is sent on as the first."""
    text = config.read_text()
    config.write_text(text.replace("[rules.severity]\n", '[rules.severity]\nPH040 = "info"\n'))
    return config


@pytest.fixture
def walk(pakkehjem: Pakkehjem, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Walk:
    """After a night: four notes did not reach their municipality, one can not be read, others wait."""
    monkeypatch.chdir(gateway.config.parent)
    monkeypatch.setenv(CONFIG_VARIABLE, str(gateway.config))
    gateway.note(*(with_new_id(note("dips/01")) for _ in range(4)))
    (message, *_) = gateway.messages(QUEUE)
    fail_all(gateway)
    gateway.outside("8900100", written(answer_to(message)))
    others = [note(f"{system}/{number:02}") for system in SYSTEMS for number in range(2, 10)]
    gateway.note(b"<MsgHead", *others)
    (reply,) = gateway.rows([InboundKind.REPLY])
    held = next(row for row in gateway.rows() if row.state is InboundState.HELD)
    failed = next(row for row in gateway.rows() if row.state is InboundState.FAILED)
    for made in (
        ("sign", next((NOTES / "dips").glob("01-*.xml")), "-o", "signed.xml"),
        ("audit", "verify", "--write-anchor", "last.json"),
    ):
        assert pakkehjem(*made).code == 0
    words = {"DIR": ".", "FILE": "signed.xml", "held ID": held.id[:8], "replies ID": reply.id[:8]}
    return Walk(pakkehjem, words | {"messages ID": failed.id[:8], "failed ID": failed.id[:8]}, gateway)


def test_operations_walked_from_its_beginning_to_its_end(walk: Walk, pakkehjem: Pakkehjem) -> None:
    typed = list(lines_of(ROOT / "docs" / "operations.md"))
    assert len(typed) > 50
    for line in typed:
        walk.type(line)
    # What a person does between the lines of the key's change: the old key is taken out.
    key = Path("journal.key")
    lines = key.read_text().splitlines()
    sealing = [n for n, text in enumerate(lines) if not text.startswith(("#", "reference"))]
    assert len(sealing) == 2
    del lines[sealing[1]]
    key.write_text("\n".join(lines) + "\n")
    assert pakkehjem("doctor").code == 0
    assert len(pakkehjem("messages", "list", "--limit", "1", "--json").json()) == 1


def test_the_readme_walked(walk: Walk) -> None:
    Path("fixtures").symlink_to(ROOT / "fixtures")
    typed = list(lines_of(ROOT / "README.md"))
    assert any(line.shown for line in typed)
    for line in typed:
        walk.type(line)


def mentions() -> Iterator[tuple[str, str]]:
    """Every command that a document names, with the document."""
    for document in DOCUMENTS:
        text = document.read_text()
        typed = [line.command for line in lines_of(document) if not line.entry]
        inline = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
        for named in filter(None, map(NAMED.match, [*typed, *inline])):
            yield named[1], document.name


NAMED = re.compile(r"(?:[A-Z_]+=\S+ )?(?:[\w./-]*/)?pakkehjem ([a-z].*)")


def test_every_command_and_option_that_a_document_names_is_there() -> None:
    named = list(mentions())
    assert len(named) > 80
    for text, document in named:
        command: click.Command = cli
        for word in shlex.split(text, comments=True):
            if isinstance(command, click.Group) and not word.startswith("-"):
                below = command.get_command(click.Context(command), word)
                assert below is not None, (document, text)
                command = below
            elif word.startswith("--"):
                options = {name for each in command.params for name in each.opts + each.secondary_opts}
                assert word.partition("=")[0] in options | {"--help"}, (document, text)
