"""Taking official schemas into use. The schemas here are made up, but for the tests that say otherwise."""

from __future__ import annotations

import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from schemas import SchemaError, SchemaSet, add, default_official_directory, list_schemas
from tests.conftest import NOTES
from tests.schemas import corpus

XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'
DOCTYPE = '<!DOCTYPE xs:schema [<!ENTITY a "b">]>'


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def _schema(namespace: str, body: str) -> str:
    return f'<xs:schema {XS} targetNamespace="{namespace}" elementFormDefault="qualified">{body}</xs:schema>'


def _letter(location: str = "../shared/words.xsd") -> str:
    return _schema(
        "urn:letter/2020-01-01",
        f'<xs:import namespace="urn:words" schemaLocation="{location}"/>'
        '<xs:element name="Letter" type="w:Word" xmlns:w="urn:words"/>',
    )


WORDS = _schema("urn:words", '<xs:simpleType name="Word"><xs:restriction base="xs:date"/></xs:simpleType>')
DRIVER = (
    f'<xs:schema {XS}><xs:import namespace="urn:letter/2020-01-01" '
    'schemaLocation="letters/letter.xsd"/></xs:schema>'
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    _write(tmp_path / "source/letters/letter.xsd", _letter())
    _write(tmp_path / "source/shared/words.xsd", WORDS)
    return tmp_path / "source"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "data" / "schemas"


def _letter_of(day: str) -> etree._Element:
    return etree.fromstring(f"<Letter xmlns='urn:letter/2020-01-01'>{day}</Letter>")


def _works(target: Path) -> bool:
    schemas = SchemaSet(target)
    return schemas.is_valid(_letter_of("2026-03-02")) and not schemas.is_valid(_letter_of("2. mars"))


def test_a_directory_with_a_driver(source: Path, target: Path) -> None:
    _write(source / "all.xsd", DRIVER)
    _write(source / "unused.xsd", "not even XML")
    assert add(source, target) == ["all.xsd", "letters/letter.xsd", "shared/words.xsd"]
    assert _works(target)
    (fault,) = SchemaSet(target).faults(_letter_of("2. mars"))
    assert fault.code == "value-not-allowed"
    assert "a date such as" in fault.message


def test_a_tree_of_files_gets_a_driver(source: Path, target: Path) -> None:
    shutil.copy(source / "shared/words.xsd", source / "letters/words.xsd")
    names = add(source, target)
    assert set(names) >= {"all.xsd", "letters/letter.xsd", "shared/words.xsd"}
    assert _works(target)


def test_own_schemas_stay_in_force(source: Path, target: Path) -> None:
    add(source, target)
    note = corpus.parse(next(NOTES.glob("dips/01-*.xml")))
    assert note is not None
    assert SchemaSet(target).is_valid(note)


def test_what_is_added_replaces_what_was_there(source: Path, target: Path) -> None:
    add(source, target)
    _write(target / "old.xsd", WORDS)
    add(source, target)
    assert not (target / "old.xsd").exists()
    assert _works(target)
    assert [each.name for each in target.parent.iterdir()] == ["schemas"]


BROKEN = [
    ("shared/words.xsd", DOCTYPE + WORDS, "words.xsd has a document type declaration"),
    ("shared/words.xsd", "<xs:schema", "words.xsd is not well-formed XML, line 1"),
    ("shared/words.xsd", "<html/>", "words.xsd is no XML schema"),
    ("shared/words.xsd", _schema("urn:words", '<xs:simpleType name="Other"/>'), "do not compile"),
    ("shared/words.xsd", _schema("urn:other", ""), "do not compile|is missing"),
]
BROKEN_WITH_A_DRIVER = [
    ("letters/letter.xsd", _letter("../../words.xsd"), "needs words.xsd outside of"),
    ("letters/letter.xsd", _letter("../absent.xsd"), "absent.xsd, which the schemas need, is missing"),
    ("letters/letter.xsd", _letter("http://127.0.0.1:9/words.xsd"), "do not compile"),
]
BROKEN_WITHOUT = [
    (
        "letters/words.xsd",
        _schema("urn:words", "<xs:element name='A'/>"),
        "two different schemas for urn:words",
    ),
]


@pytest.mark.parametrize(
    ("with_driver", "file", "text", "sentence"),
    [
        *((True, *case) for case in BROKEN + BROKEN_WITH_A_DRIVER),
        *((False, *case) for case in BROKEN + BROKEN_WITHOUT),
    ],
)
def test_what_can_not_be_used_changes_nothing(
    source: Path, target: Path, *, with_driver: bool, file: str, text: str, sentence: str
) -> None:
    add(source, target)
    if with_driver:
        _write(source / "all.xsd", DRIVER)
    _write(source.parent / "words.xsd", WORDS)
    _write(source / file, text)
    with pytest.raises(SchemaError, match=sentence):
        add(source, target)
    assert _works(target)
    assert [each.name for each in target.parent.iterdir()] == ["schemas"]


@pytest.mark.parametrize("location", ["../../words.xsd", "../absent.xsd", "http://127.0.0.1:9/words.xsd"])
def test_where_an_import_points_does_not_matter_if_the_tree_has_the_namespace(
    source: Path, target: Path, location: str
) -> None:
    _write(source.parent / "words.xsd", WORDS)
    _write(source / "letters/letter.xsd", _letter(location))
    add(source, target)
    assert _works(target)


def test_nothing_to_add(tmp_path: Path, target: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SchemaError, match=r"holds neither all\.xsd nor any other schema"):
        add(tmp_path / "empty", target)
    with pytest.raises(SchemaError, match="no directory"):
        add(tmp_path / "absent", target)
    assert not target.exists()


def test_a_failed_exchange_leaves_the_old_schemas(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(source, target)
    rename = Path.rename

    def refuse(self: Path, to: Path) -> Path:
        if self.name == "new":
            raise PermissionError
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(PermissionError):
        add(source, target)
    monkeypatch.undo()
    assert _works(target)


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """A web server that notes what it is asked for."""
    requests: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(WORDS.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", requests
    server.shutdown()
    thread.join()
    server.server_close()


def test_nothing_is_ever_fetched(source: Path, target: Path, asked: tuple[str, list[str]]) -> None:
    address, requests = asked
    _write(source / "all.xsd", DRIVER)
    _write(source / "letters/letter.xsd", _letter(f"{address}/words.xsd"))
    with pytest.raises(SchemaError):
        add(source, target)
    (source / "all.xsd").unlink()
    add(source, target)
    hint = _letter_of("2. mars")
    hint.set("{http://www.w3.org/2001/XMLSchema-instance}schemaLocation", f"urn:words {address}/words.xsd")
    both = SchemaSet(target)
    assert not both.is_valid(hint)
    assert both.faults(hint)
    assert requests == []


def test_without_official_schemas_the_own_ones_serve(tmp_path: Path) -> None:
    note = corpus.parse(next(NOTES.glob("dips/01-*.xml")))
    assert note is not None
    for directory in (None, tmp_path, tmp_path / "absent"):
        assert SchemaSet(directory).is_valid(note)


def test_where_the_official_schemas_lie(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PAKKEHJEM_SCHEMAS", str(tmp_path / "here"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert default_official_directory() == tmp_path / "here"
    monkeypatch.delenv("PAKKEHJEM_SCHEMAS")
    assert default_official_directory() == tmp_path / "data" / "pakkehjem" / "schemas"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_official_directory() == tmp_path / ".local" / "share" / "pakkehjem" / "schemas"


def test_the_list_names_versions_and_origin(source: Path, target: Path) -> None:
    own = {(each.name, each.version): each for each in list_schemas(target)}
    assert own["epikrise", "1.2"].namespace == "http://www.kith.no/xmlstds/epikrise/2012-02-15"
    assert own["summary", "1"].namespace == "urn:pakkehjem:summary:1"
    assert {each.origin for each in own.values()} == {"own"}
    add(source, target)
    official = [each for each in list_schemas(target) if each.origin == "official"]
    assert [(each.name, each.namespace, each.version) for each in official if each.name != "signature"] == [
        ("words", "urn:words", None),
        ("letter", "urn:letter/2020-01-01", "2020-01-01"),
    ]


def test_the_real_ones_with_and_without_a_driver(standards: Path, target: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(standards / "xsd", tree)
    message = corpus.parse(standards / "examples/plo/1.6/Innleggelsesrapport_v1-6_Ny.xml")
    assert message is not None
    for with_driver in (True, False):
        if not with_driver:
            (tree / "all.xsd").unlink()
        names = add(tree, target)
        assert "msghead/1.2/MsgHead-v1_2.xsd" in names
        both = SchemaSet(target)
        assert both.is_valid(message)
        assert not SchemaSet().covers(message)
