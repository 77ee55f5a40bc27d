"""What the gate and the signature check refuse, with a stable code for each ground.

The sentences hold no value from a message: codes, kinds and lines only.
"""

from __future__ import annotations

from gateway.contracts.errors import PermanentError, TransientError
from gateway.contracts.receipts import ErrorCode, fault

GATE_REASONS: dict[str, tuple[str, ErrorCode, str]] = {
    "not-well-formed": (
        "The message is not well-formed XML.",
        ErrorCode.NOT_READABLE,
        "Meldingen er ikke velformet XML.",
    ),
    "encoding": (
        "The message is not in the character set it says, or in none that is read (UTF-8, ISO-8859-1).",
        ErrorCode.NOT_READABLE,
        "Tegnsettet er feil angitt eller støttes ikke (UTF-8 og ISO-8859-1 leses).",
    ),
    "too-large": (
        "The message is larger than the limit.",
        ErrorCode.OTHER_FORMAT_ERROR,
        "Meldingen er for stor.",
    ),
    "doctype": (
        "The message has a DOCTYPE.",
        ErrorCode.OTHER_FORMAT_ERROR,
        "DOCTYPE er ikke tillatt.",
    ),
    "stylesheet": (
        "The message asks for a stylesheet (xml-stylesheet).",
        ErrorCode.OTHER_FORMAT_ERROR,
        "Henvisning til stilark (xml-stylesheet) er ikke tillatt.",
    ),
    "external-reference": (
        "The message refers to content outside itself (XInclude, xml-model).",
        ErrorCode.OTHER_FORMAT_ERROR,
        "Henvisning til innhold utenfor meldingen (XInclude, xml-model) er ikke tillatt.",
    ),
    "too-deep": (
        "The elements are nested more deeply than the limit.",
        ErrorCode.OTHER_FORMAT_ERROR,
        "Elementene er nøstet for dypt.",
    ),
    "too-many-elements": (
        "The message has more elements than the limit.",
        ErrorCode.OTHER_FORMAT_ERROR,
        "Meldingen har for mange elementer.",
    ),
    "too-many-attributes": (
        "An element, or the message, has more attributes than the limit.",
        ErrorCode.OTHER_FORMAT_ERROR,
        "Meldingen har for mange attributter.",
    ),
    "text-too-long": (
        "A text, name or attribute is longer than the limit.",
        ErrorCode.OTHER_FORMAT_ERROR,
        "En tekst, et navn eller et attributt er for langt.",
    ),
}
"""Ground → sentence for the operator, code of list 8221, sentence for the sender."""

_STRUCTURE = "Signaturen er ikke bygget slik standarden sier."
_ALGORITHM = "Signaturen bruker en algoritme som ikke er tillatt."
_INVALID = "Signaturen stemmer ikke med innholdet."
_CERTIFICATE = "Sertifikatet kan ikke brukes."

