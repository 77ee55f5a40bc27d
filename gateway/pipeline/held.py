"""What waits for a person: released, with another route where it needs one, or discarded with a reason.

A person overrides what holds a note, and may correct where it goes; what it says is the hospital's to correct
(a change ends the version that is held).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.contracts.errors import EXIT_NO, EXIT_USAGE, GatewayError
from gateway.contracts.findings import FINDINGS, Disposition, Finding, Severity
from gateway.contracts.journal import JournalTransaction
from gateway.contracts.messages import Format, Head, Message
from gateway.contracts.reading import Reading
from gateway.contracts.receipts import ErrorCode, Fault, ReceiptStatus, fault
from gateway.contracts.records import Event, InboundMessage, Sending
from gateway.contracts.registry import Endpoint, PartyKind, Registry
from gateway.contracts.states import InboundKind, InboundState, SendingKind
from gateway.contracts.summary import Action, Summary
from gateway.formats import read_message
from gateway.intake.records import add_receipt, add_sending
from gateway.pipeline.assessment import Assessment, judge
from gateway.pipeline.conversation import chain
from gateway.pipeline.distribution import Distribution
from gateway.pipeline.rules import RuleSettings
from gateway.receipts.answers import Answers
from gateway.receipts.deviations import Deviations
from gateway.receipts.notices import Notices
from gateway.receipts.originals import original_head
from gateway.routing.route import Route
from gateway.security.gate import parse

LONGEST_REASON = 200
"""Characters of a reason that a sender is told"""

_NOTICED_BY_THE_READER = frozenset(("PH001", "PH061", "PH090"))
_NOT_SENT_ON = "Notatet er ikke sendt videre."
_BY_A_PERSON = "discarded-by-a-person"


class NotHeldError(GatewayError):
    """The message does not wait for a person."""

    code = "not-held"
    exit_code = EXIT_NO


class NotReleasableError(GatewayError):
    """The note can not be sent on, whatever a person says."""

    code = "not-releasable"
    exit_code = EXIT_NO


class NoRouteError(GatewayError):
    """The note has nowhere to go."""

    code = "no-route"
    exit_code = EXIT_NO


class NotInRegisterError(GatewayError):
    """The register has no such receiver."""

    code = "not-in-register"
    exit_code = EXIT_USAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteCorrection:
    """Where a note goes instead of where it says; None: as it says."""

    municipality: Endpoint | None = None
    gp: Endpoint | None = None

    @classmethod
    def find(
        cls, registry: Registry, *, municipality: str | None, to: str | None, gp: str | None
    ) -> RouteCorrection:
        """The receivers of the register that a person has named.

        Args:
            registry: who there is.
            municipality: code of a kommune or bydel.
            to: HER-id of a municipality's service.
            gp: HER-id of a GP.

        Raises:
            NotInRegisterError: there is no such one.
        """
        hint = "pakkehjem register list shows who there is"
        way_in = registry.municipality(municipality)
        if municipality is not None and way_in is None:
            raise NotInRegisterError(f"the register has no municipality {municipality}", hint=hint)
        if to is not None:
            way_in = _of_kind(registry, to, PartyKind.MUNICIPALITY)
            if way_in is None:
                raise NotInRegisterError(f"the register has no municipality with HER-id {to}", hint=hint)
        doctor = _of_kind(registry, gp, PartyKind.GP)
        if gp is not None and doctor is None:
            raise NotInRegisterError(f"the register has no GP with HER-id {gp}", hint=hint)
        return cls(municipality=way_in, gp=doctor)

    def applied(self, route: Route) -> Route:
        """The route with what a person has corrected."""
        return Route(municipality=self.municipality or route.municipality, gp=self.gp or route.gp)


def _of_kind(registry: Registry, her_id: str | None, kind: PartyKind) -> Endpoint | None:
    found = registry.endpoint(her_id)
    return found if found is not None and found.kind is kind else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who decides, and why."""

    name: str
    """Login name"""
    reason: str
    """A discarded note's sender reads it; else it is for the audit log. No patient data"""


