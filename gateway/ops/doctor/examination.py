"""Looks at everything, in the order in which the service needs it."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from adapters import installed
from gateway.contracts.errors import (
    EXIT_CONFIGURATION,
    ConfigurationError,
    GatewayError,
)
from gateway.ops.certificate_list import Listed, Purpose, certificates
from gateway.ops.configuration import Configuration, configuration_path, load
from gateway.ops.counted import counted
from gateway.ops.doctor.broker import broker
from gateway.ops.doctor.journal import journal
from gateway.ops.doctor.lines import Line, failed, fault, ok, warning
from gateway.ops.register_check import inconsistencies
from gateway.ops.security import key_store, revocation
from gateway.ops.stores import open_vault
from gateway.ops.tracing import message_spans
from gateway.routing.register_file import RegisterFile
from gateway.security.files import read_private
from schemas import SchemaError, default_official_directory
from schemas.documents import compile_schema
from schemas.sets import DRIVER

_LEAST_FREE = 1024**3
"""Bytes: below it the journal's disk is soon full"""
_LITTLE_FREE = 5 * 1024**3
_CONNECT_SECONDS = 2.0
_OLDEST_CLOCK = datetime(2026, 1, 1, tzinfo=UTC)


def examine(path: Path | None) -> list[Line]:
    """A line for each thing; nothing is changed, and nothing is left behind."""
    try:
        configuration = load(path)
    except GatewayError as error:
        return [fault("config", error.message, error.hint or "correct it", exit_code=error.exit_code)]
    return list(_everything(configuration, configuration_path(path)))


def _everything(configuration: Configuration, file: Path) -> Iterator[Line]:
    yield ok("config", f"{file} can be read, profile {configuration.gateway.profile}")
    yield from _exposed(configuration)
    listed = certificates(configuration)
    yield from _keys(configuration)
    yield from _certificates(configuration, listed)
    register = None
    try:
        register = RegisterFile.load(configuration.path(configuration.registry.file))
    except ConfigurationError as error:
        yield failed("register", error, f"correct {configuration.registry.file}")
    else:
        yield from _register(configuration, register, listed)
    yield from _schemas(configuration)
    yield from journal(configuration)
    yield from broker(configuration, register)
    yield from _traces(configuration)
    yield from _disk(configuration)
    yield from _clock()


def _exposed(configuration: Configuration) -> Iterator[Line]:
    """Things that are allowed and most likely not meant."""
    gateway, signing = configuration.gateway, configuration.signing
    if gateway.profile == "production":
        if not signing.sign_outgoing:
            yield warning("config", "what goes out is not signed", "signing.sign_outgoing = true")
        if configuration.queues.url.startswith("amqp://"):
            yield warning(
                "config", "the connection to the broker is in clear", 'queues.url = "amqps://…" and queues.ca'
            )
        if configuration.queues.url.startswith("embedded:"):
            yield warning(
                "config", "the embedded queue is for trials: no other system can reach it", "queues.url"
            )


def _keys(configuration: Configuration) -> Iterator[Line]:
    path = configuration.path(configuration.journal.key_file)
    try:
        read_private(path)
        open_vault(configuration)
    except GatewayError as error:
        yield failed("keys", error, f"put the copy of the key in place: {path}")
    else:
        yield ok("keys", f"{path.name} can be read, by its owner only; is there a copy elsewhere?")
    try:
        key_store(configuration)
    except GatewayError as error:
        yield failed("keys", error, "see signing.keys")
    else:
        yield ok("keys", "every signing key fits its certificate, and the default is there")


