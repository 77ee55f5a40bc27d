"""Charts as SVG inside the page: plain shapes and text, no script, readable in black and white."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.rendering.markup import escaped

WIDTH = 360
"""Units of the drawing; a narrow screen shows them one to one"""
_HEIGHT = 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 38, 8, 16, 26
_MOST_LABELS = 12
_LABELLED_BARS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Bars of one kind; None: not shown."""

    name: str
    style: str
    """Class of the bars: `a` or `b`"""
    values: Sequence[float | None]


def bars(
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    alt: str,
    ticks: Sequence[tuple[float, str]],
    text: Sequence[Sequence[str]],
) -> str:
    """A chart of upright bars.

    Args:
        labels: below each place.
        series: bars, side by side at each place.
        alt: what the picture shows, for those who do not see it.
        ticks: values on the axis with their names, the highest last.
        text: what stands on each bar, by series and place; empty for nothing.
    """
    top = max((value for value, _ in ticks), default=1.0) or 1.0
    high, wide = _HEIGHT - _TOP - _BOTTOM, WIDTH - _LEFT - _RIGHT
    step = wide / max(len(labels), 1)
    thick = step * 0.72 / max(len(series), 1)

    def body() -> Iterator[str]:
        for value, name in ticks:
            y = _HEIGHT - _BOTTOM - high * value / top
            yield f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            yield f'<text x="{_LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{escaped(name)}</text>'
        every = -(-len(labels) // _MOST_LABELS)
        for place, label in enumerate(labels):
            if place % every == 0:
                x = _LEFT + step * (place + 0.5)
                yield f'<text x="{x:.1f}" y="{_HEIGHT - 9}" text-anchor="middle">{escaped(label)}</text>'
        for number, each in enumerate(series):
            for place, height in enumerate(each.values):
                if height is None:
                    continue
                x = _LEFT + step * (place + 0.14) + thick * number
                tall = high * height / top
                y = _HEIGHT - _BOTTOM - tall
                size = f'width="{thick:.1f}" height="{tall:.1f}"'
                yield f'<rect class="{each.style}" x="{x:.1f}" y="{y:.1f}" {size}/>'
                if len(labels) * len(series) <= _LABELLED_BARS and (words := text[number][place]):
                    place_of_text = f'x="{x + thick / 2:.1f}" y="{y - 4:.1f}"'
                    yield f'<text {place_of_text} text-anchor="middle">{escaped(words)}</text>'

    return _svg(_HEIGHT, alt, body())


def shares(rows: Sequence[tuple[str, Sequence[float | None]]], styles: Sequence[str], *, alt: str) -> str:
    """A chart of lying bars from 0 to 100 %, a line of words above each row's bars."""
    each = 17 + 15 * len(styles)
    height = each * len(rows) + 4
    wide = WIDTH - 48

    def body() -> Iterator[str]:
        for number, (name, values) in enumerate(rows):
            top = each * number
            yield f'<text class="name" x="0" y="{top + 13}">{escaped(_cut(name))}</text>'
            for place, (style, value) in enumerate(zip(styles, values, strict=True)):
                y = top + 18 + 15 * place
                yield f'<rect class="track" x="0" y="{y}" width="{wide}" height="12"/>'
                if value is None:
                    continue
                yield f'<rect class="{style}" x="0" y="{y}" width="{wide * value:.1f}" height="12"/>'
                yield f'<text x="{wide + 6}" y="{y + 10}">{value * 100:.0f} %</text>'

    return _svg(height, alt, body())


def ticks(highest: float, *, unit: float = 1.0) -> list[float]:
    """Round values for an axis, 0 first, in steps of 1, 2 or 5 times a power of ten of a unit."""
    top = max(highest / unit, 1.0)
    step = 1.0
    while step * 4 < top:
        step *= 2.5 if str(step).startswith("2") else 2
    count = int(-(-top // step))
    return [unit * step * n for n in range(count + 1)]


def _cut(name: str) -> str:
    return name if len(name) <= 52 else name[:51] + "…"


def _svg(height: int, alt: str, body: Iterator[str]) -> str:
    lines = "".join(body)
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escaped(alt)}">'
        f"<title>{escaped(alt)}</title>{lines}</svg>"
    )
