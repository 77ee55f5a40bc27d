"""The families of errors. What happens next is decided by the type, never by the text.

* `PermanentError`: the same message will fail the same way: tell its sender, done.
* `TransientError`: it may go well later: retry with growing pauses.
* `LocalError`: our key, our disk, our configuration: keep the message, tell the operator.

No error text holds a value from a message.
"""

from __future__ import annotations

from typing import ClassVar

from gateway.contracts.receipts import Fault

EXIT_DONE = 0
EXIT_NO = 1
EXIT_USAGE = 2
EXIT_CONFIGURATION = 3
EXIT_UNREACHABLE = 4
EXIT_PARTLY = 5


class GatewayError(Exception):
    """The gateway could not do what was asked."""

    code: ClassVar[str] = "gateway"
    """Stable code for scripts and metrics."""

    exit_code: ClassVar[int] = EXIT_NO
    """What the command ends with when this error reaches it."""

    def __init__(self, message: str | None = None, *, hint: str | None = None) -> None:
        """Say what is wrong (default: the sentence of the class) and what to do next."""
        self.message = message or (type(self).__doc__ or type(self).__name__).splitlines()[0]
        self.hint = hint
        super().__init__(self.message)


class PermanentError(GatewayError):
    """The message can not be taken as it is."""

    code = "permanent"

    def __init__(
        self, message: str | None = None, *, hint: str | None = None, faults: tuple[Fault, ...] = ()
    ) -> None:
        """As `GatewayError`; `faults` are the errors of code list 8221 for the receipt."""
        super().__init__(message, hint=hint)
        self.faults = faults


class TransientError(GatewayError):
    """It did not work now; it may work later."""

    code = "transient"
    exit_code = EXIT_UNREACHABLE


class LocalError(GatewayError):
    """Something on our own side is not in order."""

    code = "local"
    exit_code = EXIT_CONFIGURATION


class ConfigurationError(LocalError):
    """The configuration can not be used."""

    code = "configuration"


class NotReadableError(PermanentError):
    """The message can not be read."""

    code = "not-readable"


class FormatError(PermanentError):
    """The message is of no format that the gateway reads."""

    code = "unsupported-format"


class AdapterError(PermanentError):
    """An adapter could not read a message of its own system."""

    code = "adapter"


class QueueUnavailableError(TransientError):
    """The queue can not be reached."""

    code = "queue-unavailable"


class JournalUnavailableError(TransientError):
    """The journal can not be reached."""

    code = "journal-unavailable"
