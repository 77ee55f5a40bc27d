from __future__ import annotations

from collections import Counter

from gateway.contracts.receipts import ERROR_TEXTS
from gateway.ops.simulation.behaviour import Answer, Behaviour, Decision, Shares

LATER = (Answer.LATE, Answer.CONTRADICTS)


def test_every_twenty_sendings_show_every_answer_in_its_share() -> None:
    behaviour = Behaviour(seed=3)
    for _ in range(5):
        conducts = [behaviour.conduct("8910011", "p") for _ in range(20)]
        assert Counter(c.answer for c in conducts) == {
            Answer.POSITIVE: 12,
            Answer.NEGATIVE: 2,
            Answer.LATE: 2,
            Answer.TWICE: 2,
            Answer.CONTRADICTS: 1,
            Answer.NEVER: 1,
        }
        replies = [c for c in conducts if c.replies]
        assert sorted(c.replies for c in replies) == [1, 1, 1, 3]
        assert [c.replies for c in replies if not c.referring] == [1]
        assert all(c.answer not in (Answer.NEGATIVE, Answer.NEVER) for c in replies)
        assert all((c.error is not None) == (c.answer is Answer.NEGATIVE) for c in conducts)
        assert all(0.5 <= c.delay_seconds <= 2.0 for c in conducts if c.answer in LATER)
        assert all(c.delay_seconds == 0 for c in conducts if c.answer not in LATER)


def test_every_code_of_the_list_is_a_reason_to_refuse() -> None:
    behaviour = Behaviour(seed=1)
    errors = {behaviour.conduct("1", "p").error for _ in range(10 * len(ERROR_TEXTS))}
    assert errors == {None, *ERROR_TEXTS}


def test_a_person_decides_in_every_way() -> None:
    behaviour = Behaviour(seed=1)
    assert Counter(behaviour.decision() for _ in range(9)) == dict.fromkeys(Decision, 3)


def test_the_same_seed_deals_the_same_cards_and_another_others() -> None:
    dealt = [[Behaviour(seed).conduct("1", "p") for _ in range(1)] for seed in (1, 1)]
    assert dealt[0] == dealt[1]
    first, second = Behaviour(1), Behaviour(2)
    assert [first.conduct("1", "p") for _ in range(40)] != [second.conduct("1", "p") for _ in range(40)]


def test_a_planned_card_waits_for_its_sending_whatever_comes_before() -> None:
    planned, straight = Behaviour(5), Behaviour(5)
    cards = [straight.conduct("x", "x") for _ in range(3)]
    for receiver in ("a", "b", "a"):
        planned.plan(receiver, "p")
    assert planned.conduct("b", "p") == cards[1]
    assert planned.conduct("a", "p") == cards[0]
    assert planned.conduct("a", "p") == cards[2]


def test_shares_can_be_set() -> None:
    behaviour = Behaviour(1, Shares(negative=0, late=0, twice=0, contradicts=0, never=0, replies=0))
    conducts = [behaviour.conduct("1", "p") for _ in range(20)]
    assert {c.answer for c in conducts} == {Answer.POSITIVE}
    assert not any(c.replies for c in conducts)


def test_some_notes_are_put_on_the_queue_twice() -> None:
    behaviour = Behaviour(1)
    assert 20 <= sum(behaviour.repeats() for _ in range(1000)) <= 90
    assert not any(Behaviour(1, Shares(repeated=0)).repeats() for _ in range(50))
