"""What is written is valid, has no empty element, and comes back as it was."""

from __future__ import annotations

import dataclasses

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.contracts.messages import Attachment, Format, Head, Identifier, Message, Party, Receiver, Unit
from gateway.formats import identify, read_message, write_message
from gateway.formats.element_names import Element, local_name
from gateway.formats.summary_xml import NAMESPACE
from schemas import SchemaSet
from tests.conftest import STANDARDS
from tests.formats import strategies, strategies_hcp
from tests.formats.support import parse

# The project's own schemas, and the official ones where they are beside the project.
SCHEMAS = SchemaSet(STANDARDS / "xsd")
_FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

_COMPLETE = Party(organisation=Unit(name="O", identifiers=(Identifier(id="1", type="HER"),)))


def without_places(message: Message) -> Message:
    return dataclasses.replace(
        message,
        texts=tuple(dataclasses.replace(e, place="") for e in message.texts),
        diagnoses=tuple(dataclasses.replace(e, place="") for e in message.diagnoses),
        procedures=tuple(dataclasses.replace(e, place="") for e in message.procedures),
        relatives=tuple(dataclasses.replace(e, place="") for e in message.relatives),
        professionals=tuple(dataclasses.replace(e, place="") for e in message.professionals),
        events=tuple(dataclasses.replace(e, place="") for e in message.events),
        language_place="",
    )


def no_empty_elements(root: Element) -> bool:
    return all(
        len(e) or e.attrib or (e.text and e.text.strip()) or local_name(e) == "br" for e in root.iter("*")
    )


def carried(message: Message) -> None:
    written = write_message(message)
    assert written == write_message(message)
    root = parse(written)
    assert identify(root).format is message.format
    assert SCHEMAS.is_valid(root), SCHEMAS.faults(root)
    assert no_empty_elements(root)
    assert without_places(read_message(root)) == without_places(message)


@_FEW
@given(strategies.dialogues(Format.DIALOGMELDING_1_0) | strategies.dialogues(Format.DIALOGMELDING_1_1))
def test_dialogmelding(message: Message) -> None:
    carried(message)


@_FEW
@given(
    st.sampled_from([Format.PLO_1_5, Format.PLO_1_6]).flatmap(
        lambda v: strategies.plo(v, "TverrfagligEpikrise")
    )
)
def test_utskrivningsrapport(message: Message) -> None:
    carried(message)


@_FEW
@given(
    st.sampled_from([Format.PLO_1_5, Format.PLO_1_6]).flatmap(
        lambda v: strategies.plo(v, "HelseopplysningerVedSoknad")
    )
)
def test_helseopplysninger(message: Message) -> None:
    carried(message)


@_FEW
@given(strategies_hcp.epikriser(Format.EPIKRISE_1_1) | strategies_hcp.epikriser(Format.EPIKRISE_1_2))
def test_epikrise(message: Message) -> None:
    carried(message)


@_FEW
@given(strategies.heads, strategies.attachments)
def test_summary(head: Head, attachments: tuple[Attachment, ...]) -> None:
    canonical = f'<Summary xmlns="{NAMESPACE}"><Note>æ &lt; å</Note></Summary>'.encode()
    message = Message(
        format=Format.SUMMARY_1,
        head=head,
        content_root="Summary",
        canonical=canonical,
        attachments=attachments,
    )
    declared = dataclasses.replace(message, canonical=b'<?xml version="1.0" encoding="UTF-8"?>\n' + canonical)
    assert write_message(declared) == write_message(message)
    assert read_message(parse(write_message(message))) == message


@_FEW
@given(
    strategies_hcp.epikriser(Format.EPIKRISE_1_1),
    st.sampled_from([Format.PLO_1_5, Format.PLO_1_6, Format.DIALOGMELDING_1_0, Format.EPIKRISE_1_2]),
)
def test_a_message_of_another_format_is_written_valid(message: Message, version: Format) -> None:
    head = dataclasses.replace(message.head, sender=_COMPLETE, receivers=(Receiver(party=_COMPLETE),))
    root = parse(write_message(dataclasses.replace(message, format=version, head=head, content_root="")))
    assert SCHEMAS.is_valid(root), SCHEMAS.faults(root)
    assert no_empty_elements(root)