SIGNATURE_REASONS: dict[str, tuple[str, ErrorCode, str]] = {
    "no-signature": (
        "The message is not signed.",
        ErrorCode.OTHER_SIGNATURE_ERROR,
        "Meldingen er ikke signert.",
    ),
    "not-msghead": (
        "Only a MsgHead message carries a signature.",
        ErrorCode.OTHER_SIGNATURE_ERROR,
        "Bare meldinger med hodemelding (MsgHead) kan være signert.",
    ),
    "several-signatures": (
        "The message has more than one signature.",
        ErrorCode.SIGNATURE,
        "Meldingen har mer enn én signatur.",
    ),
    "signature-wrapped": (
        "The signature does not stand last in MsgHead, or parts of one stand elsewhere.",
        ErrorCode.SIGNATURE,
        _STRUCTURE,
    ),
    "signature-structure": (
        "The signature has parts that it must not have, or lacks parts.",
        ErrorCode.SIGNATURE,
        _STRUCTURE,
    ),
    "comment-in-signature": (
        "The signature holds a comment or a processing instruction.",
        ErrorCode.SIGNATURE,
        _STRUCTURE,
    ),
    "value-not-base64": (
        "A digest, signature value or certificate is not proper base64.",
        ErrorCode.SIGNATURE,
        _STRUCTURE,
    ),
    "reference-not-allowed": (
        "The signature does not cover the whole message (one Reference with an empty URI).",
        ErrorCode.SIGNATURE,
        "Signaturen dekker ikke hele meldingen.",
    ),
    "transform-not-allowed": (
        "The signature has a transform that is not allowed.",
        ErrorCode.OTHER_SIGNATURE_ERROR,
        _ALGORITHM,
    ),
    "c14n-not-allowed": (
        "The signature has a canonicalization method that is not allowed.",
        ErrorCode.OTHER_SIGNATURE_ERROR,
        _ALGORITHM,
    ),
    "algorithm-not-allowed": (
        "The signature has a signature or digest algorithm that is not allowed.",
        ErrorCode.OTHER_SIGNATURE_ERROR,
        _ALGORITHM,
    ),
    "key-info-not-allowed": (
        "The key is not given by an X.509 certificate alone.",
        ErrorCode.SIGNATURE,
        "Nøkkelen må være oppgitt med et X.509-sertifikat.",
    ),
    "ambiguous-ids": (
        "Two elements have the same id.",
        ErrorCode.SIGNATURE,
        _STRUCTURE,
    ),
    "digest-mismatch": (
        "The content is not what was signed.",
        ErrorCode.SIGNATURE,
        _INVALID,
    ),
    "signature-invalid": (
        "The signature value does not match the certificate's key.",
        ErrorCode.SIGNATURE,
        _INVALID,
    ),
    "canonicalization-failed": (
        "The content could not be brought on canonical form.",
        ErrorCode.SIGNATURE,
        _INVALID,
    ),
    "certificate-unreadable": (
        "The certificate can not be read.",
        ErrorCode.CERTIFICATE_INVALID,
        _CERTIFICATE,
    ),
    "certificate-ambiguous": (
        "It can not be told which certificate is the signer's.",
        ErrorCode.CERTIFICATE_INVALID,
        _CERTIFICATE,
    ),
    "certificate-expired": (
        "The certificate, or that of its issuer, has expired.",
        ErrorCode.CERTIFICATE_INVALID,
        "Sertifikatet er utløpt.",
    ),
    "certificate-not-yet-valid": (
        "The certificate, or that of its issuer, is not yet valid.",
        ErrorCode.CERTIFICATE_INVALID,
        "Sertifikatet er ikke gyldig ennå.",
    ),
    "certificate-untrusted": (
        "The certificate is not issued by an authority that is trusted.",
        ErrorCode.CERTIFICATE_INVALID,
        "Sertifikatet er ikke utstedt av en utsteder vi stoler på.",
    ),
    "certificate-revoked": (
        "The certificate, or that of its issuer, is revoked.",
        ErrorCode.CERTIFICATE_REVOKED,
        "Sertifikatet er tilbakekalt.",
    ),
    "key-usage": (
        "The certificate is not for signing (key usage nonRepudiation).",
        ErrorCode.CERTIFICATE_INVALID,
        "Sertifikatet er ikke et signeringssertifikat.",
    ),
    "weak-key": (
        "The certificate's key is too weak, or of a kind that is not used.",
        ErrorCode.CERTIFICATE_INVALID,
        "Nøkkelen i sertifikatet er for svak.",
    ),
    "certificate-test": (
        "The certificate is one for tests, and this is production.",
        ErrorCode.CERTIFICATE_INVALID,
        "Sertifikatet er et testsertifikat.",
    ),
    "spoofing": (
        "The sender, the transport header and the certificate do not agree.",
        ErrorCode.CERTIFICATE_INVALID,
        "Sertifikatet tilhører ikke avsenderen.",
    ),
}
"""As `GATE_REASONS`, for signatures and certificates."""

_ENVELOPE = "Meldingen er ikke kryptert og signert slik den skal (CMS)."

