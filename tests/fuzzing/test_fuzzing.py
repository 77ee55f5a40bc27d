"""The short form of `make fuzz`, and whether the search would find anything."""

from __future__ import annotations

import resource

import pytest

from gateway.contracts.errors import NotReadableError
from gateway.ops import conversion
from tests.conftest import STANDARDS
from tests.fuzzing.mutation import Mutations, bases
from tests.fuzzing.trial import Trial

SEED = 20260302


@pytest.fixture(scope="module")
def mutations() -> Mutations:
    return Mutations(bases(STANDARDS), SEED)


@pytest.mark.parametrize("part", range(4))
def test_no_message_makes_the_gateway_stumble(mutations: Mutations, part: int) -> None:
    trial = Trial()
    failures = []
    trial.run(0, mutations.message(0))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(part * 250, part * 250 + 250):
        failures += trial.run(number, mutations.message(number))
    assert [str(each) for each in failures] == []
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 256 * 1024
    # Not all of them are turned away at the gate.
    assert trial.outcomes["convert: send"] > 8
    assert trial.outcomes["write: written"] > 15
    assert trial.outcomes["apprec: answered"] > 100
    assert trial.outcomes["parse: gate-refused"] > 50


def test_the_same_number_gives_the_same_message(mutations: Mutations) -> None:
    again = Mutations(bases(STANDARDS), SEED)
    other = Mutations(bases(STANDARDS), SEED + 1)
    assert all(mutations.message(n) == again.message(n) for n in range(50))
    assert sum(mutations.message(n) != other.message(n) for n in range(50)) > 40


@pytest.mark.parametrize("error", [RecursionError, KeyError])
def test_an_error_of_no_family_of_ours_is_found(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def stumble(*_: object, **__: object) -> None:
        raise error("13888549952")

    monkeypatch.setattr(conversion, "judge", stumble)
    (failure,) = Trial().run(0, _note())
    assert (failure.step, failure.kind) == ("convert", error.__name__)
    assert failure.where.startswith("tests/fuzzing/")
    assert "13888549952" not in str(failure)


def test_an_error_that_tells_a_number_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def tell(*_: object, **__: object) -> None:
        raise NotReadableError("patient 13888549952 is not known")

    monkeypatch.setattr(conversion, "judge", tell)
    (failure,) = Trial().run(0, _note())
    assert failure.kind == "tells a value"


def _note() -> bytes:
    return bases(STANDARDS)[0]
