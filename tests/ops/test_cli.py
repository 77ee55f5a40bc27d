"""What every command does alike: help, exit codes, one line for what is wrong."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gateway import __version__
from gateway.ops.cli import COMMANDS, cli
from tests.conftest import NOTES, REGISTRY
from tests.ops.conftest import Pakkehjem

COMMAND = Path(sys.executable).with_name("pakkehjem")
NOTE = next(NOTES.glob("dips/01-*.xml"))
BROKEN = next(NOTES.glob("dips/08-*.xml"))
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("PAKKEHJEM")}


def commands() -> Iterator[tuple[str, ...]]:
    for name in COMMANDS:
        command = importlib.import_module(f"gateway.ops.cli.{name}").command
        yield (name,)
        if isinstance(command, click.Group):
            yield from ((name, sub) for sub in command.commands)


def real(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    """The installed command in a process of its own."""
    settings: dict[str, object] = {"env": ENVIRONMENT, "capture_output": True} | options
    return subprocess.run(  # type: ignore[call-overload,no-any-return]
        [COMMAND, *map(str, arguments)], text=True, encoding="utf-8", timeout=60, check=False, **settings
    )


def loaded(*arguments: str) -> set[str]:
    """The modules that a command loads."""
    program = (
        "import sys; from gateway.ops.cli import exit_code; "
        "exit_code(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=ENVIRONMENT,
    )
    return set(done.stderr.splitlines()[-1].split())


def test_help_of_the_whole_names_every_command_and_exit_code(pakkehjem: Pakkehjem) -> None:
    done = pakkehjem("--help")
    assert done.code == 0
    assert all(re.search(rf"^  {name} ", done.out, re.MULTILINE) for name in COMMANDS)
    assert "5 partly done" in done.out
    assert set(COMMANDS) == set(cli.list_commands(click.Context(cli)))


@pytest.mark.parametrize("command", [*commands()], ids=" ".join)
def test_help_has_an_example_of_the_command_itself(command: tuple[str, ...], pakkehjem: Pakkehjem) -> None:
    done = pakkehjem(*command, "--help")
    assert done.code == 0
    assert f"Example: pakkehjem {' '.join(command)}" in done.out
    assert max(map(len, done.out.splitlines())) <= 100


@pytest.mark.parametrize("command", [*commands()], ids=" ".join)
def test_an_unknown_option_is_a_matter_of_usage(command: tuple[str, ...], pakkehjem: Pakkehjem) -> None:
    done = pakkehjem(*command, "--no-such-option")
    assert done.code == 2
    assert "--no-such-option" in done.err
    assert done.out == ""


def test_an_unknown_command_is_a_matter_of_usage(pakkehjem: Pakkehjem) -> None:
    assert pakkehjem("zzz").code == 2
    done = pakkehjem("mesages", "list")
    assert done.code == 2
    assert "Did you mean messages?" in done.err
    assert pakkehjem().code == 2
    assert pakkehjem("--log-level", "loud", "schemas", "list").code == 2


@pytest.mark.parametrize(
    "command",
    [
        ("run",),
        ("send", NOTE),
        ("sign", NOTE),
        ("messages", "list"),
        ("messages", "show", "x"),
        ("simulate",),
    ],
    ids=lambda c: " ".join(map(str, c[:2])),
)
def test_a_configuration_that_is_missing_is_named(
    command: tuple[object, ...], pakkehjem: Pakkehjem, tmp_path: Path
) -> None:
    done = pakkehjem(*command)
    assert done.code == 3
    assert "PAKKEHJEM_CONFIG" in done.err
    assert "pakkehjem init" in done.err
    missing = tmp_path / "missing.toml"
    done = pakkehjem(*command, "-c", missing)
    assert done.code == 3
    assert str(missing) in done.err
    assert done.out == ""


def test_an_unknown_key_is_named(pakkehjem: Pakkehjem, config: Path) -> None:
    config.write_text(config.read_text() + "\n[queue]\nurl = 'x'\n")
    done = pakkehjem("messages", "list", "-c", config)
    assert done.code == 3
    assert done.err == (
        f"pakkehjem: {config}: unknown key in the configuration: queue\n  did you mean queues?\n"
    )


def test_configuration_and_values_come_from_the_environment(
    pakkehjem: Pakkehjem, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAKKEHJEM_CONFIG", str(config))
    monkeypatch.setenv("PAKKEHJEM__QUEUES__INBOUND", "somewhere_else")
    done = pakkehjem("send", NOTE)
    assert (done.code, done.out) == (0, "1 of 1 on somewhere_else\n")


def test_a_register_that_can_not_be_used_is_named_with_the_place(
    pakkehjem: Pakkehjem, config: Path, tmp_path: Path
) -> None:
    for content, place in (("[[gp]]\nnam = 'x'\n", "gp.0."), ("[[gp\n", "line 1")):
        register = tmp_path / "other.toml"
        register.write_text(content)
        for command in (
            ("convert", NOTE, "--register", register),
            ("validate", NOTE, "--register", register),
        ):
            done = pakkehjem(*command)
            assert done.code == 3
            assert place in done.err
        config.with_name("register.toml").write_text(content)
        done = pakkehjem("run", "-c", config)
        assert done.code == 3
        assert place in done.err
        assert len(done.err.splitlines()) <= 2
    done = pakkehjem("convert", NOTE, "--register", tmp_path / "none.toml")
    assert done.code == 3
    assert "none.toml" in done.err


@pytest.mark.parametrize(
    ("variable", "value", "command"),
    [
        ("PAKKEHJEM__QUEUES__URL", "embedded:/no/such/folder/queue", ("send", NOTE)),
        ("PAKKEHJEM__QUEUES__URL", "embedded:/no/such/folder/queue", ("run",)),
        ("PAKKEHJEM__JOURNAL__URL", "sqlite:/no/such/folder/journal", ("messages", "list")),
        ("PAKKEHJEM__JOURNAL__URL", "sqlite:/no/such/folder/journal", ("run",)),
    ],
    ids=["send", "run-queue", "messages", "run-journal"],
)
def test_what_can_not_be_reached_ends_with_4(
    variable: str,
    value: str,
    command: tuple[object, ...],
    pakkehjem: Pakkehjem,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(variable, value)
    done = pakkehjem(*command, "-c", config)
    assert done.code == 4
    assert len(done.err.splitlines()) == 1
    assert done.out == ""


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PAKKEHJEM__QUEUES__URL", "carrier-pigeon://coop"),
        ("PAKKEHJEM__JOURNAL__URL", "paper:book"),
        ("PAKKEHJEM__JOURNAL__KEY_FILE", "nowhere.key"),
        ("PAKKEHJEM__SIGNING__KEYS", "nowhere"),
        ("PAKKEHJEM__SIGNING__TRUST", '["nowhere.pem"]'),
    ],
)
def test_what_the_configuration_points_at_in_vain_ends_with_3(
    variable: str, value: str, pakkehjem: Pakkehjem, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    done = pakkehjem("run", "-c", config)
    assert done.code == 3, done.err
    assert len(done.err.splitlines()) <= 2
    assert done.err.startswith("pakkehjem: ")


def test_several_workers_need_another_journal(pakkehjem: Pakkehjem, config: Path) -> None:
    assert pakkehjem("run", "-c", config, "--workers", "2").code == 2


def test_a_file_that_can_not_be_read_is_named(pakkehjem: Pakkehjem, config: Path, tmp_path: Path) -> None:
    for command in (
        ("convert", tmp_path / "none.xml"),
        ("convert", tmp_path),
        ("validate", NOTE, tmp_path / "none.xml"),
        ("apprec", tmp_path / "none.xml"),
        ("send", tmp_path / "none.xml", "-c", config),
        ("sign", tmp_path / "none.xml", "-c", config),
        ("verify", tmp_path / "none.xml", "-c", config),
    ):
        done = pakkehjem(*command)
        assert done.code == 2, command
        assert str(tmp_path) in done.err
        assert "can not be read" in done.err
        assert done.out == ""


def test_schemas_that_can_not_be_used_are_told(
    pakkehjem: Pakkehjem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "all.xsd").write_text("<no-schema/>")
    monkeypatch.setenv("PAKKEHJEM_SCHEMAS", str(tmp_path))
    for command in (("convert", NOTE), ("validate", NOTE), ("apprec", NOTE), ("schemas", "list")):
        done = pakkehjem(*command)
        assert done.code == 3
        assert "pakkehjem: the official schemas can not be used: all.xsd" in done.err


class TestUnforeseen:
    """Errors that no one thought of."""

    @pytest.fixture(autouse=True)
    def broken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object, **__: object) -> None:
            raise RuntimeError("Kari Nordmann 13888549952")

        monkeypatch.setattr("gateway.ops.cli.convert.convert_message", fail)

    def test_are_one_line_without_what_they_say(self, pakkehjem: Pakkehjem) -> None:
        done = pakkehjem("convert", NOTE)
        assert done.code == 1
        first, hint = done.err.splitlines()
        assert re.fullmatch(
            r"pakkehjem: this is a fault of the gateway: RuntimeError in test_cli\.py, line \d+", first
        )
        assert "--log-level debug" in hint
        assert "Nordmann" not in done.err

    def test_are_traced_on_request_without_what_they_say(self, pakkehjem: Pakkehjem) -> None:
        done = pakkehjem("--log-level", "debug", "convert", NOTE)
        assert done.code == 1
        line = json.loads(done.err.splitlines()[0])
        assert line["exception"]["type"] == "RuntimeError"
        assert any("convert.py" in frame for frame in line["exception"]["frames"])
        assert "Nordmann" not in done.err
        assert "13888549952" not in done.err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "pakkehjem: stopped"),
        (PermissionError(13, "Permission denied", "out.xml"), 1, "pakkehjem: out.xml: Permission denied"),
        (OSError(28, "No space left on device"), 1, "pakkehjem: No space left on device"),
    ],
)
def test_what_comes_from_outside_is_one_line(
    error: BaseException, code: int, said: str, pakkehjem: Pakkehjem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("gateway.ops.cli.convert.convert_message", fail)
    done = pakkehjem("convert", NOTE)
    assert done.code == code
    assert done.err.strip() == said


class TestRealProcess:
    """The installed command."""

    def test_version(self) -> None:
        done = real("--version")
        assert (done.returncode, done.stdout) == (0, f"pakkehjem, version {__version__}\n")
        module = subprocess.run(
            [sys.executable, "-m", "gateway.ops.cli", "--version"], capture_output=True, text=True, check=True
        )
        assert module.stdout == done.stdout

    def test_exit_codes_reach_the_shell(self, tmp_path: Path) -> None:
        assert real("validate", NOTE).returncode == 0
        assert real("validate", BROKEN).returncode == 1
        assert real("validate").returncode == 2
        assert real("messages", "list", "-c", tmp_path / "none.toml").returncode == 3

    def test_standard_input_and_json_on_standard_output(self) -> None:
        with NOTE.open() as file:
            done = real("convert", "-", "--register", REGISTRY, stdin=file)
        assert done.returncode == 0
        assert done.stderr == ""
        assert json.loads(done.stdout)["disposition"] == "send"

    @pytest.mark.parametrize("encoding", ["ascii", "iso-8859-1"])
    def test_a_terminal_that_lacks_letters_stops_nothing(self, encoding: str) -> None:
        environment = ENVIRONMENT | {"PYTHONIOENCODING": encoding}
        for arguments in (
            ("convert", NOTE, "--to", "text"),
            ("convert", NOTE, "--explain"),
            ("messages", "list", "--help"),
            ("schemas", "list"),
        ):
            done = real(*arguments, env=environment, errors="replace")
            assert (done.returncode, done.stderr) == (0, "")
        # A document is UTF-8 wherever it goes.
        done = real("convert", NOTE, env=environment)
        assert "PAKKEFORLØP HJEM" in json.loads(done.stdout)["summary"]["note"]

    @pytest.mark.parametrize("arguments", [["--to", "text"], ["--explain"], ["--to", "json"]])
    def test_a_reader_that_goes_away_is_no_error_to_talk_of(self, arguments: list[str]) -> None:
        read, write = os.pipe()
        os.close(read)
        try:
            done = subprocess.run(
                [COMMAND, "convert", str(NOTE), *arguments],
                stdout=write,
                stderr=subprocess.PIPE,
                env=ENVIRONMENT,
                timeout=60,
                check=False,
            )
        finally:
            os.close(write)
        assert done.stderr == b""
        assert done.returncode == 1

    def test_help_loads_little(self) -> None:
        found = loaded("--help")
        assert "gateway.ops.cli" in found
        assert not found & {"pydantic", "sqlalchemy", "rich", "structlog", "cryptography"}

    def test_convert_loads_neither_journal_nor_queue(self) -> None:
        found = loaded("convert", str(NOTE))
        assert "gateway.ops.conversion" in found
        assert not found & {"sqlalchemy", "sqlite3", "pika", "xmlschema"}

    @pytest.mark.parametrize(
        "command",
        [
            "messages list",
            "held list",
            "failed list",
            "replies list",
            "queues status",
            "report",
            "audit verify",
        ],
    )
    def test_what_only_reads_the_journal_loads_no_more(self, command: str, tmp_path: Path) -> None:
        config = str(tmp_path / "g" / "gateway.toml")
        assert real("init", tmp_path / "g").returncode == 0
        assert real("db", "upgrade", "-c", config).returncode == 0
        found = loaded(*command.split(), "-c", config)
        assert "gateway.journal.sqlite" in found
        assert not found & {
            "adapters.base",
            "adapters.reading.note",
            "alembic",
            "gateway.ops.composition",
            "phonenumbers",
            "pika",
            "psycopg",
            "sqlalchemy.dialects.postgresql",
            "xmlschema",
        }
