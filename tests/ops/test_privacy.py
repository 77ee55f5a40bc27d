"""No word of a patient leaves by any door but that of the messages themselves.

Notes are given a patient whose every fact is a canary, and go through the whole gateway in every way that a
note can go: taken, held, refused, damaged, badly signed, or meeting a fault of ours. Then every place that is
no message is searched: logs, what commands print, history, names, headers, AppRecs, the journal's bytes.
"""

from __future__ import annotations

import io
import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from lxml import etree
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import generate_latest

from gateway.contracts.errors import EXIT_DONE, EXIT_NO, EXIT_PARTLY
from gateway.contracts.messages import Message
from gateway.contracts.queues import Envelope
from gateway.contracts.reading import Reading
from gateway.contracts.receipts import ErrorCode, ReceiptStatus
from gateway.contracts.registry import Registry
from gateway.contracts.states import InboundKind, SendingKind
from gateway.formats import read_apprec, write_apprec
from gateway.formats.person_identifier import check_digits_ok
from gateway.ops.instruments import Instruments
from gateway.ops.logging import configure_logging
from gateway.ops.metrics import Metrics
from gateway.ops.security import message_signer
from gateway.ops.spans import ATTRIBUTES, MessageSpans
from gateway.security.gate import parse
from tests.conftest import NOTES
from tests.flow.harness import ALL_KINDS, Gateway, receipt, with_new_id
from tests.ops.conftest import Pakkehjem

SPANS = InMemorySpanExporter()

GIVEN, MIDDLE, FAMILY = "Kanarifugl", "Gulfink", "Sangerstad"
STREET, CITY = "Fugleburveien 77", "PAPEGØYEVIK"
PHONE = "98765432"
IDENTIFIER = "17897720140"
"""The check digits are right, and the month is one of a synthetic person"""
WORD = "kvitrelyst"
FACTS = (GIVEN, MIDDLE, FAMILY, "Fugleburveien", STREET, CITY, PHONE, IDENTIFIER, WORD)
SPACED = ("98 76 54 32", "987 65 432", "178977 20140", "17 89 77 20140", "17.89.77.20140", "178977-20140")


