"""What commands print, in terminals of any width."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from gateway.ops import console
from gateway.ops.counted import counted

WORDS = st.lists(st.text("abcæøå-", min_size=1, max_size=22), min_size=1, max_size=6).map(" ".join)


@given(st.lists(st.lists(WORDS, min_size=3, max_size=3), min_size=1, max_size=5))
def test_no_word_of_a_table_is_broken_where_the_longest_of_each_column_fit(rows: list[list[str]]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(console, "stdout_console", lambda: Console(width=80))
        written: list[str] = []
        patched.setattr("click.echo", written.append)
        console.table(["one", "two", "three"], rows)
    lines = "\n".join(written).splitlines()
    assert all(len(line) <= 80 and line == line.rstrip() for line in lines)
    # Three times 22 and the gaps between are less than 80.
    printed = " ".join(lines).split()
    assert sorted(printed) == sorted(["one", "two", "three", *" ".join(map(" ".join, rows)).split()])


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 replies"), (1, "1 reply"), (2, "2 replies"), (1000, "1000 replies")]
)
def test_a_number_goes_with_its_word(number: int, said: str) -> None:
    assert counted(number, "reply", "replies") == said
    assert counted(number, "note") == f"{number} note{'' if number == 1 else 's'}"
