"""`init`: everything that a first run needs, and nothing written over."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import pytest
from cryptography import x509

from gateway.ops import initialise as module
from gateway.ops.configuration import load
from gateway.security.certificates import organisation_number
from tests.conftest import REGISTRY
from tests.flow.harness import Gateway, note
from tests.ops.conftest import Outcome, Pakkehjem


@pytest.fixture(autouse=True)
def few_keys(initialised: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys take time to make: those of every party of the register are made once, for all tests."""
    assert initialised.is_dir()

    def parties(*_: object) -> list[tuple[str, str]]:
        return [("Pakkeforløp hjem gateway", module.GATEWAY_ORG_NO)]

    monkeypatch.setattr(module, "_parties", parties)


def made(done: Outcome, folder: Path) -> Path:
    target = folder / "gateway.toml"
    assert (done.code, done.out) == (0, f"{target}\n")
    assert f"next: pakkehjem run -c {target}" in done.err
    return target


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_holds_all_and_secrets_are_the_owners(pakkehjem: Pakkehjem, tmp_path: Path) -> None:
    folder = tmp_path / "some" / "where"
    made(pakkehjem("init", folder), folder)
    assert {p.name for p in folder.iterdir()} == {"gateway.toml", "register.toml", "journal.key", "pki"}
    assert (folder / "register.toml").read_bytes() == REGISTRY.read_bytes()
    keys = [*folder.rglob("*.key.pem"), folder / "journal.key"]
    assert len(keys) > 2
    assert {mode(key) for key in keys} == {0o600}
    assert mode(folder / "pki" / "root.pem") == 0o644


def test_a_note_goes_through_what_was_made(config: Path) -> None:
    running = Gateway(config)
    try:
        running.note(note("dips/01"))
        assert running.rows()[0].state == "delivered"
    finally:
        running.close()
    pki = config.parent / "pki" / "signing"
    registered = tomllib.loads(REGISTRY.read_text())
    for party in (*registered["hospital"], *registered["municipality"], *registered["gp"]):
        certificate = x509.load_pem_x509_certificate((pki / f"{party['org_no']}.cert.pem").read_bytes())
        assert organisation_number(certificate) == party["org_no"]


@pytest.mark.parametrize("taken", ["gateway.toml", "register.toml", "journal.key", "pki", "broker.password"])
def test_nothing_is_written_over(taken: str, pakkehjem: Pakkehjem, tmp_path: Path) -> None:
    (tmp_path / taken).write_text("mine")
    done = pakkehjem("init", tmp_path)
    assert done.code == 3
    assert f"{tmp_path} holds {taken} already" in done.err
    assert done.out == ""
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {taken: "mine"}


def test_other_things_in_the_folder_stay(pakkehjem: Pakkehjem, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    made(pakkehjem("init", tmp_path), tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    again = pakkehjem("init", tmp_path)
    assert again.code == 3


def test_what_fails_halfway_leaves_nothing(
    pakkehjem: Pakkehjem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "new_key_file", full)
    done = pakkehjem("init", tmp_path)
    assert done.code == 3
    assert "No space left on device" in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_register_of_ones_own_is_copied(pakkehjem: Pakkehjem, tmp_path: Path) -> None:
    register = tmp_path / "own.toml"
    register.write_text("# mine\n" + REGISTRY.read_text())
    made(pakkehjem("init", tmp_path / "a", "--register", register), tmp_path / "a")
    assert (tmp_path / "a" / "register.toml").read_bytes() == register.read_bytes()
    # One that is in its place already is as good as copied.
    (tmp_path / "b").mkdir()
    placed = tmp_path / "b" / "register.toml"
    register.rename(placed)
    made(pakkehjem("init", tmp_path / "b", "--register", placed), tmp_path / "b")
    assert placed.read_text().startswith("# mine\n")
    assert pakkehjem("init", tmp_path / "b", "--register", placed).code == 3


@pytest.mark.parametrize(("content", "said"), [("[[gp]]\nx = 1", "gp.0"), ("[", "no valid TOML")])
def test_a_register_that_can_not_be_used_is_refused(
    content: str, said: str, pakkehjem: Pakkehjem, tmp_path: Path
) -> None:
    register = tmp_path / "own.toml"
    register.write_text(content)
    done = pakkehjem("init", tmp_path / "made", "--register", register)
    assert done.code == 3
    assert said in done.err
    assert not (tmp_path / "made").exists()
    assert pakkehjem("init", tmp_path / "made", "--register", tmp_path / "none").code == 3


def test_broker_and_journal_are_written_as_given(pakkehjem: Pakkehjem, tmp_path: Path) -> None:
    done = pakkehjem(
        *("init", tmp_path, "--broker", 'amqps://me@host/v"h', "--journal", "postgresql://me@host/db")
    )
    configuration = load(made(done, tmp_path))
    assert configuration.queues.url == 'amqps://me@host/v"h'
    assert configuration.journal.url == "postgresql://me@host/db"
    assert configuration.queues.password_file is None


def test_passwords_get_files_of_their_own(pakkehjem: Pakkehjem, tmp_path: Path) -> None:
    urls = ("amqp://me:s%40cret1@host:5672/", "postgresql://me:s%40cret2@host/db")
    done = pakkehjem("init", tmp_path, "--broker", urls[0], "--journal", urls[1])
    target = made(done, tmp_path)
    assert "cret" not in target.read_text() + done.out + done.err
    for kind, secret in (("broker", "s@cret1"), ("journal", "s@cret2")):
        file = tmp_path / f"{kind}.password"
        assert (file.read_text(), mode(file)) == (secret, 0o600)
    configuration = load(target)
    assert (configuration.queues.url, configuration.journal.url) == urls


@pytest.mark.parametrize("url", ["amqp://[broken", "amqp://:secret@host/"])
def test_a_url_that_can_not_be_used_is_refused(url: str, pakkehjem: Pakkehjem, tmp_path: Path) -> None:
    done = pakkehjem("init", tmp_path, "--broker", url)
    assert done.code == 3
    assert "secret" not in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_can_not_be_made_is_named(pakkehjem: Pakkehjem, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        done = pakkehjem("init", folder)
        assert done.code == 3
        assert f"{folder} can not be written" in done.err
