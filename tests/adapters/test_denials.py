"""What is not wanted is no item, and nothing that a field is missing: it is not noticed as unplaced."""

from __future__ import annotations

import pytest

import adapters
from gateway.contracts.reading import Reading
from tests.adapters.comparison import message_of


def _read(system: str, text: str) -> Reading:
    note = {
        "system": system,
        "subject": "Pakkeforløp hjem",
        "text": f"Pakkeforløp hjem\n{text}",
        "sent_at": "2026-05-20T10:00:00+02:00",
    }
    adapter = adapters.installed().named(system)
    assert adapter is not None
    return adapter.read(message_of(note), None)


@pytest.mark.parametrize("system", ["dips", "doculive", "helseplattformen"])
@pytest.mark.parametrize(
    "text",
    [
        "Psykolog er foreløpig ikke aktuelt.",
        "Psykolog er førebels ikkje aktuelt.",
        "Hjemmesykepleie trengs ikke.",
        "Heimesjukepleie ønskast ikkje no.",
        "Fysioterapeut er uaktuelt.",
        "Støttekontakt er ikkje ønskjeleg.",
        "Sosionom: ikke ønsket.",
        "Ikke behov for praktisk bistand.",
    ],
)
def test_a_service_that_is_not_wanted_is_no_item(system: str, text: str) -> None:
    reading = _read(system, text)
    assert (reading.summary.needs, reading.summary.referrals, reading.summary.strains) == ((), (), ())
    assert reading.unplaced == ()


@pytest.mark.parametrize(
    "text", ["Pasienten er ikke aktuell for studien.", "Flytting til Spania er ikke aktuelt."]
)
def test_what_is_no_service_is_noticed(text: str) -> None:
    reading = _read("dips", text)
    assert reading.unplaced == (text,)
    assert reading.summary.needs == ()
