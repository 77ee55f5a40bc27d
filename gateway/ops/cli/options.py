"""Options that several commands share, and how they read files."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from gateway.contracts.errors import EXIT_USAGE, GatewayError, PermanentError
from gateway.contracts.findings import FINDINGS
from gateway.ops.completing import message_ids

config_option = click.option(
    "-c",
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Configuration file [default: PAKKEHJEM_CONFIG].",
)
message_argument = click.argument("identifier", metavar="ID", shell_complete=message_ids)
messages_argument = click.argument("identifiers", nargs=-1, metavar="[ID]...", shell_complete=message_ids)
register_option = click.option(
    "--register", type=click.Path(path_type=Path), metavar="FILE", help="Address register (TOML)."
)


def _needed(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not value.strip():
        raise click.BadParameter("say why, in a few words", ctx=context, param=parameter)
    return value.strip() if value is not None else None


reason_option = click.option(
    "--reason",
    required=True,
    metavar="TEXT",
    callback=_needed,
    help="Why; kept in the audit log, encrypted. Not for patient data.",
)
reveal_option = click.option(
    "--reveal",
    is_flag=True,
    help="Show the content, which is patient data. Needs a --reason; kept in the audit log.",
)
reveal_reason_option = click.option(
    "--reason", metavar="TEXT", callback=_needed, help="Why the content is looked at; goes with --reveal."
)


class FindingCode(click.ParamType):  # type: ignore[type-arg]  # generic in the newest click only
    """The code of a finding, in any case."""

    name = "code"

    def convert(
        self,
        value: Any,  # noqa: ANN401 - as click has it
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str:
        """The code; one that there is not is refused with the nearest ones."""
        code = str(value).upper()
        if code not in FINDINGS:
            near = difflib.get_close_matches(code, FINDINGS, n=3, cutoff=0.1)
            known = ", ".join(near) or f"{next(iter(FINDINGS))}, …"
            self.fail(f"there is no finding {value}; there are {known}", param, ctx)
        return code

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Those that begin so."""
        del ctx, param
        return [CompletionItem(code) for code in FINDINGS if code.startswith(incomplete.upper())]


json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
file_argument = click.argument("file", type=click.Path(path_type=Path))
files_argument = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))


def revealed_for(reason: str | None, *, reveal: bool) -> str | None:
    """Why content is shown; None: it is not.

    Raises:
        click.UsageError: `--reveal` stands without `--reason`, or the other way round.
    """
    if reveal and reason is None:
        raise click.UsageError("--reveal shows patient data: say why with --reason TEXT")
    if reason is not None and not reveal:
        raise click.UsageError("--reason goes with --reveal")
    return reason


class FileNotReadableError(GatewayError):
    """A file that was named can not be read."""

    code = "file"
    exit_code = EXIT_USAGE


def read_bytes(file: Path) -> bytes:
    """The bytes of a file (`-`: standard input).

    Raises:
        FileNotReadableError: it can not be read.
    """
    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise FileNotReadableError(f"{file} can not be read: {error.strerror}") from None


@contextmanager
def about(file: Path) -> Iterator[None]:
    """What is wrong with a message is said with the name of its file."""
    try:
        yield
    except PermanentError as error:
        error.message = f"{file}: {error.message}"
        raise
