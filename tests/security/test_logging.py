from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from gateway.ops.logging import LEVELS, configure_logging
from gateway.security.gate import GateRefusedError, parse
from gateway.security.redaction import REDACTED
from gateway.security.signature import SignatureRefusedError, XmlVerifier
from tests.security import pki
from tests.security.messages import MESSAGE, PATIENT

CANARIES = ("Kari", "Nordmann", *PATIENT)


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    libraries = {name: logging.getLogger(name).level for name in ("pika", "sqlalchemy", "signxml")}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in libraries.items():
        logging.getLogger(name).setLevel(before)
    structlog.reset_defaults()


@pytest.fixture(params=sorted(LEVELS))
def stream(request: pytest.FixtureRequest) -> io.StringIO:
    stream = io.StringIO()
    configure_logging(request.param, stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def configured(level: str) -> io.StringIO:
    stream = io.StringIO()
    configure_logging(level, stream)
    return stream


def test_a_line() -> None:
    stream = configured("info")
    structlog.get_logger().info("message-received", queue="8900100_async", attempts=1)
    (line,) = lines(stream)
    assert list(line)[:3] == ["timestamp", "level", "event"]
    assert line["level"] == "info"
    assert line["event"] == "message-received"
    assert line["queue"] == "8900100_async"
    assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize(("level", "count"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_levels(level: str, count: int) -> None:
    stream = configured(level)
    log = structlog.get_logger()
    for method in (log.debug, log.info, log.warning, log.error):
        method("x")
    assert len(lines(stream)) == count


def test_a_logger_follows_a_new_configuration() -> None:
    log = structlog.get_logger()
    first = configured("info")
    log.info("one")
    second = configured("error")
    log.info("two")
    log.error("three")
    assert [line["event"] for line in lines(first)] == ["one"]
    assert [line["event"] for line in lines(second)] == ["three"]


def test_libraries_are_heard_from_warning_only() -> None:
    stream = configured("debug")
    for name in ("pika", "pika.adapters", "sqlalchemy.engine", "anything"):
        logging.getLogger(name).info("Kari %s", "Nordmann")
        logging.getLogger(name).warning("lost %s", "Nordmann")
    assert {line["event"] for line in lines(stream)} == {"library"}
    assert [(line["logger"], line["template"]) for line in lines(stream)] == [
        ("pika", "lost %s"),
        ("pika.adapters", "lost %s"),
        ("sqlalchemy.engine", "lost %s"),
        ("anything", REDACTED),
    ]
    assert all(line["where"].startswith("test_logging:") for line in lines(stream))


def test_configuring_again_does_not_double_lines() -> None:
    configured("info")
    stream = configured("info")
    logging.getLogger("pika").warning("once")
    assert len(lines(stream)) == 1


def test_a_stream_that_is_closed_stops_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    stream = configured("info")
    stream.close()
    structlog.get_logger().info("x", patient=PATIENT[0])
    logging.getLogger("pika").warning("Kari")
    assert capsys.readouterr() == ("", "")


def test_the_canary_never_sings(
    stream: io.StringIO, signed: bytes, verifier: XmlVerifier, capsys: pytest.CaptureFixture[str]
) -> None:
    """A patient's name and numbers, handed to every way of logging there is, at every level."""
    ours = structlog.get_logger()
    name, number, phone = PATIENT
    bound = ours.bind(patient=name, correlation_id=number)
    for log in (ours, bound):
        for method in (log.debug, log.info, log.warning, log.error, log.critical):
            method(
                f"note of {name}, {number}, {phone}", name=name, body=MESSAGE, error=name, count=int(number)
            )
            method(MESSAGE.decode(), code=name, msg_id=number, findings=[name, {"a": name}])
    for library in ("", "pika", "pika.channel", "sqlalchemy.engine.Engine", "signxml.processor", "other"):
        logger = logging.getLogger(library)
        for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
            logger.log(level, "value %r", name, stack_info=True)
            logger.log(level, f"number {number}")  # noqa: G004 - as libraries do it
            logger.log(level, ValueError(name))
    for message in (MESSAGE[:-20], signed.replace(name.encode(), b"Ola Nordmann"), b"<" + name.encode()):
        try:
            parse(message)
            verifier.verify(message, at=pki.NOW)
        except (GateRefusedError, SignatureRefusedError) as error:
            ours.exception("refused", hint=str(error))
            logging.getLogger("other").exception("refused")
    try:
        int(name)
    except ValueError:
        ours.exception(f"no {phone}")
        logging.getLogger("pika").exception("no")
    seen = stream.getvalue() + "".join(capsys.readouterr())
    assert stream.getvalue()
    assert not [canary for canary in CANARIES if canary in seen]
    assert lines(stream)
