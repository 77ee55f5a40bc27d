"""Notes made from summaries, as nurses of the three systems would write them: a generator of the tests' own.

Nothing here is taken from `mappings/`: the words are those that a nurse would choose, so that what is read of
them says something of notes that nobody has seen. Every choice is drawn from one `Random`: a seed is a note.
"""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Literal, TypeVar

Language = Literal["nb", "nn"]
_T = TypeVar("_T")
_OTHER_ORDER, _PROSE = 0.3, 0.45
"""How often the sections stand in another order, and a note is written in sentences"""
_WORDS: dict[str, Any] = tomllib.loads(
    Path(__file__).with_name("generated_words.toml").read_text(encoding="utf-8")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a note is to say: the summary that it is made from."""

    language: Language
    status: str
    diagnosis: str
    diagnosed_on: datetime.date
    intent: str | None
    relapse: bool
    held_on: datetime.date | None
    form: str | None
    score: int | None
    relatives: bool | None
    started_on: datetime.date | None
    strains: tuple[tuple[str, str], ...]
    matters: str | None
    needs: tuple[tuple[str, str], ...]
    referrals: tuple[str, ...]
    initiator: str
    when: str | None
    phone: str | None
    coordinator: bool | None
    author: tuple[str, str]


@dataclass(slots=True, kw_only=True)
class Note:
    """A note, with the day it was sent."""

    system: str
    subject: str | None
    text: str
    sent_at: str
    told: Told

    def as_mapping(self) -> dict[str, Any]:
        """The note as `tests.adapters.comparison.message_of` takes it."""
        return {"system": self.system, "subject": self.subject, "text": self.text, "sent_at": self.sent_at}


def tell(random: Random, sent_on: datetime.date) -> Told:
    """Draw what a note says."""
    language: Language = random.choice(("nb", "nb", "nn"))
    words = _WORDS[language]
    status = random.choices(("started", "offer_later", "declined"), (8, 1, 1))[0]
    started = status == "started"
    held_on = sent_on - datetime.timedelta(days=random.choice((0, 0, 1, 1, 2, 5))) if started else None
    initiator = random.choices(("municipality", "patient", "unknown"), (7, 2, 1))[0]
    if status == "offer_later":
        initiator = "municipality"
    if status == "declined":
        initiator = "unknown"
    return Told(
        language=language,
        status=status,
        diagnosis=random.choice(words["diagnoses"]),
        diagnosed_on=sent_on - datetime.timedelta(days=random.randint(8, 60)),
        intent=random.choice(("curative", "palliative", None)),
        relapse=random.random() < 0.15,
        held_on=held_on,
        form=random.choice(("in_person", "phone", "video")) if started else None,
        score=random.choice((*range(11), None)) if started else None,
        relatives=random.choice((True, False, None)) if started else None,
        started_on=held_on,
        strains=tuple(
            (area, text)
            for area, text in _some(random, words["strains"], 0 if random.random() < 0.1 else 1, 4)
        )
        if started
        else (),
        matters=random.choice(words["matters"]) if started and random.random() < 0.7 else None,
        needs=tuple(
            (party, text)
            for party, text in _some(random, words["needs"], 0 if random.random() < 0.15 else 1, 3)
        )
        if started
        else (),
        referrals=tuple(_some(random, words["referrals"], 0, 3)) if started else (),
        initiator=initiator,
        when=random.choice(words["whens"]) if initiator == "municipality" and random.random() < 0.8 else None,
        phone=f"+47{random.choice(('90000', '40000'))}{random.randint(100, 999)}"
        if random.random() < 0.85
        else None,
        coordinator=random.choice((True, False, None)) if started else None,
        author=(random.choice(_WORDS["names"]), random.choice(words["roles"])),
    )


def _some(random: Random, values: Sequence[_T], least: int, most: int) -> list[_T]:
    return random.sample(values, random.randint(least, most))


def write(seed: int) -> Note:
    """The note of a seed."""
    random = Random(seed)  # noqa: S311 - a seed is a note
    sent_on = datetime.date(2026, 1, 10) + datetime.timedelta(days=random.randint(0, 340))
    told = tell(random, sent_on)
    system = random.choice(("dips", "doculive", "helseplattformen"))
    writer = _Writer(random, told, sent_on)
    text = {"dips": writer.form, "doculive": writer.letter, "helseplattformen": writer.message}[system]()
    title = writer.say("title")
    subject = title if system == "helseplattformen" else "Brev" if system == "doculive" else None
    if system != "helseplattformen" or random.random() < 0.3:
        text = f"{title}\n{text}"
    return Note(
        system=system, subject=subject, text=text, sent_at=f"{sent_on.isoformat()}T13:00:00+02:00", told=told
    )


class _Writer:
    """Puts what is told into words."""

    def __init__(self, random: Random, told: Told, sent_on: datetime.date) -> None:
        self.random, self.told, self.sent_on = random, told, sent_on

    def say(self, key: str, **values: object) -> str:
        """One of the ways to say something."""
        ways: list[str] = _WORDS[self.told.language]["say"][key]
        return self.random.choice(ways).format(**values)

    # What the parts of a date, a number, a list look like

    def day(self, day: datetime.date | None, *, today: bool = True) -> str:
        if day is None:
            return ""
        month = _WORDS[self.told.language]["months"][day.month - 1]
        forms = [f"{day:%d.%m.%Y}", f"{day:%d.%m.%y}", f"{day.day}.{day.month}.{day:%y}", f"{day:%d.%m}."]
        forms += [f"{day.day}/{day.month}-{day:%y}", f"{day.day}. {month} {day.year}", f"{day.day}. {month}"]
        if today and day == self.sent_on:
            forms += ["i dag", "i dag", "d.d."]
        if today and day == self.sent_on - datetime.timedelta(days=1):
            forms += ["i går", "i går"]
        return self.random.choice(forms)

    def number(self) -> str:
        digits = (self.told.phone or "")[3:]
        usual = f"{digits[:3]} {digits[3:5]} {digits[5:]}"
        pairs = f"{digits[:2]} {digits[2:4]} {digits[4:6]} {digits[6:]}"
        return self.random.choice((usual, digits, f"+47 {usual}", pairs))

    def small(self, text: str) -> str:
        """As within a sentence."""
        named = text.startswith(("Ca.", "NAV", "Hodgkin", "Vardes"))
        return text if named or (text[:2].isupper() and text[:2] != "Å ") else text[0].lower() + text[1:]

    def joined(self, texts: Sequence[str]) -> str:
        small = [self.small(text) for text in texts]
        return small[0] if len(small) == 1 else ", ".join(small[:-1]) + self.say("last_of_list") + small[-1]

    # The parts of a note, each as what stands under a heading

    def diagnosis(self) -> list[str]:
        told = self.told
        lines = [
            self.say(
                "relapse" if told.relapse else "found",
                what=told.diagnosis,
                small=self.small(told.diagnosis),
                day=self.day(told.diagnosed_on, today=False),
            )
        ]
        return [*lines, self.say(told.intent)] if told.intent else lines

    def started(self) -> str:
        return self.say("started", day=self.day(self.told.started_on))

    def survey(self) -> list[str]:
        told = self.told
        who = {True: "with_relatives", False: "alone"}
        present = self.say(who[told.relatives]) if told.relatives is not None else ""
        where = self.say(told.form or "in_person")
        lines = [f"{self.say('talk')} {self.day(told.held_on)} {where}{present}"]
        return [*lines, self.say("score", score=told.score)] if told.score is not None else lines

    def contact(self) -> list[str]:
        told = self.told
        if told.initiator == "unknown" and told.status != "started":
            return []
        ways = {"municipality": "municipality_calls", "patient": "patient_calls", "unknown": "not_agreed"}
        said = self.say(ways[told.initiator], when=f" {told.when}" if told.when else "")
        return [said] if said else []

    def phone(self) -> str:
        return f"{self.say('phone_label')}{self.random.choice((': ', ' '))}{self.number()}"

    def coordinator(self) -> str:
        return self.say("coordinator_there" if self.told.coordinator else "no_coordinator")

    def signature(self) -> str:
        name, role = self.told.author
        greeting = self.say("greeting")
        return self.random.choice(
            (f"{greeting}\n{name}\n{role}", f"{greeting} {name}, {role}", f"{name}, {role}")
        )

    # The three shapes

    def parts(self) -> list[tuple[str, list[str], bool]]:
        """Heading, what stands under it, whether that is a list."""
        told, say = self.told, self.say
        first = [(say("heading_diagnosis"), self.diagnosis(), False)]
        rest: list[tuple[str, list[str], bool]] = []
        if told.status != "started":
            first.append((say("heading_offer"), [say(told.status)], False))
        else:
            first.append((say("heading_status"), [self.started()], False))
            first.append((say("heading_survey"), self.survey(), False))
            none = say("none")
            rest.append((say("heading_strains"), [text for _, text in told.strains] or [none], True))
            rest.append((say("heading_needs"), [text for _, text in told.needs] or [none], True))
            rest.append((say("heading_referrals"), list(told.referrals) or [say("no_referral")], True))
            if told.matters:
                rest.append((say("heading_matters"), [told.matters], False))
            if told.coordinator is not None:
                rest.append((say("heading_coordinator"), [self.coordinator()], False))
        contact = self.contact() + ([self.phone()] if told.phone else [])
        if contact:
            rest.append((say("heading_contact"), contact, False))
        if self.random.random() < _OTHER_ORDER:
            self.random.shuffle(rest)
        return first + rest

    def form(self) -> str:
        """DIPS: a form with headings on lines of their own, or as labels."""
        style = self.random.choice(("lines", "labels", "capitals", "bullets"))
        pieces = []
        for name, lines, listed in self.parts():
            heading = name.upper() if style == "capitals" else name
            if style == "labels":
                body = ", ".join([lines[0], *map(self.small, lines[1:])]) if listed else ". ".join(lines)
                pieces.append(f"{heading.rstrip('?')}: {body}")
                continue
            mark = "- " if listed and style == "bullets" else ""
            colon = ":" if style == "bullets" and not heading.endswith("?") else ""
            body = "\n".join(f"{mark}{line}" for line in lines) if listed else ". ".join(lines) + "."
            pieces.append(f"{heading}{colon}\n{body}\n")
        return "\n".join([*pieces, self.signature()])

    def message(self) -> str:
        """Helseplattformen: dashes, one line for each topic, or everything in a few sentences."""
        if self.random.random() < _PROSE:
            signature = self.signature().replace("\n", " ")
            return f"{self.prose(' ')}\n{signature}"
        mark = self.random.choice(("- ", "", "* "))
        lines = []
        for heading, body, listed in self.parts():
            separator = self.random.choice((" / ", ", ", "; ")) if listed else ". "
            text = separator.join([body[0], *(map(self.small, body[1:]) if listed else body[1:])])
            lines.append(f"{mark}{heading.rstrip('?')}: {text}")
        return "\n".join([*lines, self.signature()])

    def letter(self) -> str:
        """Doculive: a letter in paragraphs, or with loose headings."""
        between = "\n\n"
        return (
            f"{self.prose(between)}{between}{self.signature()}"
            if self.random.random() < _PROSE
            else self.form()
        )

    def prose(self, between: str) -> str:
        told, say = self.told, self.say
        said = [". ".join(self.diagnosis()) + "."]
        if told.status != "started":
            said.append(say(told.status) + ".")
        else:
            said.append(self.started().replace("Ja, med", "Er med") + ". " + ". ".join(self.survey()) + ".")
            for name, items in (("strains", told.strains), ("needs", told.needs)):
                if items:
                    said.append(say(f"sentence_{name}", listed=self.joined([text for _, text in items])))
            if told.matters:
                said.insert(-1, say("sentence_matters", matters=self.small(told.matters)))
            if told.referrals:
                said.append(say("sentence_referrals", listed=self.joined(told.referrals)))
            if told.coordinator is not None:
                said.append(self.coordinator() + ".")
        said += [f"{line}." for line in self.contact()]
        if told.phone:
            said.append(f"{self.phone()}.")
        return between.join(said)


def expected(told: Told) -> dict[str, object]:
    """What is to be read, as `tests.adapters.comparison.differences` takes it."""
    survey: dict[str, object] = {}
    if told.held_on is not None:
        survey = {
            "held_on": told.held_on.isoformat(),
            "form": told.form,
            "score": told.score,
            "relatives": told.relatives,
        }
    return {
        "status": told.status,
        "started_on": told.started_on.isoformat() if told.started_on else None,
        "relapse": told.relapse,
        "objects": False,
        "phones": [told.phone] if told.phone else [],
        "diagnosis": {
            "text": told.diagnosis,
            "date": told.diagnosed_on.isoformat(),
            "confirmed": True,
            "intent": told.intent,
        },
        "survey": survey,
        "strains": [list(one) for one in told.strains],
        "matters": told.matters,
        "needs": [[party, text.split(": ")[-1]] for party, text in told.needs],
        "referrals": list(told.referrals),
        "contact": [told.initiator, told.when or ""],
        "coordinator": {True: "true", False: "false", None: "none"}[told.coordinator],
        "author": [told.author[0], told.author[1].rstrip(".")],
    }
