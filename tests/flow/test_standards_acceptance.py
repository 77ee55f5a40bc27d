"""The national acceptance cases through the service: a register, a memory, and the order that each names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.contracts.messages import Head
from gateway.contracts.states import InboundState
from gateway.contracts.summary import Action
from gateway.formats import read_head
from gateway.security.gate import parse_damaged
from tests.conftest import STANDARDS
from tests.flow.harness import ALL_KINDS, Gateway
from tests.ops.acceptance import Answer, Case, cases, official

AGREED: dict[str, bool] = {}
REVERSED = [case for case in cases() if case.entry.get("reverse_order")]

Start = Callable[[Case], Gateway]


def head_of(document: bytes) -> Head | None:
    root = parse_damaged(document)
    return read_head(root) if root is not None else None


def hospitals(case: Case) -> dict[str, str]:
    """The senders of the case: a HER-id for each, with its entry in the register."""
    entries = {}
    for document in (*case.before, case.document):
        head = head_of(document)
        sender = head.sender if head is not None else None
        if sender is not None and sender.her_ids:
            her_id = sender.her_ids[-1]
            entries[her_id] = f'[[hospital]]\nname = "Avsender {her_id}"\nher_id = "{her_id}"\n'
            entries[her_id] += "".join(
                f'[[hospital.unit]]\nname = "Enhet"\nher_id = "{lower}"\n' for lower in sender.her_ids[:-1]
            )
    return entries


def register(case: Case) -> str:
    """The parties that are ours, of the case and of what comes before it, as municipalities and GPs."""
    entries = list(hospitals(case).values())
    earlier = [c for c in cases() if c.file in case.entry["setup"].get("before", [])]
    parties = {p["HER"]: p for c in (*earlier, case) for p in c.ours}
    for number, party in enumerate(parties.values()):
        org_no = f'org_no = "{party["ENH"]}"\n' if "ENH" in party else ""
        service = f'{{ name = "Tjenesten", her_id = "{party["HER"]}" }}'
        if "HPR" in party or party["UPPER"] == party["HER"] != "01010":
            office = party["UPPER"] if party["UPPER"] != party["HER"] else f"799000{number}"
            entries.append(
                f'[[gp]]\nname = "Lege Lege"\nher_id = "{party["HER"]}"\n{org_no}'
                f'office = {{ name = "Kontoret", her_id = "{office}" }}\naccepts = ["dialogmelding-1.1"]\n'
            )
        else:
            entries.append(
                f'[[municipality]]\ncode = "990{number}"\nname = "Kommunen"\nher_id = "{party["UPPER"]}"\n'
                f'{org_no}service = {service}\naccepts = ["plo-1.6"]\n'
            )
    return "\n".join(entries)


@pytest.fixture
def start_case(config: Path) -> Iterator[Start]:
    """A gateway whose register is the case's, and which takes what is no Pakkeforløp hjem note."""
    running: list[Gateway] = []

    def make(case: Case) -> Gateway:
        text = config.read_text(encoding="utf-8")
        config.write_text(
            text.replace("[rules.severity]", '[rules.severity]\nPH001 = "info"'), encoding="utf-8"
        )
        (config.parent / "register.toml").write_text(register(case), encoding="utf-8")
        running.append(Gateway(config))
        return running[-1]

    yield make
    for gateway in running:
        gateway.close()


def receipts(gateway: Gateway, case: Case) -> list[Answer]:
    """What lies on the queues of the senders, taken off."""
    return [
        Answer.of(delivery.envelope.body)
        for her_id in hospitals(case)
        for delivery in gateway.take(f"epj_{her_id}")
    ]


def run(gateway: Gateway, case: Case) -> list[Answer]:
    """The answers to the case's file after what comes before it."""
    gateway.note(*case.before)
    assert len(receipts(gateway, case)) >= len(case.before)
    gateway.note(case.document)
    return receipts(gateway, case)


