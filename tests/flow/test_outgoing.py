"""Everything that the sample notes make the gateway send: valid by the official schemas, and well signed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from gateway.contracts.errors import PermanentError
from gateway.contracts.messages import Format
from gateway.formats import identify
from gateway.formats.summary_xml import NAMESPACE
from gateway.ops.security import message_verifier
from gateway.security.gate import parse
from schemas import SchemaSet
from tests.conftest import NOTES
from tests.flow.harness import Gateway, receipt

DS = "{http://www.w3.org/2000/09/xmldsig#}"


@pytest.fixture
def outgoing(gateway: Gateway) -> list[bytes]:
    """Every message to a municipality or a GP, and every AppRec to a hospital."""
    for path in sorted(NOTES.rglob("*.xml")):
        gateway.note(path.read_bytes())
    bodies = []
    for endpoint in gateway.registry.endpoints:
        bodies += [d.envelope.body for d in gateway.take(endpoint.queue)]
    for hospital in gateway.registry.hospitals:
        bodies += [d.envelope.body for d in gateway.take(hospital.record_system_queue)]
    return bodies


def rooted(bodies: list[bytes]) -> Iterator[tuple[bytes, etree._Element, Format]]:
    for body in bodies:
        root = parse(body)
        found = identify(root).format
        assert found is not None
        yield body, root, found


def test_every_outgoing_message_is_valid_by_the_official_schemas(
    outgoing: list[bytes], standards: Path
) -> None:
    official = etree.XMLSchema(etree.parse(str(standards / "xsd" / "all.xsd")))
    own = SchemaSet()
    formats = set()
    for _, root, found in rooted(outgoing):
        formats.add(found)
        assert own.is_valid(root), found
        if found is Format.SUMMARY_1:
            # The official MsgHead does not know our summary: it stands in a place that may be empty.
            content = root.find(f".//{{{NAMESPACE}}}Summary")
            assert content is not None
            parent = content.getparent()
            assert parent is not None
            parent.remove(content)
        assert official.validate(root), found
    assert formats == set(Format)


def test_every_msghead_that_goes_out_is_signed_and_no_byte_of_it_can_change(
    outgoing: list[bytes], gateway: Gateway
) -> None:
    verifier = message_verifier(gateway.configuration)
    organisations = {h.org_no for h in gateway.registry.hospitals}
    chosen = random.Random(1)  # noqa: S311 - which byte is flipped is no secret
    signed = [(body, root) for body, root, _ in rooted(outgoing) if identify(root).envelope == "msghead"]
    assert len(signed) > 40
    for body, root in signed:
        verified = verifier.verify(body)
        assert verified.signer.org_no in organisations
        assert verified.covers == "whole message"
        texts = [e for e in root.iter() if e.text and e.text.strip() and not str(e.tag).startswith(DS)]
        word = chosen.choice(texts).text
        assert word is not None
        place = (
            body.index(word.split()[0].encode()) if word.split()[0].isascii() else body.index(b"MsgId>") + 6
        )
        flipped = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        with pytest.raises(PermanentError):
            verifier.verify(flipped)


def test_a_receipt_for_each_of_them_settles_its_note(gateway: Gateway) -> None:
    for path in sorted(NOTES.rglob("*.xml")):
        gateway.note(path.read_bytes())
    for endpoint in gateway.registry.endpoints:
        for message in gateway.messages(endpoint.queue):
            assert message.head.sender is not None
            gateway.outside(message.head.sender.organisation.her_id or "", receipt(message))
    states = {row.state.value for row in gateway.rows()}
    assert states == {"acknowledged", "rejected", "held", "withheld"}
