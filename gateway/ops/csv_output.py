"""CSV for spreadsheets, in which nothing is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from gateway.ops.console import printable

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What spreadsheets take for the beginning of a formula (OWASP, CSV Injection), in both widths"""


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]], *, delimiter: str = ",") -> str:
    """A table as CSV (RFC 4180); None is an empty cell.

    A text that a spreadsheet would take for a formula gets an apostrophe before it; control characters are
    exchanged. Numbers stay numbers.
    """
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, int | float):
        return value
    text = printable(str(value))
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
