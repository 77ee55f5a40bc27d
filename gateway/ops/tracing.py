"""Following messages with OpenTelemetry, where the configuration asks for it and the extra is installed."""

from __future__ import annotations

from gateway.contracts.errors import ConfigurationError
from gateway.contracts.spans import NO_SPANS, Spans
from gateway.ops.configuration import Configuration


def message_spans(configuration: Configuration) -> Spans:
    """What follows messages; nothing where the configuration names no collector. To be closed.

    Raises:
        ConfigurationError: the library is not installed.
    """
    endpoint = configuration.observability.traces
    if endpoint is None:
        return NO_SPANS
    try:
        # Not on top: the library is an extra, and slow to load.
        from gateway.ops.spans import exporting  # noqa: PLC0415
    except ImportError as error:
        raise ConfigurationError(
            "observability.traces is set, and OpenTelemetry's library is not installed.",
            hint="pip install 'pakkehjem[otel]', pinned in requirements-otel.lock; or take the line out",
        ) from error
    return exporting(endpoint)
