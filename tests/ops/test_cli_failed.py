"""`failed`: found, grouped, shown, replayed, ended, corrected; without a word of its content."""

from __future__ import annotations

import re
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.contracts.audit import AuditAction, AuditFilter
from gateway.contracts.receipts import ErrorCode, ReceiptStatus
from gateway.contracts.records import InboundMessage
from gateway.contracts.states import InboundKind, InboundState, SendingKind, SendingState
from gateway.ops.replaying import Replayer
from gateway.pipeline.reception import Reception
from tests.flow.harness import ALL_KINDS, Gateway, note, receipt, with_new_id
from tests.ops.conftest import Outcome, Pakkehjem

MUNICIPALITY, QUEUE, GP = "8910031", "8910031_async", "8920031"
HOSPITAL = "8900100"
COUNT = 5


@pytest.fixture
def config(config: Path) -> Path:
    """One in which a second note about the same patient is sent on as the first."""
    text = config.read_text()
    assert "[rules.severity]\n" in text
    config.write_text(text.replace("[rules.severity]\n", '[rules.severity]\nPH040 = "info"\n'))
    return config


@pytest.fixture
def failed(pakkehjem: Pakkehjem, gateway: Gateway) -> Pakkehjem:
    def call(*arguments: object) -> Outcome:
        return pakkehjem("failed", *arguments, "-c", gateway.config)

    return call


def fail_all(gateway: Gateway, *, receiver: str = MUNICIPALITY, error: str = "unroutable") -> None:
    """As after days without the receiver's queue."""
    with gateway.worker.journal.transaction() as transaction:
        for row in gateway.rows():
            for sending in gateway.sendings(row.id, SendingKind.NOTE):
                if sending.receiver == receiver and sending.state is SendingState.DELIVERED:
                    changes = {"state": SendingState.FAILED, "error": error, "settled_at": datetime.now(UTC)}
                    transaction.update_sending(sending.id, **changes)
                    transaction.update_inbound(row.id, state=InboundState.FAILED)


@pytest.fixture
def night(gateway: Gateway) -> Gateway:
    """Five notes that did not reach their municipality."""
    gateway.note(*(with_new_id(note("dips/01")) for _ in range(COUNT)))
    gateway.take(QUEUE)
    fail_all(gateway)
    return gateway


@pytest.fixture
def refused(gateway: Gateway) -> Gateway:
    """A note that its municipality has refused."""
    gateway.note(note("dips/01"))
    (message,) = gateway.messages(QUEUE)
    gateway.outside(HOSPITAL, receipt(message, ReceiptStatus.REJECTED, ErrorCode.RECEIVER_UNKNOWN))
    return gateway


def stumble(*_arguments: object, **_named: object) -> None:
    raise KeyError("14896112148")


