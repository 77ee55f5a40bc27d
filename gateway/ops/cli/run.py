"""`pakkehjem run`: the service, in the foreground."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click
import structlog

from gateway.contracts import fail_points
from gateway.contracts.errors import EXIT_DONE, EXIT_PARTLY, GatewayError
from gateway.contracts.fail_points import FailPoint, reached
from gateway.ops.cli.options import config_option
from gateway.ops.composition import build_worker
from gateway.ops.configuration import Configuration, load
from gateway.ops.console import say
from gateway.ops.instruments import Instruments
from gateway.ops.logging import configure_logging
from gateway.ops.observer import FOLDER_VARIABLE, Observer
from gateway.ops.stores import open_journal
from gateway.ops.tracing import message_spans
from gateway.ops.watchdog import Heart, Hearts, Pulse, notify
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
    hearts = Hearts()
    with _observed(configuration, hearts):
        if workers > 1:
            return Workers(lambda heart: _one_of_several(configuration, heart), workers, hearts).run()
        return _serve(configuration, hearts.heart(0), alone=True)


@contextmanager
def _observed(configuration: Configuration, hearts: Hearts) -> Iterator[None]:
    """Watched by whoever asks, where the configuration says so; that it can not be stops no message."""
    address = configuration.observability.address
    if address is None:
        yield
        return
    try:
        observer = Observer(configuration, address, hearts)
    except OSError as error:
        log.warning("not-observed", host=address[0], port=address[1], hint=error.strerror)
        yield
        return
    with observer:
        yield


def _instruments(configuration: Configuration, beat: Callable[[], None]) -> Instruments:
    spans = message_spans(configuration)
    if os.environ.get(FOLDER_VARIABLE) is None or configuration.observability.address is None:
        return Instruments(beat=beat, spans=spans)
    # Not on top: the library looks for the shared folder when it is imported.
    from gateway.ops.metrics import MeasuredQueue, Metrics  # noqa: PLC0415

    metrics = Metrics()
    return Instruments(
        beat=beat,
        observe=metrics.observe,
        measured=lambda queue: MeasuredQueue(queue, metrics),
        spans=spans,
    )


def _one_of_several(configuration: Configuration, heart: Heart) -> int:
    """A worker's exit code; the others go on."""
    try:
        return _serve(configuration, heart, alone=False)
    except GatewayError as error:
        log.warning("worker-failed", error=error.code)
        say(f"pakkehjem: {error.message}")
        return error.exit_code


def _serve(configuration: Configuration, heart: Heart, *, alone: bool) -> int:
    """Work until told to stop. `alone`: this process is the one that systemd, or a person, has started."""
    # The supervisor kills at a second one; a service manager may have sent the first to every process.
    second = signal.SIG_DFL if alone else signal.SIG_IGN
    pulse = Pulse()

    def beat() -> None:
        heart.beat()
        if alone:
            pulse.tell()

    instruments = _instruments(configuration, beat)
    worker = build_worker(configuration, instruments=instruments)

    def stop(number: int, frame: FrameType | None) -> None:
        del frame
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, second)
        if alone:
            notify("STOPPING=1")
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
    if alone:
        notify("READY=1")
    reached(FailPoint.STARTED)
    try:
        worker.service.run()
    finally:
        worker.close()
        instruments.spans.close()
    log.info("stopped")
    return EXIT_DONE


def _end_in_time(number: int, seconds: float) -> None:
    """Something hangs when the time to stop is over: what is not done comes again."""
    log.info("stopping", signal=signal.Signals(number).name)
    time.sleep(seconds)
    log.warning("stopped", exit_code=EXIT_PARTLY)
    os._exit(EXIT_PARTLY)
