"""What commands print: facts on standard output, words for people on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import click
import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

WIDTH = 100


def print_json(document: object) -> None:
    """One JSON document on standard output."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
    click.echo(orjson.dumps(document, option=options, default=str).decode())


def say(text: str) -> None:
    """A line for people."""
    click.echo(text, err=True)


def stdout_console() -> Console:
    """Standard output: colours on a terminal only, never wider than 100 columns."""
    console = Console(file=sys.stdout, highlight=False)
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
    return console


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> None:
    """A table on standard output that fits the width."""
    drawn = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        drawn.add_row(*("-" if cell is None or cell == "" else str(cell) for cell in row))
    stdout_console().print(drawn)


def local_time(value: datetime | None) -> str:
    """A time for people: the local clock."""
    return value.astimezone().strftime("%Y-%m-%d %H:%M:%S") if value is not None else "-"


def progress(description: str, total: int | None) -> AbstractContextManager[Any]:
    """A progress bar on a terminal; silence in a pipe. `.advance(task)` as in rich."""
    del description, total
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
        disable=not sys.stderr.isatty(),
        transient=True,
    )
