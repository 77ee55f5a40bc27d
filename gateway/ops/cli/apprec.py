"""`pakkehjem apprec`: the receipt that the gateway would answer a message with."""

from __future__ import annotations

import os
from pathlib import Path

import click

from gateway.contracts.errors import EXIT_DONE, EXIT_NO
from gateway.ops.answering import Answering, NoReceiptError
from gateway.ops.cli.options import config_option, file_argument, read_bytes
from gateway.ops.configuration import CONFIG_VARIABLE, load
from gateway.ops.console import print_bytes, say


@click.command()
@file_argument
@click.option("--any-receiver", is_flag=True, help="Take it as addressed to us.")
@click.option("--accept-other", is_flag=True, help="Accept messages that are no Pakkeforløp hjem notes.")
@config_option
def command(file: Path, config: Path | None, *, any_receiver: bool, accept_other: bool) -> int:
    """Write the AppRec for a message as XML; where none may be sent, say why and end with 1.

    A configuration brings the register, the roots that signatures are checked against, and the rules.

    Example: pakkehjem apprec --any-receiver note.xml
    """
    data = read_bytes(file)
    try:
        receipt = _answering(config).receipt_for(data, any_receiver=any_receiver, accept_other=accept_other)
    except NoReceiptError as reason:
        say(f"{file}: no AppRec: {reason.message}")
        if reason.hint:
            say(f"  {reason.hint}")
        return EXIT_NO
    print_bytes(receipt)
    return EXIT_DONE


def _answering(config: Path | None) -> Answering:
    if config is None and not os.environ.get(CONFIG_VARIABLE):
        return Answering()
    # Not on top: without a configuration neither keys nor a journal are needed, nor what handles them.
    from gateway.ops.composition import intake, rule_settings, schema_set  # noqa: PLC0415
    from gateway.ops.stores import open_registry  # noqa: PLC0415

    configuration = load(config)
    return Answering(
        intake(configuration, schema_set(configuration)),
        open_registry(configuration),
        rule_settings(configuration),
        own_her_id=configuration.gateway.her_id,
        refuse_unknown_service=configuration.rules.unknown_service == "reject",
    )
