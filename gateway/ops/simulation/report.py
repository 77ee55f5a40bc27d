"""What people are told of a run: what happened, by system, and one line of verdict. No patient data."""

from __future__ import annotations

from gateway.contracts.registry import Registry
from gateway.ops.console import say, stdout_console, table
from gateway.ops.simulation.behaviour import Decision
from gateway.ops.simulation.settlement import Account
from gateway.ops.simulation.simulation import Result

_COLUMNS = {
    "sent": "sent",
    "accepted": "accepted",
    "rejected": "rejected",
    "held": "held",
    "withheld": "withheld",
    "municipality": "munic.",
    "gp": "GP",
    "positive": "AppRec+",
    "negative": "AppRec-",
    "missing": "none",
}


def in_short(account: Account) -> str:
    """One line, while it goes."""
    return (
        f"sent {account.sent} · decided {account.decided.total()} · delivered {account.delivered.total()} · "
        f"answered {account.acknowledged['positive'] + account.acknowledged['negative']} · "
        f"replies {account.replies_delivered}"
    )


def print_result(result: Result) -> None:
    """Tables and verdict, on standard output."""
    account = result.account
    rows = [[system or "?", *(counts[key] for key in _COLUMNS)] for system, counts in account.systems.items()]
    totals = account.decided + account.delivered + account.acknowledged
    totals["sent"] = account.sent
    rows.append(["together", *(totals[key] for key in _COLUMNS)])
    table(["system", *_COLUMNS.values()], rows)
    out = stdout_console()
    out.print()
    speed = result.document()["messages_per_second"]
    out.print(
        f"replies {account.replies_sent}, delivered {account.replies_delivered} · "
        f"{account.sent} notes in {result.seconds:.1f} s ({speed} a second)"
    )
    if account.replies_of_hospitals:
        out.print(f"of the replies, answers of hospitals to others: {account.replies_of_hospitals}")
    if account.replies_unplaced:
        out.print(f"replies that fit nothing, and wait for a person: {account.replies_unplaced}")
    if account.persons:
        told = account.persons
        out.print(
            f"held notes: {told[Decision.RELEASE]} released, {told[Decision.DISCARD]} discarded, "
            f"{told[Decision.LEAVE]} wait"
        )
    if account.deviations:
        out.print(f"deviations told to departments (DIALOG_AVVIK): {account.deviations}")
    counts = " · ".join(f"{kind} {account.count(kind)}" for kind in ("lost", "duplicated", "invalid"))
    out.print(f"[bold]{counts}[/bold]")
    out.print(verdict(result))


def verdict(result: Result) -> str:
    """One sentence."""
    if result.account.in_order:
        return "Everything is accounted for: nothing lost, nothing doubled, nothing wrong."
    if result.timed_out and not result.account.settled:
        return "Not everything was accounted for in time."
    return "Something went wrong: the reasons stand on standard error."


def explain(account: Account, registry: Registry, *, limit: int = 50) -> None:
    """Every problem with its note, receiver and ids, on standard error."""
    for problem in account.problems[:limit]:
        parts = [problem.kind, problem.what]
        if problem.note:
            parts.append(problem.note)
        if problem.receiver:
            endpoint = registry.endpoint(problem.receiver)
            name = f" ({endpoint.organisation_name})" if endpoint is not None else ""
            parts.append(f"at {problem.receiver}{name}")
        parts += problem.ids
        say(" ".join(parts))
    if len(account.problems) > limit:
        say(f"… and {len(account.problems) - limit} more")
    for name, expected, decided in account.differing[:limit]:
        say(f"differs {name}: a person says {expected}, the gateway {decided}")
