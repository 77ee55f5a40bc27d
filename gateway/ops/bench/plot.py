"""Plots as SVG: bars beside each other, and lines over a scale. No library, nothing to load."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 840, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 24, 56, 84
_COLOURS = ("#1b6ca8", "#8fa3ad", "#d9822b", "#3b8a57", "#8250a8", "#b03a48")
_GRID, _INK = "#dfe4e8", "#22303a"
_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A scale from 0, or logarithmic."""

    title: str
    logarithmic: bool = False
    labels: Mapping[float, str] | None = None
    """Where not every value is told by its digits"""


def bars(title: str, unit: str, groups: Sequence[tuple[str, Mapping[str, tuple[float, float]]]]) -> str:
    """Bars in groups.

    Args:
        title: stands above.
        unit: of the values.
        groups: the name of each, and by the name of a series its value and half its spread.
    """
    series = list(dict.fromkeys(name for _, values in groups for name in values))
    top = _top(max((value + half for _, values in groups for value, half in values.values()), default=1))
    drawn = [_frame(title, series), *_horizontal(top, unit)]
    wide = (WIDTH - _LEFT - _RIGHT) / max(1, len(groups))
    bar = min(40.0, 0.8 * wide / max(1, len(series)))
    figures = min(11, round(0.45 * bar))
    for number, (name, values) in enumerate(groups):
        middle = _LEFT + wide * (number + 0.5)
        present = [s for s in series if s in values]
        for place, each in enumerate(present):
            value, half = values[each]
            x = middle + (place - len(present) / 2) * bar
            y = _y(value / top)
            colour = _COLOURS[series.index(each) % len(_COLOURS)]
            drawn.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{bar * 0.9:.1f}" height="{_y(0) - y:.1f}" '
                f'fill="{colour}"/>'
            )
            centre = x + bar * 0.45
            drawn.append(_line(centre, _y((value - half) / top), centre, _y((value + half) / top), _INK))
            drawn.append(_text(centre, _y((value + half) / top) - 5, _above(value), size=figures))
        for row, word in enumerate(name.split("\n")):
            drawn.append(_text(middle, HEIGHT - _BOTTOM + 18 + 14 * row, word, size=12))
    return _whole(drawn)


def lines(
    title: str,
    x: Axis,
    y: Axis,
    series: Mapping[str, Sequence[tuple[float, float]]],
) -> str:
    """Lines with their points.

    Args:
        title: stands above.
        x: the horizontal scale.
        y: the vertical one.
        series: points by name.
    """
    points = [point for each in series.values() for point in each]
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    across = _scale(xs, logarithmic=x.logarithmic)
    low, high = _decades(ys) if y.logarithmic else (0.0, _top(max(ys)))

    def up(value: float) -> float:
        if not y.logarithmic:
            return _y(value / high)
        return _y((math.log10(max(value, 10**low)) - low) / (high - low))

    drawn = [_frame(title, list(series))]
    if y.logarithmic:
        for power in range(int(low), int(high) + 1):
            drawn.append(_line(_LEFT, up(10**power), WIDTH - _RIGHT, up(10**power), _GRID))
            drawn.append(_text(_LEFT - 8, up(10**power) + 4, _short(10**power), anchor="end"))
        drawn.append(_upright(y.title))
    else:
        drawn += _horizontal(high, y.title)
    for value in sorted(set(xs)):
        label = (x.labels or {}).get(value, _short(value))
        drawn.append(_line(across(value), _y(0), across(value), _y(0) + 5, _INK))
        drawn.append(_text(across(value), _y(0) + 20, label, size=11))
    drawn.append(_text((_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 22, x.title))
    for number, (_, each) in enumerate(series.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join(f"{across(px):.1f},{up(py):.1f}" for px, py in each)
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn += [
            f'<circle cx="{across(px):.1f}" cy="{up(py):.1f}" r="3.5" fill="{colour}"/>' for px, py in each
        ]
    return _whole(drawn)


def _scale(values: Sequence[float], *, logarithmic: bool) -> _Scale:
    return _Scale(values, logarithmic=logarithmic)


class _Scale:
    """From a value to a place across; 0 stands left of a logarithmic scale."""

    def __init__(self, values: Sequence[float], *, logarithmic: bool) -> None:
        self._logarithmic = logarithmic
        positive = [v for v in values if v > 0] or [1.0]
        self._zero = logarithmic and min(values) <= 0
        self._low = math.log10(min(positive)) - (1 if self._zero else 0) if logarithmic else min(0.0, *values)
        self._high = math.log10(max(positive)) if logarithmic else max(values)

    def __call__(self, value: float) -> float:
        if self._logarithmic:
            value = math.log10(value) if value > 0 else self._low
        share = (value - self._low) / ((self._high - self._low) or 1)
        inset = 28
        return _LEFT + inset + share * (WIDTH - _LEFT - _RIGHT - 2 * inset)


def _decades(values: Sequence[float]) -> tuple[float, float]:
    positive = [v for v in values if v > 0] or [1.0]
    low, high = math.floor(math.log10(min(positive))), math.ceil(math.log10(max(positive)))
    return float(low), float(max(high, low + 1))


def _top(value: float) -> float:
    """A round number at or above, with five equal parts."""
    part = (value or 1) * 1.08 / 5
    power: float = 10 ** math.floor(math.log10(part))
    return next(step for step in _STEPS if step * power >= part) * power * 5


def _y(share: float) -> float:
    return HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM)


def _horizontal(top: float, unit: str) -> list[str]:
    drawn = []
    for step in range(6):
        drawn.append(_line(_LEFT, _y(step / 5), WIDTH - _RIGHT, _y(step / 5), _GRID))
        drawn.append(_text(_LEFT - 8, _y(step / 5) + 4, _short(top * step / 5), anchor="end"))
    return [*drawn, _upright(unit)]


def _upright(words: str) -> str:
    middle = (_y(0) + _y(1)) / 2
    return (
        f'<text x="18" y="{middle:.1f}" text-anchor="middle" font-size="12" fill="{_INK}" '
        f'transform="rotate(-90 18 {middle:.1f})">{escape(words)}</text>'
    )


def _frame(title: str, series: Sequence[str]) -> str:
    drawn = [_text(_LEFT, 24, title, size=15, anchor="start", bold=True)]
    x = float(_LEFT)
    for number, name in enumerate(series):
        drawn.append(
            f'<rect x="{x:.1f}" y="34" width="10" height="10" fill="{_COLOURS[number % len(_COLOURS)]}"/>'
        )
        drawn.append(_text(x + 15, 43, name, anchor="start"))
        x += 34 + 6.8 * len(name)
    return "\n".join(drawn)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def _text(
    x: float, y: float, words: str, *, size: int = 12, anchor: str = "middle", bold: bool = False
) -> str:
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{_INK}"{weight}>'
        f"{escape(words)}</text>"
    )


def _short(value: float) -> str:
    if value >= 1_000_000:
        return f"{value / 1_000_000:.3g} M"
    if value >= 10_000:
        return f"{value / 1000:.3g} k"
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def _above(value: float) -> str:
    """What stands above a bar: short enough for narrow ones."""
    return _short(round(value) if value >= 10 else value)


def _whole(drawn: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" '
        f'font-family="system-ui, sans-serif"><rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>\n'
        + "\n".join(drawn)
        + "\n</svg>\n"
    )
