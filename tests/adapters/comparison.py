"""How a reading is compared with what a person made of the note.

Free text has to hold the expected excerpt; an item that no expectation covers is wrong; all else is exact.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from gateway.contracts.messages import (
    CodedValue,
    Format,
    Head,
    Message,
    PatientRecord,
    TextBlock,
)
from gateway.contracts.summary import Diagnosis, Summary, Survey

FORMATS = {
    "dips": Format.PLO_1_6,
    "doculive": Format.EPIKRISE_1_2,
    "helseplattformen": Format.DIALOGMELDING_1_1,
}
_LONGER_AT_MOST = 300


def message_of(note: Mapping[str, Any]) -> Message:
    """The message that a note of `tests/adapters/notes` came in."""
    return Message(
        format=FORMATS[note["system"]],
        head=Head(
            msg_type=CodedValue(value="NOTAT"),
            msg_id="b5c1d4a0-7f0e-4f0e-9d43-0d3f3a3c2b11",
            generated_at=note["sent_at"],
            sent_at=datetime.fromisoformat(note["sent_at"]),
            patient=PatientRecord(
                family_name="Prøve",
                given_name="Test",
                sex=CodedValue(value=note["sex"]) if "sex" in note else None,
            ),
        ),
        subject=note.get("subject"),
        texts=(TextBlock(text=note["text"].strip(), place="Notat"),),
    )


def load(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def holds(actual: str | None, excerpt: str) -> bool:
    """Whether a text holds an excerpt, whatever its case, white space, dashes and quotation marks."""
    if not actual:
        return False
    have, want = _plain(actual), _plain(excerpt)
    return want in have and len(have) - len(want) <= _LONGER_AT_MOST


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFC", text).casefold()
    text = re.sub("[\u2010-\u2015]", "-", text)
    return re.sub(r"\s+", " ", re.sub("[\"'«»„“”]", "", text)).strip(" .,;:-")


class Differences:
    """What a reading has otherwise than expected."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def same(self, field: str, expected: object, actual: object) -> None:
        if expected != actual:
            self.found.append(f"{field}: {actual!r}, not {expected!r}")

    def text(self, field: str, expected: str | None, actual: str | None) -> None:
        if not expected:
            self.same(field, None, actual)
        elif not holds(actual, expected):
            self.found.append(f"{field}: {actual!r} does not hold {expected!r}")

    def items(
        self,
        field: str,
        expected: Sequence[tuple[str, str]],
        actual: Sequence[tuple[str | None, str]],
        *,
        also: Sequence[str] = (),
    ) -> None:
        """Compare lists of (area or responsible, text); an empty first member is not judged."""
        taken = set()
        for kind, excerpt in expected:
            matches = sorted(
                (i for i, (_, text) in enumerate(actual) if holds(text, excerpt)),
                key=lambda i: len(actual[i][1]),
            )
            if not matches:
                self.found.append(f"{field}: none holds {excerpt!r}")
                continue
            taken.add(matches[0])
            if kind:
                self.same(f"{field} {excerpt!r}", kind, actual[matches[0]][0])
        for index, (_, text) in enumerate(actual):
            known = (*(excerpt for _, excerpt in expected), *also)
            if index not in taken and not any(holds(text, excerpt) for excerpt in known):
                self.found.append(f"{field}: {text!r} is none")


def differences(expected: Mapping[str, Any], summary: Summary, into: Differences | None = None) -> list[str]:
    """Compare a summary with the `[expected]` of a note."""
    diff = into if into is not None else Differences()
    pathway = summary.pathway
    diff.same("status", expected["status"], pathway.status.value)
    if "started_on" in expected or expected["status"] != "started":
        diff.same("started_on", expected.get("started_on"), _iso(pathway.started_on))
    if "relapse" in expected:
        diff.same("relapse", expected["relapse"], pathway.reason == "relapse")
    diff.same("objects", expected["objects"], pathway.objects_to_sharing)
    diff.same("phones", sorted(expected["phones"]), sorted(summary.patient.phones))
    kin = sorted((one.name, one.phone or "") for one in summary.next_of_kin)
    diff.same("kin", sorted(map(tuple, expected.get("kin", ()))), kin)
    _diagnosis(diff, expected.get("diagnosis"), summary.diagnosis)
    _survey(diff, expected["survey"], summary.survey)
    also = expected.get("optional", ())
    diff.items("strains", _pairs(expected["strains"]), [(s.area, s.text) for s in summary.strains], also=also)
    diff.items(
        "needs", _pairs(expected["needs"]), [(n.responsible, n.text) for n in summary.needs], also=also
    )
    diff.items(
        "referrals", _pairs(expected["referrals"]), [(None, r.text) for r in summary.referrals], also=also
    )
    diff.text("matters", expected.get("matters"), summary.what_matters)
    initiator, when = expected["contact"]
    diff.same("contact", initiator, summary.contact.initiated_by.value)
    diff.text("when", when, summary.contact.when)
    there = {True: "true", False: "false", None: "none"}[summary.existing_follow_up.kreftkoordinator]
    diff.same("coordinator", expected["coordinator"], there)
    if "author" in expected:
        author = summary.author
        diff.same("author", expected["author"][0], author.name if author else None)
        diff.text("role", expected["author"][1], author.role if author else None)
    return diff.found


def _pairs(items: Sequence[Any]) -> list[tuple[str, str]]:
    return [("", item) if isinstance(item, str) else (item[0], item[1]) for item in items]


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _diagnosis(diff: Differences, expected: Mapping[str, Any] | None, actual: Diagnosis | None) -> None:
    if expected is None or actual is None:
        diff.same("diagnosis", expected, actual)
        return
    diff.text("diagnosis.text", expected["text"], actual.text)
    diff.same("diagnosis.code", expected.get("code"), actual.code)
    diff.same("diagnosis.date", expected.get("date"), _iso(actual.date))
    diff.same("diagnosis.confirmed", expected["confirmed"], actual.confirmed)
    diff.same("diagnosis.intent", expected.get("intent"), actual.intent)


def _survey(diff: Differences, expected: Mapping[str, Any], actual: Survey | None) -> None:
    if not expected or actual is None:
        diff.same("survey", expected or None, actual)
        return
    diff.same("survey.held_on", expected.get("held_on"), _iso(actual.held_on))
    if "form" in expected:
        diff.same("survey.form", expected["form"], actual.form)
    diff.same("survey.score", expected.get("score"), actual.distress_score)
    diff.same("survey.relatives", expected.get("relatives"), actual.relatives_present)
