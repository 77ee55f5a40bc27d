"""What could not be delivered, was refused, or could not be worked on: as a person looks for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.contracts.records import InboundMessage, Sending
from gateway.contracts.states import SendingState


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
    def cause(self) -> str:
        """Why: the codes of the receiver's AppRec, the code of the last attempt, or the message's reason."""
        sending = self.sending
        if sending is None:
            return self.message.reason or self.message.state.value
        if sending.state is SendingState.REFUSED and sending.apprec is not None:
            return sending.apprec.partition(" ")[2] or "refused"
        return sending.error or sending.state.value

    @property
    def failed_at(self) -> datetime:
        """When."""
        if self.sending is None:
            return self.message.received_at
        return self.sending.settled_at or self.sending.created_at or self.message.received_at
