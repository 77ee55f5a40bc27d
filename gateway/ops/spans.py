"""What the service does, as OpenTelemetry's spans: of each message its steps, and of what is sent its ways.

Needs the extra `otel`; `gateway.ops.tracing` loads this where it is asked for. A message's span (`receive`)
is the child of its sender's, its steps are children of it, and so is a span (`create`) for everything that is
made to be sent: its id is the one in the header `traceparent`. Each attempt to put that on a queue is a span
(`publish`) below it, from whichever process. Names and kinds follow OpenTelemetry's semantic conventions for
messaging. No attribute comes from a message's content: keys and the form of each value are listed here.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import structlog
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from gateway.contracts.findings import FINDINGS
from gateway.contracts.messages import Format
from gateway.contracts.queues import PublishOutcome
from gateway.contracts.records import Event, Sending
from gateway.contracts.spans import Followed, Step
from gateway.contracts.states import InboundState
from gateway.contracts.tracing import TRACEPARENT, span_context, span_id

log = structlog.get_logger()

_EXPORT_SECONDS: Final = 3.0
_CREATED: Final = "-created"
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HER_ID: Final = re.compile(r"[0-9]{1,8}")
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")

ATTRIBUTES: Final[Mapping[str, re.Pattern[str]]] = {
    "pakkehjem.message": _UUID,
    "pakkehjem.sending": _UUID,
    "pakkehjem.about": _UUID,
    "pakkehjem.format": re.compile("|".join(re.escape(format_.value) for format_ in Format)),
    "pakkehjem.system": _WORD,
    "pakkehjem.state": _WORD,
    "pakkehjem.kind": _WORD,
    "pakkehjem.outcome": _WORD,
    "pakkehjem.hospital": _HER_ID,
    "pakkehjem.receiver": _HER_ID,
    "pakkehjem.findings": re.compile(r"PH[0-9]{3}(,PH[0-9]{3})*"),
    "messaging.destination.name": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}"),
}
"""Keys that a span may have, and the form of their values; what has another form is left out"""


class _Ids(RandomIdGenerator):
    """Random ones, unless the next span's is given."""

    span: int | None = None
    trace: int | None = None

    def generate_span_id(self) -> int:
        given, self.span = self.span, None
        return given if given is not None else super().generate_span_id()

    def generate_trace_id(self) -> int:
        given, self.trace = self.trace, None
        return given if given is not None else super().generate_trace_id()


