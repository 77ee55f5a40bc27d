"""From a row of the outbox to what travels: with headers, and protected where its receiver wants that."""

from __future__ import annotations

from gateway.contracts.errors import LocalError
from gateway.contracts.ports import MessageProtector
from gateway.contracts.queues import Envelope
from gateway.contracts.records import Sending
from gateway.contracts.registry import Endpoint, Protection, Registry
from gateway.contracts.states import SendingKind


class NoProtectionError(LocalError):
    """A receiver wants CMS, and this deployment has no keys for it."""

    code = "no-protection"


class Packing:
    """Makes envelopes.

    Protection is put on when a message leaves, not when it is written: the journal keeps the message as its
    receiver reads it, and a receiver's new certificate counts for what waits. A repeat has the same MsgId
    and the same content in another envelope.
    """

    def __init__(self, registry: Registry, protector: MessageProtector | None) -> None:
        """The register tells what receivers want."""
        self._registry = registry
        self._protector = protector

    def envelope(self, sending: Sending) -> Envelope:
        """A sending as it travels.

        Raises:
            LocalError: it can not be protected as its receiver wants.
            TransientError: it can not be found out now whether the receiver's certificate is good.
        """
        headers = dict(sending.headers or {})
        body, content_type = sending.body, "text/plain"
        receiver = self._protected_receiver(sending)
        if receiver is not None:
            if self._protector is None:
                raise NoProtectionError(hint="set signing.encryption_certificates")
            hospital = self._registry.hospital(headers.get("fromHerId"))
            org_no = hospital.org_no if hospital is not None else None
            body = self._protector.protect(body, org_no=org_no, receiver=receiver)
            content_type = self._protector.content_type
        return Envelope(
            body=body,
            message_id=sending.msg_id,
            headers=headers,
            content_type=content_type,
            correlation_id=headers.get("X-MessageInfo-RefToConversation") or sending.msg_id,
        )

    def _protected_receiver(self, sending: Sending) -> Endpoint | None:
        if sending.kind is SendingKind.FAULT:
            return None
        receiver = self._registry.endpoint(sending.receiver)
        if receiver is None or receiver.protection is Protection.SIGNATURE:
            return None
        return receiver
