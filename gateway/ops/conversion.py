"""One message read without the service: what `convert`, `validate` and `apprec` show."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from adapters import installed
from gateway.contracts.errors import EXIT_USAGE, AdapterError, GatewayError
from gateway.contracts.findings import Disposition, Finding
from gateway.contracts.identifiers import derived_id
from gateway.contracts.messages import Format, Message, Party, Unit
from gateway.contracts.reading import Evidence
from gateway.contracts.registry import Registry
from gateway.contracts.summary import Summary
from gateway.contracts.transport_headers import OSLO
from gateway.formats import write_message
from gateway.formats.summary_xml import write_summary
from gateway.intake.intake import Intake, IntakePolicy, RefusedError
from gateway.ops.trust import any_signature
from gateway.pipeline.assessment import judge, read_note
from gateway.pipeline.rules import RuleSettings
from gateway.rendering import (
    RenderingOrder,
    apprec_page,
    message_page,
    render,
    render_html,
    render_text,
)
from gateway.routing.parties import endpoint_party, her_id_identifier, hospital_party
from gateway.routing.register_file import RegisterFile
from gateway.routing.route import Route
from schemas import SchemaSet, default_official_directory

_NOT_SENT = Party(
    organisation=Unit(name="Mottaker", identifiers=(her_id_identifier("0"),)),
    unit=Unit(name="Mottaker", identifiers=(her_id_identifier("0"),)),
)

_ANY_MESSAGE_ID = IntakePolicy(message_id_must_be_uuid="never")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What became of one message."""

    disposition: Disposition
    summary: Summary | None = None
    findings: tuple[Finding, ...] = ()
    route: Route = field(default_factory=Route)
    evidence: tuple[Evidence, ...] = ()
    unplaced: tuple[str, ...] = ()
    message: Message | None = None
    refusal: str | None = None
    """Why there is no summary"""
    registry: Registry | None = None

    def document(self) -> dict[str, Any]:
        """The JSON of `convert --to json`."""
        municipality, gp = self.route.municipality, self.route.gp
        return {
            "summary": self.summary.model_dump(mode="json") if self.summary is not None else None,
            "findings": [f.model_dump(mode="json") for f in self.findings],
            "disposition": self.disposition.value,
            "route": {
                "municipality": municipality.her_id if municipality is not None else None,
                "gp": gp.her_id if gp is not None else None,
            },
        }


class UnknownAdapterError(GatewayError):
    """There is no adapter of this name."""

    code = "unknown-adapter"
    exit_code = EXIT_USAGE


def check_adapter(name: str | None) -> None:
    """Nothing, where there is an adapter of this name, or none is asked for.

    Raises:
        UnknownAdapterError: there is none; its hint names those that there are.
    """
    known = installed()
    if name is not None and known.named(name) is None:
        names = ", ".join(adapter.name for adapter in known.adapters)
        raise UnknownAdapterError(f"there is no adapter {name}", hint=f"known: {names}")


def load_register(path: Path | None) -> Registry | None:
    """The register in a file, if one is named.

    Raises:
        ConfigurationError: it can not be used.
    """
    return RegisterFile.load(path) if path is not None else None


def schemas_in_use() -> SchemaSet:
    """The project's schemas, and the official ones where they were added; compiled once."""
    return _schema_set(default_official_directory())


@functools.cache
def _schema_set(official: Path) -> SchemaSet:
    return SchemaSet(official)


def stateless_intake(policy: IntakePolicy) -> Intake:
    """The way in without a configuration: every schema, no keys. Signatures are looked at by `verify`."""
    return Intake(schemas_in_use(), any_signature(), policy)


def convert_message(
    data: bytes, *, registry: Registry | None = None, adapter: str | None = None
) -> Conversion:
    """Read a message, judge it, find its route. What can not be read is rejected, with no finding."""
    try:
        opened = stateless_intake(_ANY_MESSAGE_ID).open(data)
    except RefusedError as error:
        return Conversion(disposition=Disposition.REJECT, refusal=error.message)
    if opened.message is None:
        return Conversion(disposition=Disposition.REJECT, refusal="it is an AppRec, not a note")
    try:
        reading = read_note(opened.message, installed(), registry, adapter=adapter)
    except AdapterError as error:
        return Conversion(disposition=Disposition.REJECT, refusal=error.message)
    assessment = judge(reading, registry, RuleSettings())
    return Conversion(
        disposition=assessment.disposition,
        summary=assessment.summary,
        findings=assessment.findings,
        route=assessment.route,
        evidence=reading.evidence,
        unplaced=reading.unplaced,
        message=opened.message,
        refusal=None if assessment.is_note else assessment.findings[0].message,
        registry=registry,
    )


def page_of(data: bytes) -> str | None:
    """Any message that can be read as a page for a person; None where it can not be.

    Args:
        data: the message: a note, a reply, a receipt.
    """
    try:
        opened = stateless_intake(_ANY_MESSAGE_ID).open(data, passes_through=True)
    except RefusedError:
        return None
    if opened.apprec is not None:
        return apprec_page(opened.apprec)
    return message_page(opened.message) if opened.message is not None else None


def written_as(conversion: Conversion, target: str) -> bytes:
    """The summary in another format, as it would be sent to the municipality of its route.

    Raises:
        GatewayError: there is no summary.
        FormatError: the message lacks what the format needs.
    """
    summary, message = conversion.summary, conversion.message
    if summary is None or message is None:
        raise GatewayError(conversion.refusal)
    if target == "text":
        return render_text(summary).encode()
    if target == "html":
        return render_html(summary).encode()
    if target == "summary-1":
        return write_summary(summary)
    return write_message(render(summary, _order(conversion, summary, message, Format(target))))


def _order(conversion: Conversion, summary: Summary, message: Message, target: Format) -> RenderingOrder:
    endpoint = conversion.route.municipality
    sender = message.head.sender or _NOT_SENT
    registry = conversion.registry
    hospital = registry.hospital(sender.her_id) if registry is not None else None
    if registry is not None and hospital is not None:
        sender = hospital_party(hospital, registry.unit(sender.her_id))
    msg_id = derived_id("convert", message.head.msg_id, target.value)
    return RenderingOrder(
        format=target,
        msg_id=msg_id,
        at=message.head.sent_at or datetime(1970, 1, 1, tzinfo=OSLO),
        sender=sender,
        receiver=endpoint_party(endpoint) if endpoint is not None else _named(message),
        receiver_is_gp=False,
        document_id=derived_id("document", msg_id),
        action=summary.source.action,
        conversation=message.head.conversation,
        attach_summary=False,
        processing_status="D",
    )


def _named(message: Message) -> Party:
    primary = message.head.primary
    return primary.party if primary is not None else _NOT_SENT
