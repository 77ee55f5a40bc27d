"""The page of a rendering."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given, settings
from lxml import html

from gateway.contracts.summary import Action, Summary
from gateway.rendering import render_html
from gateway.rendering.form import form
from tests.rendering.orders import NOTE, RICH, SPARSE
from tests.strategies import summaries

_VOID = {"meta"}


class _Elements(HTMLParser):
    """Refuses what is not nested well."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not any(name.startswith("on") or name in ("src", "href") for name, _ in attrs)
        self.seen.add(tag)
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _check(page: str) -> set[str]:
    parser = _Elements()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser.seen


@settings(max_examples=60, deadline=None)
@given(summary=summaries())
def test_no_text_of_a_note_becomes_part_of_the_page(summary: Summary) -> None:
    seen = _check(render_html(summary))
    allowed = "html head meta title style body main h1 h2 section p dl dt dd ul li b"
    assert seen <= set(allowed.split())


def test_the_page_is_norwegian_and_has_a_heading_for_each_section() -> None:
    page = html.document_fromstring(render_html(RICH))
    assert page.get("lang") == "nb"
    assert page.findtext(".//title") == "Pakkeforløp hjem for pasienter med kreft"
    assert [h.text for h in page.iter("h1")] == ["Pakkeforløp hjem for pasienter med kreft"]
    headings = [section.heading for section in form().sections] + [form().note]
    assert [h.text for h in page.iter("h2")] == headings
    named = {section.get("aria-labelledby") for section in page.iter("section")}
    assert named == {heading.get("id") for heading in page.iter("h2")}
    assert len(named) == len(headings)


def test_values_items_and_the_note_stand_in_their_places() -> None:
    page = html.document_fromstring(render_html(RICH))
    pairs = {(dt.text, dt.xpath("string(following-sibling::dd)")) for dt in page.iter("dt")}
    assert ("Diagnose", "Brystkreft, venstre side") in pairs
    assert "Praktisk: Bekymret for økonomien" in [li.xpath("string()") for li in page.iter("li")]
    assert page.xpath("string(//p[@class='note'])") == NOTE


def test_a_cancellation_says_so_first() -> None:
    page = html.document_fromstring(render_html(SPARSE, action=Action.CANCEL, gp=True))
    assert page.findtext(".//h1") == "KANSELLERT: Pakkeforløp hjem for pasienter med kreft"
    assert "slett" in (page.findtext(".//p") or "")
