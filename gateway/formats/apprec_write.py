"""AppRec 1.0 and 1.1, written.

Source: AppRec-v1-2004-11-21.xsd, AppRec-v1.1.xsd; HIS 80415:2012, chapter 4.3.
"""

from __future__ import annotations

from gateway.contracts.errors import FormatError
from gateway.contracts.messages import CodedValue, Format
from gateway.contracts.receipts import AppRec, ReceiptParty
from gateway.formats import hcp_write, names
from gateway.formats.codes import simple_code
from gateway.formats.xml_writing import DECLARATION, code, simple, text, wrap

_FORMATS = {"1.0": Format.APPREC_1_0, "1.1": Format.APPREC_1_1}
_TYPE = simple("MsgType", simple_code("8279", "APPREC"))


def write_apprec(apprec: AppRec) -> bytes:
    """Write a receipt as UTF-8 XML.

    Raises:
        FormatError: it lacks what every receipt has (a known version, parties, a status, the original's id).
    """
    version = _FORMATS.get(apprec.version)
    if version is None:
        raise FormatError("There is no such version of the application receipt.")
    parts = (
        text("GenDate", apprec.generated_at),
        text("Id", apprec.id),
        _party("Sender", apprec.sender),
        _party("Receiver", apprec.receiver),
        simple("Status", CodedValue(value=apprec.status, name=apprec.status_text)),
    )
    original = (
        simple("MsgType", apprec.original.msg_type),
        text("IssueDate", apprec.original.issued_at),
        text("Id", apprec.original.id),
    )
    if not all(parts) or not all(original):
        raise FormatError("The receipt is not complete.")
    errors = "".join(
        code(
            "Error",
            CodedValue(value=f.code, code_list=f.code_list, name=f.text, original_text=f.detail),
        )
        for f in apprec.faults
    )
    document = wrap(
        "AppRec",
        _TYPE,
        text("MIGversion", names.VERSIONS[version]),
        *parts,
        errors,
        wrap("OriginalMsgId", *original),
        attributes=f' xmlns="{names.APPREC[version]}"',
    )
    return (DECLARATION + document).encode()


def _party(tag: str, found: ReceiptParty) -> str:
    party = hcp_write.party(found.party, persons_last=True)
    return wrap(tag, simple("Role", found.role), party) if party else ""
