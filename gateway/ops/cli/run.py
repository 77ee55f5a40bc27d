"""`pakkehjem run`: the service, in the foreground."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType

import click
import structlog

from gateway.contracts import fail_points
from gateway.contracts.errors import EXIT_DONE, EXIT_PARTLY, GatewayError
from gateway.contracts.fail_points import FailPoint, reached
from gateway.ops.cli.options import config_option
from gateway.ops.composition import build_worker, open_journal
from gateway.ops.configuration import Configuration, load
from gateway.ops.console import say
from gateway.ops.logging import configure_logging
from gateway.ops.workers import Workers

log = structlog.get_logger()


@click.command()
@config_option
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes.")
@click.pass_obj
def command(log_level: str, config: Path | None, workers: int) -> int:
    """Run the service until SIGTERM or Ctrl-C; what is at hand is finished first.

    Example: pakkehjem run -c gateway.toml
    """
    configuration = load(config)
    armed = fail_points.arm(os.environ.get(fail_points.VARIABLE))
    # The service tells what it does; every other command only what is wrong.
    configure_logging("info" if log_level == "warning" else log_level, sys.stderr)
    if armed is not None:
        log.warning("fail-point-armed", step=armed.value)
    if workers > 1 and configuration.journal.url.startswith("sqlite"):
        raise click.UsageError("a SQLite journal is for one process; PostgreSQL takes several")
    if workers > 1:
        # What is wrong with the journal is told once, and not by each of them.
        open_journal(configuration).close()
        return Workers(lambda: _one_of_several(configuration), workers).run()
    return _serve(configuration, second=signal.SIG_DFL)


def _one_of_several(configuration: Configuration) -> int:
    """A worker's exit code; the others go on."""
    try:
        # The supervisor kills at a second one; a service manager may have sent the first to every process.
        return _serve(configuration, second=signal.SIG_IGN)
    except GatewayError as error:
        log.warning("worker-failed", error=error.code)
        say(f"pakkehjem: {error.message}")
        return error.exit_code


def _serve(configuration: Configuration, *, second: signal.Handlers) -> int:
    """Work until a signal; `second` is what another one does then."""
    worker = build_worker(configuration)

    def stop(number: int, frame: FrameType | None) -> None:
        del frame
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, second)
        worker.service.stop()
        # Not from here: the signal may have come in the middle of writing a line.
        limit = configuration.flow.stop_seconds
        threading.Thread(target=_end_in_time, args=(number, limit), daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    # What is loaded now stays: the collector need not look at it again, and seldom at the rest.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    log.info("ready", queues=len(worker.service.names))
    reached(FailPoint.STARTED)
    try:
        worker.service.run()
    finally:
        worker.close()
    log.info("stopped")
    return EXIT_DONE


def _end_in_time(number: int, seconds: float) -> None:
    """Something hangs when the time to stop is over: what is not done comes again."""
    log.info("stopping", signal=signal.Signals(number).name)
    time.sleep(seconds)
    log.warning("stopped", exit_code=EXIT_PARTLY)
    os._exit(EXIT_PARTLY)
