"""Logs: one JSON line on stderr for each event, and nothing in it that the redactor does not know."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final, TextIO

import orjson
import structlog

from gateway.security.redaction import REDACTED, redact

LEVELS: Final = MappingProxyType(
    {
        "debug": logging.DEBUG,
        "info": logging.INFO,
        "warning": logging.WARNING,
        "error": logging.ERROR,
    }
)
_LIBRARIES: Final = ("pika", "sqlalchemy", "signxml", "xmlschema", "asyncio")
_TEMPLATES_ARE_SAFE: Final = ("pika", "sqlalchemy")
"""Libraries whose format strings hold no values of their own; their arguments do"""


def configure_logging(level: str = "info", stream: TextIO | None = None) -> None:
    """Send every log line, ours and the libraries', through the redactor to a stream (stderr by default).

    Args:
        level: a key of `LEVELS`. Libraries are heard from WARNING only.
        stream: where the lines go.
    """
    threshold = LEVELS[level]
    lines = _Lines(stream if stream is not None else sys.stderr)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            _as_line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *_: lines,
        # A logger that was used before this call must follow it.
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler, _Handler):
            root.removeHandler(handler)
    root.addHandler(_Handler(lines))
    root.setLevel(max(threshold, logging.WARNING))
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))


class _Lines:
    """Writes lines; a log that can not be written stops no message."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(line + "\n")
            self._stream.flush()

    # structlog calls the method that has the level's name.
    debug = info = warning = error = critical = exception = msg


class _Handler(logging.Handler):
    """Takes what libraries log.

    Their texts are made with the values that they work on, so only the template is kept, where it is known
    to be one; the rest says who, where, how grave, and what kind of exception.
    """

    def __init__(self, lines: _Lines) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(Exception):
            known = record.name.split(".")[0] in _TEMPLATES_ARE_SAFE and isinstance(record.msg, str)
            event: dict[str, Any] = {
                "event": "library",
                "template": record.msg if known else REDACTED,
                "logger": record.name,
                "where": f"{record.module}:{record.lineno}",
                "level": record.levelname.lower(),
                "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            }
            if record.exc_info:
                event["exc_info"] = record.exc_info
            self._lines.msg(_as_line(None, "", redact(None, "", event)))


def _as_line(_logger: object, _method: str, event_dict: Mapping[str, Any] | MutableMapping[str, Any]) -> str:
    ordered = {key: event_dict.get(key) for key in ("timestamp", "level", "event")}
    return orjson.dumps(ordered | dict(event_dict)).decode()
