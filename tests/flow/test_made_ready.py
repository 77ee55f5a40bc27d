"""What is made ready before the transaction is what the transaction would have made."""

from __future__ import annotations

import shutil
from collections.abc import Container, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from gateway.contracts.journal import Journal
from gateway.contracts.records import InboundMessage, Sending
from gateway.contracts.states import InboundState, SendingKind
from gateway.intake.arrival import Arrival
from gateway.pipeline.dispatch import Dispatcher
from gateway.pipeline.notes import NoteHandler
from gateway.receipts.originals import RecentHeads, original_head, recent_heads
from tests.conftest import NOTES
from tests.flow.harness import Gateway


def _fixed() -> datetime:
    return datetime(2026, 9, 1, 12, tzinfo=UTC)


def _all_sendings(config: Path) -> tuple[dict[str, Sending], Gateway]:
    gateway = Gateway(config, clock=_fixed)
    gateway.note(*(file.read_bytes() for file in sorted(NOTES.rglob("*.xml"))))
    rows = gateway.rows()
    return {each.id: each for row in rows for each in gateway.sendings(row.id)}, gateway


def test_sendings_are_the_same_with_and_without(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = shutil.copytree(config.parent, tmp_path / "elsewhere") / config.name
    asked = 0
    whole = Dispatcher.written

    def counted(*arguments: object, **named: object) -> object:
        nonlocal asked
        asked += 1
        return whole(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Dispatcher, "written", counted)
    ahead, gateway = _all_sendings(config)
    gateway.close()
    written_ahead, asked = asked, 0

    def nothing(_handler: NoteHandler, _arrivals: Sequence[Arrival]) -> None:
        """Everything is then made in the transaction."""

    monkeypatch.setattr(NoteHandler, "make_ready", nothing)
    inside, gateway = _all_sendings(elsewhere)
    gateway.close()
    assert ahead == inside
    assert len(ahead) > 50
    # Nothing is written twice but what an earlier note has a say in.
    assert written_ahead <= asked + 12


def test_a_head_that_is_remembered_is_the_one_that_was_kept(config: Path) -> None:
    _, gateway = _all_sendings(config)
    with gateway.worker.journal.reader() as view:
        taken = [row.id for row in gateway.rows() if row.state is not InboundState.REJECTED]
        whole = [view.inbound(each) for each in taken]
        remembered = {row.id: recent_heads.head(view, row.id) for row in whole if row is not None}
    kept = {row.id: original_head(row) for row in whole if row is not None}
    assert remembered == kept
    assert sum(head is not None for head in kept.values()) > 40
    gateway.close()


def test_heads_of_what_another_process_has_sent_are_read_ahead(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, gateway = _all_sendings(config)
    notes = [each for each in made.values() if each.kind is SendingKind.NOTE]
    journal = gateway.worker.journal
    with journal.reader() as view:
        kept = {each.inbound_id: view.inbound(each.inbound_id) for each in notes}
    expected = {row.id: original_head(row) for row in kept.values() if row is not None}
    other = RecentHeads()
    other.read_ahead(journal, [each.msg_id for each in notes])
    with journal.reader() as view:
        whole = view.inbound

        def alone(inbound_id: str, *, content: bool = True) -> InboundMessage | None:
            assert not content
            return whole(inbound_id, content=False)

        monkeypatch.setattr(view, "inbound", alone)
        assert {each: other.head(view, each) for each in expected} == expected
    assert len(expected) > 30
    gateway.close()


def test_nothing_is_read_ahead_of_what_this_process_has_sent() -> None:
    heads = RecentHeads(most=1)
    heads.sent(["a", "b", "c", "d", "e"])
    asked: list[list[str]] = []

    class Asked:
        def reader(self) -> AbstractContextManager[Asked]:
            return nullcontext(self)

        def originals(self, msg_ids: Sequence[str], *, known: Container[str]) -> list[InboundMessage]:
            assert "a" not in known
            asked.append(list(msg_ids))
            return []

    heads.read_ahead(cast("Journal", Asked()), ["b", "e", ""])
    heads.read_ahead(cast("Journal", Asked()), ["a", "e", "f", "f"])
    assert asked == [["a", "f"]]


def test_originals_are_found_by_what_was_sent(config: Path) -> None:
    made, gateway = _all_sendings(config)
    one = next(each for each in made.values() if each.kind is SendingKind.NOTE)
    with gateway.worker.journal.reader() as view:
        whole = view.inbound(one.inbound_id)
        assert view.originals([one.msg_id, one.msg_id, "never sent"]) == [whole]
        assert view.originals([one.msg_id], known={one.inbound_id}) == []
    gateway.close()
