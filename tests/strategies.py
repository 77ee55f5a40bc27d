"""Generated summaries: any content the canonical model can hold, awkward on purpose.

The text types of the model normalise what they get, so every value here is what a summary really holds:
`Summary` objects are built through the model, and `lines()` and `texts()` are folded the same way.
"""

from __future__ import annotations

import datetime
import os
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy, composite

from gateway.contracts.summary import (
    Action,
    Address,
    Author,
    Basis,
    Contact,
    ContactInitiator,
    Diagnosis,
    ExistingFollowUp,
    GeneralPractitioner,
    Intent,
    Need,
    NextOfKin,
    NextPoint,
    Participant,
    Pathway,
    PathwayReason,
    PathwayStatus,
    Patient,
    PersonIdentifierType,
    Referral,
    Responsible,
    Sex,
    Source,
    Strain,
    StrainArea,
    Summary,
    Survey,
    SurveyForm,
)
from gateway.contracts.text import as_line, as_text

AWKWARD = (
    "Behov:",
    "Behov",
    "Diagnose: C50",
    "Pasientens telefon: 900 00 001",
    "Hva er viktig for deg: «å sove»",
    "Påkjenninger (b): – trøtt",
    "Status: takker nei",
    "Pakkeforløp hjem for pasienter med kreft",
    "Neste samhandlingspunkt: 01.02.2026 - 01.03.2026",
    "Til: fastlegen",
    "Tiltak (henvist til):",
    "- strek først",
    "– tankestrek først",
    "• kulepunkt",
    "* stjerne",
    "1) nummerert",
    "a. bokstav",
    "-",
    "--",
    "–",
    "•",
    ":",
    ";",
    ".",
    ",",
    "A: B: C",
    "slutt med kolon:",
    "ja",
    "Nei.",
    "ukjent",
    "None",
    "null",
    "0",
    "<b>ikke merking</b>",
    "a < b && c > d",
    "]]>",
    "&amp; &#13; &nbsp;",
    "<!-- -->",
    "\"sitat\" 'apostrof' «gåseøyne»",
    "semikolon; komma, | strek \\ skråstrek / \\.br\\",
    "æøå ÆØÅ éüßñ áŋđ",
    "Čáhppesgáissá, Ŋiŋa Đuoddar, ŧ ž š ŋ",
    "Åse Møkkelgård Kværnø",
    "e\u0301 sammensatt",
    "C\u030ca\u0301hppesga\u0301issa\u0301, A\u030ase",
    "styre\x00tegn\x08 \x1f\x7f\x85\ufffe",
    "\U0001f469\u200d\u2695\ufe0f \U00020bb7",
    "(parentes) [klamme] {krøll} = + # % $ § @ ~ ^ _ `",
    "\u00adskjult\u200bbredde",
    "tlf. +47 90 00 00 01, e-post a@b.example.test",
    "31.12.2026 kl. 12:00",
)
"""Words that look like markup, headings, bullets, dates or nothing at all."""

_ALPHABET = st.one_of(
    st.sampled_from("abcdefghijklmnopqrstuvwxyzæøåABCÆØÅ0123456789 .,:;-–—•*«»\"'<>&()/%+\u00a0"),
    st.characters(blacklist_categories=["Cs"]),
)

_BLANKS = st.sampled_from([" ", "  ", "\t", "\n", "\r\n", ": ", " - ", ". ", ", "])

T = TypeVar("T")


def examples(short: int) -> int:
    """How many examples a property is tried on: `short`, and more in `make properties`."""
    return max(short, int(os.environ.get("PAKKEHJEM_EXAMPLES", "0")))


# What is drawn below is drawn in functions: a strategy built of parts would print all of its parts.


_SHORT = st.lists(
    st.one_of(st.sampled_from(AWKWARD), st.text(_ALPHABET, max_size=20), _BLANKS), min_size=1, max_size=3
).map("".join)
_LONG = st.sampled_from(AWKWARD).map(lambda words: f"{words} " * 40)
_RAW_LINE = st.one_of(st.sampled_from(AWKWARD), _SHORT, _SHORT, _LONG)
_LINE_OF_TEXT = st.one_of(
    st.sampled_from(AWKWARD),
    st.sampled_from(AWKWARD).map("  {}".format),
    st.sampled_from(["", " ", "\t", "\r"]),
    st.text(_ALPHABET, max_size=40),
)


