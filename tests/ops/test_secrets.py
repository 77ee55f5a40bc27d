"""Secrets come from a file, the environment or systemd, and are told to nobody."""

from __future__ import annotations

import stat
import tomllib
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from gateway.contracts.errors import (
    EXIT_CONFIGURATION,
    EXIT_DONE,
    EXIT_UNREACHABLE,
    ConfigurationError,
    LocalError,
)
from gateway.journal.opening import open_journal
from gateway.ops.configuration import load
from gateway.ops.effective import MASK, masked
from gateway.ops.stores import open_vault
from gateway.security.files import read_private
from tests.journal.stores import vault
from tests.ops.conftest import Pakkehjem
from tests.postgres_server import PostgresServer
from tests.servers import rabbit_server, rabbitmq

__all__ = ["rabbit_server", "rabbitmq"]

SECRET = "kanari&Sang/7 på:pinne@{"  # noqa: S105 - it is to be looked for
SPELLINGS = (
    SECRET,
    quote(SECRET, safe=""),
    quote(SECRET),
    b64encode(SECRET.encode()).decode()[:20],
    "kanari",
    "Sang/7",
)
BROKER = "amqp://gateway@127.0.0.1:9/vhost"
DATABASE = "postgresql://gateway@127.0.0.1:9/journal"
SECTIONS = {"queues": BROKER, "journal": DATABASE}


def silent(*texts: str) -> None:
    """No spelling of the secret stands there."""
    for text in texts:
        assert [each for each in SPELLINGS if each in text] == []


def private(folder: Path, text: str = SECRET, mode: int = 0o600) -> Path:
    file = folder / "a.password"
    file.write_text(text)
    file.chmod(mode)
    return file


def with_value(config: Path, section: str, *lines: str) -> None:
    """The file, with a section that says something else of its URL."""
    text = config.read_text()
    first = {"queues": 'url = "embedded:queue.sqlite"\n', "journal": 'url = "sqlite:journal.sqlite"\n'}[
        section
    ]
    assert first in text
    config.write_text(text.replace(first, "\n".join((*lines, ""))))


def by_file(config: Path, section: str, _patch: pytest.MonkeyPatch) -> None:
    private(config.parent)
    with_value(config, section, f'url = "{SECTIONS[section]}"', 'password_file = "a.password"')


def by_environment(config: Path, section: str, patch: pytest.MonkeyPatch) -> None:
    with_value(config, section, f'url = "{SECTIONS[section]}"')
    patch.setenv(f"PAKKEHJEM__{section.upper()}__PASSWORD", SECRET)


def by_credential(config: Path, section: str, patch: pytest.MonkeyPatch) -> None:
    """As systemd leaves it: the group's bits are the mask of an access list."""
    folder = config.parent / "credentials"
    folder.mkdir(mode=0o700)
    private(folder, mode=0o440)
    patch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    path = "$CREDENTIALS_DIRECTORY/a.password"
    with_value(config, section, f'url = "{SECTIONS[section]}"', f'password_file = "{path}"')


def by_url(config: Path, section: str, patch: pytest.MonkeyPatch) -> None:
    url = SECTIONS[section].replace("gateway@", f"gateway:{quote(SECRET, safe='')}@")
    patch.setenv(f"PAKKEHJEM__{section.upper()}__URL", url)
    del config


SOURCES = {"file": by_file, "environment": by_environment, "credential": by_credential, "url": by_url}
Source = Callable[[Path, str, pytest.MonkeyPatch], None]


every_source = pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())


