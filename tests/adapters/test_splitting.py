"""Taking text apart: what is looked at closely, and what need not be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.reading import diagnosis, items, splitting
from adapters.reading.splitting import Separator, sentences

_SEPARATORS = [
    one
    for module in (diagnosis, items, splitting)
    for one in vars(module).values()
    if isinstance(one, Separator)
]
_PIECES = st.sampled_from(
    (
        *("smerter", "han", "og ", " og ", ",", ", ", "; ", " / ", "//", " | ", "•", " - ", " – ", " samt "),
        *(" men ", "påvist 3", " stadfesta 4", " bekreftet 1", " diagnostisert 2", "skal ", "\n", "\t", " "),
    )
)


@pytest.mark.parametrize("separator", _SEPARATORS, ids=lambda one: one.pattern.pattern)
@given(text=st.lists(_PIECES, max_size=12).map("".join))
def test_a_text_without_a_separators_letters_does_not_hold_it(separator: Separator, text: str) -> None:
    assert separator.may_be_in(text) or separator.pattern.search(text) is None


@pytest.mark.parametrize("separator", _SEPARATORS, ids=lambda one: one.pattern.pattern)
def test_a_text_of_letters_alone_needs_no_closer_look(separator: Separator) -> None:
    assert not separator.may_be_in("trøtt etter kur")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Sover dårlig", ["Sover dårlig"]),
        (" Sover dårlig. ", ["Sover dårlig."]),
        ("Sover dårlig… Spiser lite", ["Sover dårlig…", "Spiser lite"]),
        ("Sover dårlig! Spiser lite?", ["Sover dårlig!", "Spiser lite?"]),
        (".", ["."]),
        ("", []),
        (" ", []),
    ],
)
def test_sentences_end_at_their_marks(text: str, parts: list[str]) -> None:
    assert sentences(text) == parts
