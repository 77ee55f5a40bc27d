"""Brings the tables of a journal to the version of the program, by the revisions in `migrations`."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from gateway.journal.tables import SCHEMA_VERSION

_FOLDER = Path(__file__).with_name("migrations")
_VERSION_TABLE = "alembic_version"

OLDER = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11")
"""Versions that can be upgraded"""

WITHOUT_AUDIT = ("", "1", "2", "3")
"""Versions (none: there is no journal yet) that have no audit log"""


def load() -> None:
    """Load what an upgrade needs; slow, so that nobody should wait for it in a transaction."""
    from alembic import command  # noqa: F401, PLC0415 - only a journal that is new, or old, needs it


def upgrade(connection: Connection, revision: str = SCHEMA_VERSION) -> None:
    """Run the revisions that are missing, in the transaction of the connection."""
    # Not on top: see `load`.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def version(connection: Connection) -> str | None:
    """The revision of the tables; None where there are no tables, empty where they are not ours."""
    names = inspect(connection).get_table_names()
    if not names:
        return None
    if not {_VERSION_TABLE, "content", "event"}.issubset(names):
        return ""
    return str(connection.scalar(text(f"SELECT version_num FROM {_VERSION_TABLE}")))  # noqa: S608 - a constant
