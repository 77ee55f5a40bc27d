"""A statement of a fixed shape, compiled once, when first used, and what such statements are made of."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

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
from sqlalchemy.sql.compiler import SQLCompiler

from gateway.journal.rows import Codec
from gateway.journal.tables import content

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

Parameters = tuple[Any, ...] | dict[str, Any]

DATABASE_CLOCK: ColumnElement[int] = literal_column(
    "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)", type_=BigInteger
)
"""Leases are measured by it: the clocks of several machines differ"""

_TABLE = re.compile(r'\b(?:FROM|JOIN|INTO|UPDATE) "?(\w+)')


def insert_for(dialect: Dialect) -> Callable[[Table], sqlite.Insert | postgresql.Insert]:
    """How a row is added that may be there. Of the dialects only this one is loaded."""
    insert: Callable[[Table], sqlite.Insert | postgresql.Insert] = importlib.import_module(
        f"sqlalchemy.dialects.{dialect.name}"
    ).insert
    return insert


class Statement:
    """SQL text with the names of its values. A command uses few of them: each is compiled when it is."""

    def __init__(self, clause: Executable, dialect: Dialect) -> None:
        """From a statement of SQLAlchemy whose values are named `bindparam`s."""
        self._clause = clause
        self._dialect = dialect

    @cached_property
    def _compiled(self) -> SQLCompiler:
        return cast("SQLCompiler", cast("Any", self._clause).compile(dialect=self._dialect))

    @cached_property
    def sql(self) -> str:
        """The text."""
        return str(self._compiled)

    @cached_property
    def tables(self) -> frozenset[str]:
        """What it reads or writes."""
        return frozenset(_TABLE.findall(self.sql))

    @cached_property
    def _order(self) -> list[str] | None:
        return self._compiled.positiontup

    @cached_property
    def _fixed(self) -> dict[str, Any]:
        return {name: value for name, value in self._compiled.params.items() if value is not None}

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