@pytest.fixture(params=["gateway.pipeline.reception.read_note", "gateway.pipeline.notes.NoteHandler.handle"])
def broken(request: pytest.FixtureRequest, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """A note that the program stumbled over: before its sender was read, and after that."""
    with monkeypatch.context() as patched:
        patched.setattr(request.param, stumble)
        gateway.note(note("dips/01"))
    assert kept(gateway).reason == "error:KeyError"
    return gateway


def kept(gateway: Gateway) -> InboundMessage:
    """The message that is not ended."""
    (row,) = [r for r in gateway.rows(ALL_KINDS) if r.state is not InboundState.DISCARDED]
    return row


def audited(gateway: Gateway) -> list[tuple[str, str, str | None]]:
    entries = [r.entry for r in gateway.worker.journal.audit_log(AuditFilter())]
    return [(e.action, e.outcome, e.reason) for e in entries]


class TestList:
    def test_the_json_says_what_where_why_and_what_to_do(self, failed: Pakkehjem, night: Gateway) -> None:
        rows = failed("list", "--json").json()
        assert len(rows) == COUNT
        assert {(r["cause"], r["receiver"], r["state"], r["kind"], r["system"]) for r in rows} == {
            ("unroutable", MUNICIPALITY, "failed", "note", "dips")
        }
        assert all("queues status" in r["advice"] for r in rows)
        assert datetime.fromisoformat(rows[0]["failed_at"]).tzinfo is not None
        assert rows[0]["failed_at"] >= rows[-1]["failed_at"]
        assert {r["id"] for r in rows} == {row.id for row in night.rows()}

    def test_people_get_a_table_and_the_next_command(self, failed: Pakkehjem, night: Gateway) -> None:
        done = failed("list")
        assert done.out.splitlines()[0].split() == ["id", "failed", "what", "to", "cause", "munic.", "system"]
        assert len(done.out.splitlines()) == COUNT + 1
        assert max(map(len, done.out.splitlines())) <= 100
        assert "5 failures of 5 messages" in done.err
        assert "pakkehjem failed list --by error" in done.err
        assert "(more with --limit)" in failed("list", "--limit", "2").err
        del night

    def test_filters_combine(self, failed: Pakkehjem, night: Gateway) -> None:
        for filters, count in {
            ("--error", "unroutable"): COUNT,
            ("--error", "E21"): 0,
            ("--receiver", MUNICIPALITY, "--system", "dips"): COUNT,
            ("--receiver", GP): 0,
            ("--municipality", "3222", "--unit", "8900103", "--since", "1h"): COUNT,
            ("--municipality", "0301"): 0,
            ("--since", "2000-01-01", "--until", "1h"): 0,
            ("--finding", "PH040"): COUNT - 1,
        }.items():
            assert len(failed("list", "--json", *filters).json()) == count, filters
        del night

    def test_they_are_counted_by_cause(self, failed: Pakkehjem, night: Gateway) -> None:
        night.note(with_new_id(note("dips/01")))
        (message,) = night.messages(QUEUE)
        night.outside(HOSPITAL, receipt(message, ReceiptStatus.REJECTED, ErrorCode.RECEIVER_UNKNOWN))
        groups = failed("list", "--by", "error", "--json").json()
        assert [(g["key"], g["count"]) for g in groups] == [("unroutable", COUNT), ("E21", 1)]
        assert "register" in groups[1]["advice"]
        shown = failed("list", "--by", "error")
        assert re.search(r"unroutable +5 ", shown.out)
        assert max(map(len, shown.out.splitlines())) <= 100
        assert "failed replay --error CODE --dry-run" in shown.err
        (by_receiver,) = failed("list", "--by", "receiver", "--json").json()
        assert (by_receiver["key"], by_receiver["count"]) == (MUNICIPALITY, COUNT + 1)
        assert failed("list", "--by", "municipality", "--json").json()[0]["key"] == "3222"

    def test_what_came_in_broken_or_unreadable_is_there(self, failed: Pakkehjem, broken: Gateway) -> None:
        broken.put(broken.configuration.queues.inbound, b"<MsgHead not well-formed")
        broken.settle()
        causes = {r["cause"]: r for r in failed("list", "--json").json()}
        assert causes["error:KeyError"]["sending"] is None
        (other,) = [c for c in causes if c != "error:KeyError"]
        assert causes[other]["kind"] == "unreadable"
        assert "--with FILE" in causes[other]["advice"]

    def test_nothing_failed_is_no_error(self, failed: Pakkehjem) -> None:
        done = failed("list")
        assert (done.code, done.err) == (0, "0 failures of 0 messages\n")


class TestShow:
    def test_the_cause_and_what_to_do(self, failed: Pakkehjem, night: Gateway) -> None:
        row = night.rows()[0]
        done = failed("show", row.id[:8])
        assert done.code == 0
        for words in ("unroutable", f"to {MUNICIPALITY}", "queues status", "what to do"):
            assert words in done.out
        assert f"pakkehjem failed replay {row.id[:8]} --dry-run" in done.err
        failed("replay", row.id)
        fail_all(night)
        night.settle()
        fail_all(night)
        (document,) = failed("show", row.id, "--json").json()
        assert [r["as"] for r in document["replays"]] == ["same"]

    def test_what_has_not_failed_names_the_next_command(self, failed: Pakkehjem, gateway: Gateway) -> None:
        gateway.note(note("dips/01"))
        done = failed("show", gateway.rows()[0].id[:8])
        assert done.code == 1
        assert "messages trace" in done.err


class TestReplay:
    def test_a_dry_run_is_what_the_run_does(self, failed: Pakkehjem, night: Gateway) -> None:
        dry = failed("replay", "--error", "unroutable", "--dry-run", "--json").json()
        before = [night.worker.journal.events(r.id) for r in night.rows()]
        assert (dry["planned"], dry["replayed"], dry["refused"]) == (COUNT, COUNT, 0)
        assert night.rows()[0].state is InboundState.FAILED
        real = failed("replay", "--error", "unroutable", "--json").json()
        assert real["items"] == dry["items"]
        assert (dry["run"], dry["dry_run"], real["dry_run"]) == (None, True, False)
        assert [len(b) for b in before] != [len(night.worker.journal.events(r.id)) for r in night.rows()]
        night.settle()
        assert len(night.take(QUEUE)) == COUNT
        assert audited(night) == [(AuditAction.FAILED_REPLAY, "done", None)] * COUNT

    def test_people_see_the_same_words(self, failed: Pakkehjem, night: Gateway) -> None:
        dry, real = failed("replay", "--all", "--dry-run"), failed("replay", "--all")
        assert dry.out == real.out
        assert re.search(rf"same +{MUNICIPALITY} +pending +5", real.out)
        assert "5 of 5 would be replayed" in dry.err
        assert "5 of 5 replayed" in real.err
        assert "\r" not in real.err
        del night

    def test_by_id_one_is_replayed_and_the_reason_is_kept(self, failed: Pakkehjem, night: Gateway) -> None:
        row = night.rows()[2]
        done = failed("replay", row.id[:10], "--reason", "køen er tilbake", "--json").json()
        assert [item["id"] for item in done["items"]] == [row.id]
        assert len(failed("list", "--json").json()) == COUNT - 1
        assert audited(night) == [(AuditAction.FAILED_REPLAY, "done", "køen er tilbake")]

    def test_everything_is_asked_for_by_name(self, failed: Pakkehjem, night: Gateway) -> None:
        done = failed("replay")
        assert done.code == 2
        assert "--all" in done.err
        assert failed("discard", "--reason", "x").code == 2
        assert len(failed("list", "--json").json()) == COUNT
        del night

    def test_what_was_refused_goes_as_a_new_message(self, failed: Pakkehjem, refused: Gateway) -> None:
        done = failed("replay", "--error", "E21", "--json").json()
        assert [(i["as"], i["result"]) for i in done["items"]] == [("new", "pending")]
        refused.settle()
        assert len(refused.take(QUEUE)) == 1
        assert failed("list", "--json").json() == []

    def test_what_was_purged_is_refused_and_the_rest_is_done(self, failed: Pakkehjem, night: Gateway) -> None:
        (sending,) = [
            s for s in night.sendings(night.rows()[0].id, SendingKind.NOTE) if s.receiver == MUNICIPALITY
        ]
        with night.worker.journal.transaction() as transaction:
            transaction.update_sending(sending.id, body=None)
        done = failed("replay", "--all")
        assert done.code == 5
        assert "the content was purged" in done.err.lower()
        assert "4 of 5 replayed, 1 refused" in done.err
        assert failed("replay", sending.inbound_id).code == 1
        assert ("failed-replay", "content-purged", None) in audited(night)

    def test_what_could_not_be_worked_on_is_worked_on_again(self, failed: Pakkehjem, broken: Gateway) -> None:
        done = failed("replay", "--error", "error:KeyError", "--json").json()
        assert [(i["as"], i["result"]) for i in done["items"]] == [("reworked", "sending")]
        broken.settle()
        assert len(broken.take(QUEUE)) == 1
        row = kept(broken)
        assert (row.state, row.reason) == (InboundState.DELIVERED, None)
        assert (row.municipality, row.system) == ("3222", "dips")
        assert failed("list", "--json").json() == []
        assert "reworked" in [e.name for e in broken.worker.journal.events(row.id)]

    def test_what_fails_again_stays_as_it_was(
        self, failed: Pakkehjem, broken: Gateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patched:
            patched.setattr("gateway.pipeline.reception.read_note", stumble)
            done = failed("replay", "--all")
        assert done.code == 1
        assert "fails again with KeyError" in done.err
        assert "14896112148" not in done.err
        assert kept(broken).reason == "error:KeyError"
        assert failed("replay", "--all").code == 0

    def test_a_message_of_another_id_is_told_apart(
        self, failed: Pakkehjem, broken: Gateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = Reception.again

        def changed(self: Reception, body: bytes, **named: Any) -> Any:
            return other(self, with_new_id(body), **named)

        monkeypatch.setattr(Reception, "again", changed)
        done = failed("replay", "--all")
        if kept(broken).kind is InboundKind.NOTE and not done.code:
            return  # its sender had not been read before
        assert done.code == 1
        assert "another message" in done.err

    def test_an_interrupted_run_goes_on_and_does_nothing_twice(
        self, failed: Pakkehjem, night: Gateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("gateway.ops.replaying._BATCH", 2)
        carry_out, seen = Replayer.carry_out, []

        def stop_after_three(self: Replayer, *arguments: Any, **named: Any) -> Any:
            for outcome in carry_out(self, *arguments, **named):
                seen.append(outcome)
                if len(seen) == 3:
                    raise KeyboardInterrupt
                yield outcome

        with monkeypatch.context() as patched:
            patched.setattr(Replayer, "carry_out", stop_after_three)
            done = failed("replay", "--all")
        assert done.code == 130
        (resume,) = re.findall(r"failed replay --resume (\w+)", done.err)
        assert resume in failed("list").err
        night.settle()
        assert len(night.take(QUEUE)) == 4
        fail_all(night)
        rest = failed("replay", "--resume", resume, "--json").json()
        assert (rest["planned"], rest["replayed"], rest["already"]) == (COUNT, 1, 4)
        night.settle()
        assert len(night.take(QUEUE)) == 1
        assert "did not end" not in failed("list").err
        assert failed("replay", "--resume", resume).code == 1

    def test_a_plan_that_is_done_already_does_nothing(self, failed: Pakkehjem, night: Gateway) -> None:
        first = failed("replay", "--all", "--json").json()
        fail_all(night)
        night.settle()
        night.take(QUEUE)
        journal = night.worker.journal
        with journal.transaction() as transaction:
            for item in first["items"]:
                assert len(transaction.replays(item["sending"])) == 1

    def test_one_of_a_sending_is_left_to_its_receiver(self, failed: Pakkehjem, night: Gateway) -> None:
        fail_all(night, receiver=GP)
        row = night.rows()[0]
        assert len(failed("list", "--json").json()) == 2 * COUNT
        done = failed("replay", row.id, "--receiver", GP, "--json").json()
        assert [i["receiver"] for i in done["items"]] == [GP]


class TestDiscard:
    def test_it_ends_and_is_audited(self, failed: Pakkehjem, night: Gateway) -> None:
        row = night.rows()[0]
        done = failed("discard", row.id[:8], "--reason", "sendt på nytt av avdelingen")
        assert done.code == 0
        assert "1 of 1 ended" in done.err
        assert len(failed("list", "--json").json()) == COUNT - 1
        states = {s.receiver: s.state for s in night.sendings(row.id, SendingKind.NOTE)}
        assert states == {MUNICIPALITY: SendingState.DISCARDED, GP: SendingState.DELIVERED}
        assert audited(night) == [(AuditAction.FAILED_DISCARD, "done", "sendt på nytt av avdelingen")]
        assert failed("discard", row.id).code == 2

    def test_a_message_that_could_not_be_worked_on(self, failed: Pakkehjem, broken: Gateway) -> None:
        assert failed("discard", "--all", "--reason", "feilsendt").code == 0
        assert {r.state for r in broken.rows(ALL_KINDS)} == {InboundState.DISCARDED}


class TestCorrect:
    def test_a_refused_sending_is_corrected_checked_and_signed(
        self, failed: Pakkehjem, refused: Gateway, tmp_path: Path
    ) -> None:
        row = refused.rows()[0]
        file = tmp_path / "note.xml"
        out = failed("export", row.id[:8], file, "--reveal", "--reason", "feil navn")
        assert out.code == 0
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert f"failed replay {row.id[:8]} --with {file}" in out.err
        before = file.read_bytes()
        family = re.search(rb"<FamilyName>([^<]+)</FamilyName>", before)
        assert family is not None
        file.write_bytes(before.replace(family[1], b"Rettet"))
        done = failed("replay", row.id[:8], "--with", file, "--reason", "navnet rettet")
        assert done.code == 0, done.err
        assert "both versions are kept" in done.err
        refused.settle()
        (message,) = refused.messages(QUEUE)
        assert message.head.patient is not None
        assert message.head.patient.family_name == "Rettet"
        old, new = [s for s in refused.sendings(row.id, SendingKind.NOTE) if s.receiver == MUNICIPALITY]
        assert (old.state, old.body) == (SendingState.DISCARDED, before)
        assert new.msg_id == message.head.msg_id != old.msg_id
        assert b"Signature" in new.body
        with refused.worker.journal.reader() as view:
            assert [(r.mode.value, r.error) for r in view.replays(old.id)] == [("edited", "2 E21")]
        assert audited(refused) == [
            (AuditAction.FAILED_EXPORT, "done", "feil navn"),
            (AuditAction.FAILED_REPLAY, "done", "navnet rettet"),
        ]
        refused.outside(HOSPITAL, receipt(message, ReceiptStatus.REJECTED, ErrorCode.OTHER))
        again = failed("replay", row.id[:8])
        assert again.code == 1
        assert "a person has corrected it" in again.err

    @pytest.mark.parametrize(
        ("edit", "why"),
        [
            (lambda b: b.replace(b"</MsgHead>", b""), "well-formed"),
            (lambda b: b.replace(b"8900100", b"8900200"), "another sender"),
            (lambda _: note("helseplattformen/01"), "is no plo-1.6"),
        ],
    )
    def test_what_is_not_the_message_is_refused(
        self, edit: Any, why: str, failed: Pakkehjem, refused: Gateway, tmp_path: Path
    ) -> None:
        row = refused.rows()[0]
        file = tmp_path / "note.xml"
        failed("export", row.id, file, "--reveal", "--reason", "x")
        file.write_bytes(edit(file.read_bytes()))
        done = failed("replay", row.id, "--with", file)
        assert done.code == 1
        assert why in done.err
        assert len(failed("list", "--json").json()) == 1

    def test_an_unreadable_message_is_corrected(
        self, failed: Pakkehjem, gateway: Gateway, tmp_path: Path
    ) -> None:
        whole = note("dips/01")
        gateway.put(gateway.configuration.queues.inbound, b"<?xml version='1.0'?>\n<" + whole)
        gateway.settle()
        (listed,) = failed("list", "--json").json()
        file = tmp_path / "note.xml"
        assert failed("export", listed["id"], file, "--reveal", "--reason", "ødelagt").code == 0
        file.write_bytes(file.read_bytes().split(b"\n<", 1)[1])
        done = failed("replay", listed["id"], "--with", file)
        assert done.code == 0, done.err
        gateway.settle()
        assert len(gateway.take(QUEUE)) == 1
        assert failed("list", "--json").json() == []
        (made,) = gateway.rows()
        names = [e.name for e in gateway.worker.journal.events(made.id)]
        assert "corrected" in names
        with gateway.worker.journal.reader() as view:
            kept = view.inbound(listed["id"])
            assert [r.made for r in view.replays(listed["id"])] == [made.id]
        assert kept is not None
        assert kept.body.endswith(whole)
        again = failed("replay", listed["id"], "--with", file)
        assert again.code == 1

    def test_a_broken_message_is_corrected_in_its_place(
        self, failed: Pakkehjem, broken: Gateway, tmp_path: Path
    ) -> None:
        row = kept(broken)
        file = tmp_path / "note.xml"
        assert failed("export", row.id, file, "--reveal", "--reason", "x").code == 0
        body = file.read_bytes()
        file.write_bytes(body.replace(b"</MsgHead>", b"<!-- rettet --></MsgHead>"))
        done = failed("replay", row.id, "--with", file)
        assert done.code == 0, done.err
        rows = broken.rows(ALL_KINDS)
        assert {(r.state, r.reason) for r in rows} == {
            (InboundState.SENDING, None),
            (InboundState.DISCARDED, "corrected"),
        }
        with broken.worker.journal.reader() as view:
            bodies = {r.state: view.inbound(r.id) for r in rows}
        received, corrected = bodies[InboundState.DISCARDED], bodies[InboundState.SENDING]
        assert received is not None
        assert corrected is not None
        assert received.body == body
        assert b"rettet" in corrected.body

    def test_no_content_leaves_unasked(self, failed: Pakkehjem, night: Gateway, tmp_path: Path) -> None:
        row, file = night.rows()[0], tmp_path / "note.xml"
        assert failed("export", row.id, file, "--reason", "x").code == 2
        assert failed("export", row.id, file, "--reveal").code == 2
        assert not file.exists()
        assert failed("export", row.id, file, "--reveal", "--reason", "x").code == 0
        assert failed("export", row.id, file, "--reveal", "--reason", "x").code == 2
        fail_all(night, receiver=GP)
        which = failed("export", row.id, tmp_path / "b.xml", "--reveal", "--reason", "x")
        assert which.code == 2
        assert f"--receiver {GP}" in which.err


def test_no_command_shows_who_it_is_about(failed: Pakkehjem, night: Gateway) -> None:
    row = night.rows()[0]
    said = [
        failed(*arguments)
        for arguments in (
            ("list",),
            ("list", "--json"),
            ("list", "--by", "error"),
            ("show", row.id),
            ("show", row.id, "--json"),
            ("replay", "--all", "--dry-run", "--json"),
            ("replay", "--all", "--json"),
        )
    ]
    shown = "".join(done.out + done.err for done in said)
    body = note("dips/01").decode()
    family = re.search("<FamilyName>([^<]+)</FamilyName>", body)
    assert family is not None
    for secret in ("14896112148", family[1]):
        assert secret in body
        assert secret not in shown


def test_since_is_about_when_it_failed(failed: Pakkehjem, night: Gateway) -> None:
    (sending, *_) = [
        s for r in night.rows() for s in night.sendings(r.id, SendingKind.NOTE) if s.receiver == MUNICIPALITY
    ]
    with night.worker.journal.transaction() as transaction:
        transaction.update_sending(sending.id, settled_at=datetime.now(UTC) - timedelta(hours=5))
    assert len(failed("list", "--since", "2h", "--json").json()) == COUNT - 1
    assert len(failed("list", "--until", "2h", "--json").json()) == 1
