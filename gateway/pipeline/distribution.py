"""What a note that goes on leads to: the messages to its receivers, and the receipts that are due at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from gateway.contracts.journal import JournalTransaction
from gateway.contracts.messages import Attachment, Head, Message
from gateway.contracts.receipts import ReceiptStatus
from gateway.contracts.records import InboundMessage, Sending
from gateway.contracts.registry import Endpoint, PartyKind, Registry
from gateway.contracts.summary import Action, Summary
from gateway.contracts.values import replace
from gateway.intake.attachments import TAKEN, taken
from gateway.pipeline.dispatch import Dispatcher
from gateway.pipeline.revisions import Outgoing, outgoing, unprecedented
from gateway.receipts.answers import UNKNOWN_RECEIVER, Answers
from gateway.receipts.relay import RelayPolicy
from gateway.routing.addressees import Standing
from gateway.routing.route import Route


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionPolicy:
    """What a deployment sets."""

    own_her_id: str
    """Notes addressed to it are answered by the gateway"""
    refuse_unknown_service: bool = True
    """E21 for an unknown service at an organisation of the register"""
    attachment_types: tuple[str, ...] = TAKEN
    """MIME types that are sent on"""
    relay: RelayPolicy = field(default_factory=RelayPolicy)
    """Who answers a hospital: the receivers, or the gateway for them"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distributed:
    """What goes out for a note."""

    sendings: tuple[Sending, ...]
    receipts: tuple[Sending, ...]
    """Of the gateway, for itself and for named receivers that get nothing"""
    answered: bool
    """Whether the sender can be answered at all"""


