"""A journal of a million messages, and how fast it answers what operators ask.

    python -m bench.journal build URL [--messages N] [--end DATE] [--facts]    # sqlite:///FILE, postgresql://…
    python -m bench.journal measure URL [--json]

The journal holds a year of notes of sixty departments to a few hundred municipalities, each sent to a
municipality and a GP: nine of ten acknowledged, the rest held, refused, failed and so on; findings on one
in four. Payloads are left out: a list reads none.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, create_engine, insert, make_url, select, text

from bench.journal_questions import measure
from gateway.contracts.facts import NoteFacts
from gateway.contracts.findings import finding
from gateway.contracts.ports import Vault
from gateway.contracts.records import Event, InboundMessage, Sending
from gateway.contracts.states import InboundKind, InboundState, SendingKind, SendingState
from gateway.contracts.summary import Action
from gateway.journal import rows, tables
from gateway.journal.opening import open_journal
from gateway.journal.rows import EVENT, INBOUND, SENDING
from gateway.journal.sql_journal import SqlJournal
from gateway.security.vault import AesVault, VaultKey

MESSAGES = 1_000_000
_BASE = 20_000
"""Notes that are written one by one; the others are copies of them at other times"""
_MUNICIPALITIES = 357
_UNITS = 60
_TAG = "0000"
"""How their ids begin"""
_CHUNK = 5_000
_DAYS = 365
_STATES = (
    (InboundState.ACKNOWLEDGED, 900),
    (InboundState.DELIVERED, 30),
    (InboundState.REJECTED, 25),
    (InboundState.HELD, 10),
    (InboundState.REFUSED, 15),
    (InboundState.WITHHELD, 8),
    (InboundState.DISCARDED, 8),
    (InboundState.FAILED, 4),
)
_FINDINGS = (("PH030", 100), ("PH041", 80), ("PH021", 40), ("PH040", 20), ("PH012", 5), ("PH050", 1))
_SYSTEMS = (("dips", 45), ("doculive", 25), ("helseplattformen", 30))
_CODES = ("2 E21", "2 E36", "2 X99", "2 T02")
_SENT = frozenset(
    {InboundState.ACKNOWLEDGED, InboundState.DELIVERED, InboundState.REFUSED, InboundState.FAILED}
)
_SENDING_STATES = {
    InboundState.ACKNOWLEDGED: SendingState.ACKNOWLEDGED,
    InboundState.DELIVERED: SendingState.DELIVERED,
    InboundState.REFUSED: SendingState.REFUSED,
    InboundState.FAILED: SendingState.FAILED,
}


def vault() -> Vault:
    """A key of no secret: the journal holds nobody."""
    return AesVault((VaultKey(b"b" * 32),), b"r" * 32)


def build(url: str, messages: int, *, end: datetime, facts: bool = False) -> float:
    """Write it; how many seconds that took.

    Some are written as the gateway writes them, and multiplied by the database, without indexes meanwhile.

    Args:
        url: of a new journal.
        messages: how many notes.
        end: when the last came.
        facts: seal what the report reads beside each note, which takes longer.
    """
    begun = time.monotonic()
    sealing = vault()
    open_journal(url, sealing).close()
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    engine = create_engine(parsed)
    base = min(messages, _BASE)
    copies = max(1, messages // base)
    with engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(text("PRAGMA cache_size = -500000"))
        indexes = _drop_indexes(connection)
        step = timedelta(days=_DAYS) / (base * copies)
        for number in range(0, base, _CHUNK):
            _write(connection, _notes(number, min(base - number, _CHUNK), base * copies, end, step))
        # One after the other, as messages come: rows lie in the order of time.
        for copy in range(1, copies):
            _multiply(connection, copy, step * base * copy)
        for statement in indexes:
            connection.execute(text(statement))
        if facts:
            _add_facts(connection, sealing)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE" if connection.dialect.name == "postgresql" else "ANALYZE"))
    engine.dispose()
    return time.monotonic() - begun


def _drop_indexes(connection: Connection) -> list[str]:
    """Drop the indexes that only make it faster; how they are made again."""
    if connection.dialect.name == "postgresql":
        query = (
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' "
            "AND indexname LIKE 'ix\\_%' AND indexdef NOT LIKE '%UNIQUE%'"
        )
    else:
        query = (
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' "
            "AND name LIKE 'ix\\_%' ESCAPE '\\' AND sql NOT LIKE '%UNIQUE%'"
        )
    found = connection.exec_driver_sql(query.replace("%", "%%") if "pg_indexes" in query else query).all()
    for name, _ in found:
        connection.execute(text(f'DROP INDEX "{name}"'))
    return [sql for _, sql in found]


_OWN_IDS = {
    "inbound": ("id", "msg_id"),
    "sending": ("id", "msg_id", "inbound_id"),
    "event": ("inbound_id",),
    "inbound_finding": ("inbound_id",),
}
_OWN_TIMES = frozenset({"received_at", "sent_at", "created_at", "delivered_at", "settled_at", "at"})


def _multiply(connection: Connection, copy: int, shift: timedelta) -> None:
    """Every row of the base once more, under ids of its own, at another time."""
    tag = f"{(copy * 40_503) % 65_536:04x}"
    for name, ids in _OWN_IDS.items():
        table = tables.metadata.tables[name]
        columns = [c.name for c in table.columns if c.name != "sequence"]
        values = {c: f'"{c}"' for c in columns}
        values |= {c: f"'{tag}' || substr({c}, 5)" for c in ids}
        values |= {c: f'"{c}" + ({shift // timedelta(microseconds=1)})' for c in columns if c in _OWN_TIMES}
        names = ", ".join(f'"{c}"' for c in columns)
        made = ", ".join(values[c] for c in columns)
        of_base = f"substr({ids[-1]}, 1, 4) = '{_TAG}'"
        connection.execute(text(f"INSERT INTO {name} ({names}) SELECT {made} FROM {name} WHERE {of_base}"))  # noqa: S608 - names of the journal's own


def _add_facts(connection: Connection, sealing: Vault) -> None:
    """What the report reads of each note, sealed for it alone."""
    last = 0
    while True:
        query = (
            select(tables.inbound.c.sequence, tables.inbound.c.id)
            .where(tables.inbound.c.sequence > last)
            .order_by(tables.inbound.c.sequence)
            .limit(_CHUNK)
        )
        found = connection.execute(query).all()
        if not found:
            return
        last = found[-1][0]
        values = []
        for sequence, row_id in found:
            facts = NoteFacts(relapse=not sequence % 10, in_work_up=False, distress_score=sequence % 11)
            sealed = sealing.seal(rows.facts_to_bytes(facts), context=INBOUND.context(row_id, "facts"))
            values.append({"row_id": row_id, "part": INBOUND.part("facts"), "sealed": sealed})
        _insert(connection, tables.content, values)


def _write(connection: Connection, notes: Iterable[InboundMessage]) -> None:
    written: dict[Table, list[dict[str, Any]]] = {
        table: [] for table in (tables.inbound, tables.sending, tables.history, tables.inbound_finding)
    }
    for note in notes:
        written[tables.inbound].append(INBOUND.encode(note))
        at = rows.to_time(note.received_at)
        written[tables.inbound_finding] += [
            {"inbound_id": note.id, "code": f.code, "received_at": at} for f in note.findings
        ]
        for sending in _sendings(note):
            written[tables.sending].append(SENDING.encode(sending))
        event = Event(inbound_id=note.id, at=note.received_at, name="received")
        written[tables.history].append(EVENT.encode(event))
    for table, values in written.items():
        if values:
            _insert(connection, table, values)


def _insert(connection: Connection, table: Table, values: Sequence[dict[str, Any]]) -> None:
    if connection.dialect.name != "postgresql":
        connection.execute(insert(table), values)
        return
    names = list(values[0])
    columns = ", ".join(f'"{name}"' for name in names)
    cursor = connection.connection.cursor()
    with cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
        for row in values:
            copy.write_row([row[name] for name in names])


def _notes(begin: int, count: int, total: int, end: datetime, step: timedelta) -> Iterator[InboundMessage]:
    for number in range(begin, begin + count):
        chance = random.Random(number)  # noqa: S311 - the same journal each time
        received_at = end - timedelta(days=_DAYS) + step * (number + 1)
        system = _one(chance, _SYSTEMS)
        state = _one(chance, _STATES)
        home = int(_MUNICIPALITIES * chance.random() ** 2)
        municipality = f"{home:04}"
        # Its own hospital, or one of two others.
        unit = f"89{(home * _UNITS // _MUNICIPALITIES + 7 * chance.choice((0, 0, 0, 1, 2))) % _UNITS:05}"
        found = tuple(finding(code) for code, of_400 in _FINDINGS if chance.randrange(1000) < of_400)
        yield InboundMessage(
            id=_id(chance),
            kind=InboundKind.NOTE,
            state=state,
            queue="pakkehjem_in",
            received_at=received_at,
            sent_at=received_at,
            sender=f"890{chance.randrange(20):04}",
            msg_id=_id(chance),
            content_hash=f"{number:064x}",
            body=b"",
            format="plo-1.6",
            system=system,
            action=Action.NEW,
            hospital=unit[:5] + "00",
            unit=unit,
            unit_name=f"Avdeling {unit}",
            municipality=municipality,
            gp=f"892{chance.randrange(5000):04}",
            patient_reference=f"{chance.randrange(total):064x}",
            interaction_point=1 + chance.randrange(3),
            findings=found,
        )


def _id(chance: random.Random) -> str:
    return _TAG + str(UUID(int=chance.getrandbits(128), version=4))[4:]


def _one(chance: random.Random, weighted: Sequence[tuple[Any, int]]) -> Any:  # noqa: ANN401 - any of these
    return chance.choices([value for value, _ in weighted], [weight for _, weight in weighted])[0]


def _sendings(note: InboundMessage) -> Iterator[Sending]:
    if note.state not in _SENT:
        return
    chance = random.Random(note.id)  # noqa: S311 - as above
    state = _SENDING_STATES[note.state]
    for role, receiver in (("municipality", f"891{note.municipality}"), ("gp", note.gp or "")):
        of_role = state if role == "municipality" else SendingState.ACKNOWLEDGED
        yield Sending(
            id=_id(chance),
            inbound_id=note.id,
            kind=SendingKind.NOTE,
            state=of_role,
            receiver=receiver,
            receiver_role=role,
            queue=f"{receiver}_async",
            format="plo-1.6",
            msg_id=_id(chance),
            attempts=1,
            created_at=note.received_at,
            delivered_at=note.received_at,
            settled_at=note.received_at + timedelta(minutes=5),
            apprec=chance.choice(_CODES) if of_role is SendingState.REFUSED else "1",
            error="unroutable" if of_role is SendingState.FAILED else None,
        )


@contextmanager
def _opened(url: str) -> Iterator[SqlJournal]:
    journal = open_journal(url, vault())
    try:
        yield journal
    finally:
        journal.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Build or measure; 1 where an answer took longer than 200 ms (the median)."""
    parser = argparse.ArgumentParser(prog="python -m bench.journal", description=__doc__)
    parser.add_argument("what", choices=["build", "measure"])
    parser.add_argument("url")
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument("--facts", action="store_true", help="what the report of a year reads, too")
    parser.add_argument(
        "--end", type=datetime.fromisoformat, help="when the last message came (ISO 8601; now by default)"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if options.what == "build":
        end = (options.end or datetime.now(UTC)).astimezone(UTC)
        seconds = build(options.url, options.messages, end=end, facts=options.facts)
        sys.stdout.write(f"{options.messages} messages in {seconds:.0f} s\n")
        return 0
    with _opened(options.url) as journal:
        measured = measure(journal)
    if options.json:
        sys.stdout.write(json.dumps(measured, indent=2) + "\n")
    else:
        for row in measured:
            sys.stdout.write(
                f"{row['question']:44} {row['found']:6} {row['median_ms']:8.1f} {row['slowest_ms']:8.1f} ms\n"
            )
    return int(any(row["median_ms"] > 200 for row in measured))


if __name__ == "__main__":
    sys.exit(main())
