"""Who a named receiver is to us, and what goes along with a message: piece by piece."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.contracts.messages import Attachment, Head, Identifier, Party, Person, Receiver, Unit
from gateway.formats import read_head
from gateway.formats.mend import mend
from gateway.intake.attachments import attachment_faults, mime_type, taken
from gateway.routing.addressees import Addressees, Standing, sending_hospital
from gateway.routing.register_file import RegisterFile
from gateway.security.gate import parse_damaged
from tests.conftest import REGISTRY
from tests.flow.harness import note
from tests.flow.variants import JPEG, PDF, PNG

OWN = "8999900"
REGISTER = RegisterFile.load(REGISTRY)
KNOWN = Addressees(REGISTER, OWN)


def numbers(**given_as: str) -> tuple[Identifier, ...]:
    return tuple(Identifier(id=number, type=kind) for kind, number in given_as.items())


def organisation(**given_as: str) -> Unit:
    return Unit(name="Org", identifiers=numbers(**given_as))


@pytest.mark.parametrize(
    ("party", "standing"),
    [
        (Party(organisation=organisation(HER=OWN)), Standing.OURS),
        (Party(organisation=organisation(HER=OWN), unit=organisation(HER="1")), Standing.OURS),
        (Party(organisation=organisation(HER="8910030"), unit=organisation(HER="8910031")), Standing.OURS),
        (Party(organisation=organisation(HER="89 10030"), unit=organisation(HER="8910.031")), Standing.OURS),
        (Party(organisation=organisation(), unit=organisation(HER="8910031")), Standing.OURS),
        (Party(organisation=organisation(HER="8910030")), Standing.OURS),
        (Party(organisation=organisation(HER="8910031")), Standing.OURS),
        (Party(organisation=organisation(ENH="310 000 202")), Standing.OURS),
        (
            Party(organisation=organisation(HER="8910030"), unit=organisation(HER="4711")),
            Standing.UNKNOWN_SERVICE,
        ),
        (Party(organisation=organisation(HER="8910030"), unit=organisation()), Standing.UNKNOWN_SERVICE),
        (Party(organisation=organisation(ENH="310000202"), unit=organisation()), Standing.UNKNOWN_SERVICE),
        (
            Party(
                organisation=organisation(HER="8920030"), person=Person(identifiers=numbers(HPR="009900031"))
            ),
            Standing.OURS,
        ),
        (
            Party(
                organisation=organisation(HER="8920010"), person=Person(identifiers=numbers(HPR="9900031"))
            ),
            Standing.UNKNOWN_SERVICE,
        ),
        (
            Party(organisation=organisation(HER="77"), person=Person(identifiers=numbers(HPR="9900031"))),
            Standing.OTHERS,
        ),
        (
            Party(organisation=organisation(HER="8920030"), person=Person(name="Lege")),
            Standing.UNKNOWN_SERVICE,
        ),
        (Party(organisation=organisation(HER="77"), unit=organisation(HER="78")), Standing.OTHERS),
        (Party(), Standing.OTHERS),
    ],
)
def test_what_a_receiver_is_to_us(party: Party, standing: Standing) -> None:
    assert KNOWN.standing(party) is standing
    head = read_head(etree.fromstring(note("dips/01")))
    assert head is not None
    message = Head(
        msg_type=head.msg_type,
        msg_id="1",
        generated_at="",
        sent_at=None,
        receivers=(Receiver(party=Party()), Receiver(party=party)),
    )
    assert KNOWN.serves(message) is (standing is not Standing.OTHERS)


def test_an_organisation_with_several_ways_in_needs_a_service() -> None:
    gp = (
        '[[gp]]\nname = "A B"\nher_id = "{0}"\nhpr = "{0}"\noffice = {{ name = "K", her_id = "5" }}\n'
        'accepts = ["plo-1.6"]\n'
    )
    two = RegisterFile.from_document(tomllib.loads(gp.format(1) + gp.format(2)))
    known = Addressees(two, OWN)
    assert known.standing(Party(organisation=organisation(HER="5"))) is Standing.UNKNOWN_SERVICE
    assert (
        known.standing(Party(organisation=organisation(HER="5"), unit=organisation(HER="2"))) is Standing.OURS
    )


def test_a_hospital_is_known_by_its_organisation_number_where_it_has_no_other() -> None:
    found = sending_hospital(REGISTER, Party(organisation=organisation(ENH="310 000 107")))
    assert found is not None
    assert found.her_id == "8900100"
    assert sending_hospital(REGISTER, Party(organisation=organisation(ENH="310000107", HER="77"))) is None
    assert sending_hospital(REGISTER, None) is None


def attached(content: bytes, said: str) -> Attachment:
    return Attachment(mime_type=said, description=None, content=content)


@pytest.mark.parametrize(
    ("attachment", "expected"),
    [
        (attached(PDF, "application/pdf"), "application/pdf"),
        (attached(PDF, "Application/PDF; name=x"), "application/pdf"),
        (attached(JPEG, "image/jpg"), "image/jpeg"),
        (attached(PNG, "application/octet-stream"), "image/png"),
        (attached(PDF, ""), "application/pdf"),
        (attached(b"MZ", ""), "application/octet-stream"),
        (attached(PDF, "text/html"), "text/html"),
    ],
)
def test_the_type_of_an_attachment(attachment: Attachment, expected: str) -> None:
    assert mime_type(attachment) == expected
    assert bool(taken([attachment])) is (expected in {"application/pdf", "image/jpeg", "image/png"})


def test_type_and_size_are_two_faults() -> None:
    several = [attached(PDF, "application/pdf"), attached(b"x" * 50, "text/html")]
    assert len(attachment_faults(several, types=["application/pdf"], limit=60)) == 2
    assert len(attachment_faults(several, types=["application/pdf"], limit=100)) == 1
    assert attachment_faults(several, types=None, limit=100) == ()
    assert attachment_faults([], types=[], limit=0) == ()


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, len(note("dips/01"))), length=st.integers(1, 40))
def test_a_damaged_message_gives_its_addresses_or_nothing(cut: int, length: int) -> None:
    """Whatever is cut out, the sender is never read as somebody else."""
    data = note("dips/01")
    root = parse_damaged(data[:cut] + data[cut + length :])
    if root is None:
        return
    mend(root)
    head = read_head(root)
    if head is None or head.sender is None:
        return
    whole = {"8900100", "8900103"}
    complete = {h for h in head.sender.her_ids if len(h) == 7}
    inside = data.index(b"<Sender>") <= cut + length and cut <= data.index(b"</Sender>")
    assert inside or complete <= whole
