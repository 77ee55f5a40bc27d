"""The strains, needs and referrals of a note: one piece of text each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from adapters.reading.areas import area_of
from adapters.reading.contact import NOT_AGREED, initiator_in
from adapters.reading.model import LISTS, Statement, Topic
from adapters.reading.named import party_in
from adapters.reading.people import is_signature
from adapters.reading.phones import find_phones
from adapters.reading.roles import (
    ALREADY,
    HAS,
    HAS_NOT,
    HELD,
    KK,
    MATTERS,
    NEED,
    NEED_DENIED,
    NOT_OUR_REFERRAL,
    PATHWAY,
    PLANNED,
    REFERRED,
    STRAIN_DENIED,
    WISH,
    Role,
    is_strain,
    names_thermometer,
    need_or_strain,
    role_of,
)
from adapters.reading.splitting import Separator, masked, merge, sentences, split_at, strong_parts
from adapters.reading.vocabulary import Words, lower

REFERRAL_DENIED = Words("referrals", "denied")
_TARGET = Words("referrals", "target")
_CONTINUES = Words("needs", "continuation")
_NOT_HELD = Words("survey", "not_held", "not_filled")
_INTRODUCES = Words("people", "salutation")
_NOT_NOW = Words("status", "not_now")
_LATER = Words("status", "later")
_OFFER = re.compile(
    r"\b(?:tilbud|tilbod|forespørsel|førespurnad|spør|spørre|spørje|spurt|spurd|spørres|spørjast|samtale|kartlegging)\w*"
)
_AGAIN = re.compile(r"\b(?:nytt til(?:bud|bod)|igjen|att|på nytt|senere|seinare|samhandlingspunkt|sp ?2)\b")
"""With the words of an offer: what is wanted is to be asked later, not a service"""

_COMMA = Separator(r",\s+(?:og\s+|samt\s+|men\s+)?|\s+samt\s+", ",", "samt")
_WISHES = re.compile(r"(?:ønsker|ønskjer|ynskjer|ønske om|ber om)\b")
_INTERPRETER = re.compile(r"\b(?:\w*tolk|tolke\w*)\b")
_EXCEPT = re.compile(
    r"(?:har\s+)?(?:ingen|ikke|ikkje|inga)\b[^.;,]{0,40}?"
    r"(?:belastning|påkjenning|plage|problem|bekymring|symptom)\w*,?\s+"
    r"(?:utover|ut over|bortsett fra|bortsett frå|foruten|annet enn|anna enn|unntatt|med unntak av)\s+"
    r"(?P<strain>[^.;]+)",
    re.IGNORECASE,
)
_CALL = re.compile(r"kontakt|\bring")
_GOVERNS_BOTH = re.compile(r"\b(?:for|om|over|av|med|på|mot|til)\s+\S+$", re.IGNORECASE)
"""`redd for smerter` before an `og`: what comes after it may go on with the same words"""
_HAS_A_VERB = re.compile(r"(?:er|var|har|føler|føles|kjenner|blir|vert|gruer|gruar)\b", re.IGNORECASE)
_AND_HAS_A_VERB = re.compile(rf"\s+og\s+{_HAS_A_VERB.pattern}", re.IGNORECASE)
_AND = Separator(r"\s+og\s+", "og")
_AND_TARGET = Separator(r"(?<!-)\s+og\s+(?:til\s+)?|,\s+(?:og\s+)?(?:til\s+)?", "og", ",")
_CLAUSE = Separator(
    r",\s+(?:(?:og|men|mens|samt|så|i tillegg|dessuten)\s+)?(?=\S)|;\s+"
    r"|\s+(?:og|men)\s+(?=(?:han|hun|ho|de|dei|vi|jeg|eg|det|pas\.?|pasienten|kona|mannen|ønsker|ønskjer|ynskjer|"
    r"trenger|treng|ber|lurer|spør|henvist|tilvist|søkt|at)\b)",
    *(",", ";", "og", "men"),
)
_STRAIN_CONTINUES = re.compile(
    r"(?:som|men|da|fordi|siden|sidan|ettersom|slik at|så|er|har|hadde|var|og|bor|bur|mister|mistar|særlig|"
    r"særleg|spesielt|etter|når|mest|verst|også|òg|selv om|sjølv om|tror|trur|for|men|både|hun|han|ho|det|"
    r"dette|til tross|blant annet|bl\.a\.?|f\.eks\.?|i|på|om|ved|under|\d+)\b"
)
_IS = re.compile(r"(?:er|har)\b")
_ANSWERED = re.compile(
    r"(?P<problem>[^:=\t]{2,50}?)\s*(?:[:=\t]|\s[-–])\s*(?P<answer>ja|nei)\b"
    r"[\s.,;:(\-–]*(?P<more>.*)",
    re.IGNORECASE,
)
_WORD_COUNT = re.compile(r"[^\W\d_]+")
_LEAD = re.compile(
    r"^(?:(?:han|hun|ho|pas\w*\.?|pasienten)\s+(?:er|ble|blei|vart)\s+)?(?:også\s+|òg\s+)?"
    r"(?:allerede\s+|allereie\s+)?(?:henvist|tilvist|henv\.?|søkt|meldt på|remiss er sendt)\s+"
    r"(?:til\s+|om\s+)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Item:
    """A strain, a need or a referral."""

    role: Role
    text: str
    statement: Statement
    headed: bool = False
    """Whether it stands under a heading of its kind"""

    @property
    def low(self) -> str:
        """In lower case."""
        return lower(self.text)


_FIRST_WORDS = 14
"""How far into a sentence its word of referral may stand, in characters"""
_MOST_WORDS_OF_AN_ITEM = 4
_MOST_WORDS_OF_A_HALF = 6
_ROLES = {Topic.STRAIN: Role.STRAIN, Topic.NEED: Role.NEED, Topic.REFERRAL: Role.REFERRAL}
_OF_ITEMS = frozenset(_ROLES.values())
_ASKED_FOR = frozenset({Role.NEED, Role.REFERRAL})
_OF_SEVERAL_CLAUSES = frozenset({Role.SURVEY, Role.STATUS, Role.DIAGNOSIS, Role.REFERRAL})
_CLOSED = frozenset(
    {
        Topic.TITLE,
        Topic.DENIED,
        Topic.SCALE,
        Topic.AUTHOR,
        Topic.RECIPIENT,
        Topic.PATIENT,
        Topic.PHONE,
        Topic.GP,
        Topic.LANGUAGE,
        Topic.CONSENT,
        Topic.SCORE,
        Topic.KIN,
        Topic.MATTERS,
    }
)
"""Headings under which there are no items"""
_OWN_WORDS_ONLY = frozenset({Topic.DIAGNOSIS, Topic.PLAN, Topic.STATUS, Topic.CONTACT})
"""Headings under which only a need or a referral that says so is an item"""


def read_items(statements: Sequence[Statement]) -> list[Item]:
    """The items of a note, in its order."""
    found: list[Item] = []
    last: Role | None = None
    listed = any(statement.topic is Topic.STRAIN for statement in statements)
    for statement in statements:
        items = list(_items(statement))
        if listed and statement.topic is Topic.SURVEY:
            # Strains have a list of their own: what the telling of the talk holds is said beside it.
            items = [item for item in items if item.role is not Role.STRAIN]
        if not items and statement.bullet and statement.heading is None and last and _unclear(statement):
            # In a list without headings, what says nothing else goes on with what stands before it.
            items = [Item(last, statement.text, statement)]
        last = items[-1].role if items else None
        found.extend(items)
    return found


def _unclear(statement: Statement) -> bool:
    return role_of(statement.low) is None


def _items(statement: Statement) -> Iterator[Item]:
    topic, section = statement.topic, statement.section
    if (
        topic in _CLOSED
        or (not statement.label and is_signature(statement.text))
        or _INTRODUCES.at_start(statement.low)
    ):
        return
    if find_phones(statement.text) and role_of(statement.low) is None and not statement.bullet:
        return
    if topic in LISTS:
        yield from _listed(statement, _ROLES[topic])
        return
    only = _ASKED_FOR if topic in _OWN_WORDS_ONLY else _OF_ITEMS
    free = list(_free(statement))
    if not free and section in LISTS and role_of(statement.low) is None and not find_phones(statement.text):
        yield from _listed(statement, _ROLES[section])
        return
    yield from (item for item in free if item.role in only)


def _listed(statement: Statement, role: Role) -> Iterator[Item]:
    """The items of a line under a heading of a list."""
    parts = strong_parts(statement.text)
    whole = statement.bullet or len(parts) > 1
    for part in parts:
        for sentence in [part] if whole else sentences(part):
            low = lower(sentence)
            if role is Role.STRAIN and (except_for := _EXCEPT.match(sentence)) is not None:
                yield Item(role, except_for["strain"].strip(" .,;"), statement, headed=True)
                continue
            if _speaks_of_else(low, role) or (
                _tells_of_coordinator(low, role) and len(split_at(sentence, _COMMA)) == 1
            ):
                continue
            if role is not Role.REFERRAL and not whole and _refers(low):
                yield from _clause(sentence, Role.REFERRAL, statement)
                continue
            for text in _SPLIT[role](sentence, whole=whole, headed=True):
                kind = None if _tells_of_coordinator(lower(text), role) else _role_here(lower(text), role)
                if kind is not None:
                    yield Item(kind, text.strip(" .,;"), statement, headed=True)


def _refers(low: str) -> bool:
    """Whether a sentence tells from its beginning what the patient is referred to."""
    found = REFERRED.find(low)
    return found is not None and found.start() <= _FIRST_WORDS and low not in NOT_OUR_REFERRAL


def _speaks_of_else(low: str, role: Role) -> bool:
    """Whether a sentence under a heading of a list is about something else after all."""
    if (
        initiator_in(low) is not None
        or (low in NOT_AGREED and _CALL.search(low))
        or (names_thermometer(low) and low not in NEED)
    ):
        return True
    if low in MATTERS and len(low.split()) > _MOST_WORDS_OF_AN_ITEM and role_of(low) is Role.MATTERS:
        return True
    return role is Role.STRAIN and low in HELD and low not in PLANNED and not is_strain(low)


def _tells_of_coordinator(low: str, role: Role) -> bool:
    """Whether words under a heading of a list tell whether the coordinator is there."""
    if role is Role.REFERRAL or low not in KK:
        return False
    if low in HAS_NOT:
        return low not in WISH
    return low in HAS and (low in ALREADY or low not in WISH)


def _role_here(low: str, role: Role) -> Role | None:
    """What an item under a heading is; None for one that is denied."""
    if low in REFERRED:
        return None if low in REFERRAL_DENIED else Role.REFERRAL
    if role is Role.REFERRAL:
        if low in REFERRAL_DENIED:
            return None
        need = need_or_strain(low) is Role.NEED and NEED.at_start(low) is not None
        return Role.NEED if need and WISH.at_start(low) else Role.REFERRAL
    if role is Role.NEED:
        return None if low in NEED_DENIED else Role.NEED
    if low in STRAIN_DENIED:
        return None
    return Role.NEED if _WISHES.match(low) else Role.STRAIN


def _free(statement: Statement) -> Iterator[Item]:
    """The items of a sentence that stands under no heading of a list."""
    low = statement.low
    if (except_for := _EXCEPT.match(statement.text)) is not None:
        yield Item(Role.STRAIN, except_for["strain"].strip(" .,;"), statement)
        return
    if "tolk" in low and _INTERPRETER.search(low):
        return
    if (
        low in _NOT_HELD
        or (low in _LATER and _OFFER.search(low) and _AGAIN.search(low))
        or (low in _NOT_NOW and (low in PATHWAY or low in HELD))
    ):
        return
    role = role_of(low)
    if role is Role.MATTERS:
        return
    several = len(low) > 60 or role in _OF_SEVERAL_CLAUSES
    clauses = split_at(statement.text, _CLAUSE) if several else [statement.text]
    if len(clauses) == 1:
        yield from _clause(statement.text, role, statement)
        return
    for text, kind in _judged(clauses):
        yield from _clause(text, kind, statement)


def _judged(clauses: list[str]) -> list[tuple[str, Role | None]]:
    """Clauses with their roles; one that has none goes on with the one before it."""
    judged: list[tuple[list[str], Role | None]] = []
    before: Role | None = None
    for clause in clauses:
        low = lower(clause)
        role = role_of(low)
        goes_on = (
            role is None
            or (before is Role.NEED and role is Role.STRAIN and not is_clear_strain(low))
            or (before is Role.REFERRAL and low in _TARGET and len(low.split()) <= _MOST_WORDS_OF_A_HALF)
        )
        if judged and goes_on:
            judged[-1][0].append(clause)
        else:
            judged.append(([clause], role))
            before = role
    return [(", ".join(parts), role) for parts, role in judged]


def is_clear_strain(low: str) -> bool:
    """Whether a clause beside a need speaks of a strain of its own."""
    return re.match(r"(?:han|hun|ho|de|dei|pas\w*\.?|pasienten|kona|mannen)\b", low) is not None


def _clause(text: str, role: Role | None, statement: Statement) -> Iterator[Item]:
    if role not in _OF_ITEMS:
        return
    low = lower(text)
    if role is Role.REFERRAL:
        if low not in REFERRAL_DENIED or "ellers" in low or "elles" in low:
            yield from (
                Item(role, part, statement)
                for part in _referrals(text, whole=False)
                if lower(part) not in REFERRAL_DENIED
            )
        return
    if role is Role.STRAIN:
        yield from (
            Item(role, part.strip(" .,;"), statement) for part in _strains(text, whole=statement.bullet)
        )
        return
    yield from (Item(role, part.strip(" .,;"), statement) for part in _of_two_parties(text))


def _strains(text: str, *, whole: bool, headed: bool = False) -> list[str]:
    answered = _ANSWERED.match(text)
    if answered:
        # A problem list with an answer to each: `Søvn: nei`, `Økonomi: ja, husleie`.
        named, more = answered["problem"].strip(), answered["more"].strip(" .,;")
        return [f"{named}: {more}" if more else named] if answered["answer"].lower() == "ja" else []
    parts = split_at(text, _COMMA)
    if len(parts) == 1 or (whole and len(parts) < 3):
        return _of_two_areas(text) if not whole and (headed or _are_two(text)) else [text]
    listed = len(parts) > 2 and all(len(_WORD_COUNT.findall(part)) <= 6 for part in parts)

    def continues(_: str, part: str) -> bool:
        low = lower(part)
        if _STRAIN_CONTINUES.match(low) and not (_IS.match(low) and is_strain(low)):
            return True
        return not listed and is_strain(low) is None and low not in STRAIN_DENIED

    if not listed and is_strain(lower(parts[0])) is None and lower(parts[0]) not in STRAIN_DENIED:
        # What the sentence is about (`arret, liker ikke å se seg i speilet`).
        parts[:2] = [f"{parts[0]}, {parts[1]}"]
    merged = merge(parts, ", ", continues)
    return [*merged[:-1], *_of_two_areas(merged[-1])] if len(merged) > 1 or len(parts) > 1 else merged


def _are_two(text: str) -> bool:
    """Whether a sentence tells of a strain, and with a verb of its own of something more."""
    more = _AND_HAS_A_VERB.search(text)
    return more is not None and is_strain(lower(text[: more.start()])) is not None


def _of_two_areas(text: str) -> list[str]:
    """Split the last of a list (`vekttap og bekymring for kona`) where it is strains of two areas."""
    for between in _AND.pattern.finditer(masked(text)) if _AND.may_be_in(text) else ():
        parts = text[: between.start()].strip(), text[between.end() :].strip()
        if any(len(part.split()) > _MOST_WORDS_OF_A_HALF or not part for part in parts):
            continue
        if _GOVERNS_BOTH.search(parts[0]) and _HAS_A_VERB.match(parts[1]) is None:
            return [text]
        first, second = (area_of(lower(part)) for part in parts)
        if first and second and first is not second and is_strain(lower(parts[1])):
            return list(parts)
    return [text]


def _needs(text: str, *, whole: bool, headed: bool = False) -> list[str]:
    del whole, headed  # a need is an item of its own wherever a comma parts it from the next

    def continues(_: str, part: str) -> bool:
        return _CONTINUES.at_start(lower(part)) is not None

    return [one for part in merge(split_at(text, _COMMA), ", ", continues) for one in _of_two_parties(part)]


def _of_two_parties(text: str) -> list[str]:
    """Split `psykolog i kommunen og kontakt med NAV`: two parties, two needs."""
    parts = split_at(text, _AND)
    if len(parts) != 2 or (len(parts[1].split()) < 3 and ":" not in text):
        return [text]
    first, second = (party_in(lower(part)) for part in parts)
    return parts if first and second and first is not second else [text]


def _referrals(text: str, *, whole: bool, headed: bool = False) -> list[str]:
    del whole, headed
    parts: list[str] = []
    for part in split_at(text, _AND_TARGET):
        low = lower(part)
        own = low in _TARGET or low in REFERRED or low in REFERRAL_DENIED
        if parts and not (own and not _CONTINUES.at_start(low)):
            between = text[text.find(parts[-1]) + len(parts[-1]) : text.find(part)]
            parts[-1] = f"{parts[-1]}{between}{part}"
        else:
            parts.append(part)
    stripped = (_LEAD.sub("", part).strip(" .,;") or part for part in parts)
    return [part for part in stripped if part]


_SPLIT = {Role.STRAIN: _strains, Role.NEED: _needs, Role.REFERRAL: _referrals}
