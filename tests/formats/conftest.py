"""The official schema set, compiled once."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree


@pytest.fixture(scope="session")
def official_schema(standards: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(standards / "xsd" / "all.xsd"))