class HeldNotes:
    """Does what a person has decided on notes that are held."""

    def __init__(
        self,
        *,
        registry: Registry,
        distribution: Distribution,
        answers: Answers,
        deviations: Deviations,
        notices: Notices,
        rules: RuleSettings,
    ) -> None:
        """What the flow itself sends and answers with."""
        self._registry = registry
        self._distribution = distribution
        self._answers = answers
        self._deviations = deviations
        self._notices = notices
        self._rules = rules

    def release(
        self,
        transaction: JournalTransaction,
        inbound_id: str,
        person: Person,
        *,
        at: datetime,
        correction: RouteCorrection | None = None,
    ) -> tuple[Sending, ...]:
        """Send a held note on, as if nothing had held it; what goes out.

        It is judged again, by the register and the rules of this moment: what may not be sent is not.

        Args:
            transaction: of the journal. Transactions that write take turns: of two persons the second finds
                the note decided.
            inbound_id: the note.
            person: who releases it, and why.
            at: when.
            correction: another route.

        Raises:
            NotHeldError: it does not wait (any more).
            NotReleasableError: it may not be sent, or there is nothing to send.
            NoRouteError: its municipality is not known.
            LocalError: no format, no key, or a rendering that its schema refuses.
        """
        row = _held(transaction, inbound_id)
        message, summary = _read(row)
        assessment = self._judged(row, summary)
        route = (correction or RouteCorrection()).applied(assessment.route)
        self._check_route(assessment, route)
        holding = {f.code for f in (*row.findings, *assessment.findings) if f.severity is Severity.HOLD}
        detail: dict[str, str | int | None] = {
            "by": person.name,
            "overridden": ",".join(sorted(holding)) or None,
            "municipality": route.municipality.her_id if route.municipality is not None else None,
            "gp": route.gp.her_id if route.gp is not None else None,
        }
        _tell(transaction, row, at, "released", detail)
        versions = [] if row.action is Action.NEW else chain(transaction, message.head, row.hospital)
        planned = self._distribution.planned(transaction, message, summary, route, versions)
        if not planned:
            raise NotReleasableError(
                f"{row.id}: nobody would get anything",
                hint="pakkehjem held discard ID --reason TEXT ends it",
            )
        made = self._distribution.written(row, message, planned, at=at)
        changes: dict[str, object] = {"state": InboundState.SENDING, "reason": None}
        if route.municipality is not None and route.municipality.municipality_code is not None:
            changes["municipality"] = route.municipality.municipality_code
        if route.gp is not None:
            changes["gp"] = route.gp.her_id
        transaction.update_inbound(row.id, **changes)
        for sending in made.sendings:
            add_sending(transaction, sending, at)
        for receipt in made.receipts:
            add_receipt(transaction, receipt, at)
        if not made.answered:
            _tell(transaction, row, at, "not-answered", {"reason": "sender-not-in-register"})
        self._notices.tell(transaction, row, versions, at)
        return made.sendings

    def _judged(self, row: InboundMessage, summary: Summary) -> Assessment:
        noticed = tuple(f.code for f in row.findings if f.code in _NOTICED_BY_THE_READER)
        reading = Reading(summary=summary, noticed=noticed)
        assessment = judge(reading, self._registry, self._rules)
        if not assessment.is_note or assessment.disposition in {Disposition.REJECT, Disposition.WITHHOLD}:
            grave = {Severity.REJECT, Severity.WITHHOLD}
            codes = ", ".join(f.code for f in assessment.findings if f.severity in grave) or "PH001"
            raise NotReleasableError(f"{row.id} may not be sent on: {codes}")
        return assessment

    @staticmethod
    def _check_route(assessment: Assessment, route: Route) -> None:
        """A note that is held because its municipality is not known needs one."""
        held_for = {f.code for f in assessment.findings if f.severity is Severity.HOLD}
        if route.municipality is None and "PH050" in held_for:
            raise NoRouteError(
                "the municipality is not known, or not in the register",
                hint="give --municipality CODE or --to HERID",
            )

    def discard(
        self, transaction: JournalTransaction, inbound_id: str, person: Person, *, at: datetime
    ) -> None:
        """End what is held: it goes nowhere, and its sender is told why.

        Each named receiver that nobody has answered for is answered for negatively; where a positive AppRec
        was given already (the gateway's own HER-id, a cancellation that names no note) the department is told
        by DIALOG_AVVIK.

        Raises:
            NotHeldError: it does not wait (any more).
        """
        row = _held(transaction, inbound_id)
        faults = discarding_faults(row.findings, person.reason)
        codes = ",".join(sorted({f.code for f in faults}))
        detail: dict[str, str | int | None] = {"by": person.name, "findings": row.reason, "apprec": codes}
        transaction.update_inbound(row.id, state=InboundState.DISCARDED, reason=_BY_A_PERSON)
        _tell(transaction, row, at, "discarded", detail)
        stored = original_head(row)
        if stored is None:
            _tell(transaction, row, at, "not-answered", {"reason": "content-purged"})
            return
        self._answer(transaction, row, stored, faults, at)
        given = transaction.sendings(row.id, kinds=(SendingKind.RECEIPT,))
        if any((r.apprec or "").startswith(ReceiptStatus.OK.value) for r in given):
            sentence = " ".join(f.detail or "" for f in faults)
            self._deviations.discarded(transaction, row, sentence, at)

    def _answer(
        self,
        transaction: JournalTransaction,
        row: InboundMessage,
        stored: tuple[Head, Format],
        faults: tuple[Fault, ...],
        at: datetime,
    ) -> None:
        made = self._answers.to_each(row, *stored, status=ReceiptStatus.REJECTED, faults=faults, at=at)
        if made is None:
            _tell(transaction, row, at, "not-answered", {"reason": "sender-not-in-register"})
        for receipt in made or ():
            add_receipt(transaction, receipt, at)


