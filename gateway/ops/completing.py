"""What the shell completes: ids from the journal, receivers from the register. No payload is opened."""

from __future__ import annotations

from contextlib import suppress

import click
from click.shell_completion import CompletionItem

_MOST = 20


def message_ids(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids that begin so, the newest first, with their states."""
    del parameter
    # Not on top: every command has these, and only a shell that completes needs what they load.
    from sqlalchemy import create_engine, make_url, select  # noqa: PLC0415

    from gateway.journal.tables import inbound  # noqa: PLC0415
    from gateway.ops.configuration import load  # noqa: PLC0415

    c = inbound.c
    query = select(c.id, c.state, c.kind).order_by(c.received_at.desc()).limit(_MOST)
    if incomplete:
        query = query.where(c.id >= incomplete, c.id < f"{incomplete}~")
    # A shell that completes has no place for what is wrong: nothing is offered then.
    with suppress(Exception):
        configuration = load(context.params.get("config"))
        url = make_url(configuration.file_url(configuration.journal.url))
        if url.get_backend_name() == "postgresql":
            url = url.set(drivername="postgresql+psycopg")
        with create_engine(url).connect() as connection:
            found = connection.execute(query).all()
        return [CompletionItem(row_id, help=f"{kind} {state}") for row_id, state, kind in found]
    return []


def receivers(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """HER-ids of municipalities' services and GPs that begin so, with their names."""
    del parameter
    from gateway.ops.configuration import load  # noqa: PLC0415 - as above
    from gateway.ops.stores import open_registry  # noqa: PLC0415

    # A shell that completes has no place for what is wrong: nothing is offered then.
    with suppress(Exception):
        registry = open_registry(load(context.params.get("config")))
        return [
            CompletionItem(each.her_id, help=each.organisation_name)
            for each in registry.endpoints
            if each.her_id.startswith(incomplete)
        ]
    return []
