"""Circuits, pauses and attempts in the journal's tables."""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway.contracts.ports import Vault
from gateway.contracts.records import Sending
from gateway.contracts.traffic import Circuit, Pause
from gateway.contracts.values import replace
from gateway.journal import rows
from gateway.journal.foreseen import Foreseen
from gateway.journal.rows import CIRCUIT, PAUSE, Row
from gateway.journal.statements import Statements
from gateway.journal.writing import Writing


class SqlTraffic:
    """The part of a transaction that says what may be sent and worked on just now."""

    _writing: Writing
    _foreseen: Foreseen
    _statements: Statements
    _vault: Vault

    def circuits(self) -> list[Circuit]:
        """Those of all receivers that have one, by receiver."""
        return [rows.circuit(row) for row in self._writing.rows(self._statements.traffic.circuits, {})]

    def put_circuit(self, circuit: Circuit) -> None:
        """Keep what is known of a receiver."""
        self._writing.change(self._statements.traffic.put_circuit, CIRCUIT.encode(circuit))

    def close_circuit(self, receiver: str, now: datetime) -> None:
        """Forget it: the receiver was reached, and what waits for it is due now."""
        s = self._statements.traffic
        self._writing.change(s.drop_circuit, {"receiver": receiver})
        self._foreseen.forget()
        self._writing.change(s.make_due, {"receiver": receiver, "now": rows.to_time(now)})

    def waiting(self, receiver: str, *, before: datetime, limit: int) -> list[Sending]:
        """Pending sendings to a receiver that were made before a time, oldest first."""
        values = {"receiver": receiver, "before": rows.to_time(before), "limit": limit}
        found = self._writing.rows(self._statements.waiting, values)
        return [rows.sending(row, self._vault) for row in found]

    def to_probe(self, now: datetime) -> list[str]:
        """Receivers whose circuit is open, for whom something waits, and who may be tried again."""
        found = self._writing.rows(self._statements.traffic.to_probe, {"now": rows.to_time(now)})
        return [row[0] for row in found]

    def probes(self, now: datetime, *, until: datetime) -> list[Sending]:
        """One sending for each receiver that may be tried again; nobody else tries until then."""
        s = self._statements
        found: list[Row] = []
        for receiver in self.to_probe(now):
            values = {"receiver": receiver, "until": rows.to_time(until)}
            self._writing.change(s.traffic.probing, values)
            found += self._writing.rows(s.probe, {"receiver": receiver})
        return [replace(rows.sending(row, self._vault), alone=True) for row in found]

    def set_clock_back(self, now: datetime, *, longest: timedelta) -> None:
        """What waits for a time that is further away than that: due now."""
        s = self._statements.traffic
        values = {"now": rows.to_time(now), "after": rows.to_time(now + longest)}
        self._foreseen.forget()
        self._writing.change(s.attempt_at_once, values)
        self._writing.change(s.probe_at_once, values)

    def pauses(self) -> list[Pause]:
        """What is stopped, by scope."""
        found = self._writing.rows(self._statements.traffic.pauses, {})
        return [rows.pause(row, self._vault) for row in found]

    def pause(self, pause: Pause) -> bool:
        """Stop something, for all processes, until it is resumed; False where it was stopped already."""
        if not self._writing.change(self._statements.traffic.pause, PAUSE.encode(pause)):
            return False
        row_id = rows.pause_id(pause.scope)
        sealed = self._vault.seal(pause.reason.encode(), context=PAUSE.context(row_id, "reason"))
        values = {"row_id": row_id, "part": PAUSE.part("reason"), "sealed": sealed}
        self._writing.change(self._statements.put_content, values)
        return True

    def resume(self, scope: str) -> bool:
        """Let it go on; False where it was not stopped."""
        if not self._writing.change(self._statements.traffic.resume, {"scope": scope}):
            return False
        values = {"row_id": rows.pause_id(scope), "part": PAUSE.part("reason"), "sealed": None}
        self._writing.change(self._statements.put_content, values)
        return True

    def begin_attempt(self, key: str, *, owner: str, at: datetime) -> int:
        """How many other processes set about it before and never ended it."""
        s = self._statements.traffic
        self._writing.change(s.begin_attempt, {"key": key, "owner": owner, "at": rows.to_time(at)})
        ((processes,),) = self._writing.rows(s.attempts, {"key": key})
        return int(processes) - 1

    def end_attempt(self, key: str) -> None:
        """It did not end the process: forget all attempts."""
        self._writing.change(self._statements.traffic.end_attempt, {"key": key})
