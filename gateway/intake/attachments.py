"""Documents that go along with a message: what kind they are, and whether they can be taken.

Source: HITS 1168:2016, chapter 4.4 (an attachment that can not be handled: a negative receipt); HIS 1077:2017
(PDF, JPG and PNG); HIS 1036:2011, chapter 4 (size).
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.contracts.messages import Attachment
from gateway.contracts.receipts import ErrorCode, Fault, fault

TAKEN = ("application/pdf", "image/jpeg", "image/png")

_SAME = {
    "application/x-pdf": "application/pdf",
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
}
_UNSAID = "application/octet-stream"
_BEGINNINGS = {b"%PDF-": "application/pdf", b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
_MEBIBYTE = 1024 * 1024


def mime_type(attachment: Attachment) -> str:
    """The type of a document in its usual spelling; where none is said, by how the document begins."""
    said = attachment.mime_type.partition(";")[0].strip().lower()
    said = _SAME.get(said, said) or _UNSAID
    if said != _UNSAID:
        return said
    return next((t for start, t in _BEGINNINGS.items() if attachment.content.startswith(start)), said)


def taken(attachments: Sequence[Attachment], types: Sequence[str] = TAKEN) -> tuple[Attachment, ...]:
    """The documents of these types."""
    return tuple(a for a in attachments if mime_type(a) in types)


def attachment_faults(
    attachments: Sequence[Attachment], *, types: Sequence[str] | None, limit: int
) -> tuple[Fault, ...]:
    """T99 for documents of other types, and T99 for documents that are too large together.

    Args:
        attachments: of one message.
        types: MIME types that are taken, in lower case; None: all.
        limit: bytes of all documents together, decoded.
    """
    found = []
    if types is not None and len(taken(attachments, types)) < len(attachments):
        found.append(
            fault(
                ErrorCode.OTHER_FORMAT_ERROR,
                f"Meldingen har vedlegg i et filformat som ikke støttes. Disse støttes: {', '.join(types)}.",
            )
        )
    if sum(len(a.content) for a in attachments) > limit:
        found.append(
            fault(
                ErrorCode.OTHER_FORMAT_ERROR,
                f"Vedleggene er for store. Til sammen kan de være {limit / _MEBIBYTE:.3g} MiB.",
            )
        )
    return tuple(found)
