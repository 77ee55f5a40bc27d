"""No command prints what steers a terminal, wherever it comes from: messages, register, files, variables.

Every command is in a table here: one that is new fails until somebody has said how it is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from lxml import etree

from gateway.contracts.states import InboundKind
from gateway.ops.cli import COMMANDS, cli
from gateway.security.gate import parse
from tests.flow.harness import ALL_KINDS, Gateway, note, with_new_id
from tests.ops.conftest import Pakkehjem, pakkehjem

__all__ = ["pakkehjem"]

STEERING = "\x7f\x85\x9b31m\x90\x9c\x9d0;x\u202e\u2028\u200b\U000e0041"
"""What XML lets in of what a terminal may take for a command, or a person for other words"""

IN_REGISTER = r"\u001b[31m\u0007\u009b2J\u202E"
"""The same in TOML, where ESC can be written"""


def steers(text: str) -> list[str]:
    return sorted({repr(c) for c in text if not c.isprintable() and c not in "\n\t"})


def hostile(data: bytes) -> bytes:
    """The note with such characters after every text that the schema does not bind to a form."""
    root = parse(data)
    for element in root.iter("*"):
        local = etree.QName(element).localname
        words = (element.text or "").strip()
        if (
            words
            and not len(element)
            and (" " in words or local in {"MsgId", "FamilyName", "OrganisationName"})
        ):
            element.text = f"{element.text}{STEERING}"
        if element.get("DN"):
            element.set("DN", f"{element.get('DN')}{STEERING}")
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


@dataclass
class Hostile:
    """A gateway among hostile names, that has worked on hostile notes."""

    gateway: Gateway
    run: Pakkehjem
    folder: Path

    @property
    def config(self) -> tuple[str, str]:
        return ("-c", str(self.gateway.config))

    def ids(self, kind: InboundKind = InboundKind.NOTE, state: str | None = None) -> list[str]:
        return [row.id for row in self.gateway.rows([kind]) if state in {None, row.state.value}]

    def held(self) -> str:
        return self.ids(state="held")[0]

    def failed(self) -> str:
        return self.ids(state="failed")[0]

    def file(self, data: bytes | None = None) -> Path:
        file = self.folder / "hostile.xml"
        file.write_bytes(data if data is not None else hostile(note("dips/01")))
        return file


@pytest.fixture
def world(config: Path, pakkehjem: Pakkehjem, tmp_path: Path) -> Iterator[Hostile]:
    register = config.parent / "register.toml"
    lines = register.read_text().splitlines()
    register.write_text(
        "\n".join(
            line.replace('"', f'"{IN_REGISTER}', 1) if line.strip().startswith("name =") else line
            for line in lines
        )
    )
    assert r"\u001b" in register.read_text()
    gateway = Gateway(config)
    names = ("dips/01", "dips/03", "dips/08", "doculive/01", "doculive/13", "helseplattformen/01")
    gateway.note(*map(hostile, map(note, names)), *(with_new_id(hostile(note(name))) for name in names))
    gateway.note(f"uleselig {STEERING}".encode(), b"\x1b[2J")
    gateway.note(hostile(note("dips/01")).replace(b"</MsgHead>", b"<!-- other bytes --></MsgHead>"))
    assert len(gateway.rows(ALL_KINDS)) == 2 * len(names) + 3
    yield Hostile(gateway, pakkehjem, tmp_path)
    gateway.close()


Call = Callable[[Hostile], tuple[object, ...]]


def plain(*arguments: object) -> Call:
    return lambda world: (*arguments, *world.config)


def each_form(*arguments: object) -> list[Call]:
    return [plain(*arguments), plain(*arguments, "--json")]


WHY = ("--reason", f"fordi {STEERING}")
ALL = tuple(f"--kind={kind.value}" for kind in InboundKind)

CALLS: dict[str, list[Call]] = {
    "messages list": each_form("messages", "list", *ALL),
    "messages show": [
        lambda w: ("messages", "show", w.ids()[0], *w.config),
        lambda w: ("messages", "show", w.ids()[0], "--json", *w.config),
        lambda w: ("messages", "show", w.ids()[0], "--reveal", *WHY, *w.config),
        lambda w: ("messages", "show", w.ids()[0], "--reveal", *WHY, "--json", *w.config),
        lambda w: ("messages", "show", w.ids(InboundKind.UNREADABLE)[0], "--reveal", *WHY, *w.config),
        lambda w: ("messages", "show", f"none{STEERING}", *w.config),
        lambda w: ("messages", "show", "", *w.config),
    ],
    "messages trace": [
        lambda w: ("messages", "trace", w.ids()[0], *w.config),
        lambda w: ("messages", "trace", w.ids()[0], "--json", *w.config),
    ],
    "held list": each_form("held", "list"),
    "held show": [
        lambda w: ("held", "show", w.held(), *w.config),
        lambda w: ("held", "show", w.held(), "--json", *w.config),
    ],
    "held release": [lambda w: ("held", "release", w.held(), *WHY, *w.config)],
    "held discard": [lambda w: ("held", "discard", w.held(), *WHY, *w.config)],
    "failed list": [
        *each_form("failed", "list"),
        *each_form("failed", "list", "--by", "error"),
        plain("failed", "list", "--error", STEERING),
    ],
    "failed show": [
        lambda w: ("failed", "show", w.failed(), *w.config),
        lambda w: ("failed", "show", w.failed(), "--json", *w.config),
    ],
    "failed replay": each_form("failed", "replay", "--all", "--dry-run", *WHY),
    "failed export": [
        lambda w: ("failed", "export", w.failed(), w.folder / "out.xml", "--reveal", *WHY, *w.config)
    ],
    "failed discard": [
        lambda w: ("failed", "discard", w.failed(), *WHY, *w.config),
        plain("failed", "discard", "--all", "--json", *WHY),
    ],
    "replies list": each_form("replies", "list"),
    "replies claim": [lambda w: ("replies", "claim", w.ids()[0], *WHY, *w.config)],
    "replies send-on": [lambda w: ("replies", "send-on", w.ids()[0], "--to", STEERING, *w.config)],
    "queues status": each_form("queues", "status"),
    "queues setup": each_form("queues", "setup"),
    "queues pause": [
        *each_form("queues", "pause", "8910031", *WHY),
        plain("queues", "pause", STEERING, *WHY),
        plain("queues", "status"),
    ],
    "queues resume": each_form("queues", "resume", "8910031", *WHY),
    "audit verify": each_form("audit", "verify"),
    "audit export": [*each_form("audit", "export"), plain("audit", "export", "--csv")],
    "config show": each_form("config", "show"),
    "convert": [
        lambda w: ("convert", w.file(), "--to", "text"),
        lambda w: ("convert", w.file(), "--to", "json"),
        lambda w: ("convert", w.file(), "--explain"),
        lambda w: ("convert", w.file(b"\x9b\x1b[2J"), "--to", "text"),
    ],
    "report": each_form("report"),
    "register list": each_form("register", "list"),
    "register lookup": [
        *each_form("register", "lookup", "Trondheim"),
        *each_form("register", "lookup", "8900101"),
        plain("register", "lookup", STEERING),
    ],
    "register check": each_form("register", "check"),
    "doctor": each_form("doctor"),
    "validate": [
        lambda w: ("validate", w.file()),
        lambda w: ("validate", w.file(), "--json"),
        lambda w: ("validate", w.file(hostile(note("dips/01")).replace(b"<Patient>", b"<Pasient>"))),
        lambda w: ("validate", w.file(b"<\xc2\x9b\x1b[2J/>")),
    ],
    "verify": [
        lambda w: ("verify", w.file(), *w.config),
        lambda w: ("verify", w.file(), "--json", *w.config),
    ],
}

PRINTS_NOTHING_OF_OTHERS = {
    "demo": "makes all that it shows",
    "simulate": "as demo",
    "init": "prints the name of a file",
    "run": "logs only, and those are JSON with an allow-list",
    "bench": "numbers",
    "send": "prints the names of queues and numbers",
    "sign": "writes a message: a file, not words for eyes",
    "apprec": "the same",
    "adapters list": "names of installed packages",
    "adapters new": "prints names that the caller gave",
    "adapters check": "the same",
    "completion": "a script of click's",
    "db upgrade": "numbers",
    "db backup": "prints the name of a file that the caller gave",
    "db purge": "numbers",
    "db rekey": "numbers",
    "schemas list": "prints what schemas say that somebody has added by hand",
    "schemas add": "prints the name of a folder",
}


def leaves() -> Iterator[str]:
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        if isinstance(command, click.Group):
            yield from (f"{name} {below}" for below in command.commands)
        else:
            yield name


def test_every_command_is_in_a_table() -> None:
    known = CALLS.keys() | PRINTS_NOTHING_OF_OTHERS.keys()
    assert set(leaves()) - known == set()
    assert CALLS.keys() & PRINTS_NOTHING_OF_OTHERS.keys() == set()


def test_nothing_that_steers_a_terminal_is_printed(world: Hostile) -> None:
    found: dict[str, list[str]] = {}
    said = 0
    for name, calls in CALLS.items():
        for number, call in enumerate(calls):
            done = world.run(*call(world))
            assert "fault of the gateway" not in done.err, name
            said += len(done.out) + len(done.err)
            # The line ends of CSV (RFC 4180) are no commands.
            if steering := steers(done.out.replace("\r\n", "\n")) + steers(done.err):
                found[f"{name} {number}"] = steering
    assert found == {}
    assert said > 10_000


def test_what_json_says_is_the_same(world: Hostile) -> None:
    shown = world.run("messages", "list", "--json", *world.config).json()
    assert any(each["msg_id"].endswith(STEERING) for each in shown)


def test_a_controlling_variable(pakkehjem: Pakkehjem, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAKKEHJEM__GATEWAY__PROFILE", "\x1b[31mred")
    monkeypatch.setenv("PAKKEHJEM__GATEWAY__\x1b[31m", "red")
    done = pakkehjem("config", "show", "-c", config)
    assert done.code == 3
    assert steers(done.err) == []
