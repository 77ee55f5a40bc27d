"""When a note repeats an earlier one (PH040), on either journal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.contracts.states import InboundState
from tests.flow.conftest import Start
from tests.flow.harness import Gateway, note, with_new_id
from tests.flow.variants import configured
from tests.postgres_server import PostgresServer

FIRST, CHANGE = note("dips/01"), note("dips/05")
"""Of 2 March 2026, 13:45, with C18.7; and the change of it"""
PATIENT, OTHER_PATIENT = b"14896112148", b"04835890398"
TEN_DAYS = "2026-03-12T08:00:00+01:00"
RELAPSE = (
    b"operert 24.02.2026. Diagnosen stilt 06.02.2026. Kurativ intensjon.",
    b"residiv i mars 2026.",
)


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, start: Start, config: Path) -> Iterator[Gateway]:
    """A gateway on either journal."""
    if request.param == "sqlite":
        yield start()
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as url:
        configured(config, 'url = "sqlite:journal.sqlite"', f'url = "{url}"')
        gateway = start()
        yield gateway
        gateway.close()


def _again(sent_at: str, *changes: tuple[bytes, bytes], of: bytes = FIRST) -> bytes:
    """A note under another id, as sent at another time, with words replaced."""
    data = with_new_id(of)
    generated = b"<GenDate>" + sent_at.encode() + b"</GenDate>"
    data = re.sub(rb"<GenDate>[^<]+</GenDate>", generated, data, count=1)
    for before, after in changes:
        assert before in data
        data = data.replace(before, after)
    return data


def _is_repeat(gateway: Gateway, *notes: bytes) -> bool:
    """Whether the last of some notes is held as a repeat."""
    for each in notes:
        gateway.note(each)
    rows = gateway.rows()
    assert len(rows) == len(notes)
    held = "PH040" in {finding.code for finding in rows[-1].findings}
    assert (rows[-1].state is InboundState.HELD) is held
    return held


@pytest.mark.parametrize(
    ("sent_at", "repeat"),
    [
        ("2026-03-02T13:45:00+01:00", True),
        (TEN_DAYS, True),
        # Thirty days to the second: the clock was put forward in between.
        ("2026-04-01T14:45:00+02:00", True),
        ("2026-04-01T14:45:01+02:00", False),
        ("2026-05-02T10:00:00+02:00", False),
    ],
)
def test_a_note_within_the_set_days_is_a_repeat(either: Gateway, sent_at: str, *, repeat: bool) -> None:
    assert _is_repeat(either, FIRST, _again(sent_at)) is repeat


def test_the_days_are_those_that_are_set(start: Start, config: Path) -> None:
    configured(config, "repeat_days = 30", "repeat_days = 9")
    assert not _is_repeat(start(), FIRST, _again(TEN_DAYS))


def test_a_note_that_was_sent_before_and_comes_after_is_a_repeat(either: Gateway) -> None:
    assert _is_repeat(either, FIRST, _again("2026-02-20T08:00:00+01:00"))


def test_another_patient_s_note_is_none(either: Gateway) -> None:
    assert not _is_repeat(either, FIRST, _again(TEN_DAYS, (PATIENT, OTHER_PATIENT)))


def test_the_patient_is_known_by_a_keyed_hash_however_the_id_is_written(either: Gateway) -> None:
    spaced = PATIENT[:6] + b" " + PATIENT[6:]
    assert _is_repeat(either, FIRST, _again(TEN_DAYS, (PATIENT, spaced)))
    one, other = either.rows()
    assert one.patient_reference
    assert one.patient_reference == other.patient_reference
    assert PATIENT.decode() not in one.patient_reference


@pytest.mark.parametrize(
    ("changes", "repeat"),
    [
        (((b'V="C187"', b'V="C509"'),), False),
        # Another place in the same organ is the same cancer.
        (((b'V="C187"', b'V="C182"'),), True),
        ((RELAPSE,), False),
    ],
    ids=["another cancer", "the same category", "relapse"],
)
def test_a_relapse_and_another_diagnosis_are_none(
    either: Gateway, changes: tuple[tuple[bytes, bytes], ...], *, repeat: bool
) -> None:
    assert _is_repeat(either, FIRST, _again(TEN_DAYS, *changes)) is repeat


def test_a_note_after_a_relapse_s_is_a_repeat_of_that(either: Gateway) -> None:
    relapse = _again(TEN_DAYS, RELAPSE)
    assert _is_repeat(either, relapse, _again("2026-03-14T08:00:00+01:00"))


def test_an_update_of_the_same_note_is_none(either: Gateway) -> None:
    assert not _is_repeat(either, FIRST, CHANGE)


def test_a_new_note_after_an_update_is_a_repeat(either: Gateway) -> None:
    assert _is_repeat(either, FIRST, CHANGE, _again(TEN_DAYS))


def test_the_same_message_again_is_no_note_at_all(either: Gateway) -> None:
    either.note(FIRST, FIRST)
    (row,) = either.rows()
    assert "PH040" not in {finding.code for finding in row.findings}


def test_what_was_never_sent_on_is_not_repeated(either: Gateway) -> None:
    """A note that is withheld reached nobody: the next one repeats nothing."""
    objects = (
        b"Pas. har startet pakkeforl",
        "Pas. ønsker ikke at kommunen får informasjon. Har startet pakkeforl".encode(),
    )
    withheld = _again("2026-03-02T13:45:00+01:00", objects)
    assert not _is_repeat(either, withheld, _again(TEN_DAYS))
    assert either.rows()[0].state is InboundState.WITHHELD