def discarding_faults(findings: Sequence[Finding], reason: str) -> tuple[Fault, ...]:
    """The errors of the receipt for a note that a person discards: what held it, and the person's reason.

    The code is that of the finding (E21 for an unknown municipality), else X99: no other code of list 8221
    says that somebody has decided.
    """
    holding = [f for f in findings if f.severity is Severity.HOLD]
    made = [fault(FINDINGS[f.code].error or ErrorCode.OTHER, FINDINGS[f.code].for_sender) for f in holding]
    why = f"{_NOT_SENT_ON} Begrunnelse: {reason.strip()[:LONGEST_REASON]}"
    if not made:
        return (fault(ErrorCode.OTHER, why),)
    return (replace(made[0], detail=f"{made[0].detail} {why}"), *made[1:])


def _held(transaction: JournalTransaction, inbound_id: str) -> InboundMessage:
    """The row, if it waits for a person."""
    row = transaction.inbound(inbound_id)
    if row is None or row.kind is not InboundKind.NOTE:
        raise NotHeldError(f"{inbound_id} is no note of a hospital", hint="pakkehjem held list shows them")
    if row.state is not InboundState.HELD:
        why = f" ({row.reason})" if row.reason else ""
        raise NotHeldError(
            f"{row.id} is not held: it is {row.state.value}{why}",
            hint=f"pakkehjem messages trace {row.id[:8]} tells who decided",
        )
    return row


def _read(row: InboundMessage) -> tuple[Message, Summary]:
    """The note as it was taken in: what it says stands in its summary, and is not read anew."""
    end_it = "pakkehjem held discard ID --reason TEXT ends it"
    if row.summary is None:
        raise NotReleasableError(f"{row.id} is no Pakkeforløp hjem note: it goes nowhere", hint=end_it)
    if not row.body:
        raise NotReleasableError(f"{row.id} has no content any more: it was purged", hint=end_it)
    if row.reason == "cancels-nothing-named":
        raise NotReleasableError(f"{row.id} is a cancellation that names no note", hint=end_it)
    return read_message(parse(row.body)), Summary.from_json(row.summary)


def _tell(
    transaction: JournalTransaction,
    row: InboundMessage,
    at: datetime,
    name: str,
    detail: dict[str, str | int | None],
) -> None:
    transaction.add_event(Event(inbound_id=row.id, at=at, name=name, detail=detail))
