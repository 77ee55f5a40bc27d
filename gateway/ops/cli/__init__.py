"""The command `pakkehjem`.

Exit codes: 0 done, 1 the answer is no, 2 usage, 3 configuration, 4 store or broker not reachable,
5 partly done.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

from gateway import __version__
from gateway.contracts.errors import EXIT_DONE, EXIT_NO, GatewayError
from gateway.ops.logging import configure_logging

COMMANDS = {
    "demo": "Show the whole gateway at work: no configuration, no server.",
    "init": "Write a working configuration with a test PKI and a sample register.",
    "run": "Run the service.",
    "simulate": "Play every counterparty on the configured broker.",
    "convert": "Read one message; show it as JSON or in another format.",
    "validate": "Check the format, schema and findings of messages.",
    "apprec": "Write the AppRec that the gateway would answer a message with.",
    "sign": "Sign a MsgHead message (XML-DSig).",
    "verify": "Check the signature of a message.",
    "send": "Put messages on the gateway's inbound queue.",
    "messages": "Browse what came in and what became of it.",
    "schemas": "Show the schemas in use; add the official ones.",
}


class LazyGroup(click.Group):
    """Loads a command's module when it is asked for: most commands need little of the gateway."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order of the manual."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import it."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"gateway.ops.cli.{cmd_name}").command
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
    ctx.obj = log_level
    configure_logging(log_level, sys.stderr)


def main(arguments: list[str] | None = None) -> None:
    """Run the command, and turn errors into one line and an exit code."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """The command's exit code."""
    try:
        result: Any = cli.main(args=arguments, prog_name="pakkehjem", standalone_mode=False)
    except GatewayError as error:
        click.echo(f"pakkehjem: {error.message}", err=True)
        if error.hint:
            click.echo(f"  {error.hint}", err=True)
        return error.exit_code
    except click.exceptions.Abort:
        click.echo("pakkehjem: stopped", err=True)
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_NO
    return result if isinstance(result, int) else EXIT_DONE
