"""Messages made wrong on purpose: bytes, elements and words. The same number gives the same message."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from lxml import etree

from tests.conftest import FIXTURES, NOTES
from tests.schemas import corpus

_TOKENS = (
    b"<", b">", b"&", b"]]>", b"<![CDATA[", b"<!--", b"-->", b"<?x?>", b"<a>", b"</a>", b"&#0;", b"&#13;",
    b"&#xD800;", b"&#x10FFFF;", b"&lol;", b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xc3", b"\xed\xa0\x80",
    b"\r\n", b"\xe2\x80\xa8", b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b'<?xml version="1.0" encoding="UTF-16"?>',
    b' xmlns=""', b' xmlns:x="urn:x"', b' xsi:type="x"', b" V='1' V='2'", b"9" * 400, b"-1", b"1e999",
    b"<a>" * 300, b"<x y='" + b"z" * 5000 + b"'/>",
)  # fmt: skip
"""What a parser may stumble over."""

_WORDS = (
    "Status: startet", "Status:", "a) b) c)", "Diagnose: C50.9 C61 D05.1", "Behov:\n- \n- \n-", "\t\t\t",
    "\n\n\n", "31.02.2026", "00.00.0000", "99.99.9999 kl. 99.99", "1. januar", "29. februar 2023",
    "9999-12-31", "0001-01-01", "uke 53", "om 99999999999999999999 uker", "om 3 måneder",
    "mellom 1. mars og 32. mars", "i går", "12.2026",
    "tlf. 900 00 001, 90000002 / +4790000003; 0047 900 00 004", "tlf 1", "+", "+47", "9" * 30, "11/10",
    "NCCN: 6,5", "Grad av påkjenning: 10 av 10", "Grad av påkjenning: -1", "WMFG11", "1888549952",
    "13888549952", "00000000000", "fastlege: dr. ", "fastlege Ola Kasus, Lege, overlege, MD",
    "pårørende: (kone) , tlf", "ektefelle:", "Mor/far", "I\u0301\u0308\u0327",
    "\U0001f469\u200d\u2695\ufe0f", "\u202e\u2066\u200b\ufeff", "\u00a0\u2003", "İıſßŉ", "áŋđšŧž", "(((((",
    "))))", "[[[[", "- " * 200, "a" * 3000, "1." * 900, ": " * 900, ", og " * 500, "(a" * 500, " \n" * 800,
    "Pakkeforløp hjem for pasienter med kreft\n" * 20,
    "Sammendrag etter skjema Pakkeforløp hjem 1, kontrollkode ",
)  # fmt: skip
"""What those who read the words of a note may stumble over."""

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_SWARM = 40
"""How often a part is repeated at most"""


def bases(standards: Path) -> list[bytes]:
    """The messages to begin with: the notes, messages of our own, and the official ones where they are."""
    folders = (NOTES, FIXTURES / "golden", standards / "examples")
    return [path.read_bytes() for folder in folders for path in sorted(folder.rglob("*.xml"))]


class Mutations:
    """An endless row of messages, each made from its number alone."""

    def __init__(self, found: Sequence[bytes], seed: int) -> None:
        """Take messages to begin with."""
        self._bases = found
        self._roots = [_root(data) for data in found]
        self._seed = seed

    def message(self, number: int) -> bytes:
        """The message of a number."""
        dice = random.Random(f"{self._seed}/{number}")  # noqa: S311 - nothing here is secret
        place = dice.randrange(len(self._bases))
        data, root = self._bases[place], self._roots[place]
        if root is not None and dice.random() < 0.75:
            data = self._of_tree(root, dice)
        if root is None or dice.random() < 0.35:
            data = self._of_bytes(data, dice)
        return data

    def _of_tree(self, root: etree._Element, dice: random.Random) -> bytes:
        kind = dice.random()
        if kind < 0.4:
            fresh = corpus.changed(root, dice)
        else:
            fresh = corpus.again(root)
            for _ in range(dice.choice((1, 1, 2, 4))):
                _change_words(fresh, dice)
        encoding = dice.choice(("UTF-8", "UTF-8", "UTF-8", "ISO-8859-1", "UTF-16", "US-ASCII"))
        try:
            text = etree.tostring(fresh, encoding=encoding, xml_declaration=dice.random() < 0.8)
        except UnicodeEncodeError:
            # There is an element called Formål.
            text = etree.tostring(fresh, encoding="UTF-8")
        return text if isinstance(text, bytes) else text.encode()

    def _of_bytes(self, data: bytes, dice: random.Random) -> bytes:
        for _ in range(dice.choice((1, 1, 2, 3, 8))):
            data = dice.choice(_BYTES)(data, dice)
        if dice.random() < 0.05:
            other = dice.choice(self._bases)
            data = data[: dice.randint(0, len(data))] + other[dice.randint(0, len(other)) :]
        return data


def _root(data: bytes) -> etree._Element | None:
    try:
        return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return None


def _change_words(root: etree._Element, dice: random.Random) -> None:
    """Change the text of an element that has one, most often a long one: there the note stands."""
    written = [each for each in root.iter(etree.Element) if each.text and each.text.strip()]
    if not written:
        return
    long = [each for each in written if len(each.text or "") > 60]
    element = dice.choice(long if long and dice.random() < 0.8 else written)
    if dice.random() < 0.15:
        for name in element.attrib:
            element.set(name, _xml(dice.choice(_WORDS)))
    element.text = _xml(_rewritten(element.text or "", dice))


def _rewritten(words: str, dice: random.Random) -> str:
    start, end = sorted((dice.randint(0, len(words)), dice.randint(0, len(words))))
    before, part, after = words[:start], words[start:end], words[end:]
    lines = words.split("\n")
    added = dice.choice(("", " ", "\n")) + dice.choice(_WORDS) + dice.choice(("", " ", "\n"))
    old, new = dice.choice((" ", "\n", ":", ".", "e", "-")), dice.choice(("", " ", "\n", ":", "– "))
    return dice.choice(
        (
            before + after,
            words + part * dice.randint(1, _SWARM),
            "\n".join(dice.sample(lines, len(lines))),
            words.replace(old, new),
            words.swapcase(),
            "".join(dice.choice(_WORDS) for _ in range(dice.randint(1, 12))),
            before + added + part + after,
            before + added + after,
        )
    )


def _xml(words: str) -> str:
    """Without what XML can not hold."""
    return "".join(
        c for c in words if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff"
    )


def _flip(data: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(data) + 1)
    changed = bytes([data[place] ^ (1 << dice.randrange(8))]) if place < len(data) else b""
    return data[:place] + changed + data[place + 1 :]


def _insert(data: bytes, dice: random.Random) -> bytes:
    place = dice.randint(0, len(data))
    return data[:place] + dice.choice(_TOKENS) + data[place:]


def _insert_noise(data: bytes, dice: random.Random) -> bytes:
    place = dice.randint(0, len(data))
    return data[:place] + dice.randbytes(dice.randint(1, 8)) + data[place:]


def _cut(data: bytes, dice: random.Random) -> bytes:
    start = dice.randint(0, len(data))
    return data[:start] + data[start + dice.choice((1, 2, 10, 100, 1000)) :]


def _end(data: bytes, dice: random.Random) -> bytes:
    return data[: dice.randint(0, len(data))]


def _repeat(data: bytes, dice: random.Random) -> bytes:
    start = dice.randint(0, len(data))
    part = data[start : start + dice.choice((1, 10, 100, 1000))]
    return data[:start] + part * dice.randint(2, _SWARM) + data[start + len(part) :]


def _digits(data: bytes, dice: random.Random) -> bytes:
    """Other digits, of the same number or many more: dates, ids, codes, telephones."""
    places = [i for i, byte in enumerate(data) if 0x30 <= byte <= 0x39]
    if not places:
        return data
    place = dice.choice(places)
    new = b"%d" % dice.choice((0, 1, 9, 99, 2**31, 10**18))
    return data[:place] + new + data[place + 1 :]


def _encoding(data: bytes, dice: random.Random) -> bytes:
    """Bytes of one encoding under the name of another."""
    return data.replace(b"UTF-8", dice.choice((b"ISO-8859-1", b"utf-16", b"windows-1252", b"x" * 50, b"")), 1)


_BYTES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flip,
    _flip,
    _insert,
    _insert_noise,
    _cut,
    _end,
    _repeat,
    _digits,
    _digits,
    _encoding,
)
