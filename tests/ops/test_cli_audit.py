"""`pakkehjem audit`, as an operator meets it; and what commands leave there."""

from __future__ import annotations

import csv
import io
import json
import os
import pwd
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gateway.contracts.audit import AuditAction, AuditFault
from gateway.contracts.errors import EXIT_CONFIGURATION, EXIT_DONE, EXIT_NO, EXIT_USAGE
from gateway.ops import auditing
from gateway.ops.auditing import audit_entry, record
from gateway.ops.cli.audit import SENTENCES
from gateway.ops.configuration import load
from gateway.ops.csv_output import csv_text
from gateway.ops.stores import open_journal
from tests.ops.conftest import Outcome, Pakkehjem

Audit = Callable[..., Outcome]
LOGIN = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture
def audit(pakkehjem: Pakkehjem, config: Path) -> Audit:
    def call(*arguments: object) -> Outcome:
        return pakkehjem("audit", *arguments, "-c", config)

    return call


def write(config: Path, *reasons: str) -> None:
    journal = open_journal(load(config))
    for reason in reasons:
        record(journal, audit_entry(AuditAction.HELD_RELEASE, reason=reason, patient_reference="ab" * 32))
    journal.close()


def tamper(config: Path, *statements: str) -> None:
    with closing(sqlite3.connect(config.parent / "journal.sqlite")) as connection:
        connection.executescript(
            f"DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; {';'.join(statements)};"
        )


def test_a_log_that_is_whole(audit: Audit, config: Path) -> None:
    write(config, "en", "to")
    done = audit("verify")
    assert done.code == EXIT_DONE
    assert "rows          2\n" in done.out
    assert done.err == "the audit log is whole\n"
    document = audit("verify", "--json").json()
    assert (document["valid"], document["rows"], document["problems"]) == (True, 2, [])
    assert document["head"]["sequence"] == 2


def test_a_changed_row_is_named(audit: Audit, config: Path) -> None:
    write(config, "en", "to", "tre")
    tamper(config, "UPDATE audit SET who = 'ola' WHERE sequence = 2")
    done = audit("verify")
    assert done.code == EXIT_NO
    assert done.out.startswith("row 2 is not as the gateway wrote it")
    assert "Keep the journal as evidence" in done.err
    document = audit("verify", "--json").json()
    assert document["valid"] is False
    (problem,) = document["problems"]
    assert (problem["fault"], problem["sequence"], problem["last"]) == ("changed", 2, 2)


def test_a_cut_end_is_found_by_the_head_and_by_an_anchor(audit: Audit, config: Path, tmp_path: Path) -> None:
    write(config, *"abcd")
    anchor = tmp_path / "anchor.json"
    assert audit("verify", "--write-anchor", anchor).code == EXIT_DONE
    assert stat.S_IMODE(anchor.stat().st_mode) == 0o600
    assert audit("verify", "--anchor", anchor).err.endswith("holds what the anchor remembers\n")
    write(config, "e")
    assert audit("verify", "--anchor", anchor).code == EXIT_DONE
    assert audit("verify", "--write-anchor", anchor).code == EXIT_CONFIGURATION
    tamper(config, "DELETE FROM audit WHERE sequence > 3")
    done = audit("verify", "--anchor", anchor)
    assert done.code == EXIT_NO
    assert done.out.startswith("row 4 is not as the anchor") or done.out.startswith("row 4 to 5 is gone")
    assert "(anchor)" in done.out
    assert "(cut)" in done.out
    again = tmp_path / "again.json"
    assert audit("verify", "--write-anchor", again).code == EXIT_NO
    assert not again.exists()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"sequence": "x", "hash": 1}', "\x00"])
def test_what_is_no_anchor(audit: Audit, tmp_path: Path, text: str) -> None:
    file = tmp_path / "anchor.json"
    file.write_text(text)
    assert audit("verify", "--anchor", file).code == EXIT_USAGE