@composite
def lines(draw: DrawFn, max_length: int | None = None) -> str:
    """One line of text as the model keeps it: folded, never empty.

    Args:
        draw: given by hypothesis.
        max_length: cut to this many characters, where a format sets a limit.
    """
    line = str(as_line(str(as_line(draw(_RAW_LINE)))[:max_length]))
    return line or draw(st.sampled_from("xæ7"))


@composite
def texts(draw: DrawFn, max_lines: int = 12) -> str:
    """Text of several lines as the model keeps it: line feeds only, never empty."""
    raw = draw(st.lists(_LINE_OF_TEXT, min_size=1, max_size=max_lines))
    raw *= draw(st.sampled_from((1, 1, 1, 1, 1, 1, 1, 1, 1, 60)))
    return str(as_text("\n".join(raw))) or draw(st.sampled_from("xæ7"))


def phones() -> SearchStrategy[str]:
    """A telephone number in E.164 form, mostly Norwegian."""
    norwegian = st.integers(20000000, 99999999).map("+47{}".format)
    return st.one_of(norwegian, st.integers(1000, 999999999999999).map("+{}".format))


def dates() -> SearchStrategy[datetime.date]:
    """A calendar date that a record may hold."""
    return st.dates(datetime.date(1900, 1, 1), datetime.date(2100, 12, 31))


def times() -> SearchStrategy[datetime.datetime]:
    """A time with a zone of whole minutes, to the microsecond."""
    zones = st.integers(-14 * 60, 14 * 60).map(
        lambda minutes: datetime.timezone(datetime.timedelta(minutes=minutes))
    )
    return st.datetimes(
        datetime.datetime(1900, 1, 2),  # noqa: DTZ001 - hypothesis adds the zone
        datetime.datetime(2100, 12, 30),  # noqa: DTZ001 - hypothesis adds the zone
        timezones=st.one_of(st.just(datetime.UTC), zones),
    )


def her_ids() -> SearchStrategy[str]:
    """An identifier of the address register."""
    return st.integers(1, 10**12 - 1).map(str)


def hpr_numbers() -> SearchStrategy[str]:
    """A number of the register of health personnel."""
    return st.integers(1, 10**9 - 1).map(str)


def _digits(count: int) -> SearchStrategy[str]:
    return st.integers(0, 10**count - 1).map(lambda number: f"{number:0{count}d}")


def _references() -> SearchStrategy[str]:
    return st.one_of(st.uuids().map(str), lines())


def _maybe(strategy: SearchStrategy[T]) -> SearchStrategy[T | None]:
    return st.one_of(st.none(), strategy)


def _several(strategy: SearchStrategy[T], max_size: int = 3) -> SearchStrategy[tuple[T, ...]]:
    return st.lists(strategy, max_size=max_size).map(tuple)


@composite
def _points(draw: DrawFn) -> NextPoint:
    return NextPoint(
        point=draw(st.sampled_from((2, 3))),
        start=draw(dates()),
        end=draw(dates()),
        basis=draw(st.sampled_from(Basis)),
    )


@composite
def pathways(draw: DrawFn) -> Pathway:
    """Where a patient stands; the points need not be what the gateway would have computed."""
    return Pathway(
        status=draw(st.sampled_from(PathwayStatus)),
        reason=draw(_maybe(st.sampled_from(PathwayReason))),
        interaction_point=draw(st.sampled_from((1, 2, 3))),
        started_on=draw(_maybe(dates())),
        objects_to_sharing=draw(st.booleans()),
        next_points=draw(_several(_points(), 2)),
    )


@composite
def _addresses(draw: DrawFn) -> Address:
    return Address(
        line=draw(_maybe(lines())), postal_code=draw(_maybe(_digits(4))), city=draw(_maybe(lines()))
    )


@composite
def patients(draw: DrawFn) -> Patient:
    """A patient; the identifier is any line, as a note may hold a wrong one."""
    return Patient(
        id=draw(_maybe(st.one_of(_digits(11), lines()))),
        id_type=draw(_maybe(st.sampled_from(PersonIdentifierType))),
        given_name=draw(_maybe(lines())),
        middle_name=draw(_maybe(lines())),
        family_name=draw(_maybe(lines())),
        birth_date=draw(_maybe(dates())),
        sex=draw(st.sampled_from(Sex)),
        phones=draw(_several(phones())),
        address=draw(_maybe(_addresses())),
        municipality_code=draw(_maybe(st.one_of(_digits(4), _digits(6)))),
        language=draw(_maybe(st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=3))),
    )


