from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.journal.sql_journal import SqlJournal
from tests.journal.stores import STORES, Store


@pytest.fixture(params=sorted(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Every store in turn."""
    made: Store = STORES[request.param](tmp_path)
    return made


@pytest.fixture
def journal(store: Store) -> Iterator[SqlJournal]:
    opened = store.open()
    yield opened
    opened.close()
