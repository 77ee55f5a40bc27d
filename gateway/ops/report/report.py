"""What the report says, made from the journal's figures; see `page` and `csv_file` for how it looks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from gateway.contracts.facts import FactSums
from gateway.contracts.registry import Registry
from gateway.journal.figures import Cell, Figures, NoteFigures, month_of, months
from gateway.ops.report.suppression import hidden_places, hide_in_all

BANDS: tuple[tuple[str, range], ...] = (("0-3", range(4)), ("4-6", range(4, 7)), ("7-10", range(7, 11)))
"""Distress scores by what they call for: from 4 on, a closer look (NCCN Distress Thermometer)"""

MONTHS_AHEAD = 6
"""How far ahead windows are shown"""

MONTHS_BACK = 15
"""How old a note can be whose windows open now or later (SP3 opens a year after the start, at the latest)"""


@dataclass(slots=True, kw_only=True)
class Measures:
    """What is told of a group of notes."""

    notes: int = 0
    changes: int = 0
    cancellations: int = 0
    with_phone: int = 0
    with_diagnosis: int = 0
    repeats: int = 0
    relapse: int | None = 0
    """None, as below: not shown"""
    in_work_up: int | None = 0
    answered: int = 0
    """Positive AppRecs"""
    answer_median: int | None = None
    """Seconds"""
    answer_p95: int | None = None
    refused: int = 0
    negative: dict[str, int] = field(default_factory=dict)
    overdue: int = 0
    waiting: int = 0
    failed: int = 0
    replies: int = 0
    replies_waiting: int = 0
    reply_median: int | None = None
    reply_p95: int | None = None
    distress: tuple[int | None, ...] | None = None
    """Notes by band, then those without a score; None: not told for this group"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A department, a municipality, a month, or one in the other."""

    key: str
    name: str
    measures: Measures


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """A department's notes to a municipality in a month."""

    cell: Cell
    unit_name: str
    municipality_name: str
    measures: Measures


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """The interaction points of a municipality that come up."""

    municipality: str
    name: str
    counts: Mapping[int, tuple[int, ...]]
    """By interaction point: how many windows open in each of the months"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All of it."""

    first: str
    last: str
    made_at: datetime
    total: Measures
    scores: tuple[int | None, ...]
    """Notes by distress score, 0 to 10"""
    by_month: tuple[Group, ...]
    by_unit: tuple[Group, ...]
    by_municipality: tuple[Group, ...]
    details: tuple[Detail, ...]
    ahead: tuple[str, ...]
    """The months of the windows"""
    windows: tuple[Windows, ...]

    def document(self) -> dict[str, Any]:
        """The JSON of `report --json`."""
        return {
            "from": self.first,
            "to": self.last,
            "made_at": self.made_at.astimezone().isoformat(timespec="seconds"),
            "total": _document(self.total) | {"distress_scores": list(self.scores)},
            "months": [{"month": g.key} | _document(g.measures) for g in self.by_month],
            "departments": [
                {"unit": g.key or None, "name": g.name} | _document(g.measures) for g in self.by_unit
            ],
            "municipalities": [
                {"municipality": g.key or None, "name": g.name} | _document(g.measures)
                for g in self.by_municipality
            ],
            "details": [
                {"unit": d.cell.unit or None, "municipality": d.cell.municipality or None}
                | {"month": d.cell.month}
                | _document(d.measures)
                for d in self.details
            ],
            "windows": [
                {"municipality": w.municipality or None, "name": w.name, "point": point}
                | {"months": dict(zip(self.ahead, counts, strict=True))}
                for w in self.windows
                for point, counts in w.counts.items()
            ],
        }


def _document(measures: Measures) -> dict[str, Any]:
    document = {name: getattr(measures, name) for name in Measures.__slots__ if name != "distress"}
    if measures.distress is not None:
        names = [*(name for name, _ in BANDS), "none"]
        document["distress"] = dict(zip(names, measures.distress, strict=True))
    return document