class _Telling(SpanExporter):
    """Sends on, and tells once that it can not, and once that it can again."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._failing = False
        self.ending = False
        """What can not be sent at the first try is left"""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self.ending and self._failing:
            return SpanExportResult.FAILURE
        try:
            result = self._exporter.export(spans)
        except Exception:  # noqa: BLE001 - whatever is wrong there, the service goes on
            result = SpanExportResult.FAILURE
        failed = result is not SpanExportResult.SUCCESS
        if failed and not self._failing:
            log.warning("traces-not-sent", hint="see observability.traces; spans are lost, no message is")
        elif self._failing and not failed:
            log.info("traces-sent-again")
        self._failing = failed
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


@dataclass(slots=True)
class _Times:
    """Of one message, in nanoseconds since 1970."""

    begun: int
    opened: int | None = None
    read: int = 0
    deciding: int = 0
    decided: int = 0


@dataclass(slots=True)
class _Group:
    times: list[_Times] = field(default_factory=list)
    messages: list[Followed] = field(default_factory=list)
    ready: tuple[int, int] = (0, 0)


class MessageSpans:
    """See `gateway.contracts.spans.Spans`; one for a worker, which is one thread."""

    def __init__(self, processor: SpanProcessor) -> None:
        """`processor` is given what has ended."""
        self._ids = _Ids()
        self._provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=Resource({"service.name": "pakkehjem"}),
            shutdown_on_exit=False,
            id_generator=self._ids,
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("pakkehjem")
        self._begun: _Times | None = None
        self._group = _Group()
        self._last = 0
        self._events: list[Event] = []

    # --- the flow ----------------------------------------------------------------------------------

    def begin(self) -> None:
        """A delivery is looked at."""
        self._begun = _Times(time.time_ns())

    def opened(self) -> None:
        """It is opened."""
        if self._begun is not None:
            self._begun.opened = time.time_ns()

    def read(self) -> None:
        """It is read."""
        if self._begun is not None:
            self._begun.read = time.time_ns()
            self._group.times.append(self._begun)
            self._begun = None

    def made_ready(self) -> None:
        """The group is."""
        begun = self._group.times[-1].read if self._group.times else time.time_ns()
        self._group.ready = begun, time.time_ns()

    def deciding(self) -> None:
        """A transaction begins."""
        self._group.messages.clear()
        self._events.clear()
        self._last = time.time_ns()

    def decided(self, message: Followed) -> None:
        """The next of the group."""
        times = self._group.times[len(self._group.messages)]
        times.deciding, times.decided = self._last, time.time_ns()
        self._last = times.decided
        self._group.messages.append(message)

    def observe(self, events: Sequence[Event]) -> None:
        """The events of a transaction that was committed."""
        self._events.extend(events)

    def committed(self) -> None:
        """The group is done with."""
        group, self._group = self._group, _Group()
        end = time.time_ns()
        # A fault in what only watches must not have the group come again.
        with suppress(Exception):
            happened = _Happened(self._events)
            for message, times in zip(group.messages, group.times, strict=True):
                self._message(message, times, group, happened, end)
        self._events.clear()

    def _message(
        self, message: Followed, times: _Times, group: _Group, happened: _Happened, end: int
    ) -> None:
        self._ids.trace = int(message.trace, 16)
        received = self._span(
            "receive",
            _context(message.trace, message.parent) if message.parent is not None else Context(),
            (times.begun, end),
            {
                "pakkehjem.message": message.inbound_id,
                "pakkehjem.format": message.format,
                "pakkehjem.system": message.system,
                "pakkehjem.hospital": message.hospital,
                "messaging.destination.name": message.queue,
                "pakkehjem.state": happened.state.get(message.inbound_id),
                "pakkehjem.findings": happened.findings.get(message.inbound_id),
            },
            kind=SpanKind.CONSUMER,
        )
        below = _context(message.trace, f"{received.span_id:016x}")
        opened = times.opened or times.read
        own = ((Step.OPEN, times.begun, opened), (Step.READ, opened, times.read))
        steps = (
            *(own if times.opened is not None else own[:1]),
            (Step.MAKE_READY, *group.ready),
            (Step.DECIDE, times.deciding, times.decided),
            (Step.COMMIT, self._last, end),
        )
        for step, begun, ended in steps:
            self._span(step.value, below, (begun, ended), {})
        for sending_id in message.sendings:
            created = happened.created.get(sending_id)
            if created is not None:
                kind, about = created
                self._span(
                    "create",
                    below,
                    (times.deciding, times.decided),
                    {
                        "pakkehjem.sending": sending_id,
                        "pakkehjem.kind": kind,
                        "pakkehjem.about": about if about != message.inbound_id else None,
                    },
                    kind=SpanKind.PRODUCER,
                    id=int(span_id(sending_id), 16),
                )

    # --- the outbox --------------------------------------------------------------------------------

    def publishing(self) -> None:
        """A group is put on queues."""
        self._last = time.time_ns()

    def published(self, outcomes: Iterable[tuple[Sending, PublishOutcome]]) -> None:
        """The broker has answered for it."""
        end = time.time_ns()
        with suppress(Exception):
            for sending, outcome in outcomes:
                context = span_context((sending.headers or {}).get(TRACEPARENT))
                self._span(
                    "publish",
                    _context(*context) if context is not None else Context(),
                    (self._last, end),
                    {
                        "pakkehjem.message": sending.inbound_id,
                        "pakkehjem.sending": sending.id,
                        "pakkehjem.kind": sending.kind.value,
                        "pakkehjem.outcome": outcome.value,
                        "pakkehjem.receiver": sending.receiver,
                        "messaging.destination.name": sending.queue,
                    },
                    kind=SpanKind.PRODUCER,
                    failed=outcome is not PublishOutcome.CONFIRMED,
                )

    def close(self) -> None:
        """Send what is left, if that is soon done."""
        with suppress(Exception):
            self._provider.shutdown()

    def _span(
        self,
        name: str,
        parent: Context,
        times: tuple[int, int],
        attributes: Mapping[str, str | None],
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        id: int | None = None,  # noqa: A002 - what it is called there
        failed: bool = False,
    ) -> SpanContext:
        self._ids.span = id
        kept = {
            key: value
            for key, value in attributes.items()
            if value is not None and ATTRIBUTES[key].fullmatch(value)
        }
        span = self._tracer.start_span(name, parent, kind, kept, start_time=times[0])
        if failed:
            span.set_status(StatusCode.ERROR)
        span.end(max(times))
        return span.get_span_context()


class _Happened:
    """What events tell of the messages of a group."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.state: dict[str, str] = {}
        self.findings: dict[str, str] = {}
        self.created: dict[str, tuple[str, str]] = {}
        """By id of a sending: its kind, and the message that it is kept with"""
        states = {state.value for state in InboundState}
        for event in events:
            if event.name in states:
                self.state[event.inbound_id] = event.name
            if found := (event.detail or {}).get("findings"):
                codes = ",".join(code for code in str(found).split(",") if code in FINDINGS)
                self.findings[event.inbound_id] = codes
            if event.sending_id is not None and event.name.endswith(_CREATED):
                self.created[event.sending_id] = event.name.removesuffix(_CREATED), event.inbound_id


def _context(trace: str, span: str) -> Context:
    context = SpanContext(int(trace, 16), int(span, 16), is_remote=True, trace_flags=TraceFlags(1))
    return set_span_in_context(NonRecordingSpan(context), Context())


def exporting(endpoint: str) -> MessageSpans:
    """Sends spans to a collector (OTLP/HTTP), in batches, from a thread of its own."""
    # What its loggers say holds the address, and comes at every batch; ours tell it once.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)
    telling = _Telling(OTLPSpanExporter(endpoint=endpoint, timeout=_EXPORT_SECONDS))
    return _Exporting(BatchSpanProcessor(telling), telling)


class _Exporting(MessageSpans):
    def __init__(self, processor: SpanProcessor, exporter: _Telling) -> None:
        super().__init__(processor)
        self._exporter = exporter

    def close(self) -> None:
        self._exporter.ending = True
        super().close()
