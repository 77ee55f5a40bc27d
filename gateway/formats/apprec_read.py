"""AppRec 1.0 and 1.1: what a receiver answers.

Source: AppRec-v1-2004-11-21.xsd, AppRec-v1.1.xsd; HIS 80415.
"""

from __future__ import annotations

from gateway.contracts.errors import FormatError
from gateway.contracts.messages import CodedValue, Format, Party
from gateway.contracts.receipts import AppRec, Fault, OriginalMessage, ReceiptParty
from gateway.formats import hcp_read, names
from gateway.formats.element_names import Element, split_tag
from gateway.formats.xml_reading import Reader, coded_of

_VERSIONS: dict[tuple[str | None, str], str] = {
    (names.APPREC[Format.APPREC_1_0], "AppRec"): "1.0",
    (names.APPREC[Format.APPREC_1_1], "AppRec"): "1.1",
}
"""By namespace and root"""


def read_apprec(root: Element) -> AppRec:
    """Read a receipt as it is written: unknown statuses, roles and code lists are kept.

    Raises:
        FormatError: the root is no AppRec of a known version.
    """
    version = _VERSIONS.get(split_tag(root.tag))
    if version is None:
        raise FormatError("The message is no application receipt of a known version.")
    reader = Reader()
    status = reader.coded(root, "Status") or CodedValue()
    original = reader.child(root, "OriginalMsgId")
    return AppRec(
        version=version,
        id=reader.text(root, "Id") or "",
        generated_at=reader.text(root, "GenDate") or "",
        sender=_party(reader, reader.child(root, "Sender")),
        receiver=_party(reader, reader.child(root, "Receiver")),
        status=status.value or "",
        status_text=status.name,
        faults=tuple(_fault(error) for error in reader.children(root, "Error")),
        original=OriginalMessage(
            msg_type=reader.coded(original, "MsgType") or CodedValue(),
            issued_at=reader.text(original, "IssueDate") or "",
            id=reader.text(original, "Id") or "",
        ),
    )


def _party(reader: Reader, element: Element | None) -> ReceiptParty:
    party = hcp_read.read_party(reader, element)
    return ReceiptParty(role=reader.coded(element, "Role"), party=party or Party())


def _fault(error: Element) -> Fault:
    coded = coded_of(error) or CodedValue()
    return Fault(
        code=coded.value or "", text=coded.name, detail=coded.original_text, code_list=coded.code_list
    )