def _certificates(configuration: Configuration, listed: list[Listed]) -> Iterator[Line]:
    for each in listed:
        for problem in each.problems:
            text = f"{each.purpose.value}: {problem.text}"
            make = fault if problem.grave else warning
            yield make("certificates", text, problem.hint)
    roots = [each for each in listed if each.purpose is Purpose.ROOT and each.certificate is not None]
    if not roots:
        yield fault("certificates", "no root is trusted: every signature is refused", "signing.trust")
    try:
        revocation(configuration)
    except GatewayError as error:
        yield failed("certificates", error, "signing.crl, signing.ocsp")
    for name, texts in (("crl", configuration.signing.crl), ("ocsp", configuration.signing.ocsp)):
        for text in texts:
            if "://" not in text and not configuration.path(Path(text)).is_file():
                yield fault(
                    "certificates",
                    f"signing.{name} names {text}, which is not there: nothing signed is taken",
                    "let the job that fetches it run, or correct the name",
                )
    ends = [each.not_after for each in listed if each.not_after is not None]
    if ends:
        days = (min(ends) - datetime.now(UTC)) // timedelta(days=1)
        yield ok(
            "certificates", f"{counted(len(ends), 'certificate')}; the first ends in {counted(days, 'day')}"
        )


def _register(configuration: Configuration, register: RegisterFile, listed: list[Listed]) -> Iterator[Line]:
    found = inconsistencies(
        register,
        configuration,
        certificates=listed,
        systems=[adapter.name for adapter in installed().adapters],
    )
    for each in found:
        make = fault if each.grave else warning
        yield make("register", f"{each.entry}: {each.text}", each.hint)
    yield ok(
        "register",
        f"{counted(len(register.hospitals), 'hospital')} with {counted(len(register.units), 'unit')}, "
        f"{len(register.endpoints)} municipalities and GPs",
    )


def _schemas(configuration: Configuration) -> Iterator[Line]:
    official = configuration.schemas.official
    folder = configuration.path(official) if official is not None else default_official_directory()
    try:
        if (folder / DRIVER).is_file():
            compile_schema(folder / DRIVER)
    except SchemaError as error:
        yield fault(
            "schemas",
            f"the official schemas in {folder} can not be used: {error}",
            "pakkehjem schemas add PATH takes them anew",
            exit_code=EXIT_CONFIGURATION,
        )
        return
    if (folder / DRIVER).is_file():
        yield ok("schemas", f"our own, and the official ones in {folder}")
    else:
        yield warning(
            "schemas", "only our own: the official ones are not added", "pakkehjem schemas add PATH"
        )


def _traces(configuration: Configuration) -> Iterator[Line]:
    """The collector of spans, where one is named: that it is away stops no message."""
    endpoint = configuration.observability.traces
    if endpoint is None:
        return
    try:
        message_spans(configuration).close()
    except ConfigurationError as error:
        yield failed("traces", error, "take observability.traces out")
        return
    parts = urlsplit(endpoint)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=_CONNECT_SECONDS).close()
    except OSError:
        yield warning("traces", f"nobody answers at {parts.hostname}:{port}", "observability.traces")
    else:
        yield ok("traces", f"a collector answers at {parts.hostname}:{port}")


def _disk(configuration: Configuration) -> Iterator[Line]:
    places = {"journal": configuration.journal.url, "queue": configuration.queues.url}
    seen: set[int] = set()
    for what, url in places.items():
        scheme, _, rest = url.partition(":")
        if scheme not in {"sqlite", "embedded"}:
            continue
        folder = configuration.path(Path(rest.removeprefix("///"))).parent
        if not folder.is_dir() or folder.stat().st_dev in seen:
            continue
        seen.add(folder.stat().st_dev)
        usage = shutil.disk_usage(folder)
        text = f"{usage.free / 1024**3:.1f} GiB of {usage.total / 1024**3:.1f} are free for the {what}"
        if usage.free < _LEAST_FREE:
            yield fault("disk", text, "make room: pakkehjem db purge, or a larger disk")
        elif usage.free < min(_LITTLE_FREE, usage.total // 10):
            yield warning("disk", text, "make room before it is full: pakkehjem db purge, or a larger disk")
        else:
            yield ok("disk", text)


def _clock() -> Iterator[Line]:
    now = datetime.now(UTC)
    if now < _OLDEST_CLOCK:
        yield fault("clock", f"it is {now:%Y-%m-%d} here: the clock is wrong", "let chrony or ntpd set it")
    else:
        yield ok("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC")
