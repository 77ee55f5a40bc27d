"""`pakkehjem completion`: what a shell needs to complete commands, options, ids and receivers."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from gateway.contracts.errors import EXIT_DONE

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def command(context: click.Context, shell: str) -> int:
    """Print the completion script for a shell.

    The shell evaluates it, or keeps it where it looks for such scripts. Ids are completed from the journal,
    receivers from the register of PAKKEHJEM_CONFIG.

    Example: pakkehjem completion bash > ~/.local/share/bash-completion/completions/pakkehjem
    """
    made = get_completion_class(shell)
    if made is None:  # pragma: no cover - the choice has what click knows
        raise click.UsageError(f"there is no completion for {shell}")
    root = context.find_root().command
    click.echo(made(root, {}, "pakkehjem", "_PAKKEHJEM_COMPLETE").source())
    return EXIT_DONE
