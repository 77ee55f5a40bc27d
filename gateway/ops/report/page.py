"""The report as one page: no script, nothing fetched, for screens of any width and for paper."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from gateway.contracts.receipts import ERROR_TEXTS
from gateway.ops.report import charts
from gateway.ops.report.report import BANDS, Group, Measures, Report
from gateway.ops.report.words import Words
from gateway.rendering.markup import escaped

_MOST_IN_CHART = 10

_STYLE = """
:root { color-scheme: light; --ink: #1a1f26; --soft: #4a5563; --line: #c3cad3; --a: #0b4f8a; --b: #c2630a; }
* { box-sizing: border-box; }
body { font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; color: var(--ink);
  background: #fff; margin: 0 auto; max-width: 82rem; padding: 0 1rem 3rem; }
h1 { font-size: clamp(1.5rem, 4vw, 2.1rem); line-height: 1.2; margin: 1.5rem 0 .25rem; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .5rem; padding-top: .5rem; border-top: 3px solid var(--a); }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .25rem; }
p { max-width: 44rem; margin: .25rem 0 .75rem; }
.soft { color: var(--soft); }
.skip { position: absolute; left: -100rem; } .skip:focus { left: 1rem; top: .5rem; background: #fff;
  padding: .5rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(10.5rem, 1fr)); gap: .75rem;
  padding: 0; margin: 1rem 0; }
.cards div { border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .8rem; display: flex;
  flex-direction: column-reverse; justify-content: flex-end; }
.cards dt { color: var(--soft); font-size: .9rem; } .cards dd { margin: 0; font-size: 1.55rem;
  font-weight: 650; font-variant-numeric: tabular-nums; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr));
  gap: 1.5rem 2.5rem; }
figure { margin: 0; max-width: 34rem; } figcaption { font-weight: 600; margin-bottom: .15rem; }
figure p { font-size: .9rem; color: var(--soft); margin: 0 0 .5rem; }
svg { width: 100%; height: auto; display: block; font: 11px system-ui, "DejaVu Sans", sans-serif;
  overflow: visible; }
