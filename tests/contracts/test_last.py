from __future__ import annotations

from gateway.contracts.last import of_last


def test_only_one_and_the_same_object_in_a_row_is_made_of_once() -> None:
    asked: list[list[int]] = []

    @of_last
    def total(of: list[int]) -> int:
        asked.append(of)
        return sum(of)

    one, equal = [1, 2], [1, 2]
    assert [total(one), total(one), total(equal), total([3]), total(one)] == [3, 3, 3, 3, 3]
    assert len(asked) == 4
    assert [of is each for of, each in zip(asked, (one, equal, asked[2], one), strict=True)] == [True] * 4
