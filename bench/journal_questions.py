"""What operators ask a journal with `messages list` and `failed list`, and how long it takes to answer."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from gateway.contracts.failures import Failure, FailureCount, FailureFilter, FailureGrouping
from gateway.contracts.records import InboundFilter, InboundMessage
from gateway.contracts.states import InboundKind, InboundState, SendingKind
from gateway.journal.sql_journal import SqlJournal


def questions(end: datetime) -> dict[str, InboundFilter]:
    """What operators ask."""
    asked = {
        "the newest": InboundFilter(),
        "held": InboundFilter(states=(InboundState.HELD,)),
        "acknowledged": InboundFilter(states=(InboundState.ACKNOWLEDGED,)),
        "a small municipality": InboundFilter(municipalities=("0356",)),
        "a large municipality": InboundFilter(municipalities=("0000",)),
        "a department": InboundFilter(units=("8900007",)),
        "a system": InboundFilter(systems=("doculive",)),
        "a system that there is not": InboundFilter(systems=("epic",)),
        "a rare finding": InboundFilter(findings=("PH050",)),
        "a common finding": InboundFilter(findings=("PH030",)),
        "an error": InboundFilter(errors=("E21",)),
        "a large receiver": InboundFilter(receivers=("8910000",)),
        "a GP": InboundFilter(receivers=("8920007",)),
        "a patient": InboundFilter(patient_reference=f"{7:064x}"),
        "an id": InboundFilter(id_prefix="9e37a"),
        "a MsgId": InboundFilter(msg_id_prefix="9e37a"),
        "replies": InboundFilter(kinds=(InboundKind.REPLY,)),
        "failed in 0001": InboundFilter(states=(InboundState.FAILED,), municipalities=("0001",)),
        "acknowledged in 0356": InboundFilter(states=(InboundState.ACKNOWLEDGED,), municipalities=("0356",)),
        "rejected and discarded of a department": InboundFilter(
            states=(InboundState.REJECTED, InboundState.DISCARDED), units=("8900007",)
        ),
        "PH030 and failed in 0000": InboundFilter(
            findings=("PH030",), states=(InboundState.FAILED,), municipalities=("0000",)
        ),
        "failed, 0000, PH030, E21, a day": InboundFilter(
            states=(InboundState.FAILED,),
            municipalities=("0000",),
            findings=("PH030",),
            errors=("E21",),
            since=end - timedelta(days=1),
        ),
        "E21 of a month": InboundFilter(errors=("E21",), since=end - timedelta(days=30)),
        "E21 at a receiver": InboundFilter(errors=("E21",), receivers=("8910003",)),
        "acknowledged of doculive, a rare finding": InboundFilter(
            states=(InboundState.ACKNOWLEDGED,), systems=("doculive",), findings=("PH050",)
        ),
        "last spring, a municipality": InboundFilter(
            municipalities=("0010",), since=end - timedelta(days=250), until=end - timedelta(days=200)
        ),
    }
    return {name: replace(each, limit=50) for name, each in asked.items()}


def measure(journal: SqlJournal, *, rounds: int = 5) -> list[dict[str, Any]]:
    """Milliseconds of each question: the median, and the slowest, the first one included."""
    measured = []
    end = journal.list_inbound(InboundFilter(limit=1))[0].received_at
    for name, criteria in questions(end).items():
        times, found = [], list[InboundMessage]()
        for _ in range(rounds):
            begun = time.perf_counter()
            found = journal.list_inbound(criteria)
            journal.sendings_of([m.id for m in found], (SendingKind.NOTE, SendingKind.REPLY))
            times.append((time.perf_counter() - begun) * 1000)
        measured.append(_row(name, len(found), times))
    times, failures = [], list[Failure]()
    for _ in range(rounds):
        begun = time.perf_counter()
        failures = journal.failed.find(FailureFilter(errors=("unroutable",)), newest=50)
        journal.failed.count(FailureFilter(errors=("unroutable",)))
        times.append((time.perf_counter() - begun) * 1000)
    measured.append(_row("failed: one cause", len(failures), times))
    for by in FailureGrouping:
        times, groups = [], list[FailureCount]()
        for _ in range(rounds):
            begun = time.perf_counter()
            groups = journal.failed.counts(FailureFilter(), by)
            times.append((time.perf_counter() - begun) * 1000)
        measured.append(_row(f"failed: by {by.value}", len(groups), times))
    return measured


def _row(name: str, found: int, times: Sequence[float]) -> dict[str, Any]:
    return {
        "question": name,
        "found": found,
        "median_ms": round(statistics.median(times), 1),
        "slowest_ms": round(max(times), 1),
    }
