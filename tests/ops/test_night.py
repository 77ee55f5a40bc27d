"""A night: a receiver goes down, its notes fail, one is broken; found, understood, replayed, delivered.

The engineer sits at a real terminal, and no patient is ever on it. In its long form (FAULTS set) 300 notes
fail; that is marked as the other tests that take long.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.contracts.audit import AuditAction, AuditFilter
from gateway.contracts.queues import Envelope
from gateway.ops.auditing import login_name
from gateway.ops.configuration import CONFIG_VARIABLE, load
from gateway.ops.stores import connect_queue, open_journal
from tests.flow.harness import note, with_new_id
from tests.ops.terminal import Terminal
from tests.ops.test_crash import service

COUNT = 300 if os.environ.get("FAULTS") else 30
QUEUE = "8910031_async"
REASON = "køen er tilbake"
PATIENTS = [note("dips/01"), note("dips/02")]
FAILED = "SELECT count(*) FROM sending WHERE state = 'failed'"
WAITING = "SELECT count(*) FROM sending WHERE state = 'pending'"
SETTINGS = {
    # Notes of one patient on one day are otherwise held.
    "[rules.severity]\n": '[rules.severity]\nPH040 = "info"\n',
    "retry_first_seconds = 2.0": "retry_first_seconds = 0.2",
    "retry_longest_seconds = 600.0": "retry_longest_seconds = 0.5",
    "give_up_after_hours = 72.0": "give_up_after_hours = 0.0005",
}


def wait_for(what: Callable[[], bool], *, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it never came to it"
        time.sleep(0.5)


def counted(config: Path, query: str) -> int:
    connection = sqlite3.connect(f"file:{config.with_name('journal.sqlite')}?mode=ro", uri=True)
    try:
        return int(connection.execute(query).fetchone()[0])
    finally:
        connection.close()


def receiver_goes_down(config: Path) -> None:
    """Its queue is gone: what is sent there can not be routed."""
    connection = sqlite3.connect(config.with_name("queue.sqlite"), timeout=30)
    with connection:
        connection.execute("DELETE FROM queue WHERE name = ?", (QUEUE,))
    connection.close()


@pytest.mark.crash
@pytest.mark.timeout(600)
def test_the_night(config: Path, tmp_path: Path) -> None:
    prepare(config)
    log = tmp_path / "service.log"
    with service(config, log):
        wait_for(lambda: b'"ready"' in log.read_bytes())
        receiver_goes_down(config)
        notes_come_in(config)
        wait_for(lambda: counted(config, FAILED) == COUNT)
        with Terminal(tmp_path, environment(config)) as terminal:
            understand(terminal)
            assert counted(config, FAILED) == COUNT
            replay(terminal)
            correct(terminal, tmp_path / "note.xml")
            assert "0 failures" in terminal.run("pakkehjem failed list")
            terminal.run("pakkehjem messages list --limit 5")
            assert "failed-replay" in terminal.run("pakkehjem audit export | head -c 3000")
        wait_for(lambda: counted(config, WAITING) == 0)
    with connect_queue(load(config)) as queue:
        arrived = [d.envelope.message_id for d in queue.take([QUEUE], limit=2 * COUNT, wait_seconds=0.0)]
    assert len(arrived) == len(set(arrived)) == COUNT
    nobody_is_on(terminal)
    who_did_what(config)


def prepare(config: Path) -> None:
    """Patience that fits into a test."""
    text = config.read_text()
    for old, new in SETTINGS.items():
        assert old in text
        text = text.replace(old, new)
    config.write_text(re.sub(r"(?m)^circuit_faults = .*$", "circuit_faults = 1000000", text))


def notes_come_in(config: Path) -> None:
    configuration = load(config)
    broken = b"<?xml version='1.0'?>\n<" + note("dips/02")
    bodies = [*(with_new_id(note("dips/01")) for _ in range(COUNT)), broken]
    inbound = configuration.queues.inbound
    with connect_queue(configuration) as queue:
        queue.publish([(inbound, Envelope(body=b, message_id=str(n))) for n, b in enumerate(bodies)])


def environment(config: Path) -> dict[str, str]:
    """The engineer's: the command is on the path, and knows its configuration."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PAKKEHJEM")}
    variables[CONFIG_VARIABLE] = str(config)
    variables["PATH"] = f"{Path(sys.executable).parent}:{variables['PATH']}"
    return variables


def understand(terminal: Terminal) -> None:
    seen = terminal.run("pakkehjem failed list --by error")
    assert re.search(rf"unroutable +{COUNT} .*queues status", seen, re.DOTALL)
    assert f"{COUNT + 1} failures of {COUNT + 1} messages" in seen
    seen = terminal.run("pakkehjem failed list --error unroutable --municipality 3222 --since 2h --limit 3")
    assert f"{COUNT} failures" in seen
    seen = terminal.run("pakkehjem failed replay --error unroutable --dry-run")
    assert re.search(rf"same +8910031 +pending +{COUNT}", seen)
    assert f"{COUNT} of {COUNT} would be replayed" in seen


def replay(terminal: Terminal) -> None:
    seen = terminal.run("pakkehjem queues status")
    assert re.search(rf"1 of \d+ are missing: {QUEUE}", seen)
    assert QUEUE in terminal.run("pakkehjem queues setup")
    command = f"pakkehjem failed replay --error unroutable --reason '{REASON}' --watch"
    seen = terminal.run(command, seconds=300)
    for words in (f"{COUNT} of {COUNT} replayed", f"{COUNT} delivered", "replaying", "delivering", "/s"):
        assert words in seen


def correct(terminal: Terminal, file: Path) -> None:
    seen = terminal.run("pakkehjem failed list")
    assert "1 failure of 1 message" in seen
    (short,) = re.findall(r"(?m)^([0-9a-f]{8}) .* unreadable", seen)
    assert "replay --with FILE" in " ".join(terminal.run(f"pakkehjem failed show {short}").split())
    terminal.run(f"pakkehjem failed export {short} {file.name} --reveal --reason 'ødelagt på veien'")
    file.write_bytes(file.read_bytes().split(b"\n<", 1)[1])
    seen = terminal.run(f"pakkehjem failed replay {short} --with {file.name}; rm {file.name}")
    assert "both versions are kept" in seen


def nobody_is_on(terminal: Terminal) -> None:
    for body in PATIENTS:
        encoding = "iso-8859-1" if b"iso-8859" in body[:80].lower() else "utf-8"
        for element in (rb"FamilyName", rb"GivenName", rb"Id", rb"StreetAdr", rb"TeleAddress V"):
            for value in re.findall(rb"<" + element + rb">([^<]{5,})</", body):
                word = value.decode(encoding)
                if not re.fullmatch(r"89\d{5}|\d{9}", word):
                    assert word not in terminal.scrollback


def who_did_what(config: Path) -> None:
    configuration = load(config)
    journal = open_journal(configuration)
    entries = [record.entry for record in journal.audit_log(AuditFilter())]
    journal.close()
    assert {e.who for e in entries} == {login_name()}
    done = [e for e in entries if e.action == AuditAction.FAILED_REPLAY and e.outcome == "done"]
    assert len(done) == COUNT + 1
    assert [e.reason for e in done].count(REASON) == COUNT
    assert len({(e.inbound_id, e.sending_id) for e in done}) == COUNT + 1
    assert [e.reason for e in entries if e.action == AuditAction.FAILED_EXPORT] == ["ødelagt på veien"]
    assert json.dumps([dict(e.detail or {}) for e in done]).count("same") == COUNT
