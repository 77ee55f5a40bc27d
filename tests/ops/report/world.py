"""A journal with a year's notes, to make reports of; every figure of it is made up."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

from gateway.contracts.facts import NoteFacts, Window
from gateway.contracts.findings import finding
from gateway.contracts.states import InboundKind, InboundState, SendingKind, SendingState
from gateway.contracts.summary import Action
from gateway.journal.sql_journal import SqlJournal
from tests.journal.stores import note, outgoing

UNITS = {
    "8900101": ("8900100", "Kreftpoliklinikken, Nordvik"),
    "8900103": ("8900100", "Gastrokirurgisk sengepost, Nordvik"),
    "8900201": ("8900200", "Urologisk sengepost, Fjellheim"),
    "8900203": ("8900200", "Bryst- og endokrinkirurgisk poliklinikk, Fjellheim"),
    "8900301": ("8900300", "Lungemedisinsk avdeling, Sørdal"),
    "8900303": ("8900300", "Barne- og ungdomsklinikken, Sørdal"),
}
MUNICIPALITIES = ("5001", "5056", "3222", "3209", "0301", "030106")
_WEIGHTS = (40, 12, 9, 14, 8, 2)


def fill(journal: SqlJournal, *, now: datetime, count: int, seed: int = 1) -> None:
    """Notes of the last year, with their sendings and some replies."""
    chance = random.Random(seed)  # noqa: S311 - made up figures
    with journal.transaction() as transaction:
        for number in range(count):
            at = now - timedelta(days=chance.uniform(0, 360), minutes=chance.uniform(0, 900))
            unit = chance.choices(list(UNITS), weights=(30, 12, 9, 18, 10, 2))[0]
            name = f"world-{seed}-{number}"
            change = chance.random() < 0.04
            found = [finding(code) for code, share in _FINDINGS if chance.random() < share]
            transaction.add_inbound(
                note(
                    name,
                    state=InboundState.ACKNOWLEDGED,
                    received_at=at,
                    hospital=UNITS[unit][0],
                    unit=unit,
                    unit_name=UNITS[unit][1],
                    municipality=chance.choices(MUNICIPALITIES, weights=_WEIGHTS)[0],
                    action=Action.CHANGE if change else Action.NEW,
                    findings=tuple(found),
                    facts=_facts(chance, at.date()),
                )
            )
            state = chance.choices(
                (
                    SendingState.ACKNOWLEDGED,
                    SendingState.REFUSED,
                    SendingState.OVERDUE,
                    SendingState.DELIVERED,
                ),
                weights=(94, 3, 1, 2),
            )[0]
            settled = state in {SendingState.ACKNOWLEDGED, SendingState.REFUSED}
            hours = chance.lognormvariate(0.3, 1.1)
            code = chance.choice(("E21", "E10", "T02", "X99"))
            transaction.add_sending(
                outgoing(
                    name,
                    f"s-{name}",
                    msg_id=f"out-{name}",
                    conversation_root="out-of-before" if change else f"out-{name}",
                    receiver_role="municipality",
                    state=state,
                    created_at=at,
                    settled_at=at + timedelta(hours=hours) if settled else None,
                    apprec={"acknowledged": "1", "refused": f"2 {code}"}.get(state.value),
                )
            )
            if chance.random() < 0.3:
                _reply(transaction, chance, name, at)


_FINDINGS = (("PH030", 0.07), ("PH020", 0.04), ("PH040", 0.02))


def _facts(chance: random.Random, day: date) -> NoteFacts:
    start = day + timedelta(days=91)
    later = day + timedelta(days=365)
    return NoteFacts(
        relapse=chance.random() < 0.12,
        in_work_up=chance.random() < 0.05,
        distress_score=chance.choices((None, *range(11)), weights=(25, 2, 3, 6, 8, 10, 12, 11, 9, 7, 4, 1))[
            0
        ],
        windows=(
            Window(point=2, start=start, end=start + timedelta(days=30)),
            Window(point=3, start=later, end=later + timedelta(days=180)),
        ),
    )


def _reply(transaction: object, chance: random.Random, name: str, at: datetime) -> None:
    taken = chance.random() < 0.93
    came = at + timedelta(days=chance.uniform(0.5, 9))
    transaction.add_inbound(  # type: ignore[attr-defined]
        note(
            f"reply-{name}",
            kind=InboundKind.REPLY,
            state=InboundState.ACKNOWLEDGED if taken else InboundState.DELIVERED,
            received_at=min(came, datetime.now(UTC)),
            replaces=name,
        )
    )
    transaction.add_sending(  # type: ignore[attr-defined]
        outgoing(
            f"reply-{name}",
            kind=SendingKind.REPLY,
            receiver_role="hospital",
            state=SendingState.ACKNOWLEDGED if taken else SendingState.DELIVERED,
            settled_at=came + timedelta(hours=chance.lognormvariate(1, 1)) if taken else None,
        )
    )
