"""`messages`: what came in, and what became of it; without a word of its content."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.contracts.errors import EXIT_USAGE
from gateway.contracts.findings import finding
from gateway.contracts.receipts import ErrorCode, ReceiptStatus
from gateway.contracts.records import Event, InboundMessage, Sending
from gateway.contracts.states import InboundKind, InboundState, SendingKind, SendingState
from gateway.ops.browsing import TimeNotReadableError, point_in_time
from gateway.ops.configuration import load
from gateway.ops.stores import open_journal
from tests.flow.dialogue import answer_to, written
from tests.flow.harness import Gateway, note, receipt
from tests.ops.conftest import Outcome, Pakkehjem

SENT, HELD, WITHHELD, REJECTED, BROKEN = "dips/01", "dips/03", "doculive/06", "dips/07", "dips/08"
STATES = {SENT: "delivered", HELD: "held", WITHHELD: "withheld", REJECTED: "rejected", BROKEN: "rejected"}


def msg_id(name: str) -> str:
    found = re.search(rb"<MsgId>([^<]+)</MsgId>", note(name))
    assert found is not None
    return found[1].decode()


@pytest.fixture
def worked(gateway: Gateway) -> Gateway:
    """A gateway that has worked on one note of each kind."""
    gateway.note(*(note(name) for name in STATES))
    return gateway


@pytest.fixture
def messages(pakkehjem: Pakkehjem, worked: Gateway) -> Pakkehjem:
    def call(*arguments: object) -> Outcome:
        return pakkehjem("messages", *arguments, "-c", worked.config)

    return call


Audit = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def audit(pakkehjem: Pakkehjem, worked: Gateway) -> Audit:
    """What the audit log has, but for the looks at it."""

    def call() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = pakkehjem("audit", "export", "--json", "-c", worked.config).json()
        return [each for each in found if each["action"] != "audit-export"]

    return call


def ids(done: Outcome) -> set[str]:
    assert done.code == 0
    return {row["msg_id"] for row in done.json()}


class TestList:
    def test_the_json_has_the_contracts_shape(self, messages: Pakkehjem, worked: Gateway) -> None:
        rows = messages("list", "--json").json()
        assert [row["msg_id"] for row in rows][::-1] == [msg_id(name) for name in STATES]
        for row, state in zip(reversed(rows), STATES.values(), strict=True):
            assert list(row) == [
                *("id", "msg_id", "system", "state", "received_at"),
                *("unit", "municipality", "findings", "sendings"),
            ]
            assert row["state"] == state
            assert datetime.fromisoformat(row["received_at"]).tzinfo is not None
        sent, held = rows[-1], rows[-2]
        assert (sent["system"], sent["unit"], sent["municipality"]) == ("dips", "8900103", "3222")
        assert held["findings"] == ["PH021", "PH030"]
        assert [list(s) for s in sent["sendings"]] == [
            ["receiver", "format", "msg_id", "state", "attempts", "apprec"]
        ] * 2
        assert {(s["receiver"], s["format"], s["state"], s["attempts"]) for s in sent["sendings"]} == {
            ("8910031", "plo-1.6", "delivered", 1),
            ("8920031", "dialogmelding-1.0", "delivered", 1),
        }
        (municipality,) = worked.messages("8910031_async")
        worked.outside(
            "8900100", receipt(municipality, ReceiptStatus.REJECTED, ErrorCode.PATIENT_INSUFFICIENT)
        )
        refused = messages("list", "--state", "refused", "--json").json()
        assert [s["apprec"] for s in refused[0]["sendings"] if s["receiver"] == "8910031"] == ["2 E36"]

    @pytest.mark.parametrize(
        ("filters", "found"),
        [
            (("--state", "held"), {HELD}),
            (("--state", "held", "--state", "withheld"), {HELD, WITHHELD}),
            (("--system", "doculive"), {WITHHELD}),
            (("--system", "dips", "--state", "delivered"), {SENT}),
            (("--municipality", "3222"), {SENT, WITHHELD}),
            (("--municipality", "3222", "--system", "doculive"), {WITHHELD}),
            (("--unit", "8900103"), {SENT, HELD, REJECTED}),
            (("--unit", "8900103", "--unit", "8900101"), {SENT, HELD, REJECTED, BROKEN}),
            (("--finding", "PH030"), {HELD}),
            (("--finding", "ph030", "--state", "delivered"), set()),
            (("--finding", "PH001", "--finding", "PH010"), {WITHHELD, REJECTED}),
            (("--since", "1h"), set(STATES)),
            (("--until", "1h"), set()),
            (("--since", "2000-01-01", "--until", "2001-01-01"), set()),
            (("--kind", "receipt"), set()),
            (("--patient", "14896112148"), {SENT}),
            (("--patient", "148961 12148"), {SENT}),
            (("--patient", "14896112148", "--state", "held"), set()),
            (("--patient", "13888549952"), set()),
        ],
    )
    def test_filters_combine(self, filters: tuple[str, ...], found: set[str], messages: Pakkehjem) -> None:
        assert ids(messages("list", "--json", *filters)) == {msg_id(name) for name in found}

    def test_the_patient_is_asked_for_so_that_no_history_has_the_number(
        self, messages: Pakkehjem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("148961 12148\n"))
        done = messages("list", "--json", "--patient", "-")
        assert ids(done) == {msg_id(SENT)}
        assert "148961" not in done.out + done.err

    def test_the_limit_says_that_there_is_more(self, messages: Pakkehjem) -> None:
        done = messages("list", "--limit", "2")
        assert len(done.out.splitlines()) > 2
        assert "2 messages (more with --limit)" in done.err
        assert len(messages("list", "--limit", "2", "--json").json()) == 2
        assert messages("list", "--limit", "0").code == 2

    def test_people_get_a_table_and_the_next_command(self, messages: Pakkehjem) -> None:
        done = messages("list")
        lines = done.out.splitlines()
        assert lines[0].split() == ["id", "received", "system", "state", "munic.", "findings", "sendings"]
        assert "5 messages" in done.err
        assert "pakkehjem messages show ID" in done.err
        sent = next(line for line in lines if "delivered" in line)
        assert re.match(r"[0-9a-f]{8} +20\d\d-\d\d-\d\d \d\d:\d\d +dips +delivered +3222 ", sent)
        assert max(map(len, lines)) <= 100

    def test_nothing_found_is_no_error(self, messages: Pakkehjem) -> None:
        done = messages("list", "--state", "discarded")
        assert done.code == 0
        assert done.err == "0 messages\n"
        assert messages("list", "--state", "discarded", "--json").json() == []

    @pytest.mark.parametrize(
        ("option", "value"),
        [("--state", "lost"), ("--kind", "x"), ("--finding", "PH999"), ("--since", "soon"), ("--limit", "x")],
    )
    def test_values_that_there_are_not_are_named(self, option: str, value: str, messages: Pakkehjem) -> None:
        done = messages("list", option, value)
        assert done.code == 2
        assert value in done.err
        assert done.out == ""


class TestFinding:
    def test_by_the_beginning_of_either_id(self, messages: Pakkehjem) -> None:
        (row,) = [r for r in messages("list", "--json").json() if r["state"] == "delivered"]
        for identifier in (row["id"], row["id"][:8], row["msg_id"], row["msg_id"][:10]):
            done = messages("show", identifier, "--json")
            assert done.code == 0
            assert done.json()["id"] == row["id"]
            assert messages("trace", identifier).code == 0

    def test_what_is_not_there_names_the_next_command(self, messages: Pakkehjem) -> None:
        for command in ("show", "trace"):
            done = messages(command, "ffffffff-nothing")
            assert done.code == 1
            assert done.err == (
                "pakkehjem: no message has an id that begins with ffffffff-nothing\n"
                "  pakkehjem messages list shows the ids\n"
            )

    def test_a_beginning_that_several_have_names_them(self, messages: Pakkehjem) -> None:
        done = messages("show", "")
        assert done.code == 2
        rows = messages("list", "--json").json()
        assert sum(row["id"] in done.err for row in rows) == 5

    def test_what_is_an_id_in_full_goes_before_longer_ones(
        self, messages: Pakkehjem, worked: Gateway
    ) -> None:
        changed = note(SENT).replace(b"Trondheimsveien", b"Trondheimsgata") + b"<!-- other bytes -->"
        worked.note(changed)
        both = messages("list", "--json").json()
        assert sum(row["msg_id"].startswith(msg_id(SENT)) for row in both) == 2
        assert messages("show", msg_id(SENT), "--json").json()["state"] == "delivered"
        done = messages("show", msg_id(SENT)[:-1])
        assert done.code == 2
        assert "more than one" in done.err


class TestShow:
    def test_the_facts_without_the_content(self, messages: Pakkehjem) -> None:
        done = messages("show", msg_id(SENT), "--json")
        document = done.json()
        assert document["format"] == "plo-1.6"
        assert document["hospital"] == "8900100"
        assert document["unit_name"] == "Gastrokirurgisk sengepost, Nordvik"
        assert not {"body", "summary"} & set(document)
        held = messages("show", msg_id(HELD), "--json").json()
        assert [f["code"] for f in held["findings"]] == ["PH021", "PH030"]
        assert list(held["findings"][0]) == ["code", "severity", "field", "message"]
        withheld = messages("show", msg_id(WITHHELD), "--json").json()
        assert {r["apprec"] for r in withheld["receipts"]} == {"2 X99"}

    def test_people_are_told_what_is_next(self, messages: Pakkehjem) -> None:
        done = messages("show", msg_id(SENT))
        assert "state         delivered" in done.out
        assert "sending       plo-1.6 to 8910031: delivered" in done.out
        assert "pakkehjem messages trace " in done.err
        held = messages("show", msg_id(HELD))
        assert "finding       PH030 warning: No phone number" in held.out

    def test_reveal_shows_the_content_and_is_remembered(self, messages: Pakkehjem) -> None:
        assert "Fiskebolle" not in messages("show", msg_id(SENT)).out
        assert "revealed" not in messages("trace", msg_id(SENT)).out
        document = messages(
            "show", msg_id(SENT), "--reveal", "--reason", "Oppringt av pasienten", "--json"
        ).json()
        assert document["summary"]["patient"]["family_name"] == "Fiskebolle"
        assert document["body"].encode() == note(SENT)
        done = messages("show", msg_id(SENT), "--reveal", "--reason", "en gang til")
        assert "Fiskebolle" in done.out
        steps = messages("trace", msg_id(SENT), "--json").json()
        revealed = [s for s in steps if s["event"] == "revealed"]
        assert len(revealed) == 2
        assert revealed[0]["by"]

    def test_reveal_needs_a_reason_and_the_audit_log_has_it(self, messages: Pakkehjem, audit: Audit) -> None:
        assert messages("show", msg_id(SENT), "--reveal").code == EXIT_USAGE
        assert messages("show", msg_id(SENT), "--reveal", "--reason", " ").code == EXIT_USAGE
        assert messages("show", msg_id(SENT), "--reason", "bare for å se").code == EXIT_USAGE
        assert audit() == []
        messages("show", msg_id(SENT), "--reveal", "--reason", "Oppringt av pasienten", "--json")
        (entry,) = audit()
        assert (entry["action"], entry["reason"]) == ("reveal", "Oppringt av pasienten")
        assert entry["who"]
        assert entry["message"] == messages("show", msg_id(SENT), "--json").json()["id"]
        assert len(entry["patient_reference"]) == 64

    def test_a_search_for_a_patient_is_in_the_audit_log(self, messages: Pakkehjem, audit: Audit) -> None:
        messages("list", "--patient", "13816512388")
        (entry,) = audit()
        assert entry["action"] == "patient-search"
        assert len(entry["patient_reference"]) == 64

    def test_reveal_shows_what_could_not_be_read(self, messages: Pakkehjem, worked: Gateway) -> None:
        worked.note(b"Kj\xe6re \x1b[2J deg")
        (row,) = messages("list", "--kind", "unreadable", "--json").json()
        document = messages(
            "show", row["id"], "--reveal", "--reason", "Oppringt av pasienten", "--json"
        ).json()
        assert document["summary"] is None
        assert document["body"] == "Kjære \x1b[2J deg"
        shown = messages("show", row["id"], "--reveal", "--reason", "uleselig").out
        assert "Kjære" in shown
        assert "\x1b" not in shown


class TestTrace:
    def test_the_whole_history_in_its_order(self, messages: Pakkehjem, worked: Gateway) -> None:
        (municipality,) = worked.messages("8910031_async")
        worked.outside("8900100", receipt(municipality))
        steps = messages("trace", msg_id(SENT), "--json").json()
        names = [step["event"] for step in steps]
        assert names[0] == "received"
        assert names.count("note-created") == 2
        assert names.count("delivered") >= 2
        assert names.index("note-created") < names.index("delivered") < names.index("receipt")
        times = [datetime.fromisoformat(step["at"]) for step in steps]
        assert times == sorted(times)
        assert all({"at", "event", "sending"} <= set(step) for step in steps)
        (answer,) = [s for s in steps if s["event"] == "receipt"]
        assert (answer["receiver"], answer["apprec"]) == ("8910031", "1")

    def test_people_get_the_story_of_the_conversation_on_one_screen(
        self, messages: Pakkehjem, worked: Gateway
    ) -> None:
        (to_municipality,) = worked.messages("8910031_async")
        (to_gp,) = worked.messages("8920031_async")
        worked.outside("8900100", receipt(to_municipality), receipt(to_municipality))
        worked.outside("8900100", receipt(to_gp, ReceiptStatus.REJECTED, ErrorCode.PATIENT_INSUFFICIENT))
        worked.outside("8900100", written(answer_to(to_municipality)))
        (reply,) = [m for m in worked.messages("epj_8900100") if m.head.msg_type.value == "DIALOG_SVAR"]
        worked.note(receipt(reply), written(answer_to(reply, text="Takk.")))
        (answer,) = worked.messages("8910031_async")
        worked.outside("8900100", receipt(answer))

        done = messages("trace", msg_id(SENT))
        assert done.code == 0
        lines = done.out.splitlines()
        assert lines[0].split() == ["time", "message", "what", "happened"]
        assert max(map(len, lines)) <= 100
        assert len(lines) <= 40
        in_order = (
            "note ← plo-1.6 from Gastrokirurgisk sengepost, Nordvik (8900103)",
            "note accepted",
            "to Lørenskog kommune (8910031)",
            "note ← AppRec OK from Lørenskog kommune (8910031)",
            "note ← the same AppRec again",
            "note ← AppRec refused (E36 Pasientopplysninger er utilstrekkelige) from",
            "reply ← dialogmelding-1.0 from Lørenskog kommune",
            "reply belongs to note, by its reference",
            "mailbox (8900104)",
            "answer ← dialogmelding-1.0 from Gastrokirurgisk sengepost",
            "answer belongs to reply, by its reference",
            "answer → dialogmelding-1.0",
            "answer ← AppRec OK from Lørenskog kommune (8910031)",
        )
        told = " ".join(done.out.split())
        places = [told.index(each) for each in in_order]
        assert places == sorted(places)
        assert "Takk" not in done.out

    def test_json_has_every_step_of_the_conversation_too(self, messages: Pakkehjem, worked: Gateway) -> None:
        (to_municipality,) = worked.messages("8910031_async")
        worked.outside("8900100", written(answer_to(to_municipality)))
        steps = messages("trace", msg_id(SENT), "--json").json()
        assert {s["message_kind"] for s in steps} == {"note", "reply"}
        assert [s["at"] for s in steps] == sorted(s["at"] for s in steps)


def long_message(index: int) -> InboundMessage:
    """A row with the longest and oddest of everything."""
    return InboundMessage(
        id=f"{index}" * 36,
        kind=InboundKind.NOTE,
        state=InboundState.ACKNOWLEDGED,
        queue="q" * 150,
        received_at=datetime.now(UTC),
        sender="s" * 120,
        msg_id=f"[/bold] \x9b31m :smile: {'m' * 130}",
        content_hash="0" * 64,
        body=b"x",
        system="a-record-system-with-a-name-that-has-no-end-at-all",
        unit_name="Avdeling for " + "lange navn og enda lengre navn " * 5,
        municipality="030106",
        findings=tuple(
            finding(code) for code in ("PH020", "PH030", "PH031", "PH051", "PH060", "PH070", "PH090")
        ),
        reason="reason " * 30,
    )


def test_nothing_is_wider_than_a_hundred_columns(pakkehjem: Pakkehjem, config: Path) -> None:
    journal = open_journal(load(config))
    message = long_message(1)
    with journal.transaction() as transaction:
        transaction.add_inbound(message)
        for number in range(3):
            transaction.add_sending(
                Sending(
                    id=f"s{number}",
                    inbound_id=message.id,
                    kind=SendingKind.NOTE,
                    state=SendingState.ACKNOWLEDGED,
                    receiver="8920031" * (1 + 20 * number),
                    format="dialogmelding-1.1",
                    msg_id="m" * 100,
                    queue="q",
                    body=b"x",
                    apprec="2 " + "E21 " * 40,
                )
            )
        detail: dict[str, Any] = {"receiver": "8" * 130, "error": "[red]x[/red] :smile: " + "word " * 40}
        event = Event(inbound_id=message.id, at=datetime.now(UTC), name="e" * 90, detail=detail)
        transaction.add_event(event)
    journal.close()
    for command in (("list",), ("show", "1111"), ("trace", "1111")):
        done = pakkehjem("messages", *command, "-c", config)
        assert done.code == 0
        assert max(map(len, done.out.splitlines())) <= 100, command
        assert "\x9b" not in done.out
    shown = pakkehjem("messages", "show", "1111", "-c", config).out
    assert "[/bold]" in shown
    assert ":smile:" in shown
    traced = pakkehjem("messages", "trace", "1111", "-c", config).out
    assert "[red]x[/red] :smile:" in " ".join(traced.split())
    listed = pakkehjem("messages", "list", "-c", config).out
    assert "11111111 " in listed
    assert " acknowledged " in listed
    assert pakkehjem("messages", "show", "[/bold]", "--json", "-c", config).json()["id"] == message.id


def test_an_empty_journal_is_made_and_empty(pakkehjem: Pakkehjem, config: Path) -> None:
    assert pakkehjem("messages", "list", "--json", "-c", config).json() == []


def test_another_key_does_not_open_the_journal(
    pakkehjem: Pakkehjem, worked: Gateway, initialised: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    assert pakkehjem("init", tmp_path / "other").code == 0
    worked.config.with_name("journal.key").unlink()
    done = pakkehjem("messages", "list", "-c", worked.config)
    assert done.code == 3
    assert "journal.key" in done.err
    (tmp_path / "other" / "journal.key").rename(worked.config.with_name("journal.key"))
    done = pakkehjem("messages", "list", "-c", worked.config)
    assert done.code == 3
    assert "another key" in done.err
    assert initialised.is_dir()


class TestPointInTime:
    @pytest.mark.parametrize(
        ("value", "ago"),
        [
            ("30m", timedelta(minutes=30)),
            ("2h", timedelta(hours=2)),
            ("7d", timedelta(days=7)),
            ("3w", timedelta(weeks=3)),
            ("0h", timedelta()),
        ],
    )
    def test_a_span_is_ago(self, value: str, ago: timedelta) -> None:
        assert abs(datetime.now(UTC) - ago - point_in_time(value)) < timedelta(seconds=5)

    def test_a_time_without_a_zone_is_local(self) -> None:
        local = datetime(2026, 3, 2, 8).astimezone()
        assert point_in_time("2026-03-02T08:00") == local
        assert point_in_time("2026-03-02T08:00Z") == datetime(2026, 3, 2, 8, tzinfo=UTC)

    @pytest.mark.parametrize(
        "value",
        ["", "h", "2", "2y", "-2h", "²h", "9" * 30 + "d", "99999999d", "0001-01-01", "9999-99-99", "x"],
    )
    def test_anything_else_is_refused(self, value: str) -> None:
        with pytest.raises(TimeNotReadableError) as caught:
            point_in_time(value)
        assert "2h" in str(caught.value.hint)


def test_json_is_one_document(messages: Pakkehjem) -> None:
    for command in (("list",), ("show", msg_id(SENT)), ("trace", msg_id(SENT))):
        done = messages(*command, "--json")
        json.loads(done.out)
        assert done.err == ""
