"""What a new, a changed and a cancelled note means for each receiver."""

from __future__ import annotations

from gateway.contracts.journal import JournalTransaction
from gateway.contracts.messages import Attachment
from gateway.contracts.records import InboundMessage, Sending
from gateway.contracts.registry import Endpoint, Registry
from gateway.contracts.summary import Action, Summary
from gateway.contracts.values import value
from gateway.pipeline.conversation import latest_sendings
from gateway.routing.route import Route


@value
class Outgoing:
    """One sending that is to be made."""

    endpoint: Endpoint
    """Who gets it"""
    summary: Summary
    """What it says"""
    action: Action
    """New, or a change or cancellation of `previous`"""
    previous: Sending | None = None
    """The latest sending to this receiver in the same conversation"""
    answers: int | None = None
    """Index of the named receiver that its receipt is passed on for"""
    attachments: tuple[Attachment, ...] = ()
    """Documents of the note; they go along in the formats that have a place for them"""
    instead_of: str | None = None
    """Id of the sending that it replaces: it is then another message, under ids of its own"""


def unprecedented(summary: Summary, route: Route) -> list[Outgoing]:
    """What a new note leads to that no other goes before: as `outgoing`."""
    return [Outgoing(endpoint=e, summary=summary, action=Action.NEW) for e in route.receivers]


def outgoing(
    transaction: JournalTransaction,
    registry: Registry,
    summary: Summary,
    route: Route,
    earlier: list[InboundMessage],
) -> list[Outgoing]:
    """Changes for those who have the note, new for those who have it not, cancellations for the rest.

    Args:
        transaction: tells what was sent.
        registry: tells where it went.
        summary: of the note at hand.
        route: where that is to go.
        earlier: the versions before it, oldest first; none for a new note.
    """
    had = latest_sendings(transaction, earlier)
    made = []
    for endpoint in () if summary.source.action is Action.CANCEL else route.receivers:
        previous, note = had.pop(endpoint.her_id, (None, None))
        if note is not None and note.action is Action.CANCEL:
            previous = None  # what was cancelled can not be changed: it is sent anew
        action = Action.NEW if previous is None else Action.CHANGE
        made.append(Outgoing(endpoint=endpoint, summary=summary, action=action, previous=previous))
    for her_id, (last, note) in had.items():
        former = registry.endpoint(her_id)
        if former is None or note.summary is None or note.action is Action.CANCEL:
            continue
        before = Summary.from_json(note.summary)
        forgotten = before.model_copy(update={"source": summary.source, "note": summary.note})
        made.append(Outgoing(endpoint=former, summary=forgotten, action=Action.CANCEL, previous=last))
    return made
