"""The manual page of the command, written from the commands themselves: `make man`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from gateway.ops.cli import cli

_ENDS = "Exit codes: "


def manual() -> str:
    """`pakkehjem.1`, for man(1)."""
    context = click.Context(cli, info_name="pakkehjem", **cli.context_settings)
    lines = [
        '.TH PAKKEHJEM 1 "" "pakkehjem" "User Commands"',
        ".SH NAME",
        "pakkehjem \\- gateway for \\(FoPakkeforløp hjem for pasienter med kreft\\(Fc",
        ".SH SYNOPSIS",
        ".B pakkehjem",
        "[\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGS\\fR]...",
        ".SH OPTIONS",
        *_options(cli, context),
        ".SH COMMANDS",
        *_commands(cli, context),
        ".SH EXIT STATUS",
    ]
    for code in (cli.epilog or "").removeprefix(_ENDS).rstrip(".").split(", "):
        number, _, meaning = code.partition(" ")
        lines += [".TP", f".B {number}", _escaped(meaning)]
    lines += [
        ".SH ENVIRONMENT",
        ".TP",
        ".B PAKKEHJEM_CONFIG",
        "The configuration file, where no \\fB\\-c\\fR names one.",
        ".TP",
        ".B PAKKEHJEM__SECTION__KEY",
        "A value of the configuration.",
    ]
    return "\n".join(lines) + "\n"


def _commands(group: click.Group, context: click.Context) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield from _commands(command, inner)
            continue
        yield f".SS {_escaped(inner.command_path)}"
        yield ".B " + _escaped(" ".join([inner.command_path, *command.collect_usage_pieces(inner)]))
        yield ".PP"
        yield from _paragraphs(command.help or "")
        yield from _options(command, inner)


def _paragraphs(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(text.strip().split("\n\n")):
        if number:
            yield ".PP"
        if paragraph.startswith("Example: "):
            yield "Example:"
            yield ".br"
            yield "\\fB" + _escaped(" ".join(paragraph.removeprefix("Example: ").split())) + "\\fR"
        else:
            yield _escaped(" ".join(paragraph.split()))


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            yield ".TP"
            yield f".B {_escaped(record[0])}"
            yield _escaped(" ".join(record[1].split())) or "\\&"


def _escaped(text: str) -> str:
    """Text as roff reads it: a line must not begin with what would be a request."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + escaped if escaped.startswith((".", "'")) else escaped


if __name__ == "__main__":
    sys.stdout.write(manual())
