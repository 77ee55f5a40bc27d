"""Every official AppRec example through the way in: read right, or refused with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from gateway.contracts.receipts import ReceiptStatus
from gateway.intake.intake import Intake, IntakePolicy, RefusedError
from gateway.ops.conversion import stateless_intake
from tests.conftest import STANDARDS

FOLDER = STANDARDS / "examples" / "apprec"
GOOD = sorted(FOLDER.glob("1.*/*.xml"))
BROKEN = sorted(FOLDER.glob("broken/*.xml"))
STATUS = {"ok": "1", "avvist": "2", "ok_feil_i_delmelding": "3", "apprec-eksempel": "3", "all-data": "1"}


@pytest.fixture(scope="module")
def way_in() -> Intake:
    return stateless_intake(IntakePolicy())


def name_of(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


def test_there_are_examples(standards: Path) -> None:
    assert standards.is_dir()
    assert len(GOOD) >= 9
    assert len(BROKEN) >= 2


@pytest.mark.parametrize("path", GOOD, ids=name_of)
def test_an_example_is_read_with_its_status_codes_and_original(path: Path, way_in: Intake) -> None:
    data = path.read_bytes()
    apprec = way_in.open(data).apprec
    assert apprec is not None
    root = etree.fromstring(data)
    status = root.find("{*}Status")
    original = root.find("{*}OriginalMsgId/{*}Id")
    assert status is not None
    assert original is not None
    assert apprec.version == path.parent.name
    assert apprec.id == str(root.findtext("{*}Id")).strip()
    assert apprec.status == status.get("V")
    assert apprec.original.id == str(original.text).strip()
    errors = root.findall("{*}Error")
    assert [(f.code, f.text, f.detail) for f in apprec.faults] == [
        (e.get("V"), e.get("DN"), e.get("OT")) for e in errors
    ]
    named = next((value for key, value in STATUS.items() if path.stem.endswith(key)), None)
    if named is not None:
        assert apprec.status == named
    known = apprec.status in set(ReceiptStatus)
    assert known is not path.stem.endswith("unknown-status")
    assert apprec.positive is (apprec.status in {"1", "3"})


@pytest.mark.parametrize("path", BROKEN, ids=name_of)
def test_a_broken_example_is_refused_with_a_reason(path: Path, way_in: Intake) -> None:
    with pytest.raises(RefusedError) as refused:
        way_in.open(path.read_bytes())
    assert refused.value.reason == "schema"
    assert [f.code for f in refused.value.faults] == ["T02"]
    assert "schema" in refused.value.message
    assert "linje" in (refused.value.faults[0].detail or "")