@composite
def _kin(draw: DrawFn) -> NextOfKin:
    return NextOfKin(name=draw(lines()), relation=draw(_maybe(lines())), phone=draw(_maybe(phones())))


@composite
def _practitioners(draw: DrawFn) -> GeneralPractitioner:
    return GeneralPractitioner(
        name=draw(_maybe(lines())), her_id=draw(_maybe(her_ids())), hpr=draw(_maybe(hpr_numbers()))
    )


@composite
def diagnoses(draw: DrawFn) -> Diagnosis:
    """A diagnosis, with a code of a code system, of none, or no code."""
    codes = st.one_of(st.sampled_from(["C50.9", "C61", "D05.1", "X76", "C50.9 G"]), lines())
    return Diagnosis(
        code=draw(_maybe(codes)),
        code_system=draw(st.sampled_from((None, "ICD-10", "ICPC-2"))),
        text=draw(_maybe(lines())),
        date=draw(_maybe(dates())),
        confirmed=draw(st.booleans()),
        intent=draw(_maybe(st.sampled_from(Intent))),
    )


@composite
def surveys(draw: DrawFn) -> Survey:
    """A conversation, every answer given or not."""
    return Survey(
        held_on=draw(_maybe(dates())),
        form=draw(_maybe(st.sampled_from(SurveyForm))),
        distress_score=draw(_maybe(st.integers(0, 10))),
        relatives_present=draw(_maybe(st.booleans())),
        procedure_code=draw(_maybe(st.one_of(st.just("WMFG11"), lines()))),
    )


@composite
def _strains(draw: DrawFn) -> Strain:
    return Strain(area=draw(_maybe(st.sampled_from(StrainArea))), text=draw(lines()))


@composite
def _needs(draw: DrawFn) -> Need:
    return Need(text=draw(lines()), responsible=draw(_maybe(st.sampled_from(Responsible))))


@composite
def _participants(draw: DrawFn) -> Participant:
    return Participant(name=draw(_maybe(lines())), her_id=draw(_maybe(her_ids())))


@composite
def sources(draw: DrawFn) -> Source:
    """The message that a summary was read from."""
    formats = (
        "plo-1.5",
        "plo-1.6",
        "epikrise-1.1",
        "epikrise-1.2",
        "dialogmelding-1.0",
        "dialogmelding-1.1",
    )
    return Source(
        system=draw(st.sampled_from(["dips", "doculive", "helseplattformen", "x", "another_system-2"])),
        format=draw(st.sampled_from(formats)),
        action=draw(st.sampled_from(Action)),
        msg_type=draw(_maybe(lines())),
        msg_id=draw(_maybe(_references())),
        conversation_id=draw(_maybe(_references())),
        replaces=draw(_maybe(_references())),
        sent_at=draw(_maybe(times())),
        organisation=draw(_participants()),
        unit=draw(_participants()),
    )


@composite
def authors(draw: DrawFn) -> Author:
    """Who wrote a note."""
    return Author(
        name=draw(_maybe(lines())),
        role=draw(_maybe(lines())),
        unit=draw(_maybe(lines())),
        phone=draw(_maybe(phones())),
        hpr=draw(_maybe(hpr_numbers())),
    )


@composite
def summaries(draw: DrawFn) -> Summary:
    """Any summary that the model allows: every field absent, empty, plain or awkward."""
    return Summary(
        pathway=draw(pathways()),
        patient=draw(patients()),
        next_of_kin=draw(_several(_kin())),
        gp=draw(_maybe(_practitioners())),
        diagnosis=draw(_maybe(diagnoses())),
        survey=draw(_maybe(surveys())),
        strains=draw(_several(_strains())),
        what_matters=draw(_maybe(lines())),
        needs=draw(_several(_needs())),
        referrals=draw(_several(lines().map(lambda text: Referral(text=text)))),
        contact=Contact(initiated_by=draw(st.sampled_from(ContactInitiator)), when=draw(_maybe(lines()))),
        existing_follow_up=ExistingFollowUp(
            kreftkoordinator=draw(_maybe(st.booleans())), text=draw(_maybe(lines()))
        ),
        author=draw(_maybe(authors())),
        source=draw(sources()),
        note=draw(_maybe(texts())),
    )