def period(first: str | None, last: str | None, now: datetime) -> tuple[str, str]:
    """The months of a report: the last twelve, where nothing else is said."""
    until = last or month_of(now)
    year, month = int(until[:4]), int(until[5:7])
    return first or f"{year - (month < 12)}-{month % 12 + 1:02}", until


class Names:
    """What places are called."""

    def __init__(self, registry: Registry, unit_names: Mapping[str, str], *, unknown: str) -> None:
        """By the register, else as messages name them; `unknown` where a place is not known at all."""
        self._registry = registry
        self._unit_names = unit_names
        self._unknown = unknown

    def unit(self, her_id: str) -> str:
        """A department, or a hospital."""
        unit, hospital = self._registry.unit(her_id), self._registry.hospital(her_id)
        if unit is not None:
            return unit.name
        if hospital is not None:
            return hospital.name
        return self._unit_names.get(her_id) or her_id or self._unknown

    def municipality(self, code: str) -> str:
        """A municipality or bydel."""
        found = self._registry.municipality(code)
        return found.organisation_name if found is not None else code or self._unknown


def facts_from(first: str, now: datetime) -> str:
    """The first month whose notes are wanted for what they say of windows."""
    return min(first, month_of(now - timedelta(days=31 * MONTHS_BACK)))


def make_report(figures: Figures, names: Names, *, first: str, last: str, made_at: datetime) -> Report:
    """Add the figures up by department, municipality and month, and hide what is too small to show."""
    cells = [(cell, figures.cells[cell]) for cell in _in_order(figures.cells, first, last)]
    facts = [(cell, figures.facts[cell]) for cell in _in_order(figures.facts, first, last)]

    def grouped(key: Callable[[Cell], str], all_keys: Iterable[str]) -> dict[str, _Sum]:
        sums = defaultdict(_Sum, {each: _Sum() for each in all_keys})
        for cell, found in cells:
            sums[key(cell)].figures.add(found)
        for cell, sealed in facts:
            sums[key(cell)].facts.merge([sealed])
        return sums

    by_month = grouped(lambda c: c.month, [m.name for m in months(first, last)])
    by_unit = grouped(lambda c: c.unit, [])
    by_municipality = grouped(lambda c: c.municipality, [])
    total = _Sum.of(by_month.values())
    tables = [by_month, by_unit, by_municipality]
    measures = _shown(tables, total)
    whole = measures[0][1]
    return Report(
        first=first,
        last=last,
        made_at=made_at,
        total=whole,
        scores=_scores(total, whole.distress or ()),
        by_month=_groups(measures[0][0], lambda key: key),
        by_unit=_by_name(_groups(measures[1][0], names.unit)),
        by_municipality=_by_name(_groups(measures[2][0], names.municipality)),
        details=tuple(
            Detail(
                cell=cell,
                unit_name=names.unit(cell.unit),
                municipality_name=names.municipality(cell.municipality),
                measures=_measures(found),
            )
            for cell, found in cells
        ),
        ahead=(ahead := _ahead(made_at)),
        windows=_windows(figures, names, ahead),
    )


def _in_order(cells: Iterable[Cell], first: str, last: str) -> list[Cell]:
    found = (cell for cell in cells if first <= cell.month <= last)
    return sorted(found, key=lambda cell: (cell.month, cell.unit, cell.municipality))


def _groups(measures: Mapping[str, Measures], name: Callable[[str], str]) -> tuple[Group, ...]:
    return tuple(Group(key=key, name=name(key), measures=found) for key, found in measures.items())


def _by_name(groups: tuple[Group, ...]) -> tuple[Group, ...]:
    return tuple(sorted(groups, key=lambda g: (g.key == "", g.name.casefold(), g.key)))


class _Sum:
    """Figures of several cells, with their facts."""

    def __init__(self) -> None:
        self.figures = NoteFigures()
        self.facts = FactSums()

    @classmethod
    def of(cls, others: Iterable[_Sum]) -> _Sum:
        whole = cls()
        for other in others:
            whole.figures.add(other.figures)
            whole.facts.merge([other.facts])
        return whole

    def bands(self) -> list[int]:
        """Notes by band of their score; then those without one."""
        counts = [sum(self.facts.distress.get(score, 0) for score in scores) for _, scores in BANDS]
        return [*counts, max(self.figures.notes - sum(counts), 0)]


