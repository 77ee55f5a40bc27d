"""The rules: what a person should know of a note before it is sent on.

A rule looks at the summary and its route; PH001, PH061 and PH090 are noticed by whoever reads the note.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.contracts.findings import Finding, Severity, finding
from gateway.contracts.reading import Reading
from gateway.contracts.registry import Registry
from gateway.contracts.summary import Action, ContactInitiator, PathwayReason, PathwayStatus, Sex, Summary
from gateway.formats.diagnosis_code import is_cancer
from gateway.formats.patient_identification import is_identified
from gateway.formats.person_identifier import check_digits_ok
from gateway.routing.route import Route

CHILD_BELOW_YEARS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSettings:
    """What a deployment sets."""

    severities: Mapping[str, Severity] = field(default_factory=dict)
    repeat_days: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a rule may look at."""

    summary: Summary
    route: Route
    registry: Registry | None
    earlier: Sequence[Summary]
    """Notes for the same patient and interaction point that were sent on or are held"""
    repeat_days: int


Rule = Callable[[Case], Iterator[str]]


def _status(case: Case) -> Iterator[str]:
    match case.summary.pathway.status:
        case PathwayStatus.DECLINED:
            yield "PH010"
        case PathwayStatus.UNKNOWN:
            yield "PH012"
    if case.summary.pathway.objects_to_sharing:
        yield "PH011"


def _diagnosis(case: Case) -> Iterator[str]:
    diagnosis = case.summary.diagnosis
    if diagnosis is None:
        yield "PH020"
    elif not diagnosis.confirmed or (
        diagnosis.code is not None
        and diagnosis.code_system is not None
        and not is_cancer(diagnosis.code, diagnosis.code_system)
    ):
        yield "PH021"


def _contact(case: Case) -> Iterator[str]:
    if not case.summary.patient.phones:
        yield "PH030"
    if (
        case.summary.contact.initiated_by is ContactInitiator.UNKNOWN
        and case.summary.pathway.status is not PathwayStatus.DECLINED
    ):
        yield "PH031"


def _follow_up(case: Case) -> Iterator[str]:
    if case.summary.existing_follow_up.kreftkoordinator:
        yield "PH041"


def _content(case: Case) -> Iterator[str]:
    summary = case.summary
    if summary.pathway.status is PathwayStatus.STARTED and not summary.strains and not summary.needs:
        yield "PH060"


def _repeat(case: Case) -> Iterator[str]:
    if case.summary.source.action is Action.NEW and any(_repeats(case, earlier) for earlier in case.earlier):
        yield "PH040"


def _repeats(case: Case, earlier: Summary) -> bool:
    summary = case.summary
    if summary.pathway.reason is PathwayReason.RELAPSE:
        return False
    sent, before = summary.source.sent_at, earlier.source.sent_at
    if sent is not None and before is not None:
        apart = abs(sent - before)
        if apart > datetime.timedelta(days=case.repeat_days):
            return False
    return _same_diagnosis(summary, earlier)


def _same_diagnosis(one: Summary, other: Summary) -> bool:
    """Whether two notes may be about the same cancer: different only where both are coded and differ."""
    codes = [s.diagnosis.code for s in (one, other) if s.diagnosis is not None and s.diagnosis.code]
    return len(codes) < 2 or codes[0][:3].upper() == codes[1][:3].upper()


def _route(case: Case) -> Iterator[str]:
    if case.registry is None:
        if case.summary.patient.municipality_code is None:
            yield "PH050"
        if case.summary.gp is None:
            yield "PH051"
        return
    if case.route.municipality is None:
        yield "PH050"
    if case.route.gp is None:
        yield "PH051"


def _identity(case: Case) -> Iterator[str]:
    patient = case.summary.patient
    named = patient.family_name is not None or patient.given_name is not None
    if not is_identified(
        named=named,
        numbers=(patient.id,) if patient.id is not None else (),
        described=patient.birth_date is not None and patient.sex is not Sex.UNKNOWN,
    ):
        yield "PH071"
    elif patient.id is not None and patient.id_type is not None and not check_digits_ok(patient.id):
        yield "PH070"


def _child(case: Case) -> Iterator[str]:
    patient, sent = case.summary.patient, case.summary.source.sent_at
    if patient.birth_date is None or sent is None or case.summary.next_of_kin:
        return
    day = sent.date()
    had_birthday = (day.month, day.day) >= (patient.birth_date.month, patient.birth_date.day)
    if day.year - patient.birth_date.year - (not had_birthday) < CHILD_BELOW_YEARS:
        yield "PH080"


_RULES: tuple[Rule, ...] = (
    _status,
    _diagnosis,
    _contact,
    _follow_up,
    _content,
    _repeat,
    _route,
    _identity,
    _child,
)
_RULES_FOR_A_CANCELLATION: tuple[Rule, ...] = (_identity,)
"""A cancellation says what to forget; what it leaves out is no fault of it."""


def assess(
    reading: Reading,
    route: Route,
    registry: Registry | None,
    settings: RuleSettings,
    earlier: Sequence[Summary] = (),
) -> tuple[Finding, ...]:
    """The findings of a note, in the order of their codes. A note that is none has PH001 alone."""
    if "PH001" in reading.noticed:
        return (finding("PH001", settings.severities),)
    summary = reading.summary
    case = Case(
        summary=summary, route=route, registry=registry, earlier=earlier, repeat_days=settings.repeat_days
    )
    rules = _RULES_FOR_A_CANCELLATION if summary.source.action is Action.CANCEL else _RULES
    codes = {code for rule in rules for code in rule(case)}
    if summary.source.action is not Action.CANCEL:
        codes.update(reading.noticed)
    return tuple(finding(code, settings.severities) for code in sorted(codes))
