"""What must happen after a negative AppRec: the codes of list 8221 in groups, and the department's advice.

Source: HIS 80415:2012, chapters 3.3.4 and 6.3 (codes); HIS 1151 (DIALOG_AVVIK, topics of list 8117).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from gateway.contracts.messages import CodedValue, CodeList
from gateway.contracts.receipts import ERROR_TEXTS
from gateway.formats.codes import listed_code

WRONG_ADDRESSEE = listed_code(CodeList.DIALOGUE_TOPIC_DEVIATION, "1")
INCOMPLETE = listed_code(CodeList.DIALOGUE_TOPIC_DEVIATION, "2")
OTHER = listed_code(CodeList.DIALOGUE_TOPIC_DEVIATION, "9")


class Remedy(StrEnum):
    """Who must do what. In the order of the members the first decides where a receipt has several codes."""

    ADDRESS = "address"
    """The register's entry is wrong: look it up again, send to the right one"""
    CONTENT = "content"
    """The department must correct its note"""
    CERTIFICATE = "certificate"
    """A key or certificate: the operator's"""
    OURS = "ours"
    """The gateway wrote something that the receiver can not read: mend it, and send a new message"""
    TEMPORARY = "temporary"
    """It may pass, or no code says what it is: a person reads what the receiver wrote"""


REMEDIES: Mapping[str, Remedy] = MappingProxyType(
    {
        "T01": Remedy.OURS,
        "T02": Remedy.OURS,
        "T10": Remedy.OURS,
        "T99": Remedy.OURS,
        "E10": Remedy.OURS,
        "S01": Remedy.CERTIFICATE,
        "S02": Remedy.CERTIFICATE,
        "S03": Remedy.CERTIFICATE,
        "S99": Remedy.CERTIFICATE,
        "E20": Remedy.ADDRESS,
        "E21": Remedy.ADDRESS,
        "E30": Remedy.CONTENT,
        "E31": Remedy.CONTENT,
        "E32": Remedy.CONTENT,
        "E33": Remedy.CONTENT,
        "E34": Remedy.CONTENT,
        "E35": Remedy.CONTENT,
        "E36": Remedy.CONTENT,
        "E53": Remedy.CONTENT,
        "E54": Remedy.CONTENT,
        "X99": Remedy.TEMPORARY,
    }
)
"""Every code of list 8221 that the gateway knows; any other one is TEMPORARY"""


def remedy(codes: Collection[str]) -> Remedy:
    """What a negative AppRec with these codes asks for; one without any asks for a person."""
    found = {REMEDIES.get(code.strip().upper(), Remedy.TEMPORARY) for code in codes}
    return next((r for r in Remedy if r in found), Remedy.TEMPORARY)


class Trouble(StrEnum):
    """Why a receiver did not take a note, where no code says it."""

    OVERDUE = "overdue"
    """No AppRec within the deadline"""
    GIVEN_UP = "given-up"
    """It could not be put on the receiver's queue"""
    CONTRADICTED = "contradicted"
    """A negative AppRec after a positive one"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What the department reads."""

    topic: CodedValue
    """Of list 8117"""
    sentence: str
    """What to do, in Norwegian"""


ADVICE: Mapping[Remedy | Trouble, Advice] = MappingProxyType(
    {
        Remedy.ADDRESS: Advice(
            topic=WRONG_ADDRESSEE,
            sentence="Mottakeren finnes ikke på adressen som er registrert. Kontroller hvilken kommune eller "
            "fastlege pasienten har, ta kontakt med mottakeren på telefon, og send notatet på nytt når "
            "adressen er rettet.",
        ),
        Remedy.CONTENT: Advice(
            topic=INCOMPLETE,
            sentence="Opplysningene om pasienten er mangelfulle eller feil hos mottakeren. Kontroller navn "
            "og fødselsnummer, rett notatet, og send det på nytt.",
        ),
        Remedy.CERTIFICATE: Advice(
            topic=OTHER,
            sentence="Mottakeren godtok ikke signaturen eller sertifikatet. Drift av meldingstjenesten er "
            "varslet. Ta kontakt med mottakeren på telefon dersom saken haster.",
        ),
        Remedy.OURS: Advice(
            topic=OTHER,
            sentence="Mottakeren kunne ikke lese meldingen. Drift av meldingstjenesten er varslet og sender "
            "den på nytt når feilen er rettet. Ta kontakt med mottakeren på telefon dersom saken haster.",
        ),
        Remedy.TEMPORARY: Advice(
            topic=OTHER,
            sentence="Mottakeren avviste notatet. Les hva mottakeren skriver, ta kontakt på telefon, og send "
            "notatet på nytt når årsaken er rettet.",
        ),
        Trouble.OVERDUE: Advice(
            topic=OTHER,
            sentence="Mottakeren har ikke bekreftet notatet innen fristen, og det må regnes som ikke "
            "mottatt. Ta kontakt med mottakeren på telefon.",
        ),
        Trouble.GIVEN_UP: Advice(
            topic=OTHER,
            sentence="Notatet kunne ikke leveres til mottakeren. Ta kontakt med mottakeren på telefon. Drift "
            "av meldingstjenesten er varslet.",
        ),
        Trouble.CONTRADICTED: Advice(
            topic=OTHER,
            sentence="Mottakeren bekreftet først notatet, men har senere avvist det. Ta kontakt med "
            "mottakeren på telefon.",
        ),
    }
)
"""One for each remedy and trouble"""


def described(codes: Collection[str]) -> str:
    """The codes with the texts of their list, for a sentence; a foreign code without a text."""
    return ", ".join(f"{code} {ERROR_TEXTS[code]}" if code in ERROR_TEXTS else code for code in codes)