def _in_base64(fact: str) -> Iterator[str]:
    """What of a fact can be seen in base64, wherever in the encoded bytes it stands."""
    for before in range(3):
        digits = b64encode(b"x" * before + fact.encode()).decode().rstrip("=")
        # The first and the last digits also hold bits of what stands before and after.
        yield digits[-(-8 * before // 6) : -1]


PARTS = (
    *FACTS,
    *SPACED,
    *(coded for fact in (STREET, CITY, *SPACED[:4]) for coded in (quote(fact), quote_plus(fact))),
    *(coded for fact in (*FACTS, *SPACED[:4]) for coded in _in_base64(fact)),
)

ACCEPTED = ("dips/01", "doculive/01", "helseplattformen/01")
HELD = ("dips/03", "doculive/13", "helseplattformen/06")
REFUSED = ("dips/07", "doculive/06", "doculive/17", "helseplattformen/07", "helseplattformen/17")


LISTS = (
    "held list",
    "held list --json",
    "failed list",
    "failed list --json",
    "failed list --by error",
    "failed replay --all --dry-run --json",
    "replies list --json",
    "queues status --json",
    "report --json",
    "audit export --json",
    "audit export --csv",
    "audit verify",
    "register check",
    "doctor --json",
    "config show",
)
"""Commands that look at everything"""

SHORT_LISTS = ("held list --json", "failed list --json", "report --json")


def leaks(content: str | bytes) -> list[str]:
    """The parts of a canary that stand in it, in any of the encodings that messages have."""
    if isinstance(content, str):
        return [part for part in PARTS if part.casefold() in content.casefold()]
    spellings = (str, str.lower, str.upper)
    encodings = ("utf-8", "iso-8859-1", "utf-16-le")
    return [p for p in PARTS if any(s(p).encode(e) in content for s in spellings for e in encodings)]


def canary(name: str) -> bytes:
    """A note of the samples with every fact of its patient exchanged."""
    folder, number = name.split("/")
    (file,) = (NOTES / folder).glob(f"{number}-*.xml")
    text = file.read_bytes().decode("utf-8-sig")
    patient = _patient(file, text)
    for field, fact in (("given_name", GIVEN), ("middle_name", MIDDLE), ("family_name", FAMILY)):
        if patient[field]:
            text = re.sub(rf"\b{re.escape(str(patient[field]))}\b", fact, text, flags=re.IGNORECASE)
    if patient["id"]:
        text = text.replace(str(patient["id"]), IDENTIFIER)
    text = re.sub(r"(?<!\d)(?:\+47)?(?:[49]00 ?00 ?\d ?\d\d|[49]0 00 \d\d \d\d)(?!\d)", PHONE, text)
    text = re.sub(r"(<(?:\w+:)?StreetAdr>)[^<]+", rf"\g<1>{STREET}", text)
    text = re.sub(r"(<(?:\w+:)?City>)[^<]+", rf"\g<1>{CITY}", text)
    # Three letters or more that end a sentence of the note get a word more.
    text = re.sub(r"(?<=[a-zæøå]{3})\.(?=[ \n<])", f" {WORD}.", text)
    assert leaks(text)
    return text.encode()


def _patient(file: Path, text: str) -> dict[str, object]:
    summary = json.loads(file.with_suffix(".expected.json").read_bytes())["summary"]
    if summary is not None:
        patient: dict[str, object] = summary["patient"]
        return patient
    block = re.search(r"<Patient>.*?</Patient>", text, re.DOTALL)
    assert block is not None

    def first(tags: str) -> str | None:
        found = re.search(rf"<(?:\w+:)?(?:{tags})>([^<]+)<", block[0])
        return found[1] if found else None

    number = re.search(r"\b\d{2}8\d{8}\b", text)
    return {
        "given_name": first("GivenName"),
        "middle_name": first("MiddleName"),
        "family_name": first("FamilyName|Name"),
        "id": number[0] if number else None,
    }


def broken(name: str) -> Iterator[tuple[str, str]]:
    """Notes that follow no schema, with the canary in the place that is wrong."""
    text = canary(name).decode()
    root = "Message" if "<Message" in text else "MsgHead"
    yield "date", re.sub(r"<GenDate[^/]*?</GenDate>|<GenDate [^>]*/>", f"<GenDate>{FAMILY}</GenDate>", text)
    yield "element", text.replace("<Patient>", f"<Ukjent>{FAMILY} {IDENTIFIER}</Ukjent><Patient>", 1)
    yield "attribute", text.replace("<Patient>", f'<Patient ukjent="{FAMILY} {PHONE}">', 1)
    yield "text", text.replace("<Patient>", f"<Patient>{FAMILY} {IDENTIFIER}", 1)
    yield "end", text.replace(f"</{root}>", f"{WORD} {PHONE}<Mer>{FAMILY}</Mer></{root}>")


def damaged(name: str) -> Iterator[tuple[str, str]]:
    """Notes that no parser takes, with the canary where it stops."""
    text = canary(name).decode()
    yield "cut", text[: text.index(IDENTIFIER) + 11]
    yield "entity", text.replace("<Patient>", f"<Patient>&{FAMILY};", 1)
    yield "tag", text.replace("<Patient>", f"<Patient><{FAMILY} {GIVEN}>", 1)
    yield "control", text.replace("<Patient>", f"<Patient>{FAMILY}\x01{IDENTIFIER}", 1)
    yield "doctype", re.sub(r"(<\?xml.*?\?>)?", f"<!DOCTYPE {FAMILY} '{IDENTIFIER}'>", text, count=1)
    yield "text-only", f"{GIVEN} {FAMILY}, {IDENTIFIER}, tlf. {PHONE}"


class Canary:
    """A gateway whose every word is kept."""

    def __init__(self, gateway: Gateway, pakkehjem: Pakkehjem, folder: Path) -> None:
        self.gateway = gateway
        self.pakkehjem = pakkehjem
        self.folder = folder
        self.log = io.StringIO()
        self.bodies: list[bytes] = []
        configure_logging("debug", self.log)

    def note(self, *bodies: bytes) -> None:
        """Through the whole gateway."""
        self.bodies += bodies
        configure_logging("debug", self.log)
        self.gateway.note(*bodies)

    def states(self) -> list[str]:
        return [row.state.value for row in self.gateway.rows(ALL_KINDS)]

    def check(self, *, lists: tuple[str, ...] = SHORT_LISTS, besides: tuple[str, ...] = ()) -> None:
        """Search every place, but those that show what an operator wrote."""
        everything = (*self._everything(), *((each, self._list(each)) for each in lists))
        found = {where: leaks(content) for where, content in everything if where not in besides}
        assert {where: parts for where, parts in found.items() if parts} == {}
        assert len(found) > 10

    def _everything(self) -> Iterator[tuple[str, str | bytes]]:
        yield "log", self.log.getvalue()
        yield from self._history()
        yield from self._metrics()
        yield from self._spans()
        yield from self._commands()
        yield from self._queues()
        yield from self._files()

    def _spans(self) -> Iterator[tuple[str, str]]:
        spans = SPANS.get_finished_spans()
        assert {"receive"} <= {span.name for span in spans}
        for span in spans:
            yield f"span {span.name}", str(span.to_json())
            assert set(span.attributes or {}) <= set(ATTRIBUTES)

    def _metrics(self) -> Iterator[tuple[str, bytes]]:
        metrics = Metrics()
        for row in self.gateway.rows(ALL_KINDS):
            metrics.observe(self.gateway.worker.journal.events(row.id))
        yield "metrics", generate_latest(metrics.registry)

    def _history(self) -> Iterator[tuple[str, str]]:
        journal = self.gateway.worker.journal
        for row in self.gateway.rows(ALL_KINDS):
            yield f"row {row.id}", repr(row)
            yield f"events {row.id}", repr(journal.events(row.id))
            for sending in self.gateway.sendings(row.id):
                yield f"sending {sending.id}", repr(replace(sending, body=b""))
                yield f"receipts {sending.id}", repr(journal.receipts(sending.id))

    def _commands(self) -> Iterator[tuple[str, str]]:
        config = ("-c", self.gateway.config)
        listed = self._run("messages", "list", *(f"--kind={k.value}" for k in InboundKind), *config)
        yield "messages list", listed
        yield "messages list --json", self._run("messages", "list", "--json", *config)
        for number, row in enumerate(self.gateway.rows(ALL_KINDS)):
            for command in ("show", "trace"):
                # What people see is made of what scripts see.
                form = ("--json",) if number else ()
                yield f"messages {command} {row.id}", self._run("messages", command, row.id, *form, *config)
        for index, body in enumerate(self.bodies):
            file = self.folder / f"{index}.xml"
            file.write_bytes(body)
            yield f"validate {index}", self._run("validate", file)
            yield f"apprec {index}", self._run("apprec", file, "--any-receiver")
            yield f"apprec -c {index}", self._run("apprec", file, *config)
            yield f"verify {index}", self._run("verify", file, *config)
            # This prints the message, as it is asked to; what it says besides is another matter.
            yield f"convert {index}", self.pakkehjem("--log-level", "debug", "convert", file).err

    def _run(self, *arguments: object) -> str:
        done = self.pakkehjem("--log-level", "debug", *arguments)
        assert done.code in {EXIT_DONE, EXIT_NO, EXIT_PARTLY}, done.err
        return done.out + done.err

    def _list(self, command: str) -> str:
        return self._run(*command.split(), "-c", self.gateway.config)

    def _queues(self) -> Iterator[tuple[str, str | bytes]]:
        for status in self.gateway.worker.queue.status():
            yield f"queue {status.name}", status.name
            for number, delivery in enumerate(self.gateway.take(status.name)):
                where = f"{status.name} {number}"
                yield f"envelope {where}", repr(replace(delivery.envelope, body=b""))
                if etree.QName(parse(delivery.envelope.body)).localname == "AppRec":
                    yield f"apprec {where}", delivery.envelope.body

    def _files(self) -> Iterator[tuple[str, str | bytes]]:
        for file in self.gateway.config.parent.rglob("*"):
            yield f"name {file.name}", file.name
            if file.name.startswith("journal.sqlite"):
                yield f"bytes of {file.name}", file.read_bytes()


@pytest.fixture
def birds(gateway: Gateway, pakkehjem: Pakkehjem, tmp_path: Path) -> Iterator[Canary]:
    (tmp_path / "notes").mkdir()
    gateway.instruments = Instruments(spans=MessageSpans(SimpleSpanProcessor(SPANS)))
    SPANS.clear()
    gateway.restart()
    yield Canary(gateway, pakkehjem, tmp_path / "notes")
    configure_logging("warning")


def test_the_canaries_are_what_they_should_be() -> None:
    assert check_digits_ok(IDENTIFIER)
    for name in (*ACCEPTED, *HELD, *REFUSED):
        sung = set(leaks(canary(name)))
        assert WORD in sung, name
        assert sung & {FAMILY, GIVEN}, name
    for name in ACCEPTED:
        assert {FAMILY, IDENTIFIER, PHONE, "Fugleburveien", CITY, WORD} <= set(leaks(canary(name))), name
    assert leaks(f"x{FAMILY.upper()}y") == [FAMILY]
    assert leaks(CITY.encode("iso-8859-1")) == [CITY]
    assert leaks("nothing of it") == []


def test_notes_that_are_taken(birds: Canary) -> None:
    birds.note(*map(canary, ACCEPTED))
    assert birds.states() == ["delivered"] * 3
    birds.check(lists=LISTS)


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_note_that_is_sent_on_and_answered(name: str, birds: Canary) -> None:
    birds.note(canary(name))
    (row,) = birds.gateway.rows()
    assert row.state == "delivered"
    for sending in birds.gateway.sendings(row.id, SendingKind.NOTE):
        (message,) = birds.gateway.messages(sending.queue)
        assert row.hospital is not None
        birds.gateway.outside(row.hospital, receipt(message))
    (row,) = birds.gateway.rows()
    assert row.state == "acknowledged"
    birds.check()


@pytest.mark.parametrize("name", HELD)
def test_a_note_that_waits(name: str, birds: Canary) -> None:
    birds.note(canary(name))
    assert birds.states() == ["held"]
    birds.check()


@pytest.mark.parametrize("name", REFUSED)
def test_a_note_that_goes_nowhere(name: str, birds: Canary) -> None:
    birds.note(canary(name))
    assert birds.states() in (["rejected"], ["withheld"])
    birds.check()


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_note_that_follows_no_schema(name: str, birds: Canary) -> None:
    bodies = [text.encode() for _, text in broken(name)]
    birds.note(*map(with_new_id, bodies))
    assert birds.states() == ["rejected"] * len(bodies)
    birds.check()


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_note_that_is_not_well_formed(name: str, birds: Canary) -> None:
    bodies = [text.encode() for _, text in damaged(name)]
    birds.note(*map(with_new_id, bodies))
    assert birds.states() == ["rejected"] * len(bodies)
    birds.check()


@pytest.mark.parametrize("name", ["dips/01", "helseplattformen/01"])
def test_a_note_whose_signature_is_wrong(name: str, birds: Canary) -> None:
    signer = message_signer(birds.gateway.configuration)
    signed = signer.sign(canary(name), org_no="310000107")
    changed = signed.replace(FAMILY.encode(), FAMILY.upper().encode(), 1)
    assert changed != signed
    birds.note(changed)
    assert birds.states() == ["rejected"]
    assert birds.gateway.rows()[0].reason == "digest-mismatch"
    birds.check()


def test_a_note_whose_number_comes_again_with_other_words(birds: Canary) -> None:
    birds.note(canary("dips/01"))
    birds.note(canary("dips/01").replace(WORD.encode(), WORD.upper().encode()))
    birds.note(canary("dips/01"))
    assert sorted(birds.states()) == ["delivered", "failed"]
    birds.check()


class SingingError(Exception):
    """Of a library that quotes what it stumbled on, wherever it can."""

    def __init__(self) -> None:
        song = f"{GIVEN} {FAMILY} {IDENTIFIER} {PHONE} {WORD}"
        super().__init__(song)
        self.code = song
        self.message = song
        self.reason = song
        self.hint = song


class SingingAdapter:
    """Crashes with the patient on its lips."""

    name, title, source_url = "dips", "DIPS", ""

    def recognises(self, message: Message) -> int:
        del message
        return 9

    def read(self, message: Message, registry: Registry | None) -> Reading:
        del message, registry
        raise SingingError

    def choose(self, message: Message, *, system_hint: object = ()) -> SingingAdapter:
        del message, system_hint
        return self

    def named(self, name: str) -> SingingAdapter:
        del name
        return self


def sing(*_: object, **__: object) -> object:
    raise SingingError


def crash_in_adapter(patch: pytest.MonkeyPatch) -> None:
    for place in ("gateway.ops.composition.installed", "gateway.ops.conversion.installed"):
        patch.setattr(place, SingingAdapter)
    patch.setattr("gateway.ops.answering.installed", SingingAdapter)


def crash_in(place: str) -> Callable[[pytest.MonkeyPatch], None]:
    def crash(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(place, sing)

    return crash


@pytest.mark.parametrize(
    "crash",
    [
        crash_in_adapter,
        crash_in("gateway.pipeline.notes.judge"),
        crash_in("gateway.pipeline.dispatch.render"),
        crash_in("gateway.pipeline.dispatch.write_message"),
        crash_in("gateway.intake.intake.read_message"),
    ],
    ids=["adapter", "rules", "rendering", "writing", "reading"],
)
def test_a_fault_of_ours(
    crash: Callable[[pytest.MonkeyPatch], None],
    birds: Canary,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crash(monkeypatch)
    birds.gateway.restart()
    birds.note(canary("dips/01"))
    assert birds.states() == ["failed"]
    assert birds.gateway.rows(ALL_KINDS)[0].reason == "error:SingingError"
    birds.check()


def test_receivers_that_write_of_the_patient(birds: Canary) -> None:
    """What a receiver writes is passed on, and told to nobody else."""
    birds.note(canary("dips/01"))
    (row,) = birds.gateway.rows()
    sendings = birds.gateway.sendings(row.id, SendingKind.NOTE)
    assert row.hospital is not None
    for sending in sendings:
        (message,) = birds.gateway.messages(sending.queue)
        answer = read_apprec(parse(receipt(message, ReceiptStatus.REJECTED, ErrorCode.PATIENT_INSUFFICIENT)))
        told = tuple(replace(f, detail=f"Kjenner ikke {GIVEN} {FAMILY} {IDENTIFIER}") for f in answer.faults)
        birds.gateway.outside(row.hospital, write_apprec(replace(answer, faults=told)))
        birds.gateway.outside(row.hospital, f"Ukjent: {FAMILY} {IDENTIFIER}".encode())
    passed_on = [d for d in birds.gateway.take("epj_8900100") if b"<AppRec" in d.envelope.body]
    assert len(passed_on) == len(sendings)
    assert all(FAMILY.encode() in delivery.envelope.body for delivery in passed_on)
    assert all(leaks(repr(replace(delivery.envelope, body=b""))) == [] for delivery in passed_on)
    birds.check()


def test_operators_who_write_of_the_patient(birds: Canary) -> None:
    """What they write is for who reads the audit log, and stands nowhere else, not even in the database."""
    birds.note(canary("dips/03"), canary("dips/01"))
    reason = ("--reason", f"{GIVEN} {FAMILY} {IDENTIFIER} ringte fra {PHONE}, {WORD}")
    config = ("-c", birds.gateway.config)
    (held,) = (row for row in birds.gateway.rows() if row.state == "held")
    (sent,) = (row for row in birds.gateway.rows() if row.state == "delivered")
    shown = birds.pakkehjem("messages", "show", sent.id, "--reveal", *reason, *config)
    assert leaks(shown.out)
    assert leaks(shown.err) == []
    # (What is said with `held discard` is a message to the sender, as its help says.)
    done = birds.pakkehjem("--log-level", "debug", "held", "release", held.id, *reason, *config)
    assert leaks(done.out + done.err) == []
    wrong = birds.pakkehjem("--log-level", "debug", "replies", "claim", sent.id, *reason, *config)
    assert leaks(wrong.out + wrong.err) == []
    birds.gateway.settle()
    (told,) = {e["reason"] for e in birds.pakkehjem("audit", "export", "--json", *config).json()} - {None}
    assert told == reason[1]
    birds.check(lists=LISTS, besides=("audit export --json", "audit export --csv"))


def test_searches_for_the_patient(birds: Canary) -> None:
    birds.note(canary("dips/01"))
    config = ("-c", birds.gateway.config)
    found = birds.pakkehjem("--log-level", "debug", "messages", "list", "--patient", IDENTIFIER, *config)
    assert "delivered" in found.out
    assert leaks(found.out + found.err) == []
    birds.check()


def test_what_is_purged(birds: Canary) -> None:
    birds.note(*map(canary, (*ACCEPTED, *REFUSED)))
    done = birds.pakkehjem("db", "purge", "--older-than", "0h", "-c", birds.gateway.config)
    assert done.code == 0
    birds.check(lists=LISTS)


@pytest.mark.parametrize("queue", ["8900100_error", "8900100_dl", "8999900_error"])
def test_faults_of_the_transport_that_quote_the_patient(birds: Canary, queue: str) -> None:
    birds.note(canary("dips/01"))
    (row,) = birds.gateway.rows()
    (sending, *_) = birds.gateway.sendings(row.id, SendingKind.NOTE)
    song = f"{GIVEN} {FAMILY} {IDENTIFIER} {PHONE}"
    told = {"errorCondition": song, "errorDescription": song, "errorConditionData": song}
    parties = {"fromHerId": sending.receiver, "toHerId": "8900100"}
    envelopes = [
        Envelope(
            body=canary("dips/03"), message_id="1", headers=told | parties, correlation_id=sending.msg_id
        ),
        Envelope(body=b"", message_id="2", headers=told | parties | {"originalMessageId": sending.msg_id}),
        Envelope(body=song.encode(), message_id=song, headers=told),
    ]
    birds.gateway.worker.queue.publish([(queue, each) for each in envelopes])
    birds.gateway.settle()
    assert len(birds.states()) > 1
    birds.check(lists=LISTS)


def test_what_failed_is_taken_up_again(birds: Canary, tmp_path: Path) -> None:
    birds.note(canary("dips/01"))
    birds.note(canary("dips/01").replace(WORD.encode(), WORD.upper().encode()))
    (failed,) = (row for row in birds.gateway.rows() if row.state == "failed")
    config = ("-c", birds.gateway.config)
    why = ("--reason", f"{FAMILY} {IDENTIFIER}")
    file = tmp_path / "out.xml"
    commands: tuple[tuple[object, ...], ...] = (
        ("failed", "show", failed.id),
        ("failed", "export", failed.id, file, "--reveal", *why),
        ("failed", "replay", failed.id, *why),
        ("failed", "replay", failed.id, "--with", file, *why),
        ("failed", "discard", failed.id, *why),
    )
    for command in commands:
        done = birds.pakkehjem("--log-level", "debug", *command, *config)
        assert leaks(done.out + done.err) == [], command
    birds.gateway.settle()
    birds.check(lists=LISTS, besides=("audit export --json", "audit export --csv"))


def test_transport_headers_that_hold_more_than_they_should(birds: Canary) -> None:
    """A header of the transport is a claim: it is neither logged nor repeated."""
    headers = {"fromHerId": f"{FAMILY} {IDENTIFIER}", "X-MessageInfo-Type": FAMILY, FAMILY: PHONE}
    body = canary("dips/01")
    envelope = Envelope(body=body, message_id=IDENTIFIER, headers=headers, correlation_id=FAMILY)
    birds.gateway.worker.queue.publish([("pakkehjem_in", envelope)])
    birds.note(b"broken")
    assert birds.states() == ["rejected"] * 2
    birds.check()
