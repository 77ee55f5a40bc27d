"""A message's history told for people: with its replies and answers, in order, a line for each thing.

What belongs together is one line: a sending is told when it has left, or could not, and not when it was made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.contracts.journal import Journal
from gateway.contracts.receipts import ERROR_TEXTS
from gateway.contracts.records import Event, InboundFilter, InboundMessage, Sending
from gateway.contracts.registry import Registry
from gateway.contracts.states import InboundKind, SendingKind

_MOST = 1000
_LONGEST_NAME = 36
_ON_ITS_WAY = frozenset(("sending", "delivered"))
"""States of a message that its sendings tell better"""
_LEFT = frozenset(("delivered", "given-up", "attempt-failed", "delivered-late"))
_STATUSES = {"1": "AppRec OK", "2": "AppRec refused", "3": "AppRec OK in part"}

_OF_SENDING = {
    "note-created": "in the outbox: {what} to {to}",
    "reply-created": "in the outbox: {what} to {to}",
    "receipt-created": "in the outbox: {what} to {to}",
    "deviation-created": "in the outbox: {what} to {to}",
    "delivered": "→ {what} to {to}",
    "attempt-failed": "could not be sent to {to} ({error}); again later",
    "given-up": "given up: {what} to {to} ({error})",
    "receipt": "← {apprec} from {to}",
    "receipt-late": "← late: {apprec} from {to}",
    "receipt-repeated": "← the same AppRec again, from {to}",
    "receipt-contradicts": "← {apprec} from {to}, against the first: nothing moves",
    "overdue": "no AppRec from {to} in time: counts as refused",
    "resent": "sent again to {to}, as the {as} message, by {by}",
    "address-flagged": "the register's entry of {to} is flagged",
}
_OF_MESSAGE = {
    "received": "← {format} from {sender}",
    "accepted": "accepted{noted}",
    "held": "held{noted}",
    "rejected": "rejected{noted}",
    "withheld": "withheld{noted}",
    "failed": "failed{noted}",
    "discarded": "discarded{noted}{by_whom}",
    "released": "released{by_whom}{over}",
    "duplicate": "← the same again: dropped",
    "reply-matched": "belongs to {note}, by its reference",
    "answer-matched": "belongs to {note}, by its reference",
    "reply-converted": "came as {came}, written anew: its mailbox reads {reads}",
    "reply-not-converted": "goes as it came ({came}); its mailbox reads {reads}",
    "reply-guessed": "belongs to {note}: a guess, by {by}",
}
"""What happened to a message, or one of its sendings, by the name of the event; the rest shows its facts"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that happened."""

    at: datetime
    who: str
    """Short for the message that it happened to: `note`, `reply`, `answer`, `reply 2`"""
    told: str


def conversation(journal: Journal, message: InboundMessage) -> list[InboundMessage]:
    """A message, and what was replied to it and answered to that, oldest first."""
    found = [message]
    for each in found:
        criteria = InboundFilter(kinds=(InboundKind.REPLY,), replaces=each.id, limit=_MOST)
        known = {m.id for m in found}
        found += [m for m in journal.list_inbound(criteria) if m.id not in known]
    return [message, *sorted(found[1:], key=lambda m: m.received_at)]


def tell(journal: Journal, registry: Registry | None, message: InboundMessage) -> list[Line]:
    """The story of a message and its conversation, in order."""
    members = conversation(journal, message)
    names = dict(zip((m.id for m in members), _names(members), strict=True))
    lines: list[tuple[datetime, int, Line]] = []
    for member in members:
        with journal.reader() as view:
            sendings = {s.id: s for s in view.sendings(member.id)}
        teller = _Teller(registry, member, sendings, names)
        for event in _worth_telling(journal.events(member.id), sendings):
            line = Line(at=event.at, who=names[member.id], told=teller.sentence(event))
            lines.append((event.at, event.sequence, line))
    return [line for _, _, line in sorted(lines, key=lambda each: each[:2])]


def _names(members: Sequence[InboundMessage]) -> Iterator[str]:
    """The first by its kind; a reply to it, an answer to that, and so on; numbered where there are more."""
    depth = {members[0].id: 0}
    counted: dict[str, int] = {}
    for member in members:
        if member.id not in depth:
            depth[member.id] = depth.get(member.replaces or "", 0) + 1
        level = depth[member.id]
        kind = member.kind.value if not level else "reply" if level % 2 else "answer"
        counted[kind] = counted.get(kind, 0) + 1
        yield kind if counted[kind] == 1 else f"{kind} {counted[kind]}"


