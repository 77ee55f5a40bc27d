"""The report for spreadsheets: a line for each group, and for each department's municipality and month.

Semicolons and a byte order mark, as Norwegian spreadsheets expect them; times are whole seconds. What is too
small to show is `*`; what is not told of a department's municipality and month alone is empty.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.ops.csv_output import csv_text
from gateway.ops.report.report import BANDS, Measures, Report

_HIDDEN = "*"

_PLACE = ("level", "department_her_id", "department", "municipality_code", "municipality", "month")
_MEASURES = (
    "notes",
    "with_phone",
    "with_diagnosis",
    "in_work_up",
    "repeats",
    "relapse",
    "changes",
    "cancellations",
    "answered",
    "answer_median",
    "answer_p95",
    "refused",
    "overdue",
    "waiting",
    "failed",
    "replies",
    "replies_waiting",
    "reply_median",
    "reply_p95",
)
_TIMES = ("answer_median", "answer_p95", "reply_median", "reply_p95")


def render_csv(report: Report) -> str:
    """The whole file, with its byte order mark."""
    measures = (f"{name}_seconds" if name in _TIMES else name for name in _MEASURES)
    bands = (f"distress_{name.replace('-', '_to_')}" for name, _ in BANDS)
    columns = [*_PLACE, *measures, "negative_by_code", *bands, "distress_none"]
    return "\ufeff" + csv_text(columns, _rows(report), delimiter=";")


def _rows(report: Report) -> Iterator[list[object]]:
    yield ["total", "", "", "", "", "", *_cells(report.total)]
    for group in report.by_month:
        yield ["month", "", "", "", "", group.key, *_cells(group.measures)]
    for group in report.by_unit:
        yield ["department", group.key, group.name, "", "", "", *_cells(group.measures)]
    for group in report.by_municipality:
        yield ["municipality", "", "", group.key, group.name, "", *_cells(group.measures)]
    for each in report.details:
        place = [
            each.cell.unit,
            each.unit_name,
            each.cell.municipality,
            each.municipality_name,
            each.cell.month,
        ]
        yield ["detail", *place, *_cells(each.measures)]


def _cells(measures: Measures) -> Iterator[object]:
    for name in _MEASURES:
        value = getattr(measures, name)
        left_out = "" if name in _TIMES or measures.distress is None else _HIDDEN
        yield left_out if value is None else value
    yield " ".join(f"{code}:{count}" for code, count in measures.negative.items())
    if measures.distress is None:
        yield from [""] * (len(BANDS) + 1)
    else:
        yield from (_HIDDEN if count is None else count for count in measures.distress)
