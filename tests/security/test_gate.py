from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.security.gate import GateRefusedError, Limits, parse, parse_damaged
from tests.conftest import NOTES
from tests.security.messages import MESSAGE, assert_tells_nothing

BOM = b"\xef\xbb\xbf"
XINCLUDE = "http://www.w3.org/2001/XInclude"


def entity_bomb() -> bytes:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    return f'<!DOCTYPE a [<!ENTITY e0 "ha">{entities}]><a>&e11;</a>'.encode()


REFUSED = {
    "empty": (b"", "not-well-formed"),
    "only-space": (b" \n ", "not-well-formed"),
    "truncated": (MESSAGE[:-30], "not-well-formed"),
    "mismatched": (b"<Kari><Nordmann></Kari></Nordmann>", "not-well-formed"),
    "two-roots": (b"<a/><b/>", "not-well-formed"),
    "control-character": (b"<a>\x0b</a>", "not-well-formed"),
    "control-reference": (b"<a>&#1;</a>", "not-well-formed"),
    "null": (b"<a>\0</a>", "not-well-formed"),
    "entity-without-dtd": (b"<a>&canary;</a>", "not-well-formed"),
    "unbound-prefix": (b"<a:b/>", "not-well-formed"),
    "doubled-attribute": (b'<a b="1" b="2"/>', "not-well-formed"),
    "not-xml": (b"%PDF-1.7", "not-well-formed"),
    "space-before-declaration": (b' <?xml version="1.0"?><a/>', "not-well-formed"),
    "bad-utf-8": (b"<a>bl\xe5b\xe6r</a>", "encoding"),
    "latin-1-said-to-be-utf-8": (b'<?xml version="1.0" encoding="UTF-8"?><a>\xe6</a>', "encoding"),
    "overlong-utf-8": (b"<a>\xc0\xbcb/></a>", "encoding"),
    "unknown-encoding": (b'<?xml version="1.0" encoding="x-canary"?><a/>', "encoding"),
    "bom-and-latin-1": (BOM + b'<?xml version="1.0" encoding="ISO-8859-1"?><a/>', "encoding"),
    "utf-7": (b'<?xml version="1.0" encoding="UTF-7"?>+ADw-a/+AD4-', "encoding"),
    "ebcdic": ('<?xml version="1.0" encoding="cp037"?><a/>'.encode("cp037"), "encoding"),
    **{
        name: (f'<?xml version="1.0" encoding="{name}"?><a>æ</a>'.encode(name), "encoding")
        for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32")
    },
    "doctype": (b"<!DOCTYPE a><a/>", "doctype"),
    "doctype-after-comment": (b"<?xml version='1.0'?><!-- x --><?p?>\n<!DOCTYPE a><a/>", "doctype"),
    "doctype-after-bom": (BOM + b"<!DOCTYPE a><a/>", "doctype"),
    "external-dtd": (b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>', "doctype"),
    "external-entity": (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "doctype"),
    "parameter-entity": (b'<!DOCTYPE a [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]><a/>', "doctype"),
    "entity-bomb": (entity_bomb(), "doctype"),
    "quadratic-blow-up": (
        b'<!DOCTYPE a [<!ENTITY x "' + b"x" * 50_000 + b'">]><a>' + b"&x;" * 5000 + b"</a>",
        "doctype",
    ),
    "stylesheet": (b'<?xml-stylesheet href="http://127.0.0.1:9/x.xsl"?><a/>', "stylesheet"),
    "stylesheet-after": (b'<a/><?xml-stylesheet href="x.xsl"?>', "stylesheet"),
    "stylesheet-within": (b'<a><?xml-stylesheet href="x.xsl"?></a>', "stylesheet"),
    "xml-model": (b'<?xml version="1.0"?><?xml-model href="x.rng"?><a/>', "external-reference"),
    "xinclude": (
        f'<a xmlns:i="{XINCLUDE}">\n<i:include href="/etc/passwd"/></a>'.encode(),
        "external-reference",
    ),
    "xinclude-in-disguise": (
        f'<a xmlns:i="{XINCLUDE.replace("n", "&#110;")}"><i:include href="/etc/passwd"/></a>'.encode(),
        "external-reference",
    ),
    "deep": (b"<a>" * 101 + b"</a>" * 101, "too-deep"),
    "very-deep": (b"<a>" * 50_000 + b"</a>" * 50_000, "too-deep"),
    "many-elements": (b"<a>" + b"<b/>" * 100_000 + b"</a>", "too-many-elements"),
    "very-many-elements": (b"<a>" + b"<b/>" * 2_000_000 + b"</a>", "too-many-elements"),
    "many-attributes": (
        b"<a " + b" ".join(b'b%d=""' % n for n in range(65)) + b"/>",
        "too-many-attributes",
    ),
    "very-many-attributes": (
        b"<a " + b" ".join(b'b%d=""' % n for n in range(500_000)) + b"/>",
        "too-many-attributes",
    ),
    "very-many-namespaces": (
        b"<a " + b" ".join(b'xmlns:b%d="u"' % n for n in range(500_000)) + b"/>",
        "too-many-attributes",
    ),
    "long-text": (b"<a>" + b"x" * 10_100_000 + b"</a>", "text-too-long"),
    "long-attribute": (b'<a b="' + b"x" * 10_100_000 + b'"/>', "text-too-long"),
    "long-name": (b"<a" + b"x" * 100_000 + b"/>", "text-too-long"),
    "long-comment": (b"<a><!--" + b"x" * 10_100_000 + b"--></a>", "text-too-long"),
    "large": (b"<a>" + b" " * (20 * 1024 * 1024) + b"</a>", "too-large"),
}


@pytest.mark.parametrize(("data", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_refuses(data: bytes, reason: str) -> None:
    with pytest.raises(GateRefusedError) as caught:
        parse(data)
    assert caught.value.reason == reason
    expected = "T01" if reason in {"not-well-formed", "encoding"} else "T99"
    assert [fault.code for fault in caught.value.faults] == [expected]
    assert caught.value.__context__ is None
    assert "canary" not in str(caught.value)
    assert "Kari" not in str(caught.value)


TAKEN = {
    "message": MESSAGE,
    "bom": BOM + MESSAGE,
    "no-declaration": b"<a>bl\xc3\xa5b\xc3\xa6r</a>",
    "leading-space": b"\n <a/>",
    "latin-1": '<?xml version="1.0" encoding="ISO-8859-1"?><a>blåbær</a>'.encode("latin-1"),
    "latin-1-lower-case": "<?xml version='1.0' encoding='iso-8859-1' ?><a>blåbær</a>".encode("latin-1"),
    "doctype-in-text": b"<a><![CDATA[<!DOCTYPE a>]]><!-- <!DOCTYPE a> --></a>",
    "other-instruction": b'<?xml version="1.0"?><a><?canary x?></a>',
    "schema-location": (
        b'<a xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="http://x"/>'
    ),
    "deep-enough": b"<a>" * 100 + b"</a>" * 100,
    "many-enough": b"<a>" + b"<b/>" * 99_999 + b"</a>",
    "attributes-enough": b"<a " + b" ".join(b'b%d=""' % n for n in range(64)) + b"/>",
    "text-long-enough": b"<a>" + b"x" * 9_900_000 + b"</a>",
    "c1-control": b"<a>\xc2\x96</a>",
}


@pytest.mark.parametrize("data", TAKEN.values(), ids=TAKEN.keys())
def test_takes(data: bytes) -> None:
    assert isinstance(parse(data), etree._Element)


def test_reads_the_letters_of_both_encodings() -> None:
    expected = "Blåbær på Ørsta – nei: Blåbær".replace("–", "-")
    for encoding in ("UTF-8", "ISO-8859-1"):
        data = f'<?xml version="1.0" encoding="{encoding}"?><a>{expected}</a>'.encode(encoding)
        assert parse(data).text == expected


def test_says_the_line() -> None:
    with pytest.raises(GateRefusedError) as caught:
        parse(b"<a>\n<b>\n</c>\n</a>")
    assert caught.value.line == 3
    assert "line 3" in str(caught.value)
    assert "Linje 3" in str(caught.value.faults[0].detail)


@pytest.mark.parametrize(
    ("limits", "data", "reason"),
    [
        (Limits(max_bytes=10), b"<a>12345</a>", "too-large"),
        (Limits(max_depth=2), b"<a><b><c/></b></a>", "too-deep"),
        (Limits(max_elements=2), b"<a><b/><c/></a>", "too-many-elements"),
        (Limits(max_attributes=1), b'<a b="" c=""/>', "too-many-attributes"),
        (Limits(max_namespaces=1), b'<a xmlns="u" xmlns:b="v"/>', "too-many-attributes"),
        (Limits(max_text=4), b"<a>12345</a>", "text-too-long"),
        (Limits(max_text=4), b'<a b="12345"/>', "text-too-long"),
    ],
)
def test_limits_are_settings(limits: Limits, data: bytes, reason: str) -> None:
    parse(data)
    with pytest.raises(GateRefusedError) as caught:
        parse(data, limits)
    assert caught.value.reason == reason


def test_reads_nothing_from_disk_or_network(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("canary")
    for data in (
        f'<!DOCTYPE a [<!ENTITY x SYSTEM "{secret.as_uri()}">]><a>&x;</a>',
        f'<a xmlns:i="{XINCLUDE}"><i:include href="{secret.as_uri()}" parse="text"/></a>',
    ):
        with pytest.raises(GateRefusedError):
            parse(data.encode())
        damaged = parse_damaged(data.encode())
        assert damaged is None


_HOG = """
import resource
from gateway.security.gate import GateRefusedError, parse
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for data in (
    b"<a>" + b"<b/>" * 5_000_000 + b"</a>",
    b"<a>" + b"<b c='' d='' e=''/>" * 90_000 + b"</a>",
):
    try:
        parse(data[: 20 * 1024 * 1024])
    except GateRefusedError:
        pass
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_memory_is_bounded() -> None:
    said = subprocess.run([sys.executable, "-c", _HOG], capture_output=True, check=True, text=True)
    # Three messages of up to 20 MiB themselves, and the largest tree that is let in.
    assert int(said.stdout) < 150


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_taken_or_refused(data: bytes) -> None:
    with contextlib.suppress(GateRefusedError):
        parse(data)
    parse_damaged(data)


@given(st.integers(0, len(MESSAGE) - 1), st.binary(max_size=3))
@settings(max_examples=200, deadline=None)
def test_a_damaged_message_is_taken_or_refused_without_a_value(position: int, noise: bytes) -> None:
    data = MESSAGE[:position] + noise + MESSAGE[position + 1 :]
    try:
        parse(data)
    except GateRefusedError as error:
        assert_tells_nothing(error)
    parse_damaged(data)


def test_every_note_passes_but_the_broken_ones() -> None:
    broken = 0
    for path in sorted(NOTES.rglob("*.xml")):
        if '"broken": "wellformed"' not in path.with_suffix(".expected.json").read_text():
            parse(path.read_bytes())
            continue
        broken += 1
        with pytest.raises(GateRefusedError) as caught:
            parse(path.read_bytes())
        assert caught.value.reason == "not-well-formed"
    assert broken


def test_every_official_example_passes(standards: Path) -> None:
    paths = [p for p in sorted((standards / "examples").rglob("*.xml")) if "testcases" not in p.parts]
    assert len(paths) > 20
    for path in paths:
        parse(path.read_bytes())


def test_the_head_of_a_damaged_message_can_be_read() -> None:
    damaged = parse_damaged(MESSAGE[: MESSAGE.index(b"<Document>") + 20])
    assert damaged is not None
    assert damaged.findtext("{*}MsgInfo/{*}MsgId") == "9dfb369b-ab13-4fae-a276-55daa05f1119"


@pytest.mark.parametrize("data", [b"", b"no xml", entity_bomb(), b"<!DOCTYPE a><a", b"x" * 21_000_000])
def test_nothing_is_made_of_what_is_not_safe(data: bytes) -> None:
    assert parse_damaged(data) is None
