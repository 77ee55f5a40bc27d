"""The receipt for one message, without the service (`apprec`)."""

from __future__ import annotations

from datetime import UTC, datetime

from adapters import installed
from gateway.contracts.errors import AdapterError, FormatError, GatewayError
from gateway.contracts.findings import Disposition
from gateway.contracts.identifiers import derived_id
from gateway.contracts.messages import Format, Head, Message
from gateway.contracts.receipts import ErrorCode, Fault, ReceiptStatus, fault
from gateway.contracts.registry import Registry
from gateway.contracts.transport_headers import OSLO
from gateway.formats import answer, write_apprec
from gateway.intake.intake import Intake, IntakePolicy, RefusedError
from gateway.intake.patient import identification_faults
from gateway.ops.conversion import stateless_intake
from gateway.pipeline.assessment import judge, read_note
from gateway.pipeline.rules import RuleSettings
from gateway.receipts.answers import UNKNOWN_RECEIVER, Answers, faults_of
from gateway.routing.addressees import Standing

_CAN_NOT_BE_READ = (fault(ErrorCode.OTHER, "Meldingen kan ikke leses."),)


class NoReceiptError(GatewayError):
    """No AppRec may be sent for this message."""

    code = "no-receipt"


class Answering:
    """Decides as the gateway does, but without its memory."""

    def __init__(
        self,
        way_in: Intake | None = None,
        registry: Registry | None = None,
        rules: RuleSettings | None = None,
        *,
        own_her_id: str = "",
        refuse_unknown_service: bool = True,
    ) -> None:
        """Everything is optional: without a way in every schema and no key, without a register nobody."""
        self._refuse_unknown_service = refuse_unknown_service
        self._way_in = way_in or stateless_intake(IntakePolicy())
        self._registry = registry
        self._rules = rules or RuleSettings()
        self._answers = Answers(registry, own_her_id) if registry is not None else None

    def receipt_for(self, data: bytes, *, any_receiver: bool, accept_other: bool) -> bytes:
        """The AppRec to the sender of a message, for the first receiver that is ours.

        Args:
            data: the message.
            any_receiver: take the message as addressed to us.
            accept_other: accept messages that are no Pakkeforløp hjem notes.

        Raises:
            NoReceiptError: none may be sent, and why.
        """
        head, message_format, faults = self._decision(data, accept_other=accept_other)
        if head.sender is None or not head.sender.identifiable:
            raise NoReceiptError("it can not be told who sent the message")
        if not head.receivers:
            raise NoReceiptError("the message names no receiver")
        index, standing = self._receiver(head)
        if standing is Standing.OTHERS and not any_receiver:
            hint = None if self._answers else "-c FILE names the register that says who is ours"
            raise NoReceiptError(
                "no receiver of the message is ours",
                hint=hint or "--any-receiver takes it as addressed to us",
            )
        if standing is Standing.UNKNOWN_SERVICE and self._refuse_unknown_service and not any_receiver:
            faults = (*faults, UNKNOWN_RECEIVER)
        try:
            receipt = answer(
                head,
                message_format,
                receiver_index=index,
                status=ReceiptStatus.REJECTED if faults else ReceiptStatus.OK,
                faults=faults,
                id=derived_id("apprec", head.msg_id, index),
                at=datetime.now(UTC).astimezone(OSLO).replace(microsecond=0),
            )
            return write_apprec(receipt)
        except FormatError as error:
            raise NoReceiptError(error.message) from None

    def _receiver(self, head: Head) -> tuple[int, Standing]:
        """The named receiver that answers, and what it is to us: the first that is ours, else the first."""
        standings = [Standing.OTHERS]
        if self._answers is not None:
            standings = [self._answers.addressees.standing(r.party) for r in head.receivers]
        for wanted in (Standing.OURS, Standing.UNKNOWN_SERVICE):
            if wanted in standings:
                return standings.index(wanted), wanted
        return 0, Standing.OTHERS

    def _decision(self, data: bytes, *, accept_other: bool) -> tuple[Head, Format | None, tuple[Fault, ...]]:
        """The head to answer, its format, and what is wrong."""
        try:
            opened = self._way_in.open(data)
        except RefusedError as refused:
            if refused.head is None:
                raise NoReceiptError(f"it can not be told who sent the message: {refused.message}") from None
            return refused.head, refused.format, refused.faults or _CAN_NOT_BE_READ
        if opened.message is None:
            raise NoReceiptError("an AppRec is never answered with an AppRec")
        message = opened.message
        return message.head, message.format, self._faults(message, accept_other=accept_other)

    def _faults(self, message: Message, *, accept_other: bool) -> tuple[Fault, ...]:
        try:
            reading = read_note(message, installed(), self._registry)
        except AdapterError as error:
            return identification_faults(message.head) if accept_other else error.faults or _CAN_NOT_BE_READ
        assessment = judge(reading, self._registry, self._rules)
        refused = assessment.disposition in (Disposition.REJECT, Disposition.WITHHOLD)
        if not assessment.is_note and (accept_other or not refused):
            return identification_faults(message.head)
        return faults_of(assessment.findings) if refused else ()
