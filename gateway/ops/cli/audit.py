"""`pakkehjem audit`: who did what, and whether the log of it is whole."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import orjson

from gateway.contracts.audit import (
    AuditAction,
    AuditAnchor,
    AuditFault,
    AuditFilter,
    AuditProblem,
    AuditRecord,
)
from gateway.contracts.errors import EXIT_DONE, EXIT_NO, EXIT_USAGE, GatewayError
from gateway.ops import browsing
from gateway.ops.auditing import audit_entry, record
from gateway.ops.cli.options import config_option, json_option, read_bytes
from gateway.ops.configuration import load
from gateway.ops.console import fact, local_time, print_bytes, print_json, say, table
from gateway.ops.counted import counted
from gateway.ops.csv_output import csv_text
from gateway.ops.stores import open_journal
from gateway.security.files import write_private

_COLUMNS = (
    "sequence", "at", "who", "sudo_user", "action", "outcome",
    "message", "sending", "patient_reference", "reason", "detail",
)  # fmt: skip

SENTENCES = {
    AuditFault.CHANGED: "is not as the gateway wrote it: it was changed, put in, or moved",
    AuditFault.MISSING: "is gone",
    AuditFault.NOT_LINKED: "does not follow on the row that stands before it: another one stood there",
    AuditFault.CUT: "is gone from the end",
    AuditFault.HEAD: "is the last one, but the record of where the log ends is gone or forged",
    AuditFault.BEYOND_HEAD: "stands after the end that the gateway recorded",
    AuditFault.REASON_CHANGED: "has a reason that is not the one that was given",
    AuditFault.REASON_MISSING: "has lost its reason, and no purge has taken it",
    AuditFault.ANCHOR: "is not as the anchor remembers it: the log was cut, rewritten, or restored",
}


class AnchorNotReadableError(GatewayError):
    """The anchor's file is none."""

    code = "anchor"
    exit_code = EXIT_USAGE


@click.group()
def command() -> None:
    """Show who did what; check that the log of it is whole.

    Example: pakkehjem audit verify -c gateway.toml
    """


@command.command("verify")
@click.option(
    "--anchor",
    "anchor_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Check as well that the log still holds what this file remembers.",
)
@click.option(
    "--write-anchor",
    "new_anchor",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Remember in a new FILE where the log ends. Keep it on another machine.",
)
@config_option
@json_option
def verify(config: Path | None, anchor_file: Path | None, new_anchor: Path | None, *, as_json: bool) -> int:
    """Check every row of the audit log: changed, removed, put in, moved, or cut off.

    Example: pakkehjem audit verify --anchor last-month.json --write-anchor this-month.json
    """
    anchor = _read_anchor(anchor_file) if anchor_file is not None else None
    journal = open_journal(load(config))
    try:
        verdict = journal.verify_audit(anchor)
    finally:
        journal.close()
    head = {"sequence": verdict.head.sequence, "hash": verdict.head.hash}
    if as_json:
        problems = [_problem(problem) for problem in verdict.problems]
        print_json({"valid": not problems, "rows": verdict.rows, "head": head, "problems": problems})
    else:
        for problem in verdict.problems:
            click.echo(f"{_rows(problem)} {SENTENCES[problem.fault]} ({problem.fault})")
        fact("rows", verdict.rows)
        fact("head", f"{verdict.head.sequence} {verdict.head.hash}")
    if verdict.problems:
        places = counted(len(verdict.problems), "problem")
        say(f"the audit log was tampered with: {places}. Keep the journal as evidence")
        return EXIT_NO
    if new_anchor is not None:
        write_private(new_anchor, orjson.dumps(head, option=orjson.OPT_APPEND_NEWLINE))
        say(f"anchor written: {new_anchor}")
    say("the audit log is whole" + (" and holds what the anchor remembers" if anchor is not None else ""))
    return EXIT_DONE


