"""`messages list`: every combination of filters finds what they say, whichever of them leads."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.contracts.findings import finding
from gateway.contracts.records import InboundFilter, InboundMessage, Sending
from gateway.contracts.states import InboundKind, InboundState, SendingKind, SendingState
from gateway.journal import listing
from gateway.journal.sql_journal import SqlJournal
from tests.journal.stores import NOW, add, note, outgoing

CODES = ("PH030", "PH041")
STATES = (InboundState.ACKNOWLEDGED, InboundState.FAILED, InboundState.HELD)
COMBINATIONS = 150


def filled(journal: SqlJournal) -> tuple[list[InboundMessage], dict[str, list[Sending]]]:
    """Two hundred messages of every sort."""
    chance = random.Random(1)  # noqa: S311 - the same each time
    messages, sendings = [], {}
    for number in range(200):
        message = note(
            f"{number:03}",
            kind=chance.choice((InboundKind.NOTE, InboundKind.NOTE, InboundKind.REPLY)),
            state=chance.choice(STATES),
            # Some came at the same time.
            received_at=NOW + timedelta(minutes=number // 3),
            system=chance.choice(("dips", "doculive", None)),
            unit=chance.choice(("1", "2")),
            municipality=chance.choice(("5001", "0301")),
            patient_reference=chance.choice(("a", "b", None)),
            findings=tuple(finding(code) for code in CODES if chance.random() < 0.4),
            reason=chance.choice((None, "error:KeyError")),
        )
        messages.append(message)
        made = []
        for kind in (SendingKind.NOTE, SendingKind.RECEIPT):
            state = chance.choice((SendingState.ACKNOWLEDGED, SendingState.REFUSED, SendingState.FAILED))
            made.append(
                outgoing(
                    message.id,
                    kind=kind,
                    receiver=chance.choice(("8910031", "8920031")),
                    state=state,
                    apprec="2 E21 E36" if state is SendingState.REFUSED else None,
                    error="unroutable" if state is SendingState.FAILED else None,
                )
            )
        sendings[message.id] = made
    add(journal, *messages)
    with journal.transaction() as transaction:
        for made in sendings.values():
            for sending in made:
                transaction.add_sending(sending)
    return messages, sendings


def expected(
    messages: list[InboundMessage], sendings: dict[str, list[Sending]], asked: InboundFilter
) -> list[str]:
    def failed_with(message: InboundMessage) -> set[str]:
        codes = {message.reason} if message.reason is not None and not asked.receivers else set()
        for sending in sendings[message.id]:
            if asked.receivers and sending.receiver not in asked.receivers:
                continue
            if sending.state is SendingState.REFUSED:
                codes |= set((sending.apprec or "").split()[1:]) | {"refused"}
            elif sending.state is SendingState.FAILED:
                codes |= {sending.error or "", "failed"}
        return codes

    def fits(message: InboundMessage) -> bool:
        return (
            (not asked.states or message.state in asked.states)
            and (not asked.kinds or message.kind in asked.kinds)
            and (not asked.systems or message.system in asked.systems)
            and (not asked.units or message.unit in asked.units)
            and (not asked.municipalities or message.municipality in asked.municipalities)
            and (not asked.findings or bool({f.code for f in message.findings} & set(asked.findings)))
            and (not asked.errors or bool(failed_with(message) & set(asked.errors)))
            and (
                not asked.receivers or bool({s.receiver for s in sendings[message.id]} & set(asked.receivers))
            )
            and (asked.since is None or message.received_at >= asked.since)
            and (asked.until is None or message.received_at < asked.until)
            and (asked.patient_reference is None or message.patient_reference == asked.patient_reference)
            and (asked.id_prefix is None or message.id.startswith(asked.id_prefix))
            and (asked.msg_id_prefix is None or message.msg_id.startswith(asked.msg_id_prefix))
        )

    newest = sorted(messages, key=lambda m: (m.received_at, m.id), reverse=True)
    if asked.before_id is not None:
        place = [m.id for m in newest].index(asked.before_id)
        newest = newest[place + 1 :]
    return [m.id for m in newest if fits(m)][: asked.limit]


def any_filter(chance: random.Random) -> InboundFilter:
    def some(*values: Any) -> tuple[Any, ...]:
        return tuple(v for v in values if chance.random() < 0.5)

    offered: dict[str, Any] = {
        "states": lambda: some(*STATES),
        "kinds": lambda: chance.choice(((), (InboundKind.REPLY,), tuple(InboundKind))),
        "systems": lambda: some("dips", "doculive", "none"),
        "units": lambda: some("1", "2", "3"),
        "municipalities": lambda: some("5001", "0301", "9999"),
        "findings": lambda: some(*CODES, "PH010"),
        "errors": lambda: some("E21", "E36", "unroutable", "error:KeyError", "refused", "X"),
        "receivers": lambda: some("8910031", "8920031", "0"),
        "since": lambda: NOW + timedelta(minutes=chance.randrange(70)),
        "until": lambda: NOW + timedelta(minutes=chance.randrange(70)),
        "patient_reference": lambda: chance.choice(("a", "c")),
        "id_prefix": lambda: chance.choice(("0", "10", "x")),
        "msg_id_prefix": lambda: chance.choice(("m1", "M", "")),
        "before_id": lambda: f"{chance.randrange(200):03}",
        "limit": lambda: chance.choice((1, 5, 500)),
    }
    chosen = {name: value() for name, value in offered.items() if chance.random() < 0.3}
    return replace(InboundFilter(limit=500), **chosen)


def test_every_combination_finds_what_it_says(journal: SqlJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    messages, sendings = filled(journal)
    chance = random.Random(2)  # noqa: S311 - the same each time
    found_some = 0
    for _ in range(COMBINATIONS):
        asked = any_filter(chance)
        # What is counted no further is as good as another.
        monkeypatch.setattr(listing, "_ENOUGH", chance.choice((1, 20, 20_000)))
        monkeypatch.setattr(listing, "_FEW", chance.choice((1, 5_000)))
        found = [m.id for m in journal.list_inbound(asked)]
        assert found == expected(messages, sendings, asked), asked
        found_some += bool(found)
    assert found_some > COMBINATIONS / 5


def test_pages_follow_on_each_other(journal: SqlJournal) -> None:
    filled(journal)
    whole = [m.id for m in journal.list_inbound(InboundFilter(states=STATES, limit=500))]
    seen: list[str] = []
    while page := journal.list_inbound(
        InboundFilter(states=STATES, limit=7, before_id=seen[-1] if seen else None)
    ):
        seen += [m.id for m in page]
    assert seen == whole


def test_the_sendings_come_without_their_content(journal: SqlJournal) -> None:
    _, sendings = filled(journal)
    made = journal.sendings_of(["003", "007", "none"], (SendingKind.NOTE,))
    assert {key: [s.id for s in value] for key, value in made.items()} == {
        key: [s.id for s in sendings[key] if s.kind is SendingKind.NOTE] for key in ("003", "007")
    }
    assert made["003"][0] == replace(sendings["003"][0], body=b"", next_attempt_at=NOW)


def test_changed_findings_are_found(journal: SqlJournal) -> None:
    add(journal, note("one", findings=(finding("PH030"),)))
    with journal.transaction() as transaction:
        transaction.update_inbound("one", findings=(finding("PH041"), finding("PH010")))
    for code, count in (("PH030", 0), ("PH041", 1), ("PH010", 1)):
        assert len(journal.list_inbound(InboundFilter(findings=(code,)))) == count


@pytest.mark.parametrize("prefix", ["50%", "50_", "50\\", "ÅÆ"])
def test_a_prefix_is_no_pattern(prefix: str, journal: SqlJournal) -> None:
    add(journal, note(f"{prefix}x"), note("50xx"), note("50"))
    found = journal.list_inbound(InboundFilter(id_prefix=prefix))
    assert [m.id for m in found] == [f"{prefix}x"]