def kept(gateway: Gateway) -> list[bytes]:
    """The bodies of the inbox, as they came."""
    with gateway.worker.journal.reader() as view:
        rows = [view.inbound(row.id) for row in gateway.rows(ALL_KINDS)]
    return [row.body for row in rows if row is not None]


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_the_service_answers_as_the_case_demands(case: Case, start_case: Start, standards: Path) -> None:
    gateway = start_case(case)
    answers = run(gateway, case)
    primary = next((a for a in answers if a.role != "COP"), answers[0] if answers else None)
    AGREED[case.name] = case.disagreement(primary) is None
    assert case.disagreement(primary) is None
    assert case.document in kept(gateway)
    if primary is None:
        return
    if primary.accepted:
        assert len(answers) == len(case.ours)
    assert len({a.role for a in answers}) == len(answers)
    for answer in answers:
        assert official(standards).validate(answer.root)
        assert answer.accepted is primary.accepted
    gateway.note(*case.before, case.document)
    assert receipts(gateway, case) == []


@pytest.mark.parametrize("case", REVERSED, ids=lambda case: case.name)
def test_the_other_order_is_answered_positively_too(case: Case, start_case: Start) -> None:
    gateway = start_case(case)
    gateway.note(case.document, *case.before)
    assert [a.accepted for a in receipts(gateway, case)] == [True, True]
    cancelled = next(r for r in gateway.rows() if r.action is Action.CANCEL)
    assert (cancelled.state, cancelled.reason) == (InboundState.HELD, "cancels-nothing-known")


def by_name(part: str) -> Case:
    if not STANDARDS.is_dir():
        pytest.skip("the official examples are not beside the project")
    return next(case for case in cases() if part in case.name)


def test_a_copy_is_kept_as_a_copy(start_case: Start) -> None:
    gateway = start_case(case := by_name("case1-19"))
    (answer,) = run(gateway, case)
    assert answer.role == "COP"
    (row,) = gateway.rows()
    assert [r.copy for r in row.named_receivers if r.her_id == case.ours[0]["HER"]] == [True]


def test_two_receivers_of_ours_are_two_receipts_with_roles_of_their_own(start_case: Start) -> None:
    gateway = start_case(case := by_name("Case1-20a"))
    assert sorted(str(a.role) for a in run(gateway, case)) == ["COP", "SPR"]
    assert len(gateway.rows()) == 1


def test_the_addresses_are_mirrored_as_they_are_written(start_case: Start) -> None:
    gateway = start_case(case := by_name("Case2"))
    (answer,) = run(gateway, case)
    assert answer.identifiers("Sender") == {"974 793 539", "258.521"}
    assert answer.identifiers("Receiver") == {"971318864", "369.767"}


def test_an_answer_is_tied_to_its_question(start_case: Start) -> None:
    gateway = start_case(case := by_name("Case2"))
    run(gateway, case)
    question, reply = gateway.rows()
    events = gateway.worker.journal.events(reply.id)
    assert {"answers": question.id} == {
        e.name: (e.detail or {}).get("message") for e in events if e.name == "answers"
    }
    assert "answered" in [e.name for e in gateway.worker.journal.events(question.id)]


def test_an_unknown_service_is_taken_where_the_deployment_says_so(config: Path, start_case: Start) -> None:
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace('unknown_service = "reject"', 'unknown_service = "accept"'))
    gateway = start_case(case := by_name("case1-18"))
    (answer,) = run(gateway, case)
    assert answer.accepted


def test_the_share_of_agreement(standards: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Reports what the table above gave, as far as it was run."""
    del standards
    binding = [case.name for case in cases() if case.binding and case.name in AGREED]
    with capsys.disabled():
        print(  # noqa: T201 - the report is what the test is for
            f"\nacceptance cases by the service: {sum(AGREED[n] for n in binding)}/{len(binding)} of test "
            f"and standard, {sum(AGREED.values())}/{len(AGREED)} of all"
        )
    assert all(AGREED.values())
