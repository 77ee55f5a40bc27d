from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.journal.sql_journal import SqlJournal
from tests.journal.stores import STORES, Store


@pytest.fixture(params=sorted(STORES))
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Every store in turn."""
    with STORES[request.param](request) as made:
        yield made


@pytest.fixture
def journal(store: Store) -> Iterator[SqlJournal]:
    opened = store.open()
    yield opened
    opened.close()
