"""Messages followed with OpenTelemetry: parents and children, nothing of a patient, nothing lost over it."""

from __future__ import annotations

import http.server
import json
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs

from gateway.contracts.errors import EXIT_CONFIGURATION, ConfigurationError, JournalUnavailableError
from gateway.contracts.queues import Envelope, PublishOutcome
from gateway.contracts.spans import NO_SPANS, Step
from gateway.contracts.states import InboundState, SendingKind
from gateway.contracts.tracing import TRACEPARENT
from gateway.ops.configuration import load
from gateway.ops.instruments import Instruments
from gateway.ops.spans import ATTRIBUTES, MessageSpans, _Telling, exporting
from gateway.ops.tracing import message_spans
from tests.flow.harness import Gateway, note, receipt
from tests.ops.conftest import Pakkehjem

TRACE = 0x4BF92F3577B34DA6A3CE929D0E0E4736
SENDER = 0x00F067AA0BA902B7
HEADER = {TRACEPARENT: f"00-{TRACE:032x}-{SENDER:016x}-01"}
STEPS = {step.value for step in Step}


class Followed:
    """A gateway, and the spans of what it did."""

    def __init__(self, config: Path) -> None:
        self.exporter = InMemorySpanExporter()
        spans = MessageSpans(SimpleSpanProcessor(self.exporter))
        self.gateway = Gateway(config, instruments=Instruments(spans=spans))

    def put(self, body: bytes, headers: dict[str, str] | None = None) -> None:
        queue = self.gateway.configuration.queues.inbound
        self.gateway.worker.queue.publish(
            [(queue, Envelope(body=body, message_id="m", headers=headers or {}))]
        )
        self.gateway.settle()

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if span.name == name]


@pytest.fixture
def followed(config: Path) -> Iterator[Followed]:
    made = Followed(config)
    yield made
    made.gateway.close()