def test_export(audit: Audit, config: Path) -> None:
    write(config, "ringt avdelingen", "=HYPERLINK(1)")
    first, second = audit("export", "--json").json()
    assert first["reason"] == "ringt avdelingen"
    assert (first["who"], first["action"], first["outcome"]) == (LOGIN, "held-release", "done")
    assert first["patient_reference"] == "ab" * 32
    assert second["sequence"] == 2
    table = list(csv.DictReader(io.StringIO(audit("export", "--csv", "--action", "held-release").out)))
    assert [row["reason"] for row in table] == ["ringt avdelingen", "'=HYPERLINK(1)"]
    shown = audit("export", "--who", LOGIN)
    assert "ringt avdelingen" in shown.out
    assert all(len(line) <= 100 for line in shown.out.splitlines())
    assert [e["detail"]["rows"] for e in audit("export", "--json", "--action", "audit-export").json()] == [
        2,
        2,
        4,
    ]
    assert audit("export", "--json", "--until", "1d").json() == []
    assert audit("export", "--json", "--who", "nobody").json() == []
    assert audit("export", "--json", "--csv").code == EXIT_USAGE


def test_what_is_done_to_the_database_is_recorded(
    pakkehjem: Pakkehjem, audit: Audit, config: Path, tmp_path: Path
) -> None:
    pakkehjem("db", "upgrade", "-c", config)
    pakkehjem("db", "backup", "-c", config, tmp_path / "b")
    pakkehjem("db", "backup", "-c", config, tmp_path / "b")
    pakkehjem("db", "purge", "-c", config, "--older-than", "90d")
    pakkehjem("db", "rekey", "-c", config)
    found = [(e["action"], e["outcome"]) for e in audit("export", "--json").json()]
    assert found == [
        ("db-upgrade", "done"),
        ("db-backup", "begun"),
        ("db-backup", "done"),
        ("db-backup", "begun"),
        ("db-backup", "local"),
        ("db-purge", "begun"),
        ("db-purge", "done"),
        ("db-rekey", "begun"),
        ("db-rekey", "done"),
    ]


def test_schemas_that_are_added_are_recorded(
    pakkehjem: Pakkehjem, audit: Audit, config: Path, tmp_path: Path, standards: Path
) -> None:
    assert pakkehjem("schemas", "add", tmp_path, "-c", config).code == EXIT_NO
    assert pakkehjem("schemas", "add", standards / "xsd", "-c", config).code == EXIT_DONE
    found = [(e["action"], e["outcome"]) for e in audit("export", "--json").json()]
    assert found == [("schemas-add", outcome) for outcome in ("begun", "gateway", "begun", "done")]


def test_who_is_behind_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditing, "_logged_in", lambda: None)
    monkeypatch.delenv("SUDO_USER", raising=False)
    assert auditing.sudo_user() is None
    monkeypatch.setenv("SUDO_USER", "kari")
    assert auditing.sudo_user() == "kari"
    monkeypatch.setenv("SUDO_USER", LOGIN)
    assert auditing.sudo_user() is None
    monkeypatch.setenv("SUDO_USER", "forged")
    monkeypatch.setattr(auditing, "_logged_in", os.getuid)
    assert auditing.sudo_user() is None
    assert audit_entry(AuditAction.REVEAL).who == LOGIN


def test_every_fault_has_a_sentence() -> None:
    assert set(SENTENCES) == set(AuditFault)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", " =", "|", "%", "\uff1d", "\x1b=", "\n="])
def test_no_cell_is_a_formula(start: str) -> None:
    (row,) = list(csv.reader(io.StringIO(csv_text(["a"], [[f"{start}1+1"]]))))[1:]
    assert row[0][0] not in "=+-@\t\r\n|% \uff1d\x1b"


def test_cells_come_back_as_they_were() -> None:
    text = csv_text(["a", "b", "c"], [['Kåre "K", x;y', -5, None]])
    assert list(csv.reader(io.StringIO(text))) == [["a", "b", "c"], ['Kåre "K", x;y', "-5", ""]]
    assert json.dumps(text).count("\\r\\n") == 2
