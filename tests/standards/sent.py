"""Messages as they go out: from all notes of the fixtures, and from summaries."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lxml import etree

from gateway.contracts.messages import Format, Message
from gateway.contracts.summary import Action, Summary
from gateway.formats import identify, read_message, write_message
from gateway.rendering import RenderingOrder, read_rendering, render
from gateway.security.gate import parse
from tests.conftest import NOTES
from tests.flow.harness import Gateway

STANDARD_FORMATS = tuple(f for f in Format if not f.value.startswith(("apprec", "summary")))


@dataclass(frozen=True)
class Sent:
    """An outgoing message."""

    body: bytes

    @cached_property
    def root(self) -> etree._Element:
        return parse(self.body)

    @cached_property
    def format(self) -> Format:
        found = identify(self.root).format
        assert found is not None
        return found

    @cached_property
    def message(self) -> Message:
        return read_message(self.root)

    @cached_property
    def summary(self) -> Summary:
        found = read_rendering(self.message)
        assert found is not None
        return found

    @property
    def action(self) -> Action:
        return self.summary.source.action

    @property
    def of_its_sender(self) -> bool:
        """Whether its text says that the note comes from the sender."""
        sender = self.message.head.sender
        assert sender is not None
        told = f"Sykehusets HER-id: {sender.organisation.her_id}"
        return any(told in block.text.split("\n") for block in self.message.texts)

    @property
    def plo(self) -> bool:
        return self.format.value.startswith("plo")

    @property
    def dialogue(self) -> bool:
        return self.format.value.startswith("dialogmelding")

    @property
    def epikrise(self) -> bool:
        return self.format.value.startswith("epikrise")

    def all(self, name: str) -> list[etree._Element]:
        """Every element of a local name."""
        return list(self.root.iter(f"{{*}}{name}"))

    def at(self, path: str) -> etree._Element:
        """The element at a path of local names below the root."""
        found = self.root.find("/".join("{*}" + step for step in path.split("/")))
        assert found is not None, path
        return found


def local(element: etree._Element) -> str:
    return etree.QName(element).localname


def sent(summary: Summary, order: RenderingOrder) -> Sent:
    return Sent(write_message(render(summary, order)))


def sent_for_the_notes(initialised: Path, folder: Path) -> list[Sent]:
    """Everything that the notes make the gateway send to municipalities and GPs, but for receipts.

    The canonical XML is no message of the standards and is left out.
    """
    shutil.copytree(initialised, folder / "gateway")
    gateway = Gateway(folder / "gateway" / "gateway.toml")
    try:
        gateway.note(*(path.read_bytes() for path in sorted(NOTES.rglob("*.xml"))))
        bodies = [d.envelope.body for e in gateway.registry.endpoints for d in gateway.take(e.queue)]
    finally:
        gateway.close()
    return [each for each in map(Sent, bodies) if each.format in STANDARD_FORMATS]


def code_lists(standards: Path) -> dict[str, frozenset[str]]:
    """The codes of each list that is at hand, by the number of the list."""
    lists = json.loads((standards / "codelists" / "kodeverk.json").read_text("utf-8"))["lists"]
    return {number.rpartition(".")[2]: frozenset(each["codes"]) for number, each in lists.items()}
