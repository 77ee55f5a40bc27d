"""Signatures where there is nobody to trust: a message read on the command line, without a configuration."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from gateway.contracts.ports import MessageVerifier, Signer, Verified

_NOBODY = Signer(subject="", org_no=None, serial="", not_after=datetime.max.replace(tzinfo=UTC))


class _Unchecked:
    """Takes every signature as it is: `verify` is the command that checks them."""

    def verify(self, message: bytes, *, at: datetime | None = None, tree: Any = None) -> Verified:  # noqa: ANN401 - as its port
        """The message, unchecked."""
        del at, tree
        return Verified(signer=_NOBODY, covers="", signed=message)


def any_signature() -> MessageVerifier:
    """A verifier for looking at a message; never for the service."""
    return _Unchecked()