CMS_REASONS: dict[str, tuple[str, ErrorCode, str]] = {
    "cms-too-large": (
        "The encrypted message is larger than the limit.",
        ErrorCode.OTHER_FORMAT_ERROR,
        "Meldingen er for stor.",
    ),
    "cms-not-readable": (
        "The message is said to be CMS, and can not be read as such.",
        ErrorCode.NOT_READABLE,
        _ENVELOPE,
    ),
    "cms-not-encrypted": (
        "The message is CMS, but not encrypted.",
        ErrorCode.OTHER_FORMAT_ERROR,
        "Meldingen er ikke kryptert.",
    ),
    "cms-not-for-us": (
        "The message is encrypted for none of our keys.",
        ErrorCode.CERTIFICATE_INVALID,
        "Meldingen er ikke kryptert med vårt sertifikat.",
    ),
    "cms-algorithm-not-allowed": (
        "The message is encrypted or signed with an algorithm that is not allowed.",
        ErrorCode.OTHER_SIGNATURE_ERROR,
        "Meldingen er kryptert eller signert med en algoritme som ikke er tillatt.",
    ),
    "cms-decryption-failed": (
        "The message can not be decrypted, or what comes out is not signed data.",
        ErrorCode.OTHER_SIGNATURE_ERROR,
        "Meldingen kan ikke dekrypteres.",
    ),
    "cms-structure": (
        "The signed data has parts that it must not have, or lacks parts.",
        ErrorCode.SIGNATURE,
        _ENVELOPE,
    ),
    "cms-no-certificate": (
        "The certificate of the signer is not in the message.",
        ErrorCode.CERTIFICATE_INVALID,
        "Sertifikatet mangler i signaturen.",
    ),
    "cms-digest-mismatch": (
        "The content is not what was signed.",
        ErrorCode.SIGNATURE,
        _INVALID,
    ),
    "cms-signature-invalid": (
        "The signature does not match the certificate's key.",
        ErrorCode.SIGNATURE,
        _INVALID,
    ),
}
"""As `GATE_REASONS`, for messages that are encrypted on the way (CMS)."""

_CONDITIONS: dict[str, str] = {
    "cms-too-large": "transport:unsupported-message",
    "cms-not-readable": "transport:unsupported-message",
    "cms-not-encrypted": "transport:unsupported-message",
    "cms-algorithm-not-allowed": "transport:unsupported-message",
    "cms-no-certificate": "transport:missing-certificate",
    "no-signature": "transport:missing-certificate",
    "certificate-expired": "transport:expired-certificate",
    "certificate-revoked": "transport:revoked-certificate",
    "spoofing": "abuse:spoofing-attack",
}


def transport_condition(reason: str) -> str:
    """The `errorCondition` of the health network for a ground in `SIGNATURE_REASONS` or `CMS_REASONS`."""
    return _CONDITIONS.get(reason, "transport:invalid-certificate")


_XML = frozenset(("text/plain", "text/xml", "application/xml"))
_BROKEN_XML = frozenset(("not-well-formed", "encoding"))
INVALID_HEADER = "invalid-header"
"""Ground of a refusal for what the transport says of a message"""


def transport_fault(reason: str, content_type: str) -> tuple[str, str]:
    """What a transport fault says of a message that was refused: condition, and a sentence without values.

    Args:
        reason: ground of the refusal.
        content_type: as the transport gave it.
    """
    sentence = next(
        (table[reason][0] for table in (GATE_REASONS, SIGNATURE_REASONS, CMS_REASONS) if reason in table),
        "The message is of no format or type that is read.",
    )
    if reason == INVALID_HEADER:
        return "transport:invalid-field-value", "The message is for nobody who is reached here (toHerId)."
    if reason in SIGNATURE_REASONS or reason in CMS_REASONS:
        return transport_condition(reason), sentence
    if content_type.partition(";")[0].strip().lower() not in _XML:
        return "transport:unsupported-message", "The content type is none that is read here."
    if reason in _BROKEN_XML:
        return "transport:not-well-formed-xml", sentence
    return "transport:unsupported-message", sentence


class GateRefusedError(PermanentError):
    """The message may not come in."""

    code = "gate-refused"

    def __init__(self, reason: str, *, line: int | None = None) -> None:
        """`reason` is a key of `GATE_REASONS`; `line` is where in the message, from 1, where known."""
        sentence, code, detail = GATE_REASONS[reason]
        if line:
            sentence = f"{sentence[:-1]} (line {line})."
            detail = f"{detail} Linje {line}."
        super().__init__(sentence, faults=(fault(code, detail),))
        self.reason = reason
        self.line = line


class SignatureRefusedError(PermanentError):
    """The signature is not good."""

    code = "signature-refused"

    def __init__(self, reason: str) -> None:
        """`reason` is a key of `SIGNATURE_REASONS`."""
        sentence, code, detail = SIGNATURE_REASONS[reason]
        super().__init__(sentence, faults=(fault(code, detail),))
        self.reason = reason


class CmsRefusedError(PermanentError):
    """The encrypted message can not be taken."""

    code = "cms-refused"

    def __init__(self, reason: str) -> None:
        """`reason` is a key of `CMS_REASONS`."""
        sentence, code, detail = CMS_REASONS[reason]
        super().__init__(sentence, faults=(fault(code, detail),))
        self.reason = reason


class RevocationUnknownError(TransientError):
    """It can not be found out now whether a certificate is revoked."""

    code = "revocation-unknown"
