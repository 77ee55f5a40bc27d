"""Replies reach a mailbox in a version of the Dialogmelding that is read there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from gateway.contracts.errors import ConfigurationError
from gateway.contracts.messages import Attachment, Format, Message
from gateway.contracts.states import InboundKind
from gateway.formats import read_message
from gateway.routing.register_file import RegisterFile
from gateway.security.gate import parse
from tests.flow.dialogue import answer_to, written
from tests.flow.harness import Gateway, note, receipt

HOSPITAL = "8900100"
RECORD_SYSTEM = f"epj_{HOSPITAL}"
MUNICIPALITY = "8910031_async"
OLD, NEW = Format.DIALOGMELDING_1_0, Format.DIALOGMELDING_1_1
PLAN = Attachment(mime_type="application/pdf", description="Plan", content=b"%PDF-1.7 plan")


@pytest.fixture
def official(standards: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(standards / "xsd" / "all.xsd")))


def reading(gateway: Gateway, entry: str, versions: str) -> None:
    """A hospital, or a unit, with what its HER-id reads; the service has read the register since."""
    register = gateway.config.parent / "register.toml"
    text = register.read_text(encoding="utf-8")
    line = f'her_id = "{entry}"'
    assert text.count(line) == 1
    register.write_text(text.replace(line, f"{line}\nreads = {versions}"), encoding="utf-8")
    gateway.restart()


def exchange(gateway: Gateway, kind: str) -> tuple[Message, Message, bytes]:
    """A reply as its municipality wrote it, and as the department got it."""
    gateway.note(note("dips/01"))
    (received,) = gateway.messages(MUNICIPALITY)
    gateway.take(RECORD_SYSTEM)
    reply = replace(answer_to(received, kind=kind), attachments=(PLAN,))
    gateway.outside(HOSPITAL, written(reply))
    (delivery,) = gateway.take(RECORD_SYSTEM)
    return reply, read_message(parse(delivery.envelope.body)), delivery.envelope.body


def history(gateway: Gateway) -> dict[str, dict[str, str | int | None]]:
    (row,) = gateway.rows([InboundKind.REPLY])
    return {event.name: dict(event.detail or {}) for event in gateway.worker.journal.events(row.id)}


@pytest.mark.parametrize(
    ("versions", "kind", "delivered"),
    [
        (None, "DIALOG_HELSEFAGLIG", (OLD, "DIALOG_NOTAT")),
        ('["dialogmelding-1.1"]', "DIALOG_HELSEFAGLIG", (NEW, "DIALOG_HELSEFAGLIG")),
        ('["dialogmelding-1.1"]', "DIALOG_NOTAT", (NEW, "DIALOG_HELSEFAGLIG")),
        ('["dialogmelding-1.1"]', "DIALOG_SVAR", (NEW, "DIALOG_SVAR")),
        ('["dialogmelding-1.0", "dialogmelding-1.1"]', "DIALOG_HELSEFAGLIG", (NEW, "DIALOG_HELSEFAGLIG")),
    ],
)
def test_a_reply_is_written_in_what_its_hospital_reads(
    gateway: Gateway,
    official: etree.XMLSchema,
    versions: str | None,
    kind: str,
    delivered: tuple[Format, str],
) -> None:
    if versions is not None:
        reading(gateway, HOSPITAL, versions)
    reply, passed_on, body = exchange(gateway, kind)
    official.assertValid(parse(body))
    assert (passed_on.format, passed_on.head.msg_type.value) == delivered
    assert [t.text for t in passed_on.texts] == [t.text for t in reply.texts]
    assert passed_on.subject is not None
    assert reply.subject is not None
    assert passed_on.subject.endswith(reply.subject)
    assert passed_on.attachments == (PLAN,)
    (row,) = gateway.rows([InboundKind.REPLY])
    with gateway.worker.journal.reader() as view:
        kept = view.inbound(row.id)
    assert kept is not None
    assert read_message(parse(kept.body)).head.msg_type.value == kind, "the original stays in the journal"
    told = history(gateway)
    assert ("reply-converted" in told) == (reply.format is not passed_on.format)
    assert "reply-not-converted" not in told
    # Each side is acknowledged in the version of what it wrote, or read.
    assert [a.version for a in gateway.apprecs(MUNICIPALITY)] == ["1.1" if reply.format is NEW else "1.0"]
    gateway.note(receipt(passed_on))
    (row,) = gateway.rows([InboundKind.REPLY])
    assert row.state.value == "acknowledged"


def test_a_unit_may_read_another_version_than_its_hospital(
    gateway: Gateway, official: etree.XMLSchema
) -> None:
    unit = gateway.registry.unit("8900104")
    assert unit is not None
    reading(gateway, unit.her_id, '["dialogmelding-1.1"]')
    _, passed_on, body = exchange(gateway, "DIALOG_NOTAT")
    official.assertValid(parse(body))
    assert passed_on.format is NEW
    assert history(gateway)["reply-converted"] == {"came": OLD.value, "reads": NEW.value}


def test_what_the_version_does_not_have_goes_as_it_came_and_the_history_says_so(
    gateway: Gateway, official: etree.XMLSchema
) -> None:
    reading(gateway, HOSPITAL, '["dialogmelding-1.1"]')
    reply, passed_on, body = exchange(gateway, "DIALOG_AVVIK")
    official.assertValid(parse(body))
    assert (passed_on.format, passed_on.head.msg_type.value) == (OLD, "DIALOG_AVVIK")
    assert passed_on.attachments == reply.attachments
    assert history(gateway)["reply-not-converted"] == {"came": OLD.value, "reads": NEW.value}


@pytest.mark.parametrize("versions", [[], ["plo-1.6"], ["dialogmelding-2.0"]])
def test_a_hospital_reads_versions_of_the_dialogmelding_only(versions: list[str]) -> None:
    hospital = {"name": "A", "her_id": "8900900", "reads": versions}
    with pytest.raises(ConfigurationError):
        RegisterFile.from_document({"hospital": [hospital]})
