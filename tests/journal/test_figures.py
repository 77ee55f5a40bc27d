"""What the report is made of, counted on both databases, before and after payloads are taken away."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from gateway.contracts.facts import FactSums, NoteFacts, Window
from gateway.contracts.findings import finding
from gateway.contracts.states import InboundKind, InboundState, SendingKind, SendingState
from gateway.contracts.summary import Action
from gateway.journal import sql_journal
from gateway.journal.answer_reader import answers_of
from gateway.journal.beside import beside
from gateway.journal.figures import Cell, Figures, month_of, months
from gateway.journal.rows import facts_from_bytes, facts_to_bytes, sums_from_bytes, sums_to_bytes
from gateway.journal.sql_journal import SqlJournal
from tests.journal.stores import SqliteStore, note, outgoing

MARCH = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
DEADLINE = timedelta(hours=96)
CELL = Cell(month="2026-03", unit="101", municipality="5001")
FACTS = NoteFacts(
    relapse=True,
    in_work_up=False,
    distress_score=6,
    windows=(Window(point=2, start=date(2026, 6, 2), end=date(2026, 7, 2)),),
)
PLAIN = NoteFacts(relapse=False, in_work_up=True, distress_score=None)


def put(
    journal: SqlJournal,
    name: str,
    *,
    facts: NoteFacts | None = FACTS,
    sent: bool = True,
    state: SendingState = SendingState.ACKNOWLEDGED,
    seconds: float = 90,
    apprec: str = "1",
    root: str | None = None,
    **fields: object,
) -> None:
    """A note with its sending to the municipality."""
    values: dict[str, object] = {
        "state": InboundState.ACKNOWLEDGED,
        "received_at": MARCH,
        "hospital": "100",
        "unit": "101",
        "unit_name": "Kreftpoliklinikken",
        "municipality": "5001",
        "facts": facts,
    }
    settled = state in {SendingState.ACKNOWLEDGED, SendingState.REFUSED}
    with journal.transaction() as transaction:
        transaction.add_inbound(note(name, **(values | fields)))
        if sent:
            transaction.add_sending(
                outgoing(
                    name,
                    f"s-{name}",
                    msg_id=f"out-{name}",
                    conversation_root=root or f"out-{name}",
                    receiver_role="municipality",
                    state=state,
                    created_at=MARCH,
                    settled_at=MARCH + timedelta(seconds=seconds) if settled else None,
                    apprec=apprec if settled else None,
                )
            )


def read(journal: SqlJournal, first: str = "2026-03", last: str = "2026-03") -> Figures:
    return journal.figures(months(first, last), facts_from=first, deadline=DEADLINE)


def test_notes_are_counted_once_by_department_municipality_and_month(journal: SqlJournal) -> None:
    put(journal, "a", findings=(finding("PH030"), finding("PH020")))
    put(journal, "b", findings=(finding("PH040"),), facts=PLAIN)
    put(journal, "change", action=Action.CHANGE, root="out-a", replaces="a")
    put(journal, "cancel", action=Action.CANCEL, root="out-b", replaces="b")
    # A change of what was never sent is the first that its municipality sees.
    put(journal, "held", sent=False, state=SendingState.PENDING)
    put(journal, "released", action=Action.CHANGE, replaces="held")
    put(journal, "april", received_at=datetime(2026, 3, 31, 22, 0, tzinfo=UTC))
    put(journal, "oslo", municipality="0301")
    put(journal, "no unit", unit=None, unit_name=None)
    figures = read(journal)
    found = figures.cells[CELL]
    assert (found.notes, found.changes, found.cancellations) == (3, 1, 1)
    assert (found.without_phone, found.without_diagnosis, found.repeats) == (1, 1, 1)
    assert set(figures.cells) == {
        CELL,
        Cell(month="2026-03", unit="101", municipality="0301"),
        Cell(month="2026-03", unit="100", municipality="5001"),
    }
    assert figures.unit_names == {"101": "Kreftpoliklinikken"}
    facts = figures.facts[CELL]
    assert (facts.notes, facts.relapse, facts.in_work_up) == (3, 2, 1)
    assert facts.distress == {6: 2}
    # Of "a" and "b" later versions were sent: their windows no longer hold.
    assert facts.windows == {(2, "2026-06"): 2}
    assert set(read(journal, "2026-03", "2026-04").facts) >= {
        Cell(month="2026-04", unit="101", municipality="5001")
    }


def test_answers_are_counted_with_the_time_that_they_took(journal: SqlJournal) -> None:
    put(journal, "quick", seconds=59.9)
    put(journal, "slow", seconds=7_259)
    put(journal, "late", seconds=DEADLINE.total_seconds() + 3_600)
    put(journal, "no", state=SendingState.REFUSED, apprec="2 E21 E10")
    put(journal, "silent", state=SendingState.OVERDUE)
    put(journal, "on its way", state=SendingState.DELIVERED)
    put(journal, "lost", state=SendingState.FAILED)
    found = read(journal).cells[CELL]
    assert found.acknowledged == {59: 1, 7_200: 1, 97 * 3_600 + 3 * 86_400 - 72 * 3_600: 1}
    assert found.negative == {"E21": 1, "E10": 1}
    assert (found.refused, found.overdue, found.waiting, found.failed) == (1, 2, 1, 1)


def test_replies_are_counted_with_how_long_they_lay(journal: SqlJournal) -> None:
    put(journal, "a")
    taken, claimed, waits, inside = (f"reply-{n}" for n in range(4))
    states = {
        taken: InboundState.ACKNOWLEDGED,
        claimed: InboundState.DISCARDED,
        waits: InboundState.DELIVERED,
        inside: InboundState.ACKNOWLEDGED,
    }
    with journal.transaction() as transaction:
        for name, state in states.items():
            reply = note(name, kind=InboundKind.REPLY, state=state, received_at=MARCH, replaces="a")
            transaction.add_inbound(reply)
            settled = None if name == waits else MARCH + timedelta(minutes=30)
            transaction.add_sending(
                outgoing(
                    name,
                    kind=SendingKind.REPLY,
                    receiver_role="municipality" if name == inside else "hospital",
                    state=SendingState.DELIVERED,
                    settled_at=settled,
                )
            )
    found = read(journal).cells[CELL]
    assert (found.replies, found.replies_waiting, found.replies_taken) == (3, 1, {1_800: 2})


def test_the_figures_are_the_same_when_payloads_are_taken_away(journal: SqlJournal) -> None:
    put(journal, "a")
    put(journal, "b", facts=PLAIN)
    put(journal, "change", action=Action.CHANGE, root="out-a", replaces="a")
    before = read(journal)
    assert journal.purge(MARCH + timedelta(days=1), at=MARCH + timedelta(days=90)) == 3
    assert read(journal) == before
    put(journal, "c", facts=PLAIN)
    journal.purge(MARCH + timedelta(days=1), at=MARCH + timedelta(days=91))
    assert read(journal).facts[CELL].notes == before.facts[CELL].notes + 1
    assert journal.reseal() > 0
    assert read(journal).facts[CELL].relapse == before.facts[CELL].relapse


def test_facts_are_sealed_and_do_not_come_back_with_the_row(tmp_path: Path) -> None:
    journal = SqliteStore(tmp_path).open()
    put(journal, "a")
    with journal.reader() as reader:
        found = reader.inbound("a")
    assert found is not None
    assert found.facts is None
    journal.purge(MARCH + timedelta(days=1), at=MARCH)
    journal.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert facts_to_bytes(FACTS) not in stored
    assert b"2026-06-02" not in stored
    assert b"report:2026-03:101:5001" in stored


def test_months_are_those_of_norway() -> None:
    assert [m.name for m in months("2025-11", "2026-02")] == ["2025-11", "2025-12", "2026-01", "2026-02"]
    (march,) = months("2026-03", "2026-03")
    assert march.start == datetime(2026, 2, 28, 23, 0, tzinfo=UTC)
    assert march.end == datetime(2026, 3, 31, 22, 0, tzinfo=UTC)
    assert month_of(march.end - timedelta(microseconds=1)) == "2026-03"
    assert month_of(march.end) == "2026-04"


def test_facts_and_sums_are_read_back_as_they_were_written() -> None:
    assert facts_from_bytes(facts_to_bytes(FACTS)) == FACTS
    assert facts_from_bytes(facts_to_bytes(PLAIN)) == PLAIN
    sums = FactSums()
    sums.add(FACTS, counted=True, stands=True)
    sums.add(PLAIN, counted=False, stands=True)
    assert sums_from_bytes(sums_to_bytes(sums)) == sums


def test_a_large_journal_is_counted_by_two_processes_with_the_same_result(
    journal: SqlJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        put(journal, f"n{number}", seconds=60 * number, unit=f"10{number % 2}")
    put(journal, "refused", state=SendingState.REFUSED, apprec="2 E21")
    counted = read(journal)
    begun: list[Callable[..., object]] = []

    def watched(work: Callable[..., object], *given: object) -> AbstractContextManager[Callable[[], object]]:
        begun.append(work)
        return beside(work, *given)

    monkeypatch.setattr(sql_journal, "beside", watched)
    assert read(journal) == counted
    assert begun == [], "a small journal is counted by one"
    monkeypatch.setattr(sql_journal, "MANY", 1)
    assert read(journal) == counted
    assert begun == [answers_of]
    assert sum(cell.refused for cell in counted.cells.values()) == 1
