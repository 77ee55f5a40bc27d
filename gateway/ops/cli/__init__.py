"""The command `pakkehjem`.

Exit codes: 0 done, 1 the answer is no, 2 usage, 3 configuration, 4 store or broker not reachable,
5 partly done.
"""

from __future__ import annotations

import difflib
import gc
import importlib
import io
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import click

from gateway import __version__
from gateway.contracts.errors import EXIT_CONFIGURATION, EXIT_DONE, EXIT_NO, GatewayError
from gateway.security.core_dumps import leave_no_core

EXIT_INTERRUPTED = 130
"""Ctrl-C, as shells count it"""

COMMANDS = {
    "demo": "Show the whole gateway at work: no configuration, no server.",
    "init": "Write a working configuration with a test PKI and a register.",
    "run": "Run the service.",
    "simulate": "Play every counterparty on the configured broker.",
    "convert": "Read one message; show it as JSON or in another format.",
    "validate": "Check the format, schema and findings of messages.",
    "apprec": "Write the AppRec that the gateway would answer a message with.",
    "sign": "Sign a MsgHead message (XML-DSig).",
    "verify": "Check the signature of a message.",
    "send": "Put messages on the gateway's inbound queue.",
    "messages": "Browse what came in and what became of it.",
    "held": "Notes that wait for a person: list, show, release, discard.",
    "failed": "What could not be delivered: list, show, replay, discard, export.",
    "replies": "Replies that nobody has taken: list, claim, send on.",
    "register": "Look up who is in the address register; check it, and certificates.",
    "doctor": "Find what could stop the service, and what to do about it.",
    "report": "Tell how the pathway goes: a page with charts, a spreadsheet.",
    "queues": "Look at the queues; make those that are needed.",
    "adapters": "List the EPJ adapters; scaffold one; check one.",
    "config": "Show the configuration that is in force.",
    "audit": "Who did what, and whether the log of it is whole.",
    "db": "Keep the journal's database: upgrade, back up, purge, change keys.",
    "schemas": "Show the schemas in use; add the official ones.",
    "completion": "What bash, zsh or fish need to complete commands, ids, receivers.",
    "bench": "Measure throughput and latency beside what the primitives allow.",
}


class LazyGroup(click.Group):
    """Loads a command's module when it is asked for: most commands need little of the gateway."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order of the manual."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import it."""
        if cmd_name not in COMMANDS:
            near = difflib.get_close_matches(cmd_name, COMMANDS, n=1)
            ctx.fail(f"there is no command {cmd_name}." + (f" Did you mean {near[0]}?" if near else ""))
        # What is loaded stays: the collector need not look at it, now or later.
        gc.disable()
        try:
            command: click.Command = importlib.import_module(f"gateway.ops.cli.{cmd_name}").command
        finally:
            gc.freeze()
            gc.enable()
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List them without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 the answer is no, 2 usage, 3 configuration, "
    "4 store or broker not reachable, 5 partly done.",
)
@click.version_option(__version__, prog_name="pakkehjem")
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="warning",
    show_default=True,
    help="What is logged, as JSON lines on standard error.",
)
@click.pass_context
def cli(ctx: click.Context, log_level: str) -> None:
    """Gateway for «Pakkeforløp hjem for pasienter med kreft».

    Example: pakkehjem demo
    """
    # Not on top: the help needs no log, and this is most of what it would load.
    from gateway.ops.logging import configure_logging  # noqa: PLC0415

    ctx.obj = log_level
    configure_logging(log_level, sys.stderr)


def main(arguments: list[str] | None = None) -> None:
    """Run the command, and turn errors into one line and an exit code."""
    leave_no_core()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that lacks a letter shows another one.
            stream.reconfigure(errors="replace")
    sys.exit(exit_code(arguments))


def exit_code(arguments: list[str] | None = None) -> int:
    """The command's exit code. Whatever goes wrong is told in a line or two on standard error."""
    try:
        result: Any = cli.main(args=arguments, prog_name="pakkehjem", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        # Words of the caller stand in it, and a script may have them from elsewhere.
        from gateway.ops.console import printable  # noqa: PLC0415

        said = io.StringIO()
        error.show(said)
        click.echo(printable(said.getvalue()), nl=False, err=True)
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_NO
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else EXIT_NO
    except Exception as error:  # noqa: BLE001 - a person gets a line, never a traceback that may hold values
        return _told(error)
    return result if isinstance(result, int) else EXIT_DONE


def _told(error: Exception) -> int:
    """Say what is wrong and what to do next; the exit code."""
    # Not on top: the help makes no mistakes, and most commands read no schema.
    from schemas.errors import SchemaError  # noqa: PLC0415

    hint, exit_code = None, EXIT_NO
    match error:
        case GatewayError():
            message, hint, exit_code = error.message, error.hint, error.exit_code
        case click.exceptions.Abort():
            message, exit_code = "stopped", EXIT_INTERRUPTED
        case SchemaError():
            message, exit_code = f"the official schemas can not be used: {error}", EXIT_CONFIGURATION
            hint = "pakkehjem schemas add PATH takes others; PAKKEHJEM_SCHEMAS names their folder"
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            message = f"{where}{error.strerror or type(error).__name__}"
        case _:
            message, hint = _fault(error)
    # Not on top: the help prints nothing of others.
    from gateway.ops.console import say  # noqa: PLC0415

    say(f"pakkehjem: {message}")
    if hint:
        say(f"  {hint}")
    return exit_code


def _fault(error: Exception) -> tuple[str, str]:
    """An error that nobody foresaw: its kind and place. What it says itself may hold values."""
    import structlog  # noqa: PLC0415 - as above

    if structlog.is_configured():
        # Before that, what structlog prints by itself would hold values.
        structlog.get_logger().debug("fault", exc_info=error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{type(error).__name__} in {Path(last.filename).name}, line {last.lineno}"
    return (
        f"this is a fault of the gateway: {place}",
        "pakkehjem --log-level debug … shows how it came to it, without patient data: please report that",
    )