def parent_of(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent is not None else None


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_a_message_is_the_child_of_its_senders_span_and_its_steps_are_children_of_it(
    followed: Followed,
) -> None:
    followed.put(note("dips/01"), HEADER)
    (received,) = followed.named("receive")
    assert received.context.trace_id == TRACE
    assert parent_of(received) == SENDER
    (row,) = followed.gateway.rows()
    told = attributes(received)
    assert told["pakkehjem.message"] == row.id
    assert (told["pakkehjem.system"], told["pakkehjem.state"]) == ("dips", InboundState.ACCEPTED.value)
    assert told["pakkehjem.hospital"] == row.hospital
    assert told["pakkehjem.format"] == row.format
    steps = [span for name in STEPS for span in followed.named(name)]
    assert {span.name for span in steps} == STEPS
    for span in steps:
        assert (span.context.trace_id, parent_of(span)) == (TRACE, received.context.span_id)
        assert received.start_time is not None
        assert received.end_time is not None
        assert span.start_time is not None
        assert span.end_time is not None
        assert received.start_time <= span.start_time <= span.end_time <= received.end_time


def test_what_is_sent_is_below_the_message_by_the_id_that_its_header_names(followed: Followed) -> None:
    followed.put(note("dips/01"), HEADER)
    (received,) = followed.named("receive")
    (row,) = followed.gateway.rows()
    sendings = {sending.id: sending for sending in followed.gateway.sendings(row.id)}
    created = {attributes(span)["pakkehjem.sending"]: span for span in followed.named("create")}
    published = {attributes(span)["pakkehjem.sending"]: span for span in followed.named("publish")}
    assert set(created) == set(published) == set(sendings)
    for sending_id, sending in sendings.items():
        span, way = created[sending_id], published[sending_id]
        header = f"00-{TRACE:032x}-{span.context.span_id:016x}-01"
        assert (sending.headers or {})[TRACEPARENT] == header
        assert parent_of(span) == received.context.span_id
        assert (way.context.trace_id, parent_of(way)) == (TRACE, span.context.span_id)
        assert attributes(way)["pakkehjem.receiver"] == sending.receiver
        assert attributes(way)["pakkehjem.message"] == row.id
        assert attributes(way)["pakkehjem.outcome"] == "confirmed"


def test_a_message_without_a_header_begins_the_trace_of_its_id(followed: Followed) -> None:
    followed.put(note("dips/01"), {TRACEPARENT: "00-nonsense"})
    (received,) = followed.named("receive")
    (row,) = followed.gateway.rows()
    assert received.parent is None
    assert received.context.trace_id == int(row.id.replace("-", ""), 16)
    assert {span.context.trace_id for span in followed.exporter.get_finished_spans()} == {
        received.context.trace_id
    }


def test_what_an_apprec_moves_is_told_with_the_apprec_and_names_the_note(followed: Followed) -> None:
    gateway = followed.gateway
    followed.put(note("dips/01"), HEADER)
    (row,) = gateway.rows()
    primary = gateway.sendings(row.id, SendingKind.NOTE)[0]
    (message,) = gateway.messages(primary.queue)
    followed.exporter.clear()
    gateway.outside(str(row.hospital), receipt(message))
    (received,) = followed.named("receive")
    assert received.context.trace_id != TRACE
    for span in followed.named("create"):
        assert parent_of(span) == received.context.span_id
        assert attributes(span)["pakkehjem.about"] == row.id


def test_what_was_rolled_back_is_told_once(followed: Followed, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = followed.gateway
    flow = gateway.worker.service._flow
    once = iter([JournalUnavailableError("away")])
    act = flow.act

    def failing(*given: Any) -> None:
        for error in once:
            raise error
        act(*given)

    monkeypatch.setattr(flow, "act", failing)
    with pytest.raises(JournalUnavailableError):
        followed.put(note("dips/01"), HEADER)
    assert followed.exporter.get_finished_spans() == ()
    gateway.settle()
    assert len(followed.named("receive")) == 1


def test_a_refused_attempt_is_an_error_of_its_span(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unroutable(messages: Any) -> list[Any]:
        return [PublishOutcome.UNROUTABLE for _ in messages]

    queue = followed.gateway.configuration.queues.inbound
    followed.gateway.worker.queue.publish(
        [(queue, Envelope(body=note("dips/01"), message_id="m", headers=HEADER))]
    )
    monkeypatch.setattr(followed.gateway.worker.queue, "publish", unroutable)
    followed.gateway.settle()
    ways = followed.named("publish")
    assert ways
    assert all(span.status.status_code.name == "ERROR" for span in ways)


def test_values_of_another_form_than_listed_are_left_out(followed: Followed) -> None:
    spans = followed.gateway.instruments.spans
    assert isinstance(spans, MessageSpans)
    spans._span("x", None, (1, 2), {"pakkehjem.hospital": "01017012345", "pakkehjem.format": "Kari Nordmann"})  # type: ignore[arg-type]
    (span,) = followed.named("x")
    assert attributes(span) == {}
    with pytest.raises(KeyError):
        spans._span("x", None, (1, 2), {"pakkehjem.patient": "1"})  # type: ignore[arg-type]
    assert "pakkehjem.msg_id" not in ATTRIBUTES


class TestCollector:
    def test_spans_reach_it_over_http(self, collector: tuple[str, list[bytes]]) -> None:
        endpoint, bodies = collector
        spans = exporting(endpoint)
        spans._span("x", None, (1, 2), {})  # type: ignore[arg-type]
        spans.close()
        request = ExportTraceServiceRequest.FromString(bodies[0])
        (resource,) = request.resource_spans
        assert resource.resource.attributes[0].value.string_value == "pakkehjem"
        assert resource.scope_spans[0].spans[0].name == "x"

    def test_that_it_is_away_is_told_once_and_stops_nothing(self, config: Path) -> None:
        spans = exporting("http://127.0.0.1:9/v1/traces")
        gateway = Gateway(config, instruments=Instruments(spans=spans))
        with capture_logs() as logs:
            gateway.note(note("dips/01"))
            spans._provider.force_flush()
            gateway.note(note("dips/02"))
            spans._provider.force_flush()
            spans.close()
        gateway.close()
        assert [line["event"] for line in logs if line["event"].startswith("traces-")] == ["traces-not-sent"]
        assert [row.state for row in gateway_rows(config)] == [InboundState.DELIVERED] * 2

    def test_that_it_is_back_is_told(self) -> None:
        results: Iterator[SpanExportResult | Exception] = iter(
            [RuntimeError("01017012345"), SpanExportResult.FAILURE, SpanExportResult.SUCCESS]
        )

        class Flaky(InMemorySpanExporter):
            def export(self, spans: Any) -> SpanExportResult:
                del spans
                result = next(results)
                if isinstance(result, Exception):
                    raise result
                return result

        telling = _Telling(Flaky())
        with capture_logs() as logs:
            for _ in range(3):
                telling.export([])
        assert [line["event"] for line in logs] == ["traces-not-sent", "traces-sent-again"]
        assert "01017012345" not in json.dumps(logs)

    @pytest.fixture
    def collector(self) -> Iterator[tuple[str, list[bytes]]]:
        bodies: list[bytes] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *given: object) -> None:
                """Nothing."""

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            yield f"http://127.0.0.1:{server.server_address[1]}/v1/traces", bodies
            server.shutdown()
            thread.join()


def gateway_rows(config: Path) -> list[Any]:
    gateway = Gateway(config)
    try:
        return gateway.rows()
    finally:
        gateway.close()


class TestExtra:
    @pytest.fixture
    def without(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As where the library is not installed."""
        monkeypatch.delitem(sys.modules, "gateway.ops.spans")
        for name in [name for name in sys.modules if name.partition(".")[0] == "opentelemetry"]:
            monkeypatch.setitem(sys.modules, name, None)

    def test_nothing_is_followed_by_default(self, config: Path) -> None:
        assert message_spans(load(config)) is NO_SPANS

    @pytest.mark.usefixtures("without")
    def test_the_service_needs_no_library_by_default(self, config: Path) -> None:
        gateway = Gateway(config, instruments=Instruments(spans=message_spans(load(config))))
        gateway.note(note("dips/01"))
        assert [row.state for row in gateway.rows()] == [InboundState.DELIVERED]
        gateway.close()

    @pytest.mark.usefixtures("without")
    def test_where_it_is_asked_for_and_missing_the_extra_is_named(self, traced: Path) -> None:
        with pytest.raises(ConfigurationError) as raised:
            message_spans(load(traced))
        assert "observability.traces" in raised.value.message
        assert "pakkehjem[otel]" in str(raised.value.hint)

    @pytest.mark.usefixtures("without")
    def test_doctor_names_it_too(self, traced: Path, pakkehjem: Pakkehjem) -> None:
        code, out = doctor(pakkehjem, traced)
        assert code == EXIT_CONFIGURATION
        assert [line["grade"] for line in out if line["area"] == "traces"] == ["fault"]

    def test_doctor_tells_that_nobody_answers(self, traced: Path, pakkehjem: Pakkehjem) -> None:
        _, out = doctor(pakkehjem, traced)
        (line,) = [line for line in out if line["area"] == "traces"]
        assert (line["grade"], line["text"]) == ("warning", "nobody answers at 127.0.0.1:9")

    @pytest.fixture
    def traced(self, config: Path) -> Path:
        text = config.read_text(encoding="utf-8")
        line = '[observability]\ntraces = "http://127.0.0.1:9/v1/traces"\n'
        config.write_text(text.replace("[observability]\n", line), encoding="utf-8")
        return config


def doctor(pakkehjem: Pakkehjem, config: Path) -> tuple[int, list[dict[str, Any]]]:
    result = pakkehjem("doctor", "-c", config, "--json")
    return result.code, result.json()["lines"]


@pytest.mark.parametrize(
    ("value", "accepted"),
    [
        ("https://collector.example:4318/v1/traces", True),
        ("http://user:secret@collector.example/v1/traces", False),
        ("ftp://collector.example", False),
    ],
)
def test_the_address_holds_no_password(config: Path, value: str, accepted: bool) -> None:  # noqa: FBT001 - a parameter
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("[observability]\n", f'[observability]\ntraces = "{value}"\n'), "utf-8")
    check: Callable[[], object] = lambda: load(config)  # noqa: E731
    if accepted:
        check()
    else:
        with pytest.raises(ConfigurationError):
            check()
