"""A statement of a fixed shape, compiled once, and what such statements are made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Dialect,
    Executable,
    Select,
    Table,
    and_,
    bindparam,
    literal_column,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.compiler import SQLCompiler

from gateway.journal.rows import Codec
from gateway.journal.tables import content

Parameters = tuple[Any, ...] | dict[str, Any]

INSERTS: Mapping[str, Callable[[Table], sqlite.Insert | postgresql.Insert]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}
"""How a row is added that may be there, by the name of the dialect"""

DATABASE_CLOCK: ColumnElement[int] = literal_column(
    "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)", type_=BigInteger
)
"""Leases are measured by it: the clocks of several machines differ"""

_TABLE = re.compile(r'\b(?:FROM|JOIN|INTO|UPDATE) "?(\w+)')


class Statement:
    """SQL text with the names of its values."""

    def __init__(self, clause: Executable, dialect: Dialect) -> None:
        """Compile a statement of SQLAlchemy whose values are named `bindparam`s."""
        compiled = cast("SQLCompiler", cast("Any", clause).compile(dialect=dialect))
        self.sql = str(compiled)
        self.tables = frozenset(_TABLE.findall(self.sql))
        """What it reads or writes"""
        self._order = compiled.positiontup
        self._fixed = {name: value for name, value in compiled.params.items() if value is not None}

    def bind(self, values: Mapping[str, Any]) -> Parameters:
        """The values as the driver takes them."""
        if self._fixed:
            values = {**self._fixed, **values}
        if self._order is None:
            return dict(values)
        return tuple([values[name] for name in self._order])


def holds(column: ColumnElement[Any], *members: StrEnum) -> ColumnElement[bool]:
    """The column holds one of these words (as literals: partial indexes are found by them)."""
    words: list[ColumnElement[Any]] = [literal_column(f"'{member.value}'") for member in members]
    return column == words[0] if len(words) == 1 else column.in_(words)


def alone(codec: Codec) -> Select[Any]:
    """Records without their payloads."""
    return select(*(codec.table.c[name] for name in codec.columns))


def records(codec: Codec) -> Select[Any]:
    """Whole records: the columns, then the payloads."""
    table = codec.table
    source: Any = table
    columns: list[Any] = [table.c[name] for name in codec.columns]
    for name in codec.payloads:
        part = content.alias(name)
        source = source.outerjoin(
            part, and_(part.c.row_id == table.c.id, part.c.part == literal_column(f"'{codec.part(name)}'"))
        )
        columns.append(part.c.sealed)
    return select(*columns).select_from(source)


def values_of(names: Iterable[str]) -> dict[str, Any]:
    """A value for each column, named as it is."""
    return {name: bindparam(name) for name in names}
