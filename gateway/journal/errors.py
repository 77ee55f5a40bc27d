"""What the journal refuses to write."""

from __future__ import annotations

from gateway.contracts.errors import EXIT_NO, LocalError


class DuplicateInboundError(LocalError):
    """The inbox has a row of this sender and message id.

    A local error, so that a duplicate that nobody looked for is kept and shown, and never answered with
    a negative receipt for a message that was taken on.
    """

    code = "duplicate-inbound"


class TransitionError(LocalError):
    """The message can not go to that state from the one that it is in."""

    code = "transition"
    exit_code = EXIT_NO


class UnknownRowError(LocalError):
    """The journal has no row of this id."""

    code = "unknown-row"
    exit_code = EXIT_NO


class RowRefusedError(LocalError):
    """The row does not fit the others in the journal."""

    code = "row-refused"