class Distribution:
    """Makes the messages to each receiver."""

    def __init__(
        self, registry: Registry, dispatcher: Dispatcher, answers: Answers, policy: DistributionPolicy
    ) -> None:
        """The register says who is meant, the dispatcher writes, answers tell who is ours."""
        self._registry = registry
        self._dispatcher = dispatcher
        self._answers = answers
        self._policy = policy

    def refuses_all_receivers(self, head: Head) -> bool:
        """Whether all that is ours of the receivers is unknown services, and those are refused."""
        standings = {self._answers.addressees.standing(r.party) for r in head.receivers}
        return (
            self._policy.refuse_unknown_service
            and Standing.UNKNOWN_SERVICE in standings
            and Standing.OURS not in standings
        )

    def own(self, row: InboundMessage) -> set[int]:
        """The named receivers that are the gateway itself."""
        return {n.index for n in row.named_receivers if n.her_id == self._policy.own_her_id}

    def planned(
        self,
        transaction: JournalTransaction,
        message: Message,
        summary: Summary,
        route: Route,
        versions: list[InboundMessage],
    ) -> list[Outgoing]:
        """Who gets what: nobody where a refused receiver is all that the message names of a kind."""
        made = outgoing(transaction, self._registry, summary, route, versions)
        refused = self._refused_receivers(message.head)
        if not refused:
            return made
        kinds = self._kinds_without_service(message.head, refused)
        return [o for o in made if o.action is Action.CANCEL or o.endpoint.kind not in kinds]

    def written(
        self, row: InboundMessage, message: Message, planned: list[Outgoing], *, at: datetime
    ) -> Distributed:
        """The messages, and the receipts that do not wait for a receiver.

        Args:
            row: the note.
            message: the note as it was read.
            planned: who gets what.
            at: when they are made.

        Raises:
            LocalError: no format, no key, or a rendering that its schema refuses.
        """
        hospital = self._registry.hospital(row.hospital)
        if hospital is None:  # pragma: no cover - who sent a note that goes on is known
            return Distributed(sendings=(), receipts=(), answered=False)
        unit = self._registry.unit(row.unit)
        told = self._told(row, message, planned)
        sendings = tuple(
            self._dispatcher.sending(row, each, sender=(hospital, unit), at=at)
            for each in self._addressed(message, planned, told)
        )
        own = self.own(row)
        unserved = {n.index for n in row.named_receivers} - set(told.values()) - own
        if self._policy.relay.gateway_answers(row.hospital, row.unit):
            own |= set(told.values())
        unknown = self._answers.to_each(
            row,
            message.head,
            message.format,
            status=ReceiptStatus.REJECTED,
            faults=(UNKNOWN_RECEIVER,),
            at=at,
            only=unserved,
        )
        taken_over = self._answers.to_each(
            row, message.head, message.format, status=ReceiptStatus.OK, at=at, only=own
        )
        return Distributed(
            sendings=sendings,
            receipts=(*(unknown or ()), *(taken_over or ())),
            answered=unknown is not None and taken_over is not None,
        )

    def make_ready(self, row: InboundMessage, message: Message, summary: Summary, route: Route) -> None:
        """Make what a new note leads to, if no earlier one has a say, ahead of its transaction.

        Raises:
            LocalError: as `written`.
        """
        hospital = self._registry.hospital(row.hospital)
        if hospital is None or self._refused_receivers(message.head):
            return
        unit = self._registry.unit(row.unit)
        planned = unprecedented(summary, route)
        for each in self._addressed(message, planned, self._told(row, message, planned)):
            self._dispatcher.make_ready(row, each, sender=(hospital, unit), at=row.received_at)

    def forget_ready(self) -> None:
        """What was made ready and not asked for is not wanted."""
        self._dispatcher.forget_ready()

    def _told(self, row: InboundMessage, message: Message, planned: list[Outgoing]) -> dict[str, int]:
        return self._assign(row, [o.endpoint for o in planned], self._refused_receivers(message.head))

    def _addressed(
        self, message: Message, planned: list[Outgoing], told: dict[str, int]
    ) -> Iterator[Outgoing]:
        """With whom each answers for, and the documents that go along."""
        for each in planned:
            yield replace(
                each, answers=told.get(each.endpoint.her_id), attachments=self._attachments(message, each)
            )

    def _refused_receivers(self, head: Head) -> set[int]:
        """The named receivers that are unknown services of organisations that are known."""
        if not self._policy.refuse_unknown_service:
            return set()
        standing = self._answers.addressees.standing
        return {i for i, r in enumerate(head.receivers) if standing(r.party) is Standing.UNKNOWN_SERVICE}

    def _kinds_without_service(self, head: Head, refused: set[int]) -> set[PartyKind]:
        """Municipality, GP, or both: what only refused receivers stand for in the message."""
        known = self._answers.addressees
        kinds = {e.kind for i in refused for e in known.organisation(head.receivers[i].party)}
        served = {e.kind for r in head.receivers if (e := known.endpoint(r.party)) is not None}
        return kinds - served

    def _attachments(self, message: Message, going: Outgoing) -> tuple[Attachment, ...]:
        """What goes along: a cancellation needs none."""
        if going.action is Action.CANCEL:
            return ()
        return taken(message.attachments, self._policy.attachment_types)

    def _assign(
        self, row: InboundMessage, endpoints: list[Endpoint], refused: Collection[int]
    ) -> dict[str, int]:
        """Which named receiver hears of which sending: HER-id of the endpoint to index.

        A municipality that the note was not addressed to answers for the one that it was (the route
        follows the patient's home); a GP answers for itself only.
        """
        told: dict[str, int] = {}
        apart = {*self.own(row), *refused}
        free = [n for n in row.named_receivers if n.index not in apart]
        for endpoint in endpoints:
            same = {endpoint.her_id, endpoint.organisation_her_id}
            for named in free:
                if named.her_id in same:
                    told[endpoint.her_id] = named.index
                    free.remove(named)
                    break
        for endpoint in endpoints:
            if endpoint.kind is not PartyKind.MUNICIPALITY or endpoint.her_id in told:
                continue
            for named in free:
                other = self._registry.endpoint(named.her_id)
                if other.kind is PartyKind.MUNICIPALITY if other is not None else not named.copy:
                    told[endpoint.her_id] = named.index
                    free.remove(named)
                    break
        return told
