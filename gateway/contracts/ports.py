"""The ports: what the flow asks of adapters, signers and vaults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol

from gateway.contracts.messages import Message
from gateway.contracts.reading import Reading
from gateway.contracts.registry import Endpoint, Registry


class Adapter(Protocol):
    """What one record system does inside the formats.

    Register it in the entry-point group `pakkehjem.adapters`:

        [project.entry-points."pakkehjem.adapters"]
        mysystem = "my_package.my_module:MySystem"

    The class is made without arguments. See docs/adapters.md.
    """

    name: ClassVar[str]
    """As in `--adapter` and in the register's `systems`"""
    title: ClassVar[str]
    """For people: `DIPS`"""
    source_url: ClassVar[str]
    """Where the way it writes notes is described"""

    def recognises(self, message: Message) -> int:
        """How well this looks like the system's: 0 not at all, 1 by its format, higher by its marks."""

    def read(self, message: Message, registry: Registry | None) -> Reading:
        """Read the note.

        The register, where there is one, tells the municipality of a receiver and the HER-id of a GP.

        Raises:
            AdapterError: the message can not be read as this system writes it. Its text holds no values.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signed a message."""

    subject: str
    org_no: str | None
    serial: str
    not_after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a good signature says."""

    signer: Signer
    covers: str
    """`whole message`"""
    signed: bytes
    """The bytes that were signed: only these are read on"""
    tree: Any = field(default=None, repr=False, compare=False)
    """The same as a tree (lxml), where they are XML"""


class MessageSigner(Protocol):
    """Signs MsgHead messages (XML-DSig, enveloped)."""

    def sign(self, message: bytes, *, org_no: str | None, tree: Any = None) -> bytes:  # noqa: ANN401 - lxml
        """Sign with the key of the organisation, or with the gateway's own where there is none for it.

        Args:
            message: in UTF-8.
            org_no: of the organisation.
            tree: the message as its caller has parsed it, where that was written as lxml writes a tree, with
                a declaration: it then goes out as it is.

        Raises:
            LocalError: no key can be used.
        """


class MessageVerifier(Protocol):
    """Checks signatures."""

    def verify(self, message: bytes, *, at: datetime | None = None, tree: Any = None) -> Verified:  # noqa: ANN401 - lxml
        """Check the signature of a MsgHead message, and its certificate at a time (now by default).

        Args:
            message: as received.
            at: a time without a zone is UTC.
            tree: the message as it came through the gate, where its caller has it; it is not changed.

        Raises:
            SignatureRefusedError: a PermanentError with a stable code and a Fault S01, S02, S03 or S99.
        """


class MessageProtector(Protocol):
    """Signs and encrypts messages as a whole, for the way to one receiver (CMS)."""

    content_type: ClassVar[str]
    """Of what comes out"""

    def protect(self, message: bytes, *, org_no: str | None, receiver: Endpoint) -> bytes:
        """Sign for the organisation (or with the gateway's own key), encrypt for the receiver.

        Raises:
            LocalError: no key, or no certificate of the receiver, can be used.
            TransientError: it can not be found out now whether the receiver's certificate is revoked.
        """


class MessageOpener(Protocol):
    """Opens messages that came signed and encrypted as a whole (CMS)."""

    def opens(self, content_type: str) -> bool:
        """Whether a content type says that the body is such a message."""

    def open(self, data: bytes) -> Verified:
        """The message, and who signed it.

        Raises:
            PermanentError: it can not be taken (CmsRefusedError, SignatureRefusedError).
            TransientError: it can not be found out now whether the certificate is revoked.
        """


class Vault(Protocol):
    """Keeps payloads unreadable at rest."""

    def seal(self, plain: bytes, *, context: bytes) -> bytes:
        """Encrypt; the same context is needed to open."""

    def open(self, sealed: bytes, *, context: bytes) -> bytes:
        """Decrypt.

        Raises:
            LocalError: no key opens it.
        """

    def reference(self, value: str) -> str:
        """A keyed hash: equal for equal values, tells nothing without the key."""

    def authenticate(self, data: bytes, *, context: bytes) -> str:
        """A keyed hash that only who has the key can make; of another context it is another one."""


class AdapterSet(Protocol):
    """The adapters of this deployment."""

    def choose(self, message: Message, *, system_hint: Sequence[str] = ()) -> Adapter | None:
        """The adapter for a message: by the sender's systems in the register, then by what it recognises."""

    def named(self, name: str) -> Adapter | None:
        """The adapter of a name."""
