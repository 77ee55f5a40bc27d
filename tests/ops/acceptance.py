"""The national acceptance cases: what each demands of a receiver, and whether an answer agrees."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

from tests.conftest import STANDARDS

FOLDER = STANDARDS / "examples" / "testcases"
_VERSIONS = {
    "http://www.kith.no/xmlstds/apprec/2004-11-21": "1.0",
    "http://www.kith.no/xmlstds/apprec/2012-02-15": "1.1",
}
_PARTY = re.compile(
    r"(?P<kind>ENH|HER|HPR):(?P<number>[\d. ]*\d)|Id=(?P<id>[\d. ]*\d) Type(?:Id)?=(?P<type>[A-Z]+)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An AppRec, read without the gateway."""

    root: etree._Element

    @classmethod
    def of(cls, document: bytes) -> Answer:
        return cls(root=etree.fromstring(document))

    def find(self, path: str) -> etree._Element:
        found = self.root.find("/".join("{*}" + name for name in path.split("/")))
        assert found is not None, path
        return found

    @property
    def version(self) -> str:
        return _VERSIONS[etree.QName(self.root).namespace or ""]

    @property
    def accepted(self) -> bool:
        return self.find("Status").get("V") == "1"

    @property
    def codes(self) -> list[str]:
        return [str(e.get("V")) for e in self.root.iterfind("{*}Error")]

    @property
    def role(self) -> str | None:
        return self.find("Sender/Role").get("V")

    def identifiers(self, party: str) -> set[str]:
        """Every identifier of Sender or Receiver, as it is written."""
        found = self.find(party)
        return {str(e.text) for name in ("Id",) for e in found.iter("{*}" + name) if e.text}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A line of expected.jsonl."""

    entry: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.file.split('/')[-1].removesuffix('.xml')}"

    @property
    def file(self) -> str:
        return str(self.entry["file"])

    @property
    def document(self) -> bytes:
        return (FOLDER / self.file).read_bytes()

    @property
    def before(self) -> list[bytes]:
        return [(FOLDER / name).read_bytes() for name in self.entry["setup"].get("before", [])]

    @property
    def binding(self) -> bool:
        """Whether the test or the standard names the answer; else it is a judgement."""
        return self.entry["codes_from"] in {"test", "standard"}

    @property
    def memory(self) -> bool:
        """Whether only a service with a register and a memory can tell the answer."""
        return self.entry["category"] in {"unknown_receiver", "copy_receiver", "duplicate", "cancel"} or (
            self.name.endswith("14b") and "Epikrise" in self.name
        )

    @property
    def ours(self) -> list[dict[str, str]]:
        """The parties that are ours: their numbers by type; the HER-id of the lower level is `HER`."""
        named = self.entry["setup"]["we_are"]
        parties = []
        for text in [named] if isinstance(named, str) else named:
            numbers = [(m["kind"] or m["type"], m["number"] or m["id"]) for m in _PARTY.finditer(text)]
            her_ids = [_digits(n) for kind, n in numbers if kind == "HER"]
            party = {kind: _digits(n) for kind, n in numbers if kind != "HER"}
            parties.append({**party, "HER": her_ids[-1], "UPPER": her_ids[0]})
        return parties

    def disagreement(self, answer: Answer | None) -> str | None:
        """What an answer has wrong; None where it is one that the sources want."""
        entry = self.entry
        if answer is None:
            return None if entry["expect"] == "no_apprec" else "no AppRec"
        wanted = entry["expect"]
        if wanted == "no_apprec":
            return "an AppRec"
        said = "accept" if answer.accepted else "reject"
        if wanted not in {said, "either"}:
            return f"{said} {answer.codes}"
        if answer.accepted == bool(answer.codes):
            return f"{said} with errors {answer.codes}"
        if not answer.accepted and not set(answer.codes) & set(entry["error_codes"]):
            return f"codes {answer.codes}"
        return self._form(answer)

    def _form(self, answer: Answer) -> str | None:
        wanted = self.entry["apprec"]
        checks = {
            "version": (answer.version, {wanted["version"]}),
            "role": (answer.role, {wanted["role"]}),
            "MsgType": (answer.find("OriginalMsgId/MsgType").get("V"), {wanted["original_msg_type"]}),
            "Id": (answer.find("OriginalMsgId/Id").text, set(wanted["original_id"][:1])),
        }
        wrong = [f"{name} {got}" for name, (got, allowed) in checks.items() if got not in allowed]
        return ", ".join(wrong) or None


@cache
def cases() -> tuple[Case, ...]:
    """All of them; none where the material is not there."""
    table = FOLDER / "expected.jsonl"
    lines: Iterable[str] = table.read_text(encoding="utf-8").splitlines() if table.is_file() else ()
    return tuple(Case(entry=json.loads(line)) for line in lines)


@cache
def official(standards: Path) -> etree.XMLSchema:
    """The official schemas of both versions of the AppRec."""
    return etree.XMLSchema(etree.parse(standards / "xsd" / "all.xsd"))


def _digits(written: str) -> str:
    return re.sub(r"\D", "", written)
