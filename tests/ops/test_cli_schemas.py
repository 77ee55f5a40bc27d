"""`schemas`: what messages are validated against."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ops.conftest import Pakkehjem

SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{namespace}">
<xs:element name="{name}" type="xs:string"/></xs:schema>"""


@pytest.fixture
def target(pakkehjem: Pakkehjem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    assert callable(pakkehjem)
    monkeypatch.setenv("PAKKEHJEM_SCHEMAS", str(tmp_path / "target"))
    return tmp_path / "target"


@pytest.fixture
def published(tmp_path: Path) -> Path:
    folder = tmp_path / "published"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "thing-v1.0.xsd").write_text(SCHEMA.format(namespace="urn:thing", name="Thing"))
    (folder / "other-v2.xsd").write_text(SCHEMA.format(namespace="urn:other", name="Other"))
    return folder


def test_the_projects_own_are_listed(pakkehjem: Pakkehjem) -> None:
    done = pakkehjem("schemas", "list", "--json")
    assert (done.code, done.err) == (0, "")
    rows = done.json()
    assert all(list(row) == ["name", "namespace", "version", "origin"] for row in rows)
    assert {row["origin"] for row in rows} == {"own"}
    names = {(row["name"], row["version"]) for row in rows}
    assert {("msghead", "1.2"), ("dialogmelding", "1.1"), ("epikrise", "1.2"), ("apprec", "1.0")} <= names
    text = pakkehjem("schemas", "list")
    assert text.out.splitlines()[0].split() == ["name", "version", "origin", "namespace"]
    assert max(map(len, text.out.splitlines())) <= 100


def test_official_ones_apply_as_well_once_added(pakkehjem: Pakkehjem, target: Path, published: Path) -> None:
    file = published.parent / "message.xml"
    file.write_text('<Thing xmlns="urn:thing">x</Thing>')
    assert pakkehjem("validate", file).code == 1
    done = pakkehjem("schemas", "add", published)
    assert done.code == 0
    assert str(target) in done.out
    official = [row for row in pakkehjem("schemas", "list", "--json").json() if row["origin"] == "official"]
    assert {"urn:thing", "urn:other"} <= {row["namespace"] for row in official}
    assert (target / "deep" / "thing-v1.0.xsd").is_file()


def test_the_official_tree_as_published(pakkehjem: Pakkehjem, target: Path, standards: Path) -> None:
    done = pakkehjem("schemas", "add", standards / "xsd")
    assert done.code == 0, done.err
    assert (target / "all.xsd").is_file()
    assert any(row["origin"] == "official" for row in pakkehjem("schemas", "list", "--json").json())


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.xsd", "<broken", "not well-formed"),
        ("a.xsd", "<no-schema/>", "no XML schema"),
        ("a.txt", "x", "neither all.xsd nor any other schema"),
        ("a.xsd", '<!DOCTYPE a><xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"/>', "DOCTYPE"),
    ],
)
def test_what_can_not_be_used_changes_nothing(
    name: str, content: str, said: str, pakkehjem: Pakkehjem, target: Path, published: Path
) -> None:
    assert pakkehjem("schemas", "add", published).code == 0
    before = sorted(target.rglob("*"))
    broken = published.parent / "broken"
    broken.mkdir()
    (broken / name).write_text(content)
    for source in (broken, published.parent / "none", broken / name):
        done = pakkehjem("schemas", "add", source)
        assert done.code == 1
        assert done.err.startswith(f"pakkehjem: {source}: ")
        assert done.err.endswith("nothing was changed\n")
        assert len(done.err.splitlines()) == 1
        assert done.out == ""
    assert said in pakkehjem("schemas", "add", broken).err
    assert sorted(target.rglob("*")) == before


def test_a_place_that_can_not_be_written_is_named(
    pakkehjem: Pakkehjem, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAKKEHJEM_SCHEMAS", "/proc/no/such/place")
    done = pakkehjem("schemas", "add", published)
    assert done.code == 1
    assert len(done.err.splitlines()) == 1
    assert "/proc/no" in done.err
