"""The official schemas, which are not part of the project: where they lie and how they get there."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lxml import etree

from schemas import documents
from schemas.documents import Document
from schemas.errors import SchemaError
from schemas.sets import DRIVER, OWN

XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"

_VERSION_IN_NAME = re.compile(r"(?P<name>.+?)[-_]v?(?P<version>\d[\d._]*)(-.*)?")
_DATE_IN_NAMESPACE = re.compile(r"/(\d{4}-\d{2}-\d{2})$")


def default_official_directory() -> Path:
    """Where the official schemas are kept: `PAKKEHJEM_SCHEMAS`, else the user's data directory."""
    if named := os.environ.get("PAKKEHJEM_SCHEMAS"):
        return Path(named)
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "pakkehjem" / "schemas"


@dataclass(frozen=True)
class SchemaInfo:
    """One schema file that is in use."""

    name: str
    namespace: str
    version: str | None
    """As the file's name says, else the date in the namespace."""

    origin: Literal["own", "official"]


def list_schemas(official: Path | None = None) -> list[SchemaInfo]:
    """The schemas in use, the own first, one for each namespace, in the order of their drivers.

    Raises:
        SchemaError: the official schemas can not be used.
    """
    found = _listed(OWN, "own")
    if official is not None and (official / DRIVER).is_file():
        found += _listed(official / DRIVER, "official")
    return found


def _listed(driver: Path, origin: Literal["own", "official"]) -> list[SchemaInfo]:
    found: dict[str, SchemaInfo] = {}
    for document in documents.closure(driver):
        if document.namespace is None or document.namespace in found:
            continue
        in_name = _VERSION_IN_NAME.fullmatch(document.path.stem)
        date = _DATE_IN_NAMESPACE.search(document.namespace)
        name = in_name["name"] if in_name else document.path.stem
        version = in_name["version"].replace("_", ".") if in_name else date[1] if date else None
        found[document.namespace] = SchemaInfo(name, document.namespace, version, origin)
    return list(found.values())


def add(source: Path, target: Path) -> list[str]:
    """Take the official schemas into use.

    Copied is what `all.xsd` needs; where there is none, every schema below `source`, and a driver is written.
    Nothing changes at `target` unless all of it compiles, offline, and then it changes at once.

    Args:
        source: a directory with an `all.xsd` in it, or one with the official files somewhere below.
        target: the directory of `SchemaSet`; what stands there is replaced.

    Returns:
        The files, relative to `target`, sorted.

    Raises:
        SchemaError: the schemas can not be used, and why.
    """
    source = source.resolve()
    if not source.is_dir():
        raise SchemaError(f"{source} is no directory")
    driver = source / DRIVER
    needed = documents.closure(driver) if driver.is_file() else _tree(source)
    files = [document for document in needed if document.path.is_relative_to(source)]
    given = {document.namespace for document in files}
    for document in needed:
        if document not in files and document.namespace not in given:
            raise SchemaError(f"a schema needs {document.path.name} outside of {source}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".schemas-") as scratch:
        fresh = Path(scratch) / "new"
        for document in files:
            copy = fresh / document.path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(document.path, copy)
        if not driver.is_file():
            _write_driver(fresh, files, source)
        documents.closure(fresh / DRIVER)
        documents.compile_schema(fresh / DRIVER)
        names = sorted(str(each.relative_to(fresh)) for each in fresh.rglob("*.xsd"))
        _replace(target, fresh, Path(scratch) / "old")
    return names


def _replace(target: Path, fresh: Path, old: Path) -> None:
    """Put a directory in the place of another; if that fails, the other stays."""
    if target.exists():
        target.rename(old)
    try:
        fresh.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise


def _tree(source: Path) -> list[Document]:
    """Every schema below a directory; W3C's schema of signatures, which has a DOCTYPE, gives way to ours."""
    found: list[Document] = []
    for path in sorted(source.rglob("*.xsd"), key=lambda each: (len(each.parts), str(each))):
        try:
            found.append(documents.read(path.resolve()))
        except SchemaError:
            if "xmldsig" not in path.name:
                raise
    if not found:
        raise SchemaError(f"{source} holds neither {DRIVER} nor any other schema")
    return found


def _write_driver(fresh: Path, files: list[Document], source: Path) -> None:
    """Import each namespace once, those first that the others need: then no address is ever looked up."""
    one_each: dict[str, Document] = {}
    for document in files:
        if document.namespace is None:
            continue
        first = one_each.setdefault(document.namespace, document)
        if _content(first) != _content(document):
            raise SchemaError(
                f"two different schemas for {document.namespace}: "
                f"{first.path.relative_to(source)} and {document.path.relative_to(source)}; keep one of them"
            )
    if XMLDSIG not in one_each:
        shutil.copyfile(OWN.parent / "signature.xsd", fresh / "signature.xsd")
    root = etree.Element(f"{documents.XS}schema", nsmap={"xs": documents.XS[1:-1]})
    if XMLDSIG not in one_each:
        etree.SubElement(root, f"{documents.XS}import", namespace=XMLDSIG, schemaLocation="signature.xsd")
    for namespace, first in _needed_first(one_each).items():
        location = first.path.relative_to(source).as_posix()
        etree.SubElement(root, f"{documents.XS}import", namespace=namespace, schemaLocation=location)
    tree = etree.ElementTree(root)
    tree.write(fresh / DRIVER, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def _content(document: Document) -> bytes:
    """What a file says, without comments: two copies of one schema may differ in those."""
    return etree.tostring(document.tree, method="c14n", with_comments=False)


def _needed_first(one_each: dict[str, Document]) -> dict[str, Document]:
    ordered: dict[str, Document] = {}
    entered: set[str] = set()

    def place(namespace: str) -> None:
        if namespace in entered or namespace not in one_each:
            return
        entered.add(namespace)
        for _, needed in one_each[namespace].references:
            if needed is not None:
                place(needed)
        ordered[namespace] = one_each[namespace]

    for namespace in one_each:
        place(namespace)
    return ordered