svg text { fill: var(--ink); } .grid { stroke: var(--line); } .track { fill: #e9edf2; }
.a { fill: var(--a); } .b { fill: var(--b); } svg .b { stroke: #6b3300; stroke-width: .5; }
.key { display: flex; gap: 1.25rem; flex-wrap: wrap; font-size: .9rem; margin: .25rem 0 .5rem; padding: 0;
  list-style: none; }
.key i { display: inline-block; width: .9em; height: .9em; margin-right: .4em; vertical-align: -.08em; }
.key .a { background: var(--a); } .key .b { background: var(--b); }
.table { overflow-x: auto; margin: .75rem 0 1.5rem; border: 1px solid var(--line); border-radius: .5rem; }
.table:focus { outline: 3px solid var(--a); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .5rem .7rem; }
th, td { padding: .4rem .6rem; text-align: right; border-top: 1px solid var(--line);
  vertical-align: bottom; }
thead th { border-top: 0; font-size: .85rem; max-width: 9.5rem; background: #f3f5f8; }
th:first-child, td.words { text-align: left; }
tbody th, tfoot th { font-weight: 500; position: sticky; left: 0; background: #fff; min-width: 11rem;
  max-width: 18rem; overflow-wrap: break-word; hyphens: auto; }
tfoot th, tfoot td { font-weight: 650; border-top: 2px solid var(--soft); }
.none { color: var(--soft); font-style: italic; }
dl.explained dt { font-weight: 600; margin-top: .75rem; } dl.explained dd { margin: 0; max-width: 44rem; }
@media (max-width: 30rem) { tbody th, tfoot th { min-width: 8.5rem; max-width: 9rem; font-size: .82rem; }
  th, td { padding: .4rem .5rem; } }
@media print { body { max-width: none; font-size: 9.5pt; padding: 0; } .skip { display: none; }
  .table { overflow: visible; border: 0; } table { font-size: 8pt; } th, td { padding: .15rem .3rem; }
  tbody th, tfoot th { position: static; } thead { display: table-header-group; }
  tr, figure { break-inside: avoid; }
  h2, h3, caption { break-after: avoid; } }
""".strip()


def render_page(report: Report, words: Words) -> str:
    """The whole page."""
    return "\n".join(_Page(report, words).lines()) + "\n"


Column = tuple[str, Callable[[Measures], str]]


class _Page:
    def __init__(self, report: Report, words: Words) -> None:
        self._report = report
        self._words = words
        self._numbers = 0

    def lines(self) -> Iterator[str]:
        words, report = self._words, self._report
        period = words.period.format(first=self._month(report.first), last=self._month(report.last))
        yield f'<!DOCTYPE html>\n<html lang="{words.language}">\n<head>\n<meta charset="utf-8">'
        yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
        yield '<meta name="robots" content="noindex">\n<link rel="icon" href="data:,">'
        yield f"<title>{escaped(words.title)} {escaped(period)}</title>"
        yield f"<style>{_STYLE}</style>\n</head>\n<body>"
        yield f'<a class="skip" href="#figures">{escaped(words.skip)}</a>'
        yield f"<header>\n<h1>{escaped(words.title)}</h1>\n<p>{escaped(period)}</p>\n</header>\n<main>"
        yield from self._section("figures", words.key_figures, self._key_figures())
        if report.total.notes:
            yield from self._section("months", words.by[0], self._months())
            yield from self._section(
                "departments", words.by[1], self._groups(report.by_unit, words.department)
            )
            yield from self._section(
                "municipalities", words.by[2], self._groups(report.by_municipality, words.municipality)
            )
            yield from self._section("distress", words.distress, self._distress())
        if report.total.negative:
            yield from self._section("codes", words.codes, self._codes())
        yield from self._section("windows", words.windows, self._windows())
        yield from self._section("explained", words.explained, self._explained())
        made = words.made.format(at=f"{report.made_at.astimezone():%Y-%m-%d %H:%M}")
        yield f'</main>\n<footer>\n<p class="soft">{escaped(made)}</p>\n</footer>\n</body>\n</html>'

    def _section(self, name: str, heading: str, content: Iterator[str]) -> Iterator[str]:
        yield f'<section aria-labelledby="{name}">\n<h2 id="{name}">{escaped(heading)}</h2>'
        yield from content
        yield "</section>"

    # --- what stands in the sections ---------------------------------------------------------------

    def _key_figures(self) -> Iterator[str]:
        words, total = self._words, self._report.total
        if not total.notes:
            yield f"<p>{escaped(words.none)}</p>"
        facts = [
            (words.notes, self._number(total.notes)),
            (words.with_phone, self._share(total.with_phone, total)),
            (words.with_diagnosis, self._share(total.with_diagnosis, total)),
            (words.in_work_up, self._number(total.in_work_up)),
            (words.repeats, self._number(total.repeats)),
            (words.relapse, self._number(total.relapse)),
            (words.median, self._duration(total.answer_median)),
            (words.p95, self._duration(total.answer_p95)),
            (words.overdue, self._number(total.overdue)),
            (words.refused, self._number(total.refused)),
            (words.replies, self._number(total.replies)),
            (words.lay, self._duration(total.reply_median)),
        ]
        yield '<dl class="cards">'
        yield from (f"<div><dt>{escaped(name)}</dt><dd>{escaped(value)}</dd></div>" for name, value in facts)
        yield "</dl>"

    def _months(self) -> Iterator[str]:
        words, groups = self._words, self._report.by_month
        labels = [words.months[int(g.key[5:]) - 1].rstrip(".")[:3] for g in groups]
        counts = [g.measures.notes for g in groups]
        yield '<div class="charts">'
        yield from self._figure(
            words.notes_chart,
            words.notes_chart_text,
            charts.bars(
                labels,
                [charts.Series(name=words.notes, style="a", values=counts)],
                alt=words.chart_of.format(text=words.notes_chart_text),
                ticks=[(v, self._number(int(v))) for v in charts.ticks(max(counts))],
                text=[[self._number(n) for n in counts]],
            ),
        )
        yield from self._answer_times(labels, groups)
        yield "</div>"
        yield from self._two_tables(groups, words.month, name=lambda g: self._month(g.key))

    def _answer_times(self, labels: Sequence[str], groups: Sequence[Group]) -> Iterator[str]:
        words = self._words
        medians = [g.measures.answer_median for g in groups]
        slowest = [g.measures.answer_p95 for g in groups]
        top = max((v for v in (*medians, *slowest) if v is not None), default=0)
        unit = next(size for size in (86400, 3600, 60, 1) if top >= size or size == 1)
        yield from self._figure(
            words.answers_chart,
            words.answers_chart_text,
            charts.bars(
                labels,
                [
                    charts.Series(name=words.median, style="a", values=medians),
                    charts.Series(name=words.p95, style="b", values=slowest),
                ],
                alt=words.chart_of.format(text=words.answers_chart_text),
                ticks=[(v, self._duration(int(v))) for v in charts.ticks(top, unit=unit)],
                text=[[""] * len(groups)] * 2,
            ),
            key=(words.median, words.p95),
        )

    def _groups(self, groups: Sequence[Group], kind: str) -> Iterator[str]:
        words = self._words
        largest = sorted(groups, key=lambda g: -g.measures.notes)[:_MOST_IN_CHART]
        rows = [
            (
                g.name,
                [_ratio(g.measures.with_phone, g.measures), _ratio(g.measures.with_diagnosis, g.measures)],
            )
            for g in largest
            if g.measures.notes
        ]
        yield '<div class="charts">'
        yield from self._figure(
            words.quality,
            words.quality_chart_text,
            charts.shares(rows, ("a", "b"), alt=words.chart_of.format(text=words.quality_chart_text)),
            key=(words.with_phone, words.with_diagnosis),
        )
        yield "</div>"
        yield from self._two_tables(groups, kind, name=lambda g: g.name)

    def _two_tables(
        self, groups: Sequence[Group], kind: str, *, name: Callable[[Group], str]
    ) -> Iterator[str]:
        words = self._words
        notes: list[Column] = [
            (words.notes, lambda m: self._number(m.notes)),
            (words.with_phone, lambda m: self._share(m.with_phone, m)),
            (words.with_diagnosis, lambda m: self._share(m.with_diagnosis, m)),
            (words.in_work_up, lambda m: self._number(m.in_work_up)),
            (words.repeats, lambda m: self._number(m.repeats)),
            (words.relapse, lambda m: self._number(m.relapse)),
            (words.changes, lambda m: self._number(m.changes)),
            (words.cancellations, lambda m: self._number(m.cancellations)),
        ]
        answers: list[Column] = [
            (words.answered, lambda m: self._number(m.answered)),
            (words.median, lambda m: self._duration(m.answer_median)),
            (words.p95, lambda m: self._duration(m.answer_p95)),
            (words.refused, lambda m: self._number(m.refused)),
            (words.overdue, lambda m: self._number(m.overdue)),
            (words.waiting, lambda m: self._number(m.waiting)),
            (words.failed, lambda m: self._number(m.failed)),
            (words.replies, lambda m: self._number(m.replies)),
            (words.replies_waiting, lambda m: self._number(m.replies_waiting)),
            (words.lay, lambda m: self._duration(m.reply_median)),
            (words.lay_p95, lambda m: self._duration(m.reply_p95)),
        ]
        for caption, columns in ((words.notes, notes), (words.answers, answers)):
            yield from self._table(
                f"{caption}: {kind.lower()}",
                [kind, *(heading for heading, _ in columns)],
                [[name(g), *(cell(g.measures) for _, cell in columns)] for g in groups],
                [words.total, *(cell(self._report.total) for _, cell in columns)],
            )

    def _distress(self) -> Iterator[str]:
        words, report = self._words, self._report
        counts = report.scores
        top = max((n for n in counts if n is not None), default=0)
        yield f"<p>{escaped(words.distress_text)}</p>"
        yield '<div class="charts">'
        yield from self._figure(
            words.distress,
            "",
            charts.bars(
                [str(score) for score in range(len(counts))],
                [charts.Series(name=words.distress, style="a", values=counts)],
                alt=words.chart_of.format(text=words.distress_text),
                ticks=[(v, self._number(int(v))) for v in charts.ticks(top)],
                text=[["" if n is None else self._number(n) for n in counts]],
            ),
        )
        yield "</div>"
        yield from self._table(
            words.distress,
            [words.score, *(str(score) for score in range(len(counts)))],
            [],
            [words.total, *(self._number(n) for n in counts)],
        )
        kinds = (
            (words.department, report.by_unit),
            (words.municipality, report.by_municipality),
            (words.month, report.by_month),
        )
        bands = [words.band.format(band=name.replace("-", "–")) for name, _ in BANDS]
        for kind, groups in kinds:
            yield from self._table(
                f"{words.distress}: {kind.lower()}",
                [kind, *bands, words.no_score],
                [
                    [self._month(g.key) if groups is report.by_month else g.name]
                    + [self._number(n) for n in g.measures.distress or ()]
                    for g in groups
                ],
                [words.total, *(self._number(n) for n in report.total.distress or ())],
            )

    def _codes(self) -> Iterator[str]:
        words = self._words
        rows = [
            [code, ERROR_TEXTS.get(code, ""), self._number(count)]
            for code, count in sorted(self._report.total.negative.items(), key=lambda item: -item[1])
        ]
        yield from self._table(words.codes, [words.code, words.meaning, words.count], rows, None, words=(1,))

    def _windows(self) -> Iterator[str]:
        words, report = self._words, self._report
        yield f"<p>{escaped(words.windows_text)}</p>"
        if not report.windows:
            yield f"<p>{escaped(words.windows_none)}</p>"
            return
        ahead = [self._month(name) for name in report.ahead]
        for point in (2, 3):
            yield from self._table(
                f"{words.point} {point}",
                [words.municipality, *ahead],
                [[w.name, *(self._number(n) for n in w.counts[point])] for w in report.windows],
                [
                    words.total,
                    *(
                        self._number(sum(w.counts[point][m] for w in report.windows))
                        for m in range(len(report.ahead))
                    ),
                ],
            )

    def _explained(self) -> Iterator[str]:
        yield '<dl class="explained">'
        for name, text in self._words.explanations:
            yield f"<dt>{escaped(name)}</dt><dd>{escaped(text)}</dd>"
        yield "</dl>"

    # --- parts ---------------------------------------------------------------------------------------

    def _figure(self, caption: str, text: str, drawing: str, key: Sequence[str] = ()) -> Iterator[str]:
        yield f"<figure>\n<figcaption>{escaped(caption)}</figcaption>"
        if text:
            yield f"<p>{escaped(text)}</p>"
        if key:
            marks = (
                f'<li><i class="{style}"></i>{escaped(name)}</li>'
                for style, name in zip("ab", key, strict=True)
            )
            yield f'<ul class="key">{"".join(marks)}</ul>'
        yield f"{drawing}\n</figure>"

    def _table(
        self,
        caption: str,
        headings: Sequence[str],
        rows: Sequence[Sequence[str]],
        foot: Sequence[str] | None,
        words: Sequence[int] = (),
    ) -> Iterator[str]:
        """A table whose first column is its rows' headings; `words`: columns that are no numbers."""
        self._numbers += 1
        name = f"t{self._numbers}"
        yield f'<div class="table" role="region" aria-labelledby="{name}" tabindex="0">\n<table>'
        yield f'<caption id="{name}">{escaped(caption)}</caption>'
        cells = "".join(f'<th scope="col">{escaped(heading)}</th>' for heading in headings)
        yield f"<thead><tr>{cells}</tr></thead>"
        if rows:
            yield "<tbody>"
            yield from (self._row(row, words) for row in rows)
            yield "</tbody>"
        if foot is not None:
            yield f"<tfoot>{self._row(foot, words)}</tfoot>"
        yield "</table>\n</div>"

    def _row(self, row: Sequence[str], words: Sequence[int]) -> str:
        cells = [f'<th scope="row">{escaped(row[0])}</th>']
        for number, value in enumerate(row[1:], start=1):
            kind = ' class="words"' if number in words else ""
            kind = ' class="none"' if value == self._words.hidden else kind
            cells.append(f"<td{kind}>{escaped(value)}</td>")
        return f"<tr>{''.join(cells)}</tr>"

    def _month(self, name: str) -> str:
        return f"{self._words.months[int(name[5:]) - 1]} {name[:4]}"

    def _number(self, value: int | None) -> str:
        # A thin space between thousands, which breaks no line.
        return self._words.hidden if value is None else f"{value:,}".replace(",", "\u202f")

    @staticmethod
    def _share(part: int, measures: Measures) -> str:
        ratio = _ratio(part, measures)
        return "–" if ratio is None else f"{ratio * 100:.0f}\u00a0%"

    def _duration(self, seconds: int | None) -> str:
        if seconds is None:
            return "–"
        second, minute, hour, day = self._words.units
        for unit, size, above in ((day, 86400, 172800), (hour, 3600, 5400), (minute, 60, 90)):
            if seconds >= above:
                value = f"{seconds / size:.1f}".removesuffix(".0").replace(".", self._words.decimal)
                return f"{value}\u00a0{unit}"
        return f"{seconds}\u00a0{second}"


def _ratio(part: int, measures: Measures) -> float | None:
    return part / measures.notes if measures.notes else None
