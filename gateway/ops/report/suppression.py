"""Counts that are too small to show, and as many others as it takes that no total gives them away.

A table has a row for each group, and each row's sum is known (the number of notes is shown elsewhere). Where
it has a row of totals, each column's sum is known, too, unless the total itself is hidden. A hidden count is
safe where one note could be moved away from it, or to it, and all that is shown would stay the same: the note
goes to another hidden column of its row, and others move in other rows until every known sum is as it was.
Who guesses that nothing hidden is 0 could still be right where the hidden counts of a line are so few that
each must be 1; so they are at least 5 together, or one of them is 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

SMALLEST = 5
"""The smallest count that is shown, besides 0"""

Place = tuple[int, int]
Rows = Sequence[Sequence[int]]


def hidden_places(rows: Rows, *, totals: bool, hidden: frozenset[Place] = frozenset()) -> frozenset[Place]:
    """The places (row, column) that are not shown.

    Args:
        rows: the counts; each row's sum is known.
        totals: whether the last row holds the sums of the others.
        hidden: places that are hidden for another reason.
    """
    table = _Table(rows, totals=totals)
    for place in hidden:
        table.hide(place)
    for r, row in enumerate(rows):
        few = 0 < sum(row) < SMALLEST
        for c, count in enumerate(row):
            if few or 0 < count < SMALLEST:
                table.hide((r, c))
    while table.hide_more():
        pass
    return frozenset(table.hidden)


def hide_in_all(tables: Sequence[Rows]) -> list[frozenset[Place]]:
    """The places that are not shown in several tables of the same notes, each with a row of totals.

    Equal rows may be the same notes under another name (a municipality that one department serves): what one
    of them hides, all do.
    """
    hidden = [hidden_places(rows, totals=True) for rows in tables]
    while True:
        columns: dict[tuple[int, ...], set[int]] = {}
        for rows, places in zip(tables, hidden, strict=True):
            for r, c in places:
                columns.setdefault(tuple(rows[r]), set()).add(c)
        after = [
            hidden_places(
                rows,
                totals=True,
                hidden=frozenset((r, c) for r, row in enumerate(rows) for c in columns.get(tuple(row), ())),
            )
            for rows in tables
        ]
        if after == hidden:
            return hidden
        hidden = after


class _Table:
    """What is hidden, and what could be moved without a change in what is shown."""

    def __init__(self, rows: Rows, *, totals: bool) -> None:
        self.hidden: set[Place] = set()
        self._rows = rows
        self._width = len(rows[0]) if rows else 0
        self._totals = len(rows) - 1 if totals else None
        self._free = set() if totals else set(range(self._width))
        """Columns whose sums are not known"""
        self._hidden_in: dict[int, list[int]] = {r: [] for r in range(len(rows)) if r != self._totals}
        self._ways: Counter[tuple[int, int]] = Counter()
        """In how many rows a note of one column could stand in another"""

    def hide(self, place: Place) -> None:
        """Show a place no longer."""
        if place in self.hidden:
            return
        self.hidden.add(place)
        r, c = place
        if r == self._totals:
            self._free.add(c)
            return
        for other in self._hidden_in[r]:
            self._ways[c, other] += self._rows[r][c] > 0
            self._ways[other, c] += self._rows[r][other] > 0
        self._hidden_in[r].append(c)

    def hide_more(self) -> bool:
        """Hide what it takes that nothing hidden is found out; whether anything was added."""
        before = len(self.hidden)
        # What is near goes first, for all that needs it: often that is enough for the others.
        for near in range(3):
            for place in [place for place in sorted(self.hidden) if not self._is_safe(*place)]:
                added = self._hide_smallest(self._around(*place)[near])
                if added is not None and near > 0:
                    # Alone in its row it would be found out, and hide nothing.
                    self._hide_smallest(self._around(*added)[0])
                    return True
            if len(self.hidden) > before:
                return True
        for line in list(self._lines()):
            while self._is_guessed(line) and self._hide_smallest(line) is not None:
                pass
        return len(self.hidden) > before

    def _around(self, r: int, c: int) -> tuple[list[Place], list[Place], list[Place]]:
        """Where to hide something for the sake of a place: its row, its column, anywhere."""
        row = [(r, x) for x in range(self._width)]
        if r == self._totals:
            # Another total helps only where a note can go from the one column to the other.
            row = [(r, x) for x in sorted(self._exchanged(c) - self._free)] or row
        if self._totals is None:
            return row, [], []
        column = [(y, c) for y in range(len(self._rows))]
        return row, column, [(y, x) for y in range(len(self._rows)) for x in range(self._width)]

    def _lines(self) -> Iterator[list[Place]]:
        """The rows, and the columns whose sums are known."""
        for r in range(len(self._rows)):
            yield [(r, c) for c in range(self._width)]
        for c in range(self._width):
            if c not in self._free:
                yield [(r, c) for r in self._hidden_in]

    def _is_guessed(self, line: Sequence[Place]) -> bool:
        counts = [self._rows[r][c] for r, c in line if (r, c) in self.hidden]
        return bool(counts) and sum(counts) < SMALLEST and 0 not in counts

    def _hide_smallest(self, line: Sequence[Place]) -> Place | None:
        """Hide the smallest count of a line, a 0 only where there is nothing else; where it was."""
        shown = (place for place in line if place not in self.hidden)
        place = min(
            shown, key=lambda p: (self._rows[p[0]][p[1]] == 0, self._rows[p[0]][p[1]], p), default=None
        )
        if place is not None:
            self.hide(place)
        return place

    def _is_safe(self, r: int, c: int) -> bool:
        """Whether the count at a place could be another, or may be known."""
        if not 0 < self._rows[r][c] < SMALLEST:
            return True
        if r == self._totals:
            return bool(self._exchanged(c) & self._free)
        others = [x for x in self._hidden_in[r] if x != c]
        less = any(c in self._reached(x, into=(r, c)) for x in others)
        more = any(self._rows[r][x] > 0 and x in self._reached(c, out_of=(r, c)) for x in others)
        return less or more

    def _exchanged(self, column: int) -> set[int]:
        """The other columns that a note can go to, or come from, in the rows alone: their sums change."""
        into = {x for x in range(self._width) if column in self._reached(x, in_totals=False)}
        return (into | self._reached(column, in_totals=False)) - {column}

    def _reached(
        self,
        column: int,
        *,
        into: Place | None = None,
        out_of: Place | None = None,
        in_totals: bool = True,
    ) -> set[int]:
        """The columns that one note too many in a column can be moved on to, in any rows.

        Args:
            column: the column.
            into: the place whose count is moved already, and must not be moved back.
            out_of: the same.
            in_totals: the sums of two columns that are both not known may change, too.
        """
        found, ahead = {column}, [column]
        while ahead:
            x = ahead.pop()
            for y in range(self._width):
                ways = self._ways[x, y]
                if into is not None and y == into[1] and (into[0], x) in self.hidden:
                    ways -= self._rows[into[0]][x] > 0
                if out_of is not None and x == out_of[1] and (out_of[0], y) in self.hidden:
                    ways -= self._rows[out_of[0]][x] > 0
                if y not in found and (ways > 0 or (in_totals and {x, y} <= self._free)):
                    found.add(y)
                    ahead.append(y)
        return found
