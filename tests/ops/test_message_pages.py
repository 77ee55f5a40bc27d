"""What came in as a page for a person: asked for with a reason, kept from others, told in the audit log."""

from __future__ import annotations

import stat
from pathlib import Path

from tests.conftest import NOTES, STANDARDS
from tests.flow.harness import Gateway, note, receipt
from tests.ops.conftest import Pakkehjem

NOTE = next(NOTES.glob("dips/01-*.xml"))
WHY = ("--reveal", "--reason", "avdelingen spør")


def test_a_note_is_shown_as_a_page_once_it_was_asked_for(
    pakkehjem: Pakkehjem, gateway: Gateway, tmp_path: Path
) -> None:
    gateway.note(note("dips/01"))
    (row,) = gateway.rows()
    page = tmp_path / "page.html"
    shown = ("messages", "show", row.id, "-c", gateway.config, "--html", page)
    assert pakkehjem(*shown).code == 2
    assert not page.exists()
    done = pakkehjem(*shown, *WHY)
    assert done.code == 0
    assert "delete it" in done.err
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    # The content is in the file, and not on the screen.
    assert "Pakkeforløp" not in done.out
    assert pakkehjem(*shown, *WHY).code != 0  # nothing is written over


def test_a_receipt_that_came_is_shown_too(pakkehjem: Pakkehjem, gateway: Gateway, tmp_path: Path) -> None:
    gateway.note(note("dips/01"))
    (row,) = gateway.rows()
    (message,) = gateway.messages("8910031_async")
    gateway.outside("8900100", receipt(message))
    page = tmp_path / "page.html"
    answers = pakkehjem("messages", "list", "--kind", "receipt", "-c", gateway.config, "--json").json()
    done = pakkehjem("messages", "show", answers[0]["id"], "-c", gateway.config, "--html", page, *WHY)
    assert done.code == 0
    assert "Applikasjonskvittering: Mottatt" in page.read_text(encoding="utf-8")
    assert row.id != answers[0]["id"]


def test_convert_shows_a_receipt_and_what_is_no_note(pakkehjem: Pakkehjem, standards: Path) -> None:
    del standards
    file = min((STANDARDS / "examples" / "apprec").glob("1.*/*.xml"))
    done = pakkehjem("convert", file, "--to", "html")
    assert done.code == 0
    assert "<h1>Applikasjonskvittering" in done.out
    other = next(NOTES.glob("helseplattformen/07-*.xml"))
    assert "<h1>" in pakkehjem("convert", other, "--to", "html").out
    assert pakkehjem("convert", next(NOTES.glob("dips/20-*.xml")), "--to", "html").code == 1
