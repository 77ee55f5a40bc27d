"""`pakkehjem apprec`: the receipt that the gateway would answer a message with."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from gateway.contracts.errors import EXIT_DONE, EXIT_NO
from gateway.ops.answering import NoReceiptError, receipt_for
from gateway.ops.cli.options import config_option, file_argument, read_bytes
from gateway.ops.configuration import CONFIG_VARIABLE, load
from gateway.ops.console import say


@click.command()
@file_argument
@click.option("--any-receiver", is_flag=True, help="Take it as addressed to us.")
@click.option("--accept-other", is_flag=True, help="Accept messages that are no Pakkeforløp hjem notes.")
@config_option
def command(file: Path, config: Path | None, *, any_receiver: bool, accept_other: bool) -> int:
    """Write the AppRec for a message as XML; say why where none may be sent.

    Example: pakkehjem apprec --any-receiver note.xml
    """
    data = read_bytes(file)
    configuration = load(config) if config is not None or os.environ.get(CONFIG_VARIABLE) else None
    try:
        receipt = receipt_for(
            data, configuration=configuration, any_receiver=any_receiver, accept_other=accept_other
        )
    except NoReceiptError as reason:
        say(f"{file.name}: no AppRec: {reason.message}")
        return EXIT_NO
    sys.stdout.buffer.write(receipt)
    return EXIT_DONE
