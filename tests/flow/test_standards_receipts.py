"""Who is answered what: faults told apart, one receipt for each receiver, and none where none may be sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.contracts.receipts import CODE_LIST_ERRORS
from gateway.contracts.states import InboundKind, InboundState, SendingKind
from tests.flow.conftest import Start
from tests.flow.harness import Gateway, note, receipt
from tests.flow.variants import OK, REJECTED, answers, configured, msg_id_of, swapped, version

HOSPITAL = "8900100"
MUNICIPALITY, GP = "8910031_async", "8920031_async"
NEW = note("dips/01")

SERVICE = "<Id>8910031</Id>"


def named_receiver(data: bytes, index: int, code: str) -> bytes:
    """A note whose receiver has another service (0), or another doctor (1)."""
    if index == 0:
        return swapped(data, SERVICE, f"<Id>{code}</Id>")
    data = swapped(data, "<Id>8920031</Id>", f"<Id>{code}</Id>")
    return swapped(data, "<Id>9900031</Id>", "<Id>9900099</Id>")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('<Forsendelsesstatus V="N" DN="Ny"/>', "", "T02"),
        (msg_id_of(NEW), "26-1", "E10"),
        ("</Receiver>", "", "T01"),
        ("TverrfagligEpikrise/2012-04-01", "TverrfagligEpikrise/2031-01-01", "T10"),
    ],
)
def test_a_fault_has_its_code_its_list_and_words_in_norwegian(
    gateway: Gateway, old: str, new: str, code: str
) -> None:
    gateway.note(swapped(NEW, old, new))
    received = gateway.apprecs(f"epj_{HOSPITAL}")
    assert len(received) == 2
    for answered in received:
        assert answered.status == REJECTED
        (fault,) = answered.faults
        assert (fault.code, fault.code_list) == (code, CODE_LIST_ERRORS)
        assert fault.text
        assert fault.detail
        assert "Fiskebolle" not in fault.detail


def test_several_faults_are_several_errors(gateway: Gateway) -> None:
    nobody = swapped(NEW, "<Id>14896112148</Id>", "<Id>1</Id>")
    start = nobody.index(b"<Patient>")
    end = nobody.index(b"</Patient>")
    patient = nobody[start:end].replace(b"FamilyName", b"Slektsnavn").replace(b"GivenName", b"Fornavn")
    both = swapped(nobody[:start] + patient + nobody[end:], '<Forsendelsesstatus V="N" DN="Ny"/>', "")
    gateway.note(swapped(both, msg_id_of(NEW), "26-1"))
    assert answers(gateway, HOSPITAL) == [(REJECTED, ["T02", "E10", "E36"])] * 2


@pytest.mark.parametrize(
    ("setting", "old", "new"),
    [("always", True, True), ("new-versions", False, True), ("never", False, False)],
)
def test_what_a_message_id_may_be_is_a_setting(
    config: Path, start: Start, setting: str, *, old: bool, new: bool
) -> None:
    configured(config, '_uuid = "new-versions"', f'_uuid = "{setting}"')
    gateway = start()
    for name, refused in (("doculive/02", old), ("doculive/01", new)):
        data = note(name)
        gateway.note(swapped(data, msg_id_of(data), f"26-{name[-1]}"))
        codes = {c for _, codes in answers(gateway, "8900200") for c in codes}
        assert ("E10" in codes) is refused


def test_an_unexpected_list_or_text_is_no_fault(gateway: Gateway) -> None:
    data = swapped(NEW, "2.16.578.1.12.4.1.1.9051", "2.16.578.1.12.4.1.1.1111")
    data = swapped(data, 'DN="Ny"', 'DN="Noe helt annet"')
    gateway.note(swapped(data, 'DN="HER-id"', 'DN="Adresse"'))
    assert gateway.rows()[0].state is InboundState.DELIVERED


def test_a_note_to_an_unknown_service_of_a_known_organisation_is_refused(gateway: Gateway) -> None:
    data = named_receiver(named_receiver(NEW, 0, "4711"), 1, "4712")
    gateway.note(data)
    (row,) = gateway.rows()
    assert (row.state, row.reason) == (InboundState.REJECTED, "receiver-unknown")
    assert answers(gateway, HOSPITAL) == [(REJECTED, ["E21"])] * 2
    assert gateway.take(MUNICIPALITY) == []


def test_an_unknown_receiver_and_a_patient_that_is_nobody_are_two_errors(gateway: Gateway) -> None:
    data = named_receiver(named_receiver(NEW, 0, "4711"), 1, "4712")
    start, end = data.index(b"<Patient>"), data.index(b"</Patient>")
    nobody = data[start:end].replace(b"FamilyName", b"MiddleName")
    given = nobody.index(b"<GivenName>"), nobody.index(b"</GivenName>") + len(b"</GivenName>")
    gateway.note(data[:start] + nobody[: given[0]] + nobody[given[1] :] + data[end:])
    assert answers(gateway, HOSPITAL) == [(REJECTED, ["E36", "E21"])] * 2


def test_each_receiver_is_answered_for_itself(gateway: Gateway) -> None:
    gateway.note(named_receiver(NEW, 0, "4711"))
    assert answers(gateway, HOSPITAL) == [(REJECTED, ["E21"])]
    assert gateway.take(MUNICIPALITY) == []
    (to_gp,) = gateway.messages(GP)
    gateway.outside(HOSPITAL, receipt(to_gp))
    assert answers(gateway, HOSPITAL) == [(OK, [])]


def test_a_service_without_a_number_is_unknown(gateway: Gateway) -> None:
    gateway.note(swapped(swapped(NEW, SERVICE, "<Id></Id>"), "<Id>8920031</Id>", "<Id></Id>"))
    assert (REJECTED, ["E21"]) in answers(gateway, HOSPITAL)


def test_an_unknown_service_is_served_where_the_deployment_says_so(config: Path, start: Start) -> None:
    configured(config, 'unknown_service = "reject"', 'unknown_service = "accept"')
    gateway = start()
    gateway.note(named_receiver(NEW, 0, "4711"))
    assert answers(gateway, HOSPITAL) == []
    assert len(gateway.messages(MUNICIPALITY)) == 1


def test_what_is_addressed_to_others_alone_is_not_answered(gateway: Gateway) -> None:
    data = NEW
    for known, stranger in (("891003", "771003"), ("892003", "772003"), ("990003", "770003")):
        data = swapped(data, known, stranger)
    gateway.note(swapped(data, '<Forsendelsesstatus V="N" DN="Ny"/>', ""))
    (row,) = gateway.rows()
    assert row.state is InboundState.REJECTED
    assert gateway.take(f"epj_{HOSPITAL}") == []
    assert "not-answered" in [e.name for e in gateway.worker.journal.events(row.id)]


def test_a_message_without_a_sender_is_kept_and_not_answered(gateway: Gateway) -> None:
    start, end = NEW.index(b"<Sender>"), NEW.index(b"</Sender>") + len(b"</Sender>")
    gateway.note(NEW[:start] + NEW[end:])
    (row,) = gateway.rows([InboundKind.NOTE, InboundKind.UNREADABLE])
    assert row.state is InboundState.REJECTED
    assert gateway.sendings(row.id) == []


def test_a_receipt_is_never_answered(gateway: Gateway) -> None:
    gateway.note(NEW)
    (sent,) = gateway.messages(MUNICIPALITY)
    broken = receipt(sent).replace(b"<GenDate>", b"<GenDato>").replace(b"</GenDate>", b"</GenDato>")
    gateway.outside(HOSPITAL, broken)
    gateway.note(broken)
    assert gateway.take(MUNICIPALITY) == []
    assert answers(gateway, HOSPITAL) == []


def test_a_message_is_answered_once_whatever_happens(gateway: Gateway) -> None:
    gateway.note(NEW, NEW)
    (sent,), (to_gp,) = gateway.messages(MUNICIPALITY), gateway.messages(GP)
    gateway.outside(HOSPITAL, receipt(sent), receipt(sent), receipt(to_gp))
    gateway.note(NEW, version(NEW, parent=msg_id_of(NEW), sent="2026-03-05T08:00:00+01:00"))
    (row, _) = gateway.rows()
    given = [s.answers for s in gateway.sendings(row.id, SendingKind.RECEIPT)]
    assert sorted(i for i in given if i is not None) == [0, 1]


def test_what_is_no_note_is_refused_unless_the_deployment_takes_it(config: Path, start: Start) -> None:
    gateway = start()
    gateway.note(note("dips/07"))
    assert answers(gateway, HOSPITAL) == [(REJECTED, ["X99"])] * 2
    gateway.close()
    configured(config, "[rules.severity]", '[rules.severity]\nPH001 = "info"')
    gateway = start()
    gateway.note(note("dips/19"))
    row = gateway.rows()[-1]
    assert (row.state, row.reason) == (InboundState.ACCEPTED, "no-note")
    assert gateway.sendings(row.id, SendingKind.NOTE) == []
    given = gateway.sendings(row.id, SendingKind.RECEIPT)
    assert {s.apprec for s in given} == {OK}
