"""What `validate` says of one message."""

from __future__ import annotations

from typing import Any

from gateway.contracts.registry import Registry
from gateway.formats import identify
from gateway.ops.conversion import convert_message, schemas_in_use
from gateway.security.gate import GateRefusedError, parse


def validate_message(name: str, data: bytes, registry: Registry | None = None) -> dict[str, Any]:
    """The report of `validate --json` for one file: whatever it holds, and without its values."""
    report: dict[str, Any] = {
        "file": name,
        "format": None,
        "schema_valid": False,
        "errors": [],
        "findings": [],
    }
    try:
        root = parse(data)
    except GateRefusedError as error:
        report["errors"] = [_error(error.line, "", error.reason, error.message)]
        return report
    identified = identify(root)
    schemas = schemas_in_use()
    report["format"] = identified.format.value if identified.format is not None else None
    if not schemas.covers(root):
        name = identified.content_root or identified.root
        sentence = f"the format is not supported (T10): there is no schema for <{name}> of this namespace"
        report["errors"] = [_error(None, "/" + identified.root, "no-schema", sentence)]
        return report
    faults = schemas.faults(root)
    report["schema_valid"] = not faults
    report["errors"] = [_error(f.line, f.path, f.code, f.message) for f in faults]
    if not faults and identified.envelope != "apprec":
        conversion = convert_message(data, registry=registry)
        report["findings"] = conversion.document()["findings"]
        if conversion.refusal is not None and not conversion.findings:
            report["errors"] = [_error(None, "", "not-readable", conversion.refusal)]
    return report


def _error(line: int | None, path: str, code: str, message: str) -> dict[str, Any]:
    return {"line": line, "path": path, "code": code, "message": message}
