"""What a failure means to the operator, and what to do about it: one line for each cause."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gateway.contracts.failures import Cause
from gateway.contracts.states import InboundKind, SendingState
from gateway.receipts.remedies import Remedy, remedy

_REFUSED: Mapping[Remedy, str] = MappingProxyType(
    {
        Remedy.ADDRESS: "wrong address: mend the register, then replay (goes as a new message)",
        Remedy.CONTENT: "the department was told to correct its note; discard when it has",
        Remedy.CERTIFICATE: "key or certificate not accepted: see doctor, then replay",
        Remedy.OURS: "they can not read what we wrote: report it; replay when it is mended",
        Remedy.TEMPORARY: "read why in messages trace, call them; replay when it is mended",
    }
)

_CODES: Mapping[str, str] = MappingProxyType(
    {
        "unroutable": "the receiver's queue is not there: queues status; when it is, replay",
        "not_confirmed": "the broker did not take it: queues status; when it does, replay",
        "overdue": "no AppRec in time: call the receiver; replay sends the same message again",
        "no-protection": "no certificates for CMS are configured: see doctor, then replay",
        "sender-not-in-register": "add the hospital to the register, then replay",
        "no-receiver-of-ours": "no receiver of it is in the register: add it, then replay; or discard",
        "same-id-other-content": "its MsgId is another message's: ask its sender; discard",
        "receipt-for-unknown-message": "an AppRec for nothing that we sent: replay after a restore; discard",
        "receipt-for-receipt": "an AppRec for an AppRec: tell its sender; discard",
        "receipt-status-unknown": "an AppRec with a status that there is not: tell its sender; discard",
        "receipt-from-another-party": "it came from the wrong party: tell security; keep it",
    }
)

_ERROR = "a fault of ours: see the log, report it; replay when it is mended"
_UNREADABLE = "nobody could be told: ask its sender, or export, correct, and replay --with FILE"
_LOCAL = "something of ours is not in order: see doctor, then replay"


def advice(cause: Cause) -> str:
    """What it means, and what to do; without the name of the command in front."""
    if cause.sending is None and cause.code.startswith("error:"):
        return _ERROR
    if cause.kind is InboundKind.UNREADABLE:
        return _UNREADABLE
    if cause.sending is SendingState.REFUSED:
        return _REFUSED[remedy(cause.code.split())]
    return _CODES.get(cause.code, _LOCAL if cause.sending is not None else _ERROR)