def _worth_telling(events: Sequence[Event], sendings: Mapping[str, Sending]) -> Iterator[Event]:
    left = {e.sending_id for e in events if e.name in _LEFT}
    for event in events:
        made = event.name.endswith("-created") and event.sending_id in left
        of_sendings = event.sending_id is None and event.name in _ON_ITS_WAY and bool(sendings)
        if not made and not of_sendings:
            yield event


class _Teller:
    def __init__(
        self,
        registry: Registry | None,
        message: InboundMessage,
        sendings: Mapping[str, Sending],
        names: Mapping[str, str],
    ) -> None:
        self._registry = registry
        self._message = message
        self._sendings = sendings
        self._names = names

    def sentence(self, event: Event) -> str:
        """What happened, in words; an event without words of its own by its name and facts."""
        facts = {k: str(v) for k, v in (event.detail or {}).items() if v is not None}
        if event.name.startswith("remedy-"):
            return f"whose it is to mend: {event.name.removeprefix('remedy-')}"
        sending = self._sendings.get(event.sending_id or "")
        template = (_OF_SENDING if sending is not None else _OF_MESSAGE).get(event.name)
        if template is None:
            return " ".join([event.name, *(f"{k}={v}" for k, v in facts.items())])
        known = self._about_sending(facts, sending) if sending is not None else self._about_message(facts)
        return template.format_map(defaultdict(lambda: "-", facts | known))

    def _about_sending(self, facts: Mapping[str, str], sending: Sending) -> dict[str, str]:
        return {
            "what": self._what(sending),
            "to": self._party(sending.receiver) or sending.receiver,
            "apprec": _apprec(facts.get("apprec")),
        }

    def _about_message(self, facts: Mapping[str, str]) -> dict[str, str]:
        message, known = self._message, self._registry
        # Of a reply the unit is where it goes.
        outside = known is not None and known.endpoint(message.sender) is not None
        sender = self._party(message.sender if outside else message.unit or message.sender or None)
        noted = facts.get("findings") or facts.get("reason")
        by, over = facts.get("by"), facts.get("overridden")
        about = facts.get("note") or facts.get("reply")
        return {
            "format": message.format or "what can not be read",
            "sender": sender or "nobody knows whom",
            "noted": f": {noted}" if noted else "",
            "by_whom": f", by {self._called(by)}" if by else "",
            "over": f", overriding {over}" if over else "",
            "note": self._called(about),
        }

    def _what(self, sending: Sending) -> str:
        if sending.kind is SendingKind.RECEIPT:
            whose = next(
                (n.her_id for n in self._message.named_receivers if n.index == sending.answers), None
            )
            named = (self._party(whose) or "").partition(" (")[0]
            return f"{_apprec(sending.apprec)}{f' for {named},' if named else ''}"
        if sending.kind is SendingKind.DEVIATION:
            return "DIALOG_AVVIK"
        return f"{sending.format} ({sending.msg_id[:8]})"

    def _called(self, who: str | None) -> str:
        """A message of the conversation by its name in it; another by its id; a person by his name."""
        return self._names.get(who or "", (who or "-")[:_LONGEST_NAME])

    def _party(self, her_id: str | None) -> str | None:
        """Name and HER-id of whom the register knows."""
        if her_id is None:
            return None
        if self._registry is None:
            return her_id
        endpoint, unit = self._registry.endpoint(her_id), self._registry.unit(her_id)
        hospital = self._registry.hospital(her_id)
        name = None
        if endpoint is not None:
            name = endpoint.organisation_name if endpoint.hpr is None else endpoint.name
        elif unit is not None:
            name = f"{unit.name}, mailbox" if her_id == unit.mailbox != unit.her_id else unit.name
        elif hospital is not None:
            name = hospital.name
        return f"{name} ({her_id})" if name is not None else her_id


def _apprec(status: object) -> str:
    """`1`, `2 E21` in words."""
    value, *codes = str(status).split()
    texts = [f"{code} {ERROR_TEXTS[code]}" if code in ERROR_TEXTS else code for code in codes]
    return " ".join([_STATUSES.get(value, f"AppRec {value}"), *([f"({', '.join(texts)})"] if texts else [])])
