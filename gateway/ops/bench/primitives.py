"""The primitives: what has to be done to a message, with nothing around it.

Parse, validate, check the signature by RSA and digest, take the fields out by XPath, fill in a template,
parse it back, validate, sign. No findings, no prose is read, nothing is encrypted, no error is told.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import cast
from xml.sax.saxutils import escape

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from lxml import etree

from gateway.contracts.identifiers import derived_id
from gateway.contracts.queues import Envelope
from gateway.ops.bench.notes import SAMPLES, Note
from gateway.ops.bench.recording import Outgoing, Recorded, sending_id
from gateway.ops.bench.setup import Setup
from schemas import SchemaSet

DS = "http://www.w3.org/2000/09/xmldsig#"
_DS = {"d": DS}
_PARSER = etree.XMLParser(
    resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False
)
_SIGNED_INFO = (
    f'<ds:SignedInfo xmlns:ds="{DS}"><ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#">'
    "</ds:CanonicalizationMethod>"
    '<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod>'
    f'<ds:Reference URI=""><ds:Transforms><ds:Transform Algorithm="{DS}enveloped-signature"></ds:Transform>'
    '<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform></ds:Transforms>'
    '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>'
    "<ds:DigestValue>%s</ds:DigestValue></ds:Reference></ds:SignedInfo>"
)


Field = Callable[..., str]
"""The text at a place in a message"""


def _xpath(expression: str) -> Field:
    return cast("Field", etree.XPath(f"string({expression})", namespaces=_DS, smart_strings=False))


def _local(*names: str) -> str:
    return "/" + "/".join(f"*[local-name()='{name}']" for name in names)


_INFO = ("MsgHead", "MsgInfo")
FIELDS = {
    "msg_id": _xpath(_local(*_INFO, "MsgId")),
    "type": _xpath(_local(*_INFO, "Type") + "/@V"),
    "generated": _xpath(_local(*_INFO, "GenDate")),
    "sender": _xpath(_local(*_INFO, "Sender", "Organisation", "Ident", "Id")),
    "unit": _xpath(_local(*_INFO, "Sender", "Organisation", "Organisation", "Ident", "Id")),
    "receiver": _xpath(_local(*_INFO, "Receiver", "Organisation", "Organisation", "Ident", "Id")),
    "copy": _xpath(
        _local(*_INFO, "OtherReceiver") + "//*[local-name()='HealthcareProfessional']//*[local-name()='Id']"
    ),
    "number": _xpath(_local(*_INFO, "Patient", "Ident", "Id")),
    "family": _xpath(_local(*_INFO, "Patient", "FamilyName")),
    "given": _xpath(_local(*_INFO, "Patient", "GivenName")),
    "born": _xpath(_local(*_INFO, "Patient", "DateOfBirth")),
    "sex": _xpath(_local(*_INFO, "Patient", "Sex") + "/@V"),
    "phone": _xpath(_local(*_INFO, "Patient", "TeleCom", "TeleAddress") + "/@V"),
    "text": _xpath("//*[local-name()='Journaltekst' or local-name()='TekstNotatInnhold']"),
    "attachment": _xpath("//*[local-name()='Base64Container']"),
}
_ORIGINAL = _xpath("/*/*[local-name()='OriginalMsgId']/*[local-name()='Id']")
_STATUS = _xpath("/*/*[local-name()='Status']/@V")
_CERTIFICATE = _xpath("/*/d:Signature/d:KeyInfo/d:X509Data/d:X509Certificate[1]")
_DIGEST = _xpath("/*/d:Signature/d:SignedInfo/d:Reference/d:DigestValue")
_VALUE = _xpath("/*/d:Signature/d:SignatureValue")


def c14n(element: etree._Element) -> bytes:
    """Exclusive."""
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A message that is ready to go."""

    id: str
    queue: str
    envelope: Envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A note that came in, with what follows from it."""

    id: str
    msg_id: str
    sender: str
    body: bytes
    out: tuple[Made, ...]


@dataclass(slots=True)
class _Waiting:
    """A sending that is to be answered."""

    recorded: Recorded
    index: int
    note: str
    sender: str


@dataclass(slots=True)
class Work:
    """Does it, for one gateway."""

    name: str
    setup: Setup
    schemas: SchemaSet = field(default_factory=SchemaSet)
    _keys: dict[str, RSAPublicKey] = field(default_factory=dict)
    _private: dict[str, tuple[RSAPrivateKey, str]] = field(default_factory=dict)
    _kinds: dict[str, Recorded] = field(default_factory=dict)
    _waiting: dict[str, _Waiting] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Load the keys of the hospitals, by HER-id."""
        notes: list[Note] = self.setup.notes[: len(SAMPLES)]
        for note, recorded in zip(notes, self.setup.recorded, strict=True):
            self._kinds[note.sender] = recorded

    def load_key(self, sender: str, number: str) -> None:
        """The key of a hospital."""
        stem = Path(self.setup.keys) / number
        key = load_pem_private_key(stem.with_suffix(".key.pem").read_bytes(), None)
        certificates = x509.load_pem_x509_certificates(stem.with_suffix(".cert.pem").read_bytes())
        if isinstance(key, RSAPrivateKey):
            self._private[sender] = (key, "".join(_x509(c) for c in certificates))

    def parsed(self, body: bytes) -> etree._Element:
        """A tree that follows its schema."""
        root = etree.fromstring(body, _PARSER)
        if not self.schemas.is_valid(root):
            raise ValueError("schema")
        return root

    def verify(self, root: etree._Element) -> None:
        """Raw: RSA over SignedInfo, and the digest."""
        text = _CERTIFICATE(root)
        key = self._keys.get(text)
        if key is None:
            public = x509.load_der_x509_certificate(b64decode(text)).public_key()
            if not isinstance(public, RSAPublicKey):
                raise ValueError("key")
            key = self._keys[text] = public
        signature = root.find(f"{{{DS}}}Signature")
        if signature is None:
            raise ValueError("signature")
        key.verify(b64decode(_VALUE(root)), c14n(signature[0]), PKCS1v15(), SHA256())
        digest = _DIGEST(root)
        root.remove(signature)
        if b64encode(sha256(c14n(root)).digest()).decode() != digest:
            raise ValueError("digest")

    def sign(self, root: etree._Element, sender: str) -> bytes:
        """Raw: digest, SignedInfo as a template, RSA."""
        key, certificates = self._private[sender]
        canonical = c14n(root)
        info = _SIGNED_INFO % b64encode(sha256(canonical).digest()).decode()
        value = b64encode(key.sign(info.encode(), PKCS1v15(), SHA256())).decode()
        signature = (
            f'<ds:Signature xmlns:ds="{DS}">{info}<ds:SignatureValue>{value}</ds:SignatureValue>'
            f"<ds:KeyInfo><ds:X509Data>{certificates}</ds:X509Data></ds:KeyInfo></ds:Signature>"
        )
        return canonical.removesuffix(b"</MsgHead>") + signature.encode() + b"</MsgHead>"

    def fields(self, root: etree._Element) -> dict[str, str]:
        """What the note says, as far as it is marked up."""
        return {name: expression(root) for name, expression in FIELDS.items()}

    def note(self, body: bytes, *, raw: bool = True) -> Taken:
        """A note in, its sendings out. Not `raw`: the caller checks and makes the signatures."""
        root = self.parsed(body)
        if raw:
            self.verify(root)
        found = self.fields(root)
        recorded = self._kinds[found["sender"]]
        note_id = derived_id("inbound", found["sender"], found["msg_id"])
        values = {name: escape(found[name]) for name in ("number", "family", "given", "attachment")}
        values["original"] = found["msg_id"]
        out = []
        for index, outgoing in enumerate(recorded.sendings):
            msg_id = sending_id(found["sender"], found["msg_id"], outgoing.her_id)
            written = outgoing.text(values | {"msg_id": msg_id}).encode()
            tree = self.parsed(written)
            out.append(self._made(outgoing, msg_id, self.sign(tree, found["sender"]) if raw else written))
            self._waiting[msg_id] = _Waiting(recorded, index, found["msg_id"], found["sender"])
        return Taken(id=note_id, msg_id=found["msg_id"], sender=found["sender"], body=body, out=tuple(out))

    def apprec(self, body: bytes) -> tuple[str, Made]:
        """An AppRec in: the sending that it answers, and the AppRec that is passed on."""
        root = self.parsed(body)
        original, status = _ORIGINAL(root), _STATUS(root)
        waiting = self._waiting.pop(original)
        outgoing = waiting.recorded.receipts[waiting.index]
        if status != "1":
            raise ValueError("status")
        apprec_id = derived_id("apprec", waiting.note, waiting.index)
        written = outgoing.text({"msg_id": apprec_id, "original": waiting.note}).encode()
        self.parsed(written)
        return original, self._made(outgoing, apprec_id, written, original=waiting.note)

    def _made(self, outgoing: Outgoing, msg_id: str, body: bytes, *, original: str | None = None) -> Made:
        headers = {**outgoing.headers, "X-MessageInfo-MsgId": msg_id}
        if original is not None:
            headers["X-MessageInfo-OriginalMsgId"] = original
        return Made(
            id=msg_id,
            queue=f"{self.name}.{outgoing.queue}",
            envelope=Envelope(body=body, message_id=msg_id, headers=headers, correlation_id=msg_id),
        )


def _x509(certificate: x509.Certificate) -> str:
    body = b64encode(certificate.public_bytes(Encoding.DER)).decode()
    return f"<ds:X509Certificate>{body}</ds:X509Certificate>"
