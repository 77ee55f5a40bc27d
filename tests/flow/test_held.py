"""Notes that wait for a person: released as the flow would have sent them, or discarded with an answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import Any

import orjson
import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs

from gateway.contracts.audit import AuditFilter
from gateway.contracts.errors import EXIT_DONE, EXIT_NO, EXIT_PARTLY, EXIT_USAGE, GatewayError
from gateway.contracts.receipts import ErrorCode, ReceiptStatus
from gateway.contracts.records import Event, InboundMessage
from gateway.contracts.states import InboundState, SendingKind, SendingState
from gateway.formats import read_message
from gateway.ops.cli import cli
from gateway.ops.composition import held_notes
from gateway.ops.holding import time_left
from gateway.ops.security import message_verifier
from gateway.pipeline.held import NotHeldError, Person
from gateway.receipts.held_deadlines import HeldDeadlines
from gateway.security.gate import parse
from schemas import SchemaSet, default_official_directory
from tests.flow.conftest import Start
from tests.flow.harness import Gateway, note, receipt, with_new_id
from tests.flow.test_deviations import deviations, to_the_gateway
from tests.flow.variants import configured, msg_id_of, swapped, version

HOSPITAL = "8900100"
RECORD_SYSTEM = f"epj_{HOSPITAL}"
IN_WORK_UP = "dips/03"
UNKNOWN_MUNICIPALITY = "helseplattformen/06"
REASON = ("--reason", "bekreftet med avdelingen")
PERSON = Person(name="kari", reason="bekreftet")


def command(gateway: Gateway, *arguments: str) -> tuple[int, Any]:
    """The exit code of `pakkehjem held … --json`, and what it printed."""
    given = ["held", *arguments, "-c", str(gateway.config), "--json"]
    result = CliRunner().invoke(cli, given, standalone_mode=False)
    document = orjson.loads(result.stdout_bytes) if result.stdout_bytes else None
    if isinstance(result.exception, GatewayError):
        return result.exception.exit_code, document
    if result.exception is not None:
        return EXIT_USAGE, document
    return result.return_value, document


def held(gateway: Gateway, data: bytes) -> InboundMessage:
    gateway.note(data)
    row = gateway.rows()[-1]
    assert row.state is InboundState.HELD
    return row


def recent(data: bytes) -> bytes:
    """The note, as if it was written this minute."""
    text = data.decode()
    old = text.split("<GenDate>")[1].split("<")[0]
    return swapped(data, f"<GenDate>{old}<", f"<GenDate>{datetime.now(UTC).isoformat(timespec='seconds')}<")


def events(gateway: Gateway, row: InboundMessage) -> list[str]:
    return [e.name for e in gateway.worker.journal.events(row.id)]


# --- released -----------------------------------------------------------------------------------------


def test_a_released_note_goes_out_as_the_flow_would_have_sent_it_and_is_answered_by_its_receivers(
    gateway: Gateway, standards: object
) -> None:
    del standards
    row = held(gateway, note(IN_WORK_UP))
    assert gateway.take(RECORD_SYSTEM) == [], "it is answered when a person has decided"
    code, ((done),) = command(gateway, "release", row.id[:8], *REASON)
    assert (code, done["done"], done["error"]) == (EXIT_DONE, True, None)
    gateway.settle()
    validator = SchemaSet(default_official_directory())
    sendings = gateway.sendings(row.id, SendingKind.NOTE)
    assert {s.receiver for s in sendings} == {"8910061", "8920011"}
    assert {s["msg_id"] for s in done["sendings"]} == {s.msg_id for s in sendings}
    for sending in sendings:
        (message,) = gateway.messages(sending.queue)
        assert validator.is_valid(parse(sending.body))
        if sending.format and not sending.format.startswith("epikrise"):
            assert message_verifier(gateway.configuration).verify(sending.body).signer.org_no == "310000107"
        gateway.outside(HOSPITAL, receipt(message))
    told = gateway.apprecs(RECORD_SYSTEM)
    named = [n.her_id for n in row.named_receivers]
    assert [a.status for a in told] == ["1"] * len(named)
    assert {a.original.id for a in told} == {row.msg_id}
    assert {a.sender.party.her_id for a in told} == set(named)
    (row,) = gateway.rows()
    assert (row.state, row.reason) == (InboundState.ACKNOWLEDGED, None)
    (released,) = [e for e in gateway.worker.journal.events(row.id) if e.name == "released"]
    assert released.detail is not None
    assert released.detail["overridden"] == "PH021"
    assert released.detail["by"]
    (audited,) = gateway.worker.journal.audit_log(AuditFilter())
    assert (audited.entry.action, audited.entry.reason) == ("held-release", REASON[1])
    assert (audited.entry.inbound_id, audited.entry.outcome) == (row.id, "done")


def test_retries_and_deadlines_of_a_released_note_begin_when_it_is_released(gateway: Gateway) -> None:
    row = held(gateway, note(IN_WORK_UP))
    at = datetime.now(UTC) + timedelta(hours=90)
    with gateway.worker.journal.transaction() as transaction:
        held_notes(gateway.configuration, gateway.registry).release(transaction, row.id, PERSON, at=at)
    for sending in gateway.sendings(row.id, SendingKind.NOTE):
        assert sending.created_at is not None
        assert abs(sending.created_at - at) < timedelta(seconds=1)
        generated = read_message(parse(sending.body)).head.sent_at
        assert generated is not None
        assert abs(generated - at) < timedelta(seconds=2)


@pytest.mark.parametrize("correction", [("--municipality", "3222"), ("--to", "8910031")])
def test_the_route_is_corrected_and_the_content_is_not(gateway: Gateway, correction: tuple[str, str]) -> None:
    row = held(gateway, note(UNKNOWN_MUNICIPALITY))
    code, (refused,) = command(gateway, "release", row.id, *REASON)
    assert (code, refused["error"]) == (EXIT_NO, "no-route")
    assert gateway.rows()[0].state is InboundState.HELD
    code, _ = command(gateway, "release", row.id, *REASON, *correction, "--gp", "8920031")
    assert code == EXIT_DONE
    gateway.settle()
    sendings = gateway.sendings(row.id, SendingKind.NOTE)
    assert {s.receiver for s in sendings} == {"8910031", "8920031"}
    (after,) = gateway.rows()
    assert (after.state, after.municipality, after.gp) == (InboundState.DELIVERED, "3222", "8920031")
    with gateway.worker.journal.reader() as view:
        before, now = row.summary, view.inbound(row.id)
    assert now is not None
    assert now.summary is not None
    assert before is None or before == now.summary


@pytest.mark.parametrize(
    "correction",
    [("--municipality", "9999"), ("--to", "8920031"), ("--to", "1"), ("--gp", "8910031"), ("--gp", "7")],
)
def test_a_receiver_that_the_register_has_not_is_a_usage_error(
    gateway: Gateway, correction: tuple[str, str]
) -> None:
    row = held(gateway, note(IN_WORK_UP))
    assert command(gateway, "release", row.id, *REASON, *correction)[0] == EXIT_USAGE
    assert gateway.rows()[0].state is InboundState.HELD


def test_what_the_register_has_learnt_counts_when_it_is_judged_again(gateway: Gateway) -> None:
    data = swapped(note("dips/01"), "3222", "9999")
    row = held(gateway, data)
    assert row.reason is not None
    assert "PH050" in row.reason
    register = gateway.config.parent / "register.toml"
    text = register.read_text(encoding="utf-8")
    register.write_text(text.replace('code = "3222"', 'code = "9999"'), encoding="utf-8")
    assert command(gateway, "release", row.id, *REASON)[0] == EXIT_DONE
    gateway.settle()
    assert "8910031" in {s.receiver for s in gateway.sendings(row.id, SendingKind.NOTE)}


def test_what_may_not_be_sent_is_not_whatever_a_person_says(start: Start, config: Path) -> None:
    gateway = start()
    row = held(gateway, note(IN_WORK_UP))
    configured(config, "[rules.severity]", '[rules.severity]\nPH021 = "withhold"')
    code, (refused,) = command(gateway, "release", row.id, *REASON)
    assert (code, refused["error"]) == (EXIT_NO, "not-releasable")
    assert gateway.rows()[0].state is InboundState.HELD
    assert gateway.sendings(row.id) == []


def test_a_released_note_to_the_gateway_itself_is_answered_once_for_each_receiver(gateway: Gateway) -> None:
    row = held(gateway, to_the_gateway(swapped(note(IN_WORK_UP), "8910061", "8910031")))
    assert [a.status for a in gateway.apprecs(RECORD_SYSTEM)] == ["1"], "it is durable and understood"
    assert command(gateway, "release", row.id, *REASON)[0] == EXIT_DONE
    gateway.settle()
    for sending in gateway.sendings(row.id, SendingKind.NOTE):
        (message,) = gateway.messages(sending.queue)
        gateway.outside(HOSPITAL, receipt(message))
    given = gateway.sendings(row.id, SendingKind.RECEIPT)
    assert sorted(s.answers for s in given if s.answers is not None) == [n.index for n in row.named_receivers]


# --- discarded ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        (IN_WORK_UP, "X99", "under utredning"),
        (UNKNOWN_MUNICIPALITY, "E21", "hjemkommune"),
        ("helseplattformen/14", "X99", "startet pakkeforløp hjem"),
    ],
)
def test_a_discarded_note_is_answered_negatively_once_for_each_receiver_with_what_held_it(
    gateway: Gateway, name: str, code: str, says: str
) -> None:
    row = held(gateway, note(name))
    result, (done,) = command(gateway, "discard", row.id[:8], "--reason", "sendt til feil sted")
    assert (result, done["done"]) == (EXIT_DONE, True)
    gateway.settle()
    told = gateway.apprecs(f"epj_{row.hospital}")
    assert [a.status for a in told] == ["2"] * len(row.named_receivers)
    for apprec in told:
        assert apprec.faults[0].code == code
        assert apprec.faults[0].detail is not None
        assert says in apprec.faults[0].detail
        assert "sendt til feil sted" in apprec.faults[0].detail
    (after,) = gateway.rows()
    assert (after.state, after.reason) == (InboundState.DISCARDED, "discarded-by-a-person")
    (audited,) = gateway.worker.journal.audit_log(AuditFilter())
    assert (audited.entry.action, audited.entry.reason) == ("held-discard", "sendt til feil sted")
    assert gateway.sendings(row.id, SendingKind.NOTE) == []
    assert gateway.sendings(row.id, SendingKind.DEVIATION) == []


def test_a_discarded_note_that_was_answered_positively_is_told_by_deviation(gateway: Gateway) -> None:
    row = held(gateway, to_the_gateway(swapped(note(IN_WORK_UP), "8910061", "8910031")))
    gateway.take(RECORD_SYSTEM)
    assert command(gateway, "discard", row.id, *REASON)[0] == EXIT_DONE
    gateway.settle()
    (body,), statuses = deviations(gateway)
    assert statuses == ["2"] * (len(row.named_receivers) - 1)
    assert "under utredning" in read_message(parse(body)).texts[0].text


def test_a_corrected_note_after_a_discarded_one_goes_out_as_new(gateway: Gateway) -> None:
    gateway.note(note("dips/01"))
    before = gateway.rows()[0]
    repeat = with_new_id(note("dips/01"))
    row = held(gateway, repeat)
    assert row.reason is not None
    assert "PH040" in row.reason
    assert command(gateway, "discard", row.id, *REASON)[0] == EXIT_DONE
    gateway.note(version(repeat, parent=msg_id_of(repeat)))
    change = gateway.rows()[-1]
    assert change.state is InboundState.DELIVERED
    assert before.state is InboundState.DELIVERED


# --- more than one person, and the hospital itself -----------------------------------------------------


def test_a_note_that_was_replaced_meanwhile_is_refused_clearly(gateway: Gateway) -> None:
    data = note(IN_WORK_UP)
    row = held(gateway, data)
    gateway.note(version(data, parent=msg_id_of(data)))
    first = gateway.row(row.msg_id)
    assert (first.state, first.reason) == (InboundState.DISCARDED, "replaced-by-change")
    assert [a.status for a in gateway.apprecs(RECORD_SYSTEM)] == ["1"] * len(row.named_receivers)
    for words in (["release", row.id, *REASON], ["discard", row.id, *REASON], ["show", row.id]):
        assert command(gateway, *words)[0] == EXIT_NO
    with gateway.worker.journal.transaction() as transaction, pytest.raises(NotHeldError, match="replaced"):
        held_notes(gateway.configuration, gateway.registry).release(
            transaction, row.id, PERSON, at=datetime.now(UTC)
        )


def test_a_corrected_note_from_the_hospital_clears_one_that_is_held(gateway: Gateway) -> None:
    data = swapped(note("dips/01"), "3222", "9999")
    row = held(gateway, data)
    gateway.note(version(note("dips/01"), parent=msg_id_of(data)))
    change = gateway.rows()[-1]
    assert (change.state, change.replaces) == (InboundState.DELIVERED, row.id)
    assert gateway.row(row.msg_id).state is InboundState.DISCARDED


@pytest.mark.parametrize("second", ["release", "discard"])
def test_of_two_persons_one_wins(gateway: Gateway, second: str) -> None:
    row = held(gateway, note(IN_WORK_UP))
    notes = held_notes(gateway.configuration, gateway.registry)
    with gateway.worker.journal.transaction() as transaction:
        notes.release(transaction, row.id, PERSON, at=datetime.now(UTC))
    code, _ = command(gateway, second, row.id, *REASON)
    assert code == EXIT_NO
    gateway.settle()
    assert len(gateway.sendings(row.id, SendingKind.NOTE)) == 2
    assert {s.state for s in gateway.sendings(row.id, SendingKind.NOTE)} == {SendingState.DELIVERED}
    assert gateway.sendings(row.id, SendingKind.RECEIPT) == []
    assert events(gateway, row).count("released") == 1


def test_several_are_released_by_filter_and_one_that_can_not_be_stops_no_other(gateway: Gateway) -> None:
    gateway.note(note(IN_WORK_UP), note(UNKNOWN_MUNICIPALITY), note("helseplattformen/14"))
    code, would = command(gateway, "release", "--system", "helseplattformen", *REASON, "--dry-run")
    assert code == EXIT_PARTLY
    assert {r.state for r in gateway.rows()} == {InboundState.HELD}
    code, done = command(gateway, "release", "--system", "helseplattformen", *REASON)
    assert code == EXIT_PARTLY
    # A dry run does everything that the run does, and undoes it.
    assert would == done
    assert sorted((d["done"], d["error"]) for d in done) == [(False, "no-route"), (True, None)]
    assert command(gateway, "release", *REASON)[0] == EXIT_USAGE
    assert command(gateway, "release", "x", "--finding", "PH021", *REASON)[0] == EXIT_USAGE
    assert command(gateway, "discard", "--finding", "PH021", *REASON)[0] == EXIT_DONE
    gateway.settle()
    states = {r.system: r.state for r in gateway.rows() if r.reason != "PH050,PH051"}
    assert states == {"dips": InboundState.DISCARDED, "helseplattformen": InboundState.DELIVERED}


@pytest.mark.parametrize("words", [["release", "x"], ["release", "x", "--reason", "  "], ["discard", "x"]])
def test_a_reason_is_needed(gateway: Gateway, words: list[str]) -> None:
    assert command(gateway, *words)[0] == EXIT_USAGE


# --- time ---------------------------------------------------------------------------------------------


def test_the_one_with_the_least_time_left_stands_first_and_shows_it(gateway: Gateway) -> None:
    gateway.note(recent(note("helseplattformen/14")), note(IN_WORK_UP))
    code, found = command(gateway, "list")
    assert code == EXIT_DONE
    assert [f["system"] for f in found] == ["dips", "helseplattformen"]
    assert found[0]["hours_left"] < 0
    assert 95.8 < found[1]["hours_left"] <= 96
    assert found[1]["held_by"] == ["PH012"]
    code, shown = command(gateway, "show", found[1]["id"][:8])
    assert code == EXIT_DONE
    assert shown["would_go_to"]["municipality"]["her_id"] == "8910071"
    assert {w["code"] for w in shown["why"]} >= {"PH012", "PH031"}
    _, filtered = command(gateway, "list", "--finding", "PH021")
    assert [f["id"] for f in filtered] == [found[0]["id"]]


def test_a_held_note_alerts_once_when_its_time_runs_out_and_once_when_it_has(gateway: Gateway) -> None:
    row = held(gateway, recent(note(IN_WORK_UP)))
    deadlines = gateway.worker.deadlines

    def after(hours: float) -> list[str]:
        deadlines._clock = lambda: datetime.now(UTC) + timedelta(hours=hours)
        deadlines._next = None
        with capture_logs() as logs:
            deadlines.check()
        return [line["event"] for line in logs]

    assert after(71) == []
    assert after(73) == ["held-deadline-near"]
    assert after(80) == []
    deadlines._held._told.clear()  # as after a restart
    assert after(81) == []
    assert after(97) == ["held-deadline-passed"]
    assert after(99) == []
    assert events(gateway, row).count("held-deadline-near") == 1


def test_of_two_workers_that_look_at_the_same_moment_one_alerts(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = held(gateway, recent(note(IN_WORK_UP)))
    journal = gateway.worker.journal
    read, both = journal.events, Barrier(2)

    def together(inbound_id: str) -> list[Event]:
        found = read(inbound_id)
        with suppress(BrokenBarrierError):
            both.wait(1)
        return found

    monkeypatch.setattr(journal, "events", together)
    looking = [HeldDeadlines(journal, limit=timedelta(0), before=timedelta(0)) for _ in range(2)]
    with capture_logs() as logs, ThreadPoolExecutor() as workers:
        list(workers.map(lambda each: each.check(datetime.now(UTC) + timedelta(days=1)), looking))
    assert [line["event"] for line in logs] == ["held-deadline-passed"]
    monkeypatch.undo()
    assert events(gateway, row).count("held-deadline-passed") == 1


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (timedelta(minutes=59), "59 min"),
        (timedelta(hours=3, minutes=10), "3 h"),
        (timedelta(hours=73), "3 d 1 h"),
        (timedelta(hours=-5), "passed 5 h ago"),
    ],
)
def test_time_is_told_for_people(left: timedelta, said: str) -> None:
    assert time_left(left) == said


def test_a_refusal_after_a_release_is_told_as_after_any_sending(gateway: Gateway) -> None:
    row = held(gateway, note(IN_WORK_UP))
    command(gateway, "release", row.id, *REASON)
    gateway.settle()
    sending = next(s for s in gateway.sendings(row.id, SendingKind.NOTE) if s.receiver == "8910061")
    (message,) = gateway.messages(sending.queue)
    gateway.outside(HOSPITAL, receipt(message, ReceiptStatus.REJECTED, ErrorCode.PATIENT_INSUFFICIENT))
    assert len(deviations(gateway)[0]) == 1
    assert gateway.rows()[0].state is InboundState.REFUSED
