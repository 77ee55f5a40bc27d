"""What a sentence or a clause says, by its own words: where no heading tells, or a heading does not hold."""

from __future__ import annotations

import re
from enum import StrEnum

from adapters.reading.contact import initiator_in
from adapters.reading.named import party_in
from adapters.reading.vocabulary import Words, remembered


class Role(StrEnum):
    """What words may be."""

    CONTACT = "contact"
    STATUS = "status"
    SURVEY = "survey"
    REFERRAL = "referral"
    FOLLOW_UP = "follow_up"
    DIAGNOSIS = "diagnosis"
    MATTERS = "matters"
    DENIED = "denied"
    NEED = "need"
    STRAIN = "strain"


PATHWAY = Words("status", "pathway")
JOINS = Words("status", "joins")
_ABOUT_THE_OFFER = Words(
    "status", "pathway", "joins", "refused", "refused_municipality", "objects", "undecided"
)
HELD = Words("survey", "held")
PLANNED = Words("survey", "planned")
_OF_THE_TALK = ("termom", "nccn", "distress", "påkjenningsgrad", "grad av påkjenning", "kartlegg")
"""Letters of the thermometer, and of the word for the conversation that no other is called by"""
_ON_A_SCALE = re.compile(r"^t(?:erm)?\.? \d|skala\w* for")
REFERRED = Words("referrals", "cue")
NOT_OUR_REFERRAL = Words("referrals", "not_ours")
KK = Words("follow_up", "kk")
HAS = Words("follow_up", "has")
HAS_NOT = Words("follow_up", "has_not")
WISH = Words("follow_up", "wish")
SERVICE = Words("follow_up", "service")
ALREADY = Words("follow_up", "already")
CANCER = Words("diagnosis", "cancer")
NOT_CANCER = Words("diagnosis", "not_cancer")
TREATMENT = Words("diagnosis", "treatment")
RELATIVES_ILLNESS = Words("diagnosis", "relative")
MATTERS = Words("matters", "cue")
NOT_PATIENTS_MATTER = Words("matters", "not_patient")
NEED = Words("needs", "cue")
WILL_DO = Words("needs", "will_do")
NEED_DENIED = Words("needs", "denied")
NOT_RELEVANT = Words("needs", "not_relevant")
TARGET = Words("referrals", "target")
STRAIN = Words("strains", "physical", "emotional", "practical", "spiritual", "family")
STRAIN_CUE = Words("strains", "cue")
STRAIN_HINT = Words("strains", "hint")
STRAIN_THEME = Words("strains", "family_theme", "practical_theme")
STRAIN_DENIED = Words("strains", "denied")
SCALE = Words("strains", "scale")
_HISTORY = re.compile(
    r"\b(?:innlagt\s+(?:med|pga|p\.g\.a|grunnet|for|på grunn)|lagt inn\s+(?:med|pga)|operert for|"
    r"(?:henvist|tilvist)\s+(?:\w+\s+){0,2}"
    r"(?:fra|frå|med|pga|av)|(?:biopsi|vevsprøve?|prøve)\w*\s+(?:er\s+|ble\s+|vart\s+)?(?:tatt|teken|teke)|viste|påvist\w*|utredet|utgreidd|undersøkt|debuterte|debut)\b"
)
"""What makes a complaint that follows the way to the diagnosis, not a strain"""


@remembered
def speaks_of_cancer(low: str) -> bool:
    """Whether lower-case words name a cancer of the patient."""
    return CANCER.may_be_within(low) and NOT_CANCER.blotted(low) in CANCER


def names_thermometer(low: str) -> bool:
    """Whether lower-case words name the thermometer, or the conversation as no other is called."""
    for letters in _OF_THE_TALK:
        if letters in low:
            return True
    return (low[:1] == "t" or "skala" in low) and _ON_A_SCALE.search(low) is not None


@remembered
def role_of(low: str) -> Role | None:
    """The role of lower-case words; None where they say nothing that a field is for."""
    if initiator_in(low) is not None:
        return Role.CONTACT
    if low in REFERRED and low not in NOT_OUR_REFERRAL:
        return Role.REFERRAL
    if low in _ABOUT_THE_OFFER:
        return Role.STATUS
    if names_thermometer(low) or (low in HELD and low not in PLANNED):
        return Role.SURVEY
    if low in MATTERS and low not in NOT_PATIENTS_MATTER:
        return Role.MATTERS
    return _follow_up(low) or _illness(low) or need_or_strain(low)


def _follow_up(low: str) -> Role | None:
    if low in KK and low not in WISH and (low in HAS or low in HAS_NOT):
        return Role.FOLLOW_UP
    if low in SERVICE and low in ALREADY and low not in WISH:
        return Role.FOLLOW_UP
    return None


def _illness(low: str) -> Role | None:
    strain = STRAIN.find(low)
    if speaks_of_cancer(low) and not (strain and strain.start() == 0) and low not in RELATIVES_ILLNESS:
        return Role.DIAGNOSIS
    if strain is not None:
        return Role.DIAGNOSIS if _HISTORY.search(low[: strain.start()]) else None
    return Role.DIAGNOSIS if low in TREATMENT and _need(low) is None else None


def need_or_strain(low: str) -> Role | None:
    """Whether words state a need, a strain, or that there is none."""
    if low in SCALE:
        return None
    if (low in NEED_DENIED and low in NEED) or (low in NOT_RELEVANT and (low in SERVICE or low in TARGET)):
        return Role.DENIED
    need = _need(low)
    strain = is_strain(low)
    if need and (strain is None or need.start() <= strain.start()):
        return Role.NEED
    if low in STRAIN_DENIED:
        return Role.DENIED
    return Role.STRAIN if strain else None


def _need(low: str) -> re.Match[str] | None:
    """The words that ask for something, or say what a named party is to do."""
    need = NEED.find(low)
    if need is None and (does := WILL_DO.find(low)) and party_in(low) is not None:
        return does
    return need


@remembered
def is_strain(low: str) -> re.Match[str] | None:
    """The words that make something a strain, wherever it stands."""
    strain, cue = STRAIN.find(low), STRAIN_CUE.find(low)
    if strain is None and cue is None:
        return STRAIN_HINT.find(low) if low in STRAIN_THEME else None
    return strain if strain is not None and (cue is None or strain.start() <= cue.start()) else cue
