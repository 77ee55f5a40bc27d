"""Texts that would be commands where they land: in a page, a terminal, a database, a header, a file name."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from lxml import etree
from sqlalchemy import create_engine, text

from gateway.contracts.receipts import ErrorCode, ReceiptStatus
from gateway.contracts.states import InboundState, SendingKind
from gateway.formats import read_message
from gateway.ops.console import printable
from gateway.ops.conversion import convert_message, written_as
from gateway.security.gate import parse
from tests.conftest import NOTES
from tests.flow.harness import ALL_KINDS, Gateway, note, receipt, with_new_id
from tests.flow.test_receipts_and_replies import reply_to
from tests.ops.conftest import Pakkehjem, pakkehjem

__all__ = ["pakkehjem"]

SQL = "x'; DROP TABLE inbound; DELETE FROM sending; --"
HTML = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&lt;"
TERMINAL = "\x7f\x85\x90\x9b\x9c\x9d\u202e\u2028"
MUNICIPALITY = "8910031"
SAMPLES = [next((NOTES / s).glob("01-*.xml")) for s in ("dips", "doculive", "helseplattformen")]


@pytest.fixture
def gateway(config: Path) -> Iterator[Gateway]:
    running = Gateway(config)
    yield running
    running.close()


def texts(root: etree._Element) -> list[etree._Element]:
    return [e for e in root.iter("*") if e.text and e.text.strip() and not len(e)]


def with_text_in(data: bytes, index: int, value: str) -> bytes:
    """The message with a value in one of its texts."""
    root = parse(data)
    element = texts(root)[index]
    element.text = f"{element.text} {value}"
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def with_text_everywhere(data: bytes, value: str) -> bytes:
    """The message with a value after every text of several words: names, addresses, the note itself."""
    root = parse(data)
    for element in texts(root):
        if " " in (element.text or "").strip() and etree.QName(element).localname != "MIGversion":
            element.text = f"{element.text} {value}"
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def test_sql_in_every_text_field(gateway: Gateway) -> None:
    data = note("dips/01")
    count = len(texts(parse(data)))
    assert count > 20
    gateway.note(with_text_everywhere(data, SQL))
    arrived = [parse(delivery.envelope.body) for delivery in gateway.take(f"{MUNICIPALITY}_async")]
    assert ["".join(map(str, root.itertext())).count("DROP TABLE inbound") > 1 for root in arrived] == [True]
    gateway.note(*(with_new_id(with_text_in(data, index, SQL)) for index in range(count)))
    rows = gateway.rows(ALL_KINDS)
    assert len(rows) == 1 + count
    assert not [row.reason for row in rows if (row.reason or "").startswith("error:")]
    assert {row.state for row in rows} <= {
        InboundState.DELIVERED,
        InboundState.HELD,
        InboundState.REJECTED,
        InboundState.FAILED,
    }
    with create_engine(f"sqlite:///{gateway.config.parent / 'journal.sqlite'}").connect() as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda p: p.parent.name)
def test_html_and_script_in_every_text(sample: Path) -> None:
    clean = written_as(convert_message(sample.read_bytes()), "html").decode()
    hostile = written_as(convert_message(with_text_everywhere(sample.read_bytes(), HTML)), "html").decode()
    assert "&lt;script&gt;" in hostile
    before, after = Page(), Page()
    before.feed(clean)
    after.feed(hostile)
    assert after.tags <= before.tags | {"ul", "li", "p", "dl", "dt", "dd", "b", "section", "h2"}
    assert after.tags.isdisjoint({"script", "img", "iframe", "object", "a", "link", "base", "form"})
    assert after.attributes <= before.attributes
    assert not [name for name in after.attributes if name.startswith("on")]


def test_html_and_script_in_replies_and_receipts(
    gateway: Gateway, pakkehjem: Pakkehjem, tmp_path: Path
) -> None:
    gateway.note(note("dips/01"))
    (message,) = gateway.messages(f"{MUNICIPALITY}_async")
    refused = receipt(message, ReceiptStatus.REJECTED, ErrorCode.PATIENT_INSUFFICIENT)
    for number, data in enumerate((reply_to(message), refused)):
        pages = []
        for name, body in (("clean", data), ("hostile", with_text_everywhere(data, HTML))):
            file = tmp_path / f"{name}{number}.xml"
            file.write_bytes(body)
            done = pakkehjem("convert", file, "--to", "html")
            assert done.code == 0, done.err
            pages.append(done.out)
        before, after = Page(), Page()
        before.feed(pages[0])
        after.feed(pages[1])
        assert "&lt;script&gt;" in pages[1]
        assert after.tags == before.tags
        assert after.attributes == before.attributes


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda p: p.parent.name)
@pytest.mark.parametrize("target", ["text", "dialogmelding-1.1", "plo-1.6", "epikrise-1.2"])
def test_markup_stays_text_in_every_format(sample: Path, target: str) -> None:
    written = written_as(convert_message(with_text_everywhere(sample.read_bytes(), HTML)), target)
    if target == "text":
        assert b"<script>" in written
        return
    root = parse(written)
    assert next((e for e in root.iter("*") if etree.QName(e).localname.lower() == "script"), None) is None
    assert "<script>" in "".join(map(str, root.itertext()))


@pytest.mark.parametrize("control", [*TERMINAL, *map(chr, range(9)), *map(chr, range(11, 32))])
def test_nothing_that_steers_a_terminal_is_printed(control: str) -> None:
    assert control not in printable(f"before{control}[31mafter")


def test_escapes_can_not_come_in_as_xml() -> None:
    """XML 1.0 has no ESC; the eight-bit controls that it has are taken out where text is shown."""
    for escape in (b"\x1b[31m", b"&#27;[31m", b"&#x1b;[31m"):
        result = convert_message(SAMPLES[0].read_bytes().replace(b"</MsgId>", escape + b"</MsgId>"))
        assert result.refusal is not None
        assert "\x1b" not in result.refusal


FORMULAS = ("=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\uff1d1+1")


def with_names(register: Path, begin: str) -> None:
    """Every name of the register begins with these words."""
    found = re.sub(r'(?m)^(\s*name = ")', lambda match: match[1] + begin, register.read_text())
    assert begin in found
    register.write_text(found)


def reported(pakkehjem: Pakkehjem, gateway: Gateway, *arguments: object) -> None:
    gateway.restart()
    gateway.note(*(with_new_id(note(name)) for name in ("dips/01", "doculive/01", "helseplattformen/01")))
    done = pakkehjem("report", *arguments, "-c", gateway.config)
    assert done.code == 0, done.err


def test_html_and_script_in_the_report(pakkehjem: Pakkehjem, gateway: Gateway, tmp_path: Path) -> None:
    clean, hostile = tmp_path / "clean.html", tmp_path / "hostile.html"
    reported(pakkehjem, gateway, "--html", clean)
    with_names(gateway.config.parent / "register.toml", HTML.replace('"', '\\"'))
    reported(pakkehjem, gateway, "--html", hostile)
    assert "&lt;script&gt;alert(1)" in hostile.read_text()
    before, after = Page(), Page()
    before.feed(clean.read_text())
    after.feed(hostile.read_text())
    assert after.tags == before.tags
    assert after.tags.isdisjoint({"script", "img", "iframe", "object", "base", "form"})
    assert after.attributes <= before.attributes
    assert not [name for name in after.attributes if name.startswith("on")]


@pytest.mark.parametrize("formula", FORMULAS)
def test_formulas_in_the_csv_of_the_report(
    formula: str, pakkehjem: Pakkehjem, gateway: Gateway, tmp_path: Path
) -> None:
    with_names(gateway.config.parent / "register.toml", formula.replace("\t", "\\t"))
    file = tmp_path / "report.csv"
    reported(pakkehjem, gateway, "--csv", file)
    rows = list(csv.reader(io.StringIO(file.read_bytes().decode("utf-8-sig")), delimiter=";"))
    names = [cell for row in rows for cell in row if formula.strip() in cell]
    assert names
    assert {cell[0] for cell in names} == {"'"}


NAMES = ["../../../../tmp/canary", "/etc/cron.d/canary", "..\\..\\canary", "canary\0.pdf", "CON", "~/canary"]


def with_attachment_named(data: bytes, name: str) -> bytes:
    """The message with a document whose description is a path."""
    document = (
        '<Document xmlns="http://www.kith.no/xmlstds/msghead/2006-05-24"><RefDoc>'
        '<MsgType V="A" DN="Vedlegg"/><MimeType>application/pdf</MimeType><Description/><Content>'
        '<Base64Container xmlns="http://www.kith.no/xmlstds/base64container">JVBERi0=</Base64Container>'
        "</Content></RefDoc></Document>"
    )
    root = parse(data)
    added = etree.fromstring(document)
    added[0][2].text = name.replace("\0", "")
    root.append(added)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def test_the_name_of_an_attachment_is_a_text_and_no_path(gateway: Gateway) -> None:
    folder = gateway.config.parent

    def files() -> set[Path]:
        return {p.relative_to(folder) for p in folder.rglob("*") if "sqlite" not in p.name}

    before = files()
    gateway.note(*(with_new_id(with_attachment_named(note("dips/01"), name)) for name in NAMES))
    rows = gateway.rows()
    assert len(rows) == len(NAMES)
    assert not [row.reason for row in rows if (row.reason or "").startswith("error:")]
    assert files() == before
    assert not Path("/tmp/canary").exists()  # noqa: S108 - what an attack would have written
    descriptions = {
        attachment.description
        for delivery in gateway.take(f"{MUNICIPALITY}_async")
        for attachment in read_message(parse(delivery.envelope.body)).attachments
    }
    assert "../../../../tmp/canary" in descriptions


HOSTILE_IDS = ["a\r\nX-Evil: 1", "a\nfromHerId: 8900200", "../x", "#", "8910031_async", "x" * 5000]


@pytest.mark.parametrize("value", HOSTILE_IDS, ids=range(len(HOSTILE_IDS)))
def test_no_id_of_a_message_becomes_a_header_or_the_name_of_a_queue(value: str, gateway: Gateway) -> None:
    """Queues are the register's; an id is one value of one header, without line ends."""
    known = {s.name for s in gateway.worker.queue.status()}
    data = note("dips/01")
    root = parse(data)
    msg_id = root.find(".//{*}MsgId")
    assert msg_id is not None
    msg_id.text = value
    gateway.note(etree.tostring(root, encoding="UTF-8", xml_declaration=True))
    assert {s.name for s in gateway.worker.queue.status()} == known
    for row in gateway.rows(ALL_KINDS):
        for sending in gateway.sendings(row.id, *SendingKind):
            assert sending.queue in known
            for name, content in (sending.headers or {}).items():
                assert re.fullmatch(r"[A-Za-z0-9-]+", name)
                assert content.isprintable()
                assert len(content) <= 255
