"""What could not be delivered, was refused, or could not be worked on: as a person looks for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from gateway.contracts.records import InboundMessage, Sending
from gateway.contracts.states import InboundKind, InboundState, SendingState


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureFilter:
    """Which failures; everything given must hold, of several values for one thing any."""

    ids: tuple[str, ...] = ()
    """Ids (ours) of inbound messages"""
    sendings: tuple[str, ...] = ()
    """Ids (ours) of sendings"""
    errors: tuple[str, ...] = ()
    """Codes: of an AppRec (`E21`), of the last attempt (`unroutable`), `overdue`, or a reason (`error:…`)"""
    receivers: tuple[str, ...] = ()
    """HER-ids"""
    municipalities: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    since: datetime | None = None
    """When it failed"""
    until: datetime | None = None
    """Not included"""

    @property
    def everything(self) -> bool:
        """Whether nothing is asked for."""
        return self == FailureFilter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why something failed, as far as it decides on what a person does about it."""

    code: str
    """The codes of the receiver's AppRec, the code of the last attempt, or the message's reason"""
    sending: SendingState | None = None
    """Of the sending that failed; None: the message itself could not be worked on"""
    kind: InboundKind | None = None
    """Of that message"""

    @classmethod
    def of_sending(cls, state: SendingState, apprec: str | None, error: str | None) -> Self:
        """Of a sending that came to nothing."""
        if state is SendingState.REFUSED and apprec is not None:
            return cls(code=apprec.partition(" ")[2] or "refused", sending=state)
        return cls(code=error or state.value, sending=state)

    @classmethod
    def of_message(cls, kind: InboundKind, state: InboundState, reason: str | None) -> Self:
        """Of a message that could not be worked on."""
        return cls(code=reason or state.value, kind=kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One of them; without payloads."""

    message: InboundMessage
    sending: Sending | None
    """None: the message itself could not be worked on"""

    @property
    def id(self) -> str:
        """What a replay is asked for by: the id of the sending, or of the message."""
        return self.sending.id if self.sending is not None else self.message.id

    @property
    def cause(self) -> Cause:
        """Why."""
        sending, message = self.sending, self.message
        if sending is None:
            return Cause.of_message(message.kind, message.state, message.reason)
        return Cause.of_sending(sending.state, sending.apprec, sending.error)

    @property
    def failed_at(self) -> datetime:
        """When."""
        if self.sending is None:
            return self.message.received_at
        return self.sending.settled_at or self.sending.created_at or self.message.received_at


class FailureGrouping(StrEnum):
    """What failures are counted by."""

    ERROR = "error"
    RECEIVER = "receiver"
    MUNICIPALITY = "municipality"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureCount:
    """How many failures of one cause there are, and of one receiver or municipality."""

    key: str | None
    """What they are counted by; None: they have none"""
    cause: Cause
    count: int
    oldest: datetime
    newest: datetime
