"""`pakkehjem adapters`: the EPJ systems that are read."""

from __future__ import annotations

from pathlib import Path

import click

from adapters import installed
from gateway.contracts.errors import EXIT_DONE, EXIT_NO
from gateway.ops.adapter_kit.check import check, find
from gateway.ops.adapter_kit.scaffold import scaffold
from gateway.ops.cli.options import json_option
from gateway.ops.console import print_json, say, table
from gateway.ops.samples import registry_file
from gateway.routing.register_file import RegisterFile


@click.group()
def command() -> None:
    """List the adapters; scaffold a new one; run the adapter contract on its fixtures.

    Example: pakkehjem adapters list
    """


@command.command("list")
@json_option
def list_all(*, as_json: bool) -> int:
    """List the adapters that are installed.

    Example: pakkehjem adapters list
    """
    rows = [
        {
            "name": adapter.name,
            "title": adapter.title,
            "module": type(adapter).__module__,
            "source": adapter.source_url,
        }
        for adapter in installed().adapters
    ]
    if as_json:
        print_json(rows)
    else:
        table(["name", "title", "module"], [(r["name"], r["title"], r["module"]) for r in rows])
    return EXIT_DONE


@command.command("new")
@click.argument("name")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where to make the folder [default: here].",
)
def new(name: str, directory: Path) -> int:
    """Scaffold the package of a new adapter: a working adapter, a note, and what is read in it.

    Example: pakkehjem adapters new demo_epj
    """
    made = scaffold(name, directory, [adapter.name for adapter in installed().adapters])
    for path in made.written:
        click.echo(path)
    say(f"next: pakkehjem adapters check {name}")
    return EXIT_DONE


@command.command("check")
@click.argument("name")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The folder that holds the package [default: here].",
)
@click.option("--register", type=click.Path(path_type=Path), help="Address register [default: the sample].")
@json_option
def check_one(name: str, directory: Path, register: Path | None, *, as_json: bool) -> int:
    """Run the adapter contract on an adapter's fixtures.

    Recognised; read with no error but AdapterError; the same again; as expected; nothing of the note lost.

    Example: pakkehjem adapters check demo_epj
    """
    adapter, fixtures = find(name, installed(), directory)
    registry = RegisterFile.load(register or registry_file())
    outcomes = list(check(adapter, fixtures, registry))
    failed = [o for o in outcomes if o.problems]
    if as_json:
        print_json([{"file": o.file, "problems": list(o.problems)} for o in outcomes])
    else:
        for outcome in outcomes:
            click.echo(f"{'ok  ' if not outcome.problems else 'FAIL'} {outcome.file}")
            for problem in outcome.problems:
                click.echo(f"       {problem}")
        say(f"{adapter.title}: {len(outcomes) - len(failed)} of {len(outcomes)} fixtures keep the contract")
    return EXIT_NO if failed else EXIT_DONE
