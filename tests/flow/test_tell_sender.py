"""Findings that a deployment tells its departments of: once, cleared by a change, which is sent on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.contracts.errors import ConfigurationError
from gateway.contracts.messages import Format
from gateway.contracts.states import InboundState, SendingKind
from gateway.contracts.summary import Action
from gateway.formats import read_message
from gateway.ops.configuration import Configuration
from gateway.security.gate import parse
from schemas import SchemaSet, default_official_directory
from tests.flow.conftest import Start
from tests.flow.harness import Gateway, note, receipt
from tests.flow.test_deviations import deviations
from tests.flow.test_held import REASON, command
from tests.flow.variants import configured, msg_id_of, version

RECORD_SYSTEM = "epj_8900100"
WITH_PHONE = note("dips/01")
PHONE = re.compile(rb"<TeleCom>.*?</TeleCom>", re.DOTALL)


def without_phone(data: bytes) -> bytes:
    """The note without any phone number of the patient."""
    patient = re.search(rb"<Patient>.*?</Patient>", data, re.DOTALL)
    assert patient is not None
    bare = PHONE.sub(b"", patient[0])
    return re.sub(rb"(?i)(tlf|telefon|mobil)[^<.]*\d[\d ]+\.?", b"", data.replace(patient[0], bare))


@pytest.fixture
def gateway(start: Start, config: Path) -> Gateway:
    configured(config, "tell_sender = []", 'tell_sender = ["PH030", "PH031"]')
    return start()


def test_a_note_without_a_phone_goes_out_and_its_department_is_told_once(
    gateway: Gateway, standards: object
) -> None:
    del standards
    data = without_phone(WITH_PHONE)
    gateway.note(data, data)
    (row,) = gateway.rows()
    assert row.state is InboundState.DELIVERED
    assert "PH030" in [f.code for f in row.findings]
    (body,), statuses = deviations(gateway)
    assert statuses == []
    assert SchemaSet(default_official_directory()).is_valid(parse(body))
    told = read_message(parse(body))
    assert (told.format, told.head.msg_type.value) == (Format.DIALOGMELDING_1_0, "DIALOG_AVVIK")
    assert told.topic is not None
    assert (told.topic.value, told.topic.name) == ("2", "Mangelfulle opplysninger")
    assert told.head.primary is not None
    assert told.head.primary.party.her_id == "8900104"
    assert told.head.conversation is not None
    assert told.head.conversation.parent == row.msg_id
    assert "telefonnummer" in told.texts[0].text
    gateway.note(receipt(told))
    gateway.restart()
    gateway.settle()
    assert deviations(gateway) == ([], [])


def test_a_change_that_has_the_phone_clears_it_and_is_sent_on_as_an_update(gateway: Gateway) -> None:
    first = without_phone(WITH_PHONE)
    gateway.note(first)
    deviations(gateway)
    gateway.note(version(WITH_PHONE, parent=msg_id_of(first)))
    assert deviations(gateway) == ([], [])
    before, after = gateway.rows()
    assert (after.action, after.state, after.replaces) == (Action.CHANGE, InboundState.DELIVERED, before.id)
    had = {s.receiver: s.msg_id for s in gateway.sendings(before.id, SendingKind.NOTE)}
    for sending in gateway.sendings(after.id, SendingKind.NOTE):
        message = read_message(parse(sending.body))
        assert message.head.conversation is not None
        assert message.head.conversation.parent == had[sending.receiver]
    (cleared,) = [e for e in gateway.worker.journal.events(before.id) if e.name == "findings-cleared"]
    assert cleared.detail == {"findings": "PH030", "by": after.id}


def test_a_change_that_lacks_the_same_is_not_told_again(gateway: Gateway) -> None:
    first = without_phone(WITH_PHONE)
    gateway.note(first)
    deviations(gateway)
    gateway.note(version(first, parent=msg_id_of(first)))
    assert deviations(gateway) == ([], [])
    assert gateway.rows()[1].state is InboundState.DELIVERED


def test_what_was_not_chosen_is_told_to_nobody(start: Start) -> None:
    gateway = start()
    gateway.note(without_phone(WITH_PHONE))
    assert deviations(gateway) == ([], [])


def test_what_a_held_note_lacks_is_told_when_it_goes_out(gateway: Gateway) -> None:
    gateway.note(note("dips/03"))
    (row,) = gateway.rows()
    assert row.state is InboundState.HELD
    assert deviations(gateway) == ([], [])
    command(gateway, "release", row.id, *REASON)
    gateway.settle()
    assert len(deviations(gateway)[0]) == 1


def test_an_unknown_finding_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"rules\.tell_sender: there is no finding PH999"):
        Configuration.from_document({"rules": {"tell_sender": ["PH999"]}}, Path())
