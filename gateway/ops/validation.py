"""What `validate` says of one message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gateway.formats import identify
from gateway.ops.composition import schema_set
from gateway.ops.conversion import convert_message
from gateway.security.gate import GateRefusedError, parse


def validate_message(name: str, data: bytes, register: Path | None = None) -> dict[str, Any]:
    """The report of `validate --json` for one file; whatever the content, there is one."""
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
    schemas = schema_set()
    report["format"] = identified.format.value if identified.format is not None else None
    if not schemas.covers(root):
        sentence = f"there is no schema for <{identified.content_root or identified.root}> of this namespace"
        report["errors"] = [_error(None, "/" + identified.root, "no-schema", sentence)]
        return report
    faults = schemas.faults(root)
    report["schema_valid"] = not faults
    report["errors"] = [_error(f.line, f.path, f.code, f.message) for f in faults]
    if not faults and identified.envelope != "apprec" and identified.format is not None:
        report["findings"] = convert_message(data, register=register).document()["findings"]
    return report


def _error(line: int | None, path: str, code: str, message: str) -> dict[str, Any]:
    return {"line": line, "path": path, "code": code, "message": message}