def _measures(found: NoteFigures) -> Measures:
    """Without what is told of large groups only."""
    return Measures(
        notes=found.notes,
        changes=found.changes,
        cancellations=found.cancellations,
        with_phone=found.notes - found.without_phone,
        with_diagnosis=found.notes - found.without_diagnosis,
        repeats=found.repeats,
        relapse=None,
        in_work_up=None,
        answered=sum(found.acknowledged.values()),
        answer_median=quantile(found.acknowledged, 0.5),
        answer_p95=quantile(found.acknowledged, 0.95),
        refused=found.refused,
        negative=dict(sorted(found.negative.items())),
        overdue=found.overdue,
        waiting=found.waiting,
        failed=found.failed,
        replies=found.replies,
        replies_waiting=found.replies_waiting,
        reply_median=quantile(found.replies_taken, 0.5),
        reply_p95=quantile(found.replies_taken, 0.95),
    )


def quantile(counts: Mapping[int, int], share: float) -> int | None:
    """The smallest value that at least this share of the counted does not exceed."""
    total = sum(counts.values())
    seen = 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= share * total:
            return value
    return None


def _shown(tables: Sequence[dict[str, _Sum]], total: _Sum) -> list[tuple[dict[str, Measures], Measures]]:
    """The measures of each table's groups and of the whole, with what is too small to show left out."""
    sums = [[*table.values(), total] for table in tables]
    distress = [[each.bands() for each in rows] for rows in sums]
    # Of the notes of a group some are relapses and the others not: two columns, and the sum is known.
    relapse = [[_parted(each, each.facts.relapse) for each in rows] for rows in sums]
    work_up = [[_parted(each, each.facts.in_work_up) for each in rows] for rows in sums]
    hidden = [hide_in_all(each) for each in (distress, relapse, work_up)]
    shown = []
    for t, table in enumerate(tables):
        rows = []
        for r, each in enumerate(sums[t]):
            found = _measures(each.figures)
            found.distress = tuple(
                None if (r, c) in hidden[0][t] else n for c, n in enumerate(distress[t][r])
            )
            found.relapse = None if (r, 0) in hidden[1][t] else relapse[t][r][0]
            found.in_work_up = None if (r, 0) in hidden[2][t] else work_up[t][r][0]
            rows.append(found)
        shown.append((dict(zip(table, rows, strict=False)), rows[-1]))
    return shown


def _parted(whole: _Sum, part: int) -> list[int]:
    return [part, max(whole.figures.notes - part, 0)]


def _scores(total: _Sum, bands: Sequence[int | None]) -> tuple[int | None, ...]:
    """The distribution by score: each band's sum is known, unless it is hidden."""
    found: list[int | None] = []
    for (_, scores), shown in zip(BANDS, bands, strict=False):
        counts = [total.facts.distress.get(score, 0) for score in scores]
        hidden = hidden_places([counts], totals=False)
        found += [None if shown is None or (0, c) in hidden else n for c, n in enumerate(counts)]
    return tuple(found)


def _ahead(now: datetime) -> tuple[str, ...]:
    names = [month_of(now)]
    while len(names) < MONTHS_AHEAD:
        names.append(month_of(months(names[-1], names[-1])[0].end))
    return tuple(names)


def _windows(figures: Figures, names: Names, ahead: Sequence[str]) -> tuple[Windows, ...]:
    found: dict[str, dict[tuple[int, str], int]] = {}
    for cell, sums in figures.facts.items():
        counts = found.setdefault(cell.municipality, {})
        for key, count in sums.windows.items():
            counts[key] = counts.get(key, 0) + count
    made = [
        Windows(
            municipality=code,
            name=names.municipality(code),
            counts={point: tuple(counts.get((point, m), 0) for m in ahead) for point in (2, 3)},
        )
        for code, counts in found.items()
    ]
    with_any = (w for w in made if any(any(counts) for counts in w.counts.values()))
    return tuple(sorted(with_any, key=lambda w: (w.municipality == "", w.name.casefold(), w.municipality)))
