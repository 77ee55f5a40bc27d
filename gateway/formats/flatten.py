"""The text of an element of any type (anyType): plain text as it is, xhtml with its structure as lines.

A paragraph, a line break and a table row are a line each; cells are split by tab; list items begin with `- `.
"""

from __future__ import annotations

import re

from gateway.formats.element_names import Element, local_name

XHTML = "http://www.w3.org/1999/xhtml"

_INLINE = re.compile(
    r"a|abbr|acronym|b|bdo|big|cite|code|del|dfn|em|font|i|img|input|ins|kbd|label|mark|q|s|samp|small|span"
    r"|strike|strong|sub|sup|tt|u|var|td|th"
)
_SILENT = frozenset(("", "style", "script", "head", "title"))  # "": a comment or an instruction
_CELLS = frozenset(("td", "th"))
_LINE_ENDS = ("\r\n", "\r", "\x85", "\u2028", "\u2029")


def flatten(element: Element) -> str:
    """Plain text of an element.

    Text that stands in the element itself keeps its line breaks; in xhtml white space folds as in a browser.
    """
    if not len(element):
        return tidy(element.text or "")
    if next(element.iterchildren("*"), None) is None:
        return tidy("".join(map(str, element.itertext())))
    page = _Page()
    page.keep(element.text)
    for node in element.iterchildren():
        _walk(node, page)
        page.keep(node.tail)
    return tidy(page.text())


def tidy(text: str) -> str:
    """Line feeds only, no blanks at the end of a line, nothing before the first and after the last word."""
    for end in _LINE_ENDS:
        text = text.replace(end, "\n")
    text = "\n".join([line.rstrip() for line in text.split("\n")])
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text.strip()


class _Page:
    """Lines as they fill up."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._fresh = True  # nothing but a bullet or cell separators stands on the line yet
        self._break = False  # a new line is due before the next words
        self._space = False  # a blank is due before the next words

    def words(self, text: str | None) -> None:
        """Add text, white space folded."""
        if not text:
            return
        words = text.split()
        if not words:
            self._space = not self._fresh
            return
        if text[0].isspace():
            self._space = True
        self._put(" ".join(words))
        self._space = text[-1].isspace()

    def keep(self, text: str | None) -> None:
        """Add text, white space as it is."""
        if not text or not text.strip():
            self._space = self._space or (bool(text) and not self._fresh)
            return
        if text[0].isspace():
            self._space = True
        self._put(text.strip())
        self._space = text[-1].isspace()
        if text.rstrip(" \t\r") != text.rstrip():
            self.block()

    def _put(self, text: str) -> None:
        if self._break:
            self._parts.append("\n")
        elif self._space and not self._fresh:
            self._parts.append(" ")
        self._parts.append(text)
        self._fresh = self._break = self._space = False

    def block(self) -> None:
        """Where a block begins or ends: what follows stands on a line of its own."""
        if not self._fresh:
            self._break = True

    def line_break(self) -> None:
        """A `br`."""
        self._parts.append("\n\n" if self._break else "\n")
        self._fresh, self._break, self._space = True, False, False

    def cell(self) -> None:
        """Between two cells of a row."""
        self._parts.append("\t")
        self._fresh, self._break, self._space = True, False, False

    def row(self) -> None:
        """Where a row begins or ends: a line of its own, also where its last cells are empty."""
        if self._break or (self._parts and not self._parts[-1].endswith("\n")):
            self._parts.append("\n")
        self._fresh, self._break, self._space = True, False, False

    def bullet(self) -> None:
        """The beginning of a list item."""
        self.block()
        self._put("- ")
        self._fresh = True

    def text(self) -> str:
        """Everything, as it fell on the lines."""
        return "".join(self._parts)


def _walk(element: Element, page: _Page) -> None:
    name = local_name(element).lower()
    if name in _SILENT:
        return
    if name == "br":
        page.line_break()
        return
    _begin(element, name, page)
    add = page.keep if name == "pre" else page.words
    add(element.text)
    for node in element.iterchildren():
        _walk(node, page)
        add(node.tail)
    if name == "tr":
        page.row()
    elif not _INLINE.fullmatch(name):
        page.block()


def _begin(element: Element, name: str, page: _Page) -> None:
    if name == "tr":
        page.row()
    elif name == "li":
        page.bullet()
    elif name in _CELLS:
        if next(element.itersiblings("*", preceding=True), None) is not None:
            page.cell()
    elif not _INLINE.fullmatch(name):
        page.block()
