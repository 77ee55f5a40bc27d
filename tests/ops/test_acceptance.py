"""The national acceptance cases through `pakkehjem apprec`, which has neither register nor memory."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import NOTES
from tests.ops.acceptance import FOLDER, Answer, Case, cases, official
from tests.ops.conftest import Pakkehjem

STATELESS = [case for case in cases() if not case.memory]
AGREED: dict[str, bool] = {}


def answered(case: Case, pakkehjem: Pakkehjem) -> Answer | None:
    done = pakkehjem("apprec", FOLDER / case.file, "--any-receiver", "--accept-other")
    assert done.code in {0, 1}
    assert bool(done.out) is (done.code == 0)
    return Answer.of(done.out.encode()) if done.out else None


@pytest.mark.parametrize("case", STATELESS, ids=lambda case: case.name)
def test_the_answer_is_the_one_that_the_case_demands(
    case: Case, pakkehjem: Pakkehjem, standards: Path
) -> None:
    answer = answered(case, pakkehjem)
    AGREED[case.name] = case.disagreement(answer) is None
    if not case.binding and case.entry["expect"] == "either":
        assert answer is not None
        assert answer.accepted
    assert case.disagreement(answer) is None
    if answer is not None:
        assert official(standards).validate(answer.root)
        for error in answer.root.iterfind("{*}Error"):
            assert error.get("S") == "2.16.578.1.12.4.1.1.8221"
            assert error.get("DN")
            text = str(error.get("OT"))
            assert text
            assert not [v for v in case.entry.get("show_values", []) if v in text]


def test_a_schema_fault_and_a_missing_patient_are_two_errors(standards: Path, pakkehjem: Pakkehjem) -> None:
    del standards
    (case,) = [c for c in STATELESS if c.entry["case"] == "1-17b" and "dialog" in c.file]
    answer = answered(case, pakkehjem)
    assert answer is not None
    assert answer.codes == ["T02", "E36"]


def test_the_share_of_agreement(standards: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Reports what the table above gave, as far as it was run."""
    del standards
    binding = [case.name for case in STATELESS if case.binding and case.name in AGREED]
    with capsys.disabled():
        print(  # noqa: T201 - the report is what the test is for
            f"\nacceptance cases by command: {sum(AGREED[n] for n in binding)}/{len(binding)} of test and "
            f"standard, {sum(AGREED.values())}/{len(AGREED)} of all"
        )
    assert all(AGREED.values())


def test_every_case_is_run_somewhere(standards: Path) -> None:
    assert (standards / "examples" / "testcases" / "expected.jsonl").is_file()
    assert len(cases()) == len({case.file for case in cases()}) > len(STATELESS) > 0


UNKNOWN = [
    ("unknown service", rb"<Id>(8910031|8920031|9900031)</Id>", ["E21"]),
    ("unknown patient", rb"<(/?)(FamilyName|GivenName)>", ["T02", "E36"]),
]


@pytest.mark.parametrize(("what", "pattern", "codes"), UNKNOWN, ids=[row[0] for row in UNKNOWN])
def test_with_a_register_an_unknown_service_is_answered(
    what: str, pattern: bytes, codes: list[str], pakkehjem: Pakkehjem, config: Path, tmp_path: Path
) -> None:
    data = next(NOTES.glob("dips/01-*.xml")).read_bytes()
    start = data.index(b"<Patient>") if "patient" in what else 0
    file = tmp_path / "note.xml"
    other = rb"<\1Navn>" if "patient" in what else b"<Id>4711</Id>"
    file.write_bytes(data[:start] + re.sub(pattern, other, data[start:]))
    done = pakkehjem("apprec", file, "-c", config)
    answer = Answer.of(done.out.encode())
    assert (answer.accepted, answer.codes) == (False, codes)