@every_source
@pytest.mark.parametrize("section", SECTIONS)
def test_the_password_reaches_the_broker_and_the_database(
    source: Source, section: str, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source(config, section, monkeypatch)
    loaded = load(config)
    url = loaded.broker_url() if section == "queues" else loaded.journal.url
    assert f":{quote(SECRET, safe='')}@127.0.0.1:9/" in url
    silent(repr(loaded), str(loaded))


@every_source
@pytest.mark.parametrize("section", SECTIONS)
def test_it_is_told_nowhere(
    source: Source, section: str, config: Path, pakkehjem: Pakkehjem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is not there: every command that needs it fails, with everything at debug."""
    source(config, section, monkeypatch)
    commands = (
        ("config", "show"),
        ("config", "show", "--json"),
        ("queues", "status"),
        ("messages", "list"),
        ("db", "purge", "--older-than", "90d"),
        ("db", "upgrade"),
    )
    for command in commands:
        done = pakkehjem("--log-level", "debug", *command, "-c", config)
        silent(done.out, done.err)
    assert MASK in pakkehjem("config", "show", "-c", config).out
    assert pakkehjem("run", "-c", config).code == EXIT_UNREACHABLE


def test_a_password_that_is_wrong(
    pakkehjem: Pakkehjem, config: Path, rabbitmq: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = rabbitmq.partition("@")[2]
    with_value(config, "queues", f'url = "amqp://guest@{address}"')
    monkeypatch.setenv("PAKKEHJEM__QUEUES__PASSWORD", SECRET)
    done = pakkehjem("--log-level", "debug", "queues", "status", "-c", config)
    assert done.code == EXIT_CONFIGURATION
    assert "user or the password" in done.err
    silent(done.out, done.err)


WRONG = {
    "open-to-others": ({"url": BROKER, "password_file": "open.password"}, "chmod 600"),
    "not-there": ({"url": BROKER, "password_file": "none.password"}, "none.password can not be read"),
    "no-user": ({"url": "amqp://127.0.0.1:9/", "password_file": "a.password"}, "names a user"),
    "two-passwords": ({"url": "amqp://u:x@127.0.0.1:9/", "password_file": "a.password"}, "no password"),
    "in-the-file": ({"url": BROKER, "password": SECRET}, "PAKKEHJEM__QUEUES__PASSWORD"),
    "unknown-key": ({"passwrd": SECRET}, "did you mean queues.password"),
    "no-number": ({"declare": SECRET}, "queues.declare"),
    "no-url": ({"url": f"amqp://u:{quote(SECRET, safe='')}@[::1/"}, ""),
    "no-port": ({"url": f"amqp://u:{quote(SECRET, safe='')}@host:port/"}, ""),
    "unknown-setting": ({"url": f"amqp://u:{quote(SECRET, safe='')}@host/?x={SECRET[:6]}"}, ""),
    "no-scheme": ({"url": f"{SECRET}://host"}, ""),
}


@pytest.mark.parametrize(("values", "said"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_said_without_it(
    values: dict[str, str], said: str, config: Path, pakkehjem: Pakkehjem
) -> None:
    private(config.parent).with_name("open.password").write_text(SECRET)
    (config.parent / "open.password").chmod(0o644)
    given = {"url": "embedded:queue.sqlite"} | values
    with_value(config, "queues", *(f'{key} = "{value}"' for key, value in given.items()))
    done = pakkehjem("--log-level", "debug", "queues", "status", "-c", config)
    assert done.code == EXIT_CONFIGURATION
    assert said in done.err
    silent(done.out, done.err)


VARIABLES = {
    "no-json": ("PAKKEHJEM__SIGNING__CRL", f"[{SECRET}"),
    "no-section": ("PAKKEHJEM__QUEUES", SECRET),
    "unknown": ("PAKKEHJEM__QUEUES__PASSWRD", SECRET),
    "key": ("PAKKEHJEM__JOURNAL__KEY", f"{SECRET}\nreference {SECRET}"),
}


@pytest.mark.parametrize(("name", "value"), VARIABLES.values(), ids=VARIABLES.keys())
def test_a_variable_that_is_wrong_is_named_without_it(
    name: str, value: str, config: Path, pakkehjem: Pakkehjem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    done = pakkehjem("--log-level", "debug", "messages", "list", "-c", config)
    assert done.code == EXIT_CONFIGURATION
    silent(done.out, done.err)
    assert "pakkehjem: " in done.err


def test_the_journals_key_by_environment_and_credential(
    config: Path, pakkehjem: Pakkehjem, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = config.parent / "journal.key"
    text = file.read_text()
    sealed = open_vault(load(config)).seal(b"payload", context=b"c")
    monkeypatch.setenv("PAKKEHJEM__JOURNAL__KEY", text)
    file.unlink()
    loaded = load(config)
    assert open_vault(loaded).open(sealed, context=b"c") == b"payload"
    words = [word for line in text.splitlines() if not line.startswith("#") for word in line.split()]
    shown = pakkehjem("config", "show", "-c", config).out
    assert not [word for word in words if word != "reference" and word in repr(loaded) + shown]
    monkeypatch.delenv("PAKKEHJEM__JOURNAL__KEY")
    folder = config.parent / "credentials"
    folder.mkdir()
    (folder / "key").write_text(text)
    (folder / "key").chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    monkeypatch.setenv("PAKKEHJEM__JOURNAL__KEY_FILE", "$CREDENTIALS_DIRECTORY/key")
    assert open_vault(load(config)).open(sealed, context=b"c") == b"payload"
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    with pytest.raises(ConfigurationError, match="no credentials"):
        open_vault(load(config))


@pytest.mark.parametrize(
    ("mode", "credential", "readable"),
    [
        (0o600, False, True),
        (0o400, False, True),
        (0o440, False, False),
        (0o440, True, True),
        (0o460, True, False),
        (0o444, True, False),
        (0o404, True, False),
    ],
)
def test_who_may_read_a_secret(
    mode: int, *, credential: bool, readable: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path if credential else tmp_path / "elsewhere"))
    file = private(tmp_path, mode=mode)
    assert stat.S_IMODE(file.stat().st_mode) == mode
    if readable:
        assert read_private(file) == SECRET.encode()
    else:
        with pytest.raises(LocalError, match="Others may read"):
            read_private(file)


def test_the_key_of_our_certificate_at_the_broker_is_a_secret(config: Path) -> None:
    private(config.parent, mode=0o644)
    url = f'url = "{BROKER}"'
    with_value(config, "queues", url, 'certificate = "pki/root.pem"', 'key = "a.password"')
    with pytest.raises(LocalError, match="Others may read"):
        load(config).broker_url()


def test_the_configuration_as_it_is_shown_can_be_read(pakkehjem: Pakkehjem, config: Path) -> None:
    shown = pakkehjem("config", "show", "-c", config)
    assert shown.code == EXIT_DONE
    document = pakkehjem("config", "show", "-c", config, "--json").json()
    read = tomllib.loads(shown.out)
    assert read == {k: {n: v for n, v in t.items() if v is not None} for k, t in document.items()}
    assert document["flow"]["group_size"] == 100
    assert document["queues"]["url"] == "embedded:queue.sqlite"


def test_the_environment_shows_in_it(
    pakkehjem: Pakkehjem, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAKKEHJEM__FLOW__GROUP_SIZE", "7")
    assert "group_size = 7\n" in pakkehjem("config", "show", "-c", config).out


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("amqps://u:pw@h/v", "amqps://u:********@h/v"),
        ("amqps://:pw@h/v", "amqps://:********@h/v"),
        ("amqps://u@h/v?key=/path/to/key.pem", "amqps://u@h/v?key=/path/to/key.pem"),
        ("https://h/hook?token=abc&x=1", "https://h/hook?token=********&x=1"),
        ("postgresql://u@h/d?sslpassword=abc", "postgresql://u@h/d?sslpassword=********"),
        ("sqlite:journal.sqlite", "sqlite:journal.sqlite"),
    ],
)
def test_what_is_masked(url: str, shown: str) -> None:
    assert masked(url) == shown


def test_the_password_is_not_on_the_command_line_of_the_backup(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "pg_dump"
    tool.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" "$PGPASSWORD" > {tmp_path}/seen\nexit 1\n')
    tool.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with postgres.database() as url:
        password = urlsplit(url).password
        assert password
        journal = open_journal(url, vault())
        with pytest.raises(LocalError, match="pg_dump has failed") as failed:
            journal.backup(tmp_path / "backup")
        journal.close()
    *arguments, told = (tmp_path / "seen").read_text().splitlines()
    assert told == password
    assert len(arguments) > 3
    assert password not in " ".join(arguments) + str(failed.value)
    for setting in ("password", "sslpassword"):
        with pytest.raises(ConfigurationError) as refused:
            open_journal(f"{url}?{setting}={quote(SECRET)}", vault())
        silent(str(refused.value))
