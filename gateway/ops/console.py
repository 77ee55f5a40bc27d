"""What commands print: facts on standard output, words for people on standard error."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import click
import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

_STEERS = re.compile(
    "[\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
"""Control and format characters that JSON lets stand as they are"""

WIDTH = 100
_LABEL = 14
_CUT = 9
_GAP = 2
"""Blanks between two columns"""


def print_bytes(data: bytes) -> None:
    """Bytes on standard output, as they are."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def print_json(document: object) -> None:
    """One JSON document on standard output: UTF-8, whatever the terminal's encoding.

    What would steer a terminal is written as its number, which says the same.
    """
    options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE
    text = orjson.dumps(document, option=options, default=str).decode()
    print_bytes(_STEERS.sub(_as_number, text).encode())


def _as_number(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


def say(text: str) -> None:
    """A line for people."""
    click.echo(printable(text), err=True)


def printable(text: str) -> str:
    """The text without what would steer a terminal: facts come from messages, and messages from outside."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def stdout_console() -> Console:
    """Standard output: colours on a terminal only, never wider than 100 columns."""
    console = Console(file=sys.stdout, highlight=False)
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
    return console


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str | None = None,
    whole: Collection[str] = (),
    cut: Collection[str] = (),
) -> None:
    """A table on standard output that fits the width.

    Args:
        columns: the headings.
        rows: their cells; None and "" are shown as `-`.
        title: stands above.
        whole: columns that keep their width while others are folded.
        cut: columns of names that are known by their beginning: where there is little room, they end in `…`.
    """
    console = stdout_console()
    drawn = Table(
        title=title,
        title_justify="left",
        box=None,
        pad_edge=False,
        header_style="bold",
        show_header=any(columns),
    )
    # As text: what comes from a message is never markup.
    cells = [[Text("-" if c is None or c == "" else printable(str(c))) for c in row] for row in rows]
    shown = [
        [
            c.plain[:_CUT] if columns[n] in cut and console.width < WIDTH else c.plain
            for n, c in enumerate(row)
        ]
        for row in cells
    ]
    widths = _widths(columns, shown, {*whole, *cut}, console.width)
    for column, width in zip(columns, widths, strict=True):
        drawn.add_column(
            column,
            overflow="ellipsis" if column in cut else "fold",
            no_wrap=column in whole or column in cut,
            width=width,
            min_width=len(column),
            max_width=_CUT if column in cut and console.width < WIDTH else None,
        )
    for row in cells:
        drawn.add_row(*row)
    with console.capture() as captured:
        console.print(drawn)
    # What fills the last column would fold where the terminal is narrower, and is copied with a line.
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def _widths(
    columns: Sequence[str], rows: Sequence[Sequence[str]], firm: Collection[str], room: int
) -> list[int | None]:
    """Widths in which no word is broken, where the table has to be folded and they fit; None: as it comes."""
    every = [[column, *(row[number] for row in rows)] for number, column in enumerate(columns)]
    wide = [max(len(line) for cell in cells for line in cell.split("\n")) for cells in every]
    spare = room - _GAP * (len(columns) - 1)
    if sum(wide) <= spare:
        return [None] * len(columns)
    least = [
        width if column in firm else max(len(word) for cell in cells for word in [*cell.split(), ""])
        for column, width, cells in zip(columns, wide, every, strict=True)
    ]
    spare -= sum(least)
    if spare < 0:
        return [None] * len(columns)
    lacking = sorted(range(len(columns)), key=lambda number: wide[number] - least[number])
    for place, number in enumerate(lacking):
        more = min(wide[number] - least[number], spare // (len(lacking) - place))
        least[number] += more
        spare -= more
    return list(least)


def fact(label: str, value: object) -> None:
    """A labelled fact on standard output, folded to the width."""
    lines = textwrap.wrap(printable(str(value)), stdout_console().width - _LABEL) or [""]
    for number, line in enumerate(lines):
        click.echo(f"{'' if number else label:{_LABEL - 1}} {line}")


def local_time(value: datetime | None) -> str:
    """A time for people: the local clock."""
    return value.astimezone().strftime("%Y-%m-%d %H:%M:%S") if value is not None else "-"


def table_time(value: datetime) -> str:
    """A time for a table: to the minute, and without its year where there is little room."""
    shown = local_time(value)[:-3]
    return shown if stdout_console().width >= WIDTH else shown[5:]
