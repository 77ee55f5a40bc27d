"""No total gives away what is hidden: every table that could be behind what is shown is written out."""

from __future__ import annotations

from itertools import product

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.ops.report.suppression import SMALLEST, Place, Rows, hidden_places, hide_in_all


def with_totals(rows: list[list[int]]) -> list[list[int]]:
    return [*rows, [sum(column) for column in zip(*rows, strict=True)]]


def shown(rows: Rows, hidden: frozenset[Place]) -> list[list[int | None]]:
    return [[None if (r, c) in hidden else n for c, n in enumerate(row)] for r, row in enumerate(rows)]


def behind(rows: list[list[int]], hidden: frozenset[Place]) -> list[list[list[int]]]:
    """All tables with the same sums of rows that show the same where something is shown."""
    seen = shown(with_totals(rows), hidden)

    def compositions(total: int, row: list[int | None]) -> list[list[int]]:
        free = total - sum(n for n in row if n is not None)
        gaps = [c for c, n in enumerate(row) if n is None]
        made = []
        for values in product(range(free + 1), repeat=len(gaps)):
            if sum(values) == free:
                filled = list(row)
                for c, value in zip(gaps, values, strict=True):
                    filled[c] = value
                made.append([n for n in filled if n is not None])
        return made

    possible = [compositions(sum(row), seen[r]) for r, row in enumerate(rows)]
    return [
        [list(row) for row in table]
        for table in product(*possible)
        if all(
            total is None or total == sum(column)
            for total, column in zip(seen[-1], zip(*table, strict=True), strict=True)
        )
    ]


TABLES = st.integers(1, 3).flatmap(
    lambda width: st.lists(
        st.lists(st.integers(0, 7), min_size=width, max_size=width), min_size=1, max_size=3
    )
)


@settings(max_examples=150, deadline=None)
@given(TABLES)
def test_no_small_count_can_be_found_out(rows: list[list[int]]) -> None:
    hidden = hidden_places(with_totals(rows), totals=True)
    tables = behind(rows, hidden)
    assert rows in tables
    for r, row in enumerate(rows):
        for c, count in enumerate(row):
            if 0 < count < SMALLEST and len(row) > 1:
                assert (r, c) in hidden
                assert len({table[r][c] for table in tables}) > 1, (rows, hidden)


@settings(max_examples=150, deadline=None)
@example([[1, 5, 0], [1, 5, 5]])  # two totals are hidden, and no note can go from one column to the other
@given(TABLES)
def test_totals_are_as_safe_as_the_rest(rows: list[list[int]]) -> None:
    whole = with_totals(rows)
    hidden = hidden_places(whole, totals=True)
    for c, count in enumerate(whole[-1]):
        if 0 < count < SMALLEST and len(rows[0]) > 1:
            totals = {sum(row[c] for row in table) for table in behind(rows, hidden)}
            assert len(totals) > 1


def test_large_counts_and_nothing_at_all_are_shown() -> None:
    assert hidden_places(with_totals([[5, 0, 9], [12, 7, 0]]), totals=True) == frozenset()
    assert hidden_places([[0, 0, 0]], totals=False) == frozenset()


def test_a_second_count_is_hidden_where_the_row_would_tell_the_first() -> None:
    assert hidden_places([[2, 20, 9]], totals=False) == {(0, 0), (0, 2)}
    assert hidden_places([[3, 20, 0]], totals=False) == {(0, 0), (0, 1)}


def test_a_row_with_few_notes_is_hidden_whole() -> None:
    assert hidden_places([[1, 0, 1]], totals=False) == {(0, 0), (0, 1), (0, 2)}


def test_equal_rows_hide_the_same_in_every_table() -> None:
    departments = with_totals([[2, 8, 30], [9, 9, 40]])
    municipalities = with_totals([[2, 8, 30], [9, 9, 40], [0, 0, 0]])
    one, other = hide_in_all([departments, municipalities])
    assert {place for place in one if place[0] < 2} == {place for place in other if place[0] < 2}
    assert (0, 0) in one