def _read_anchor(file: Path) -> AuditAnchor:
    try:
        document = orjson.loads(read_bytes(file))
        return AuditAnchor(sequence=int(document["sequence"]), hash=str(document["hash"]))
    except (KeyError, TypeError, ValueError):
        raise AnchorNotReadableError(
            f"{file} is no anchor", hint="pakkehjem audit verify --write-anchor FILE writes one"
        ) from None


def _rows(problem: AuditProblem) -> str:
    return f"row {problem.sequence}" + (f" to {problem.last}" if problem.last is not None else "")


def _problem(problem: AuditProblem) -> dict[str, Any]:
    return {
        "fault": problem.fault.value,
        "sequence": problem.sequence,
        "last": problem.last if problem.last is not None else problem.sequence,
        "message": f"{_rows(problem)} {SENTENCES[problem.fault]}",
    }


@command.command("export")
@click.option("--since", metavar="WHEN", help="2h, 30m, 7d ago, or a date or time.")
@click.option("--until", metavar="WHEN", help="The same.")
@click.option("--who", multiple=True, metavar="LOGIN", help="Of the user, or of the person behind it.")
@click.option(
    "--action",
    "actions",
    multiple=True,
    metavar="ACTION",
    type=click.Choice([a.value for a in AuditAction]),
    help=", ".join(AuditAction),
)
@click.option("--csv", "as_csv", is_flag=True, help="CSV on standard output.")
@config_option
@json_option
def export(
    config: Path | None,
    since: str | None,
    until: str | None,
    who: tuple[str, ...],
    actions: tuple[str, ...],
    *,
    as_csv: bool,
    as_json: bool,
) -> int:
    """Write out who did what, when, to which message, and why; oldest first. The export is recorded, too.

    Example: pakkehjem audit export --since 30d --who kari --csv
    """
    if as_csv and as_json:
        raise click.UsageError("--json or --csv, not both")
    criteria = AuditFilter(
        since=browsing.point_in_time(since) if since is not None else None,
        until=browsing.point_in_time(until) if until is not None else None,
        who=who,
        actions=actions,
    )
    journal = open_journal(load(config))
    try:
        found = list(journal.audit_log(criteria))
        record(journal, audit_entry(AuditAction.AUDIT_EXPORT, detail={"rows": len(found)}))
    finally:
        journal.close()
    if as_json:
        print_json([_document(each) for each in found])
    elif as_csv:
        rows = ([_document(each)[name] for name in _COLUMNS] for each in found)
        print_bytes(csv_text(_COLUMNS, ([_flat(cell) for cell in row] for row in rows)).encode())
    else:
        _print(found)
    return EXIT_DONE


def _document(each: AuditRecord) -> dict[str, Any]:
    entry = each.entry
    return {
        "sequence": each.sequence,
        "at": entry.at.astimezone().isoformat(timespec="milliseconds"),
        "who": entry.who,
        "sudo_user": entry.sudo_user,
        "action": entry.action,
        "outcome": entry.outcome,
        "message": entry.inbound_id,
        "sending": entry.sending_id,
        "patient_reference": entry.patient_reference,
        "reason": entry.reason,
        "detail": dict(entry.detail) if entry.detail is not None else None,
        "hash": each.hash,
    }


def _flat(cell: object) -> object:
    return " ".join(f"{k}={v}" for k, v in cell.items()) if isinstance(cell, dict) else cell


def _print(found: Iterable[AuditRecord]) -> None:
    rows = [
        (
            each.sequence,
            local_time(each.entry.at),
            each.entry.who + (f" ({each.entry.sudo_user})" if each.entry.sudo_user else ""),
            each.entry.action,
            each.entry.outcome,
            (each.entry.inbound_id or "")[:8],
            each.entry.reason or _flat(dict(each.entry.detail or {})),
        )
        for each in found
    ]
    table(["row", "time", "who", "action", "outcome", "message", "reason"], rows, whole=("row", "time"))
    say(counted(len(rows), "entry", "entries"))
