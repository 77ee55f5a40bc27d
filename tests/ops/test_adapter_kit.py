"""The kit: a scaffold that works at once, and a contract that finds what breaks it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters import AdapterRegistry, installed
from gateway.contracts.errors import ConfigurationError
from gateway.ops.adapter_kit.check import check, find
from gateway.ops.adapter_kit.comparison import Comparison
from gateway.ops.cli import exit_code
from gateway.routing.register_file import RegisterFile
from tests.conftest import FIXTURES, REGISTRY


@pytest.fixture
def package(tmp_path: Path) -> Path:
    assert exit_code(["adapters", "new", "demo_epj", "--directory", str(tmp_path)]) == 0
    return tmp_path / "demo_epj"


def checked(package: Path) -> int:
    return exit_code(["adapters", "check", "demo_epj", "--directory", str(package.parent)])


def test_a_new_adapter_keeps_the_contract_at_once(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(package) == 0
    assert "2 of 2" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["dips", "doculive", "helseplattformen"])
def test_the_built_in_adapters_keep_the_contract(name: str) -> None:
    adapter, fixtures = find(name, installed(), Path("/nonexistent"))
    outcomes = list(check(adapter, fixtures, RegisterFile.load(REGISTRY)))
    assert len(outcomes) == 20
    assert [(o.file, o.problems) for o in outcomes if o.problems] == []


EXAMPLE = FIXTURES / "adapters" / "fjordklinikken"


def test_the_worked_example_keeps_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["adapters", "check", "fjordklinikken", "--directory", str(EXAMPLE.parent)]) == 0
    assert "1 of 1" in capsys.readouterr().err


def test_the_worked_example_is_a_file_of_differences_a_mapping_and_a_fixture() -> None:
    files = {p.relative_to(EXAMPLE).as_posix() for p in EXAMPLE.rglob("*.*") if "__pycache__" not in p.parts}
    assert files == {
        "pyproject.toml",
        "README.md",
        "fjordklinikken_adapter/__init__.py",
        "fjordklinikken_adapter/mapping.toml",
        "fixtures/good/01-melanom.xml",
        "fixtures/good/01-melanom.expected.json",
    }
    module = (EXAMPLE / "fjordklinikken_adapter" / "__init__.py").read_text(encoding="utf-8")
    assert len(module.splitlines()) <= 40


def test_an_installed_adapter_without_its_fixtures_says_where_to_run_it(package: Path) -> None:
    adapter, _ = find("demo_epj", installed(), package.parent)
    registry = AdapterRegistry([adapter])
    with pytest.raises(ConfigurationError, match="fixtures are not here") as error:
        find("demo_epj", registry, Path("/nonexistent"))
    assert "--directory" in (error.value.hint or "")


def in_module(package: Path, old: str, new: str) -> None:
    module = package / "demo_epj_adapter" / "__init__.py"
    text = module.read_text()
    assert old in text
    module.write_text(text.replace(old, new))


def raises_another_error(package: Path) -> None:
    in_module(
        package,
        "    def marks(",
        "    def read(self, message, registry):\n        raise KeyError(registry)\n\n    def marks(",
    )


def recognises_nothing(package: Path) -> None:
    in_module(package, "Format.DIALOGMELDING_1_0, Format.DIALOGMELDING_1_1", "Format.PLO_1_6")


def expects_another_score(package: Path) -> None:
    file = package / "fixtures" / "good" / "01-startet.expected.json"
    document = json.loads(file.read_text())
    document["summary"]["survey"]["distress_score"] = 6
    file.write_text(json.dumps(document))


def expects_a_need_that_is_not_there(package: Path) -> None:
    file = package / "fixtures" / "good" / "01-startet.expected.json"
    document = json.loads(file.read_text())
    document["summary"]["needs"].append({"text": "Trygghetsalarm"})
    file.write_text(json.dumps(document))


def takes_a_note_for_none(package: Path) -> None:
    file = package / "fixtures" / "good" / "01-startet.xml"
    file.write_text(file.read_text().replace("akkeforløp hjem", "akkeforløp bryst"))


def lacks_an_expectation(package: Path) -> None:
    (package / "fixtures" / "good" / "01-startet.expected.json").unlink()


def is_not_valid(package: Path) -> None:
    file = package / "fixtures" / "good" / "01-startet.xml"
    file.write_text(file.read_text().replace("<MIGversion>", "<Annet>1</Annet><MIGversion>"))


@pytest.mark.parametrize(
    ("breaks", "says"),
    [
        (raises_another_error, "raises KeyError"),
        (recognises_nothing, "not recognised"),
        (expects_another_score, "survey.distress_score"),
        (expects_a_need_that_is_not_there, "needs[1]"),
        (takes_a_note_for_none, "not taken for one"),
        (lacks_an_expectation, "01-startet.expected.json is missing"),
        (is_not_valid, "refused before it is read (schema)"),
    ],
)
def test_what_breaks_the_contract_is_told(
    package: Path, capsys: pytest.CaptureFixture[str], breaks: Callable[[Path], None], says: str
) -> None:
    breaks(package)
    assert checked(package) == 1
    assert says in capsys.readouterr().out


def test_a_module_that_does_not_load_is_named(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    in_module(package, "from typing import ClassVar", "from typing import ClassVar, Missing")
    assert checked(package) == 3
    assert "demo_epj_adapter" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["Demo", "1st", "a", "demo-epj", "../demo"])
def test_a_name_that_can_be_no_module_is_refused(tmp_path: Path, name: str) -> None:
    assert exit_code(["adapters", "new", name, "--directory", str(tmp_path)]) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["dips", "doculive", "helseplattformen"])
def test_a_name_that_an_installed_adapter_has_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert exit_code(["adapters", "new", name, "--directory", str(tmp_path)]) == 2
    message, hint = capsys.readouterr().err.splitlines()
    assert f"an adapter {name} is installed already" in message
    assert "choose another name" in hint
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_an_adapter_of_another_distribution_has_is_refused(
    package: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter, _ = find("demo_epj", installed(), package.parent)
    monkeypatch.setattr("gateway.ops.cli.adapters.installed", lambda: AdapterRegistry([adapter]))
    elsewhere = package / "elsewhere"
    assert exit_code(["adapters", "new", "demo_epj", "--directory", str(elsewhere)]) == 2
    assert "an adapter demo_epj is installed already" in capsys.readouterr().err
    assert not elsewhere.exists()


def test_nothing_is_written_over(package: Path) -> None:
    before = {p: p.read_bytes() for p in package.rglob("*") if p.is_file()}
    assert exit_code(["adapters", "new", "demo_epj", "--directory", str(package.parent)]) == 2
    assert {p: p.read_bytes() for p in package.rglob("*") if p.is_file()} == before


def test_an_unknown_adapter_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert exit_code(["adapters", "check", "nobody", "--directory", str(tmp_path)]) == 3
    assert "nobody" in capsys.readouterr().err


def test_the_list_names_every_adapter(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["adapters", "list", "--json"]) == 0
    assert {"dips", "doculive", "helseplattformen"} <= {
        row["name"] for row in json.loads(capsys.readouterr().out)
    }


def test_comparison() -> None:
    compare = Comparison(lenient=["strains[0].area"], optional=["needs"])
    expected = {"strains": [{"area": "family", "text": "redd"}], "needs": [], "what_matters": None}
    same = {
        "strains": [{"area": None, "text": "Er redd for tilbakefall"}],
        "needs": [{"text": "x"}],
        "what_matters": None,
        "more": 1,
    }
    assert list(compare.differences(expected, same)) == []
    assert list(compare.differences(expected, {**same, "strains": []})) == ["strains[0]"]
    assert list(compare.differences(expected, {**same, "what_matters": "arbeid"})) == ["what_matters"]
    assert list(Comparison().differences({"needs": []}, same)) == ["needs"]
