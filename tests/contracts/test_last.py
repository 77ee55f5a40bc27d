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
    assert asked == [one, equal, [3], one]
    assert asked[0] is one
    assert asked[1] is equal
    assert asked[3] is one
