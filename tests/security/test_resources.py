"""What costs little to send must cost little to refuse: within a second, in 200 MB beyond the bytes received.

Each attack goes through the whole way in, the look for a head to answer included, in a process of its own:
what another has left in memory hides nothing. The kernel's high-water mark is set back when the message is
there.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import require

_SCRIPT = r"""
import json, os, re, time
from gateway.intake.intake import RefusedError
from gateway.ops.conversion import _ANY_MESSAGE_ID, stateless_intake
from gateway.security.errors import SignatureRefusedError
from gateway.security.gate import GateRefusedError, parse
from gateway.security.signature_structure import MSGHEAD, check_structure
from tests.conftest import NOTES

MB = 1024 * 1024
DS = "http://www.w3.org/2000/09/xmldsig#"
INTAKE = stateless_intake(_ANY_MESSAGE_ID)
NOTE = next((NOTES / "dips").glob("01-*.xml")).read_bytes()
INTAKE.open(NOTE)

def laughs():
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    return f'<!DOCTYPE a [<!ENTITY e0 "ha">{entities}]><a>&e11;</a>'.encode()

def signature(references):
    one = b'<ds:Reference URI=""/>'
    return (f'<MsgHead xmlns="{MSGHEAD}" xmlns:ds="{DS}"><ds:Signature><ds:SignedInfo>'.encode()
            + one * references + b"</ds:SignedInfo><ds:SignatureValue>AAAA</ds:SignatureValue><ds:KeyInfo/>"
            b"</ds:Signature></MsgHead>")

def blow_up():
    entity = b'<!DOCTYPE a [<!ENTITY x "' + b"x" * 100_000 + b'">]>'
    return entity + b"<a>" + b"&x;" * 100_000 + b"</a>"

def schema_location():
    where = b'x:schemaLocation="urn:a http://127.0.0.1:9/a.xsd"'
    return b'<a xmlns="urn:a" xmlns:x="http://www.w3.org/2001/XMLSchema-instance" ' + where + b"/>"

def note_with(text):
    return NOTE.replace(b"</MsgHead>", b"<!--" + text + b"--></MsgHead>")

ATTACKS = {
    "billion-laughs": laughs,
    "quadratic-blow-up": blow_up,
    "external-entity": lambda: b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///dev/zero">]><a>&x;</a>',
    "external-dtd": lambda: b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>',
    "parameter-entity": lambda: b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:9/"> %x;]><a/>',
    "xinclude": lambda: b'<a xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="/dev/zero"/></a>',
    "schema-location": schema_location,
    "depth": lambda: b"<a>" * 100_000 + b"</a>" * 100_000,
    "depth-of-namespaces": lambda: b"".join(b'<a xmlns:n%d="u">' % n for n in range(9_000)),
    "attributes": lambda: b"<a " + b" ".join(b'b%d=""' % n for n in range(100_000)) + b"/>",
    "attributes-of-one-name": lambda: b"<a " + b'b="" ' * 100_000 + b"/>",
    "namespaces": lambda: b"<a " + b" ".join(b'xmlns:b%d="u"' % n for n in range(100_000)) + b"/>",
    "references": lambda: signature(100_000),
    "references-within-the-limit": lambda: signature(90_000),
    "character-references": lambda: b"<a>" + b"&#65;" * 3_000_000 + b"</a>",
    "elements": lambda: b"<a>" + b"<b/>" * 4_000_000 + b"</a>",
    "open-elements": lambda: b"<a>" + b"<b>" * 3_000_000,
    "comments": lambda: b"<a>" + b"<!---->" * 2_000_000 + b"</a>",
    "instructions": lambda: b"<?a?>" * 3_000_000 + b"<a/>",
    "prolog": lambda: b"<!--x-->" * 2_000_000 + b"<!DOCTYPE a><a/>",
    "text-at-the-limit": lambda: b"<a>" + b"x" * (19 * MB) + b"</a>",
    "text-of-a-note": lambda: note_with(b"x" * (19 * MB)),
    "text-of-200-mb": lambda: b"<a>" + b"x" * (200 * MB) + b"</a>",
    "note-of-200-mb": lambda: note_with(b"x" * (200 * MB)),
}

def high_water():
    with open("/proc/self/status") as file:
        return int(re.search(r"VmHWM:\s+(\d+)", file.read())[1]) / 1024

def refusal(data):
    try:
        INTAKE.open(data)
    except RefusedError as error:
        return error.reason
    return "taken"

def measured(name, data):
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    before, start = high_water(), time.process_time()
    reason = refusal(data)
    seconds, megabytes = time.process_time() - start, high_water() - before
    if name.startswith("references"):
        try:
            check_structure(parse(data))
        except (SignatureRefusedError, GateRefusedError) as error:
            reason = error.reason
    return [reason, seconds, megabytes]

found = {}
for name, make in ATTACKS.items():
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(writing, json.dumps(measured(name, make())).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading) as file:
        found[name] = json.loads(file.read() or "null")
    os.waitpid(child, 0)
print(json.dumps(found))
"""

REASONS = {
    "billion-laughs": "doctype",
    "quadratic-blow-up": "doctype",
    "external-entity": "doctype",
    "external-dtd": "doctype",
    "parameter-entity": "doctype",
    "xinclude": "external-reference",
    # The location is passed over, never fetched; what is refused is the unknown format.
    "schema-location": "unsupported-format",
    "depth": "too-deep",
    "depth-of-namespaces": "too-deep",
    "attributes": "too-many-attributes",
    "attributes-of-one-name": "not-well-formed",
    "namespaces": "too-many-attributes",
    "references": "too-many-elements",
    "references-within-the-limit": "reference-not-allowed",
    "character-references": "unsupported-format",
    "elements": "too-many-elements",
    "open-elements": "too-many-elements",
    "comments": "too-many-elements",
    "instructions": "too-many-elements",
    "prolog": "doctype",
    "text-at-the-limit": "text-too-long",
    "text-of-a-note": "text-too-long",
    "text-of-200-mb": "too-large",
    "note-of-200-mb": "too-large",
}


@pytest.fixture(scope="module")
def found() -> dict[str, tuple[str, float, float]]:
    require(Path("/proc/self/clear_refs").exists(), "the high-water mark of memory is Linux'")
    done = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    measured: dict[str, tuple[str, float, float]] = json.loads(done.stdout)
    return measured


@pytest.mark.parametrize("name", REASONS)
def test_is_refused_quickly_in_little_memory(name: str, found: dict[str, tuple[str, float, float]]) -> None:
    reason, seconds, megabytes = found[name]
    assert reason == REASONS[name]
    assert seconds < 1.0
    assert megabytes < 200
