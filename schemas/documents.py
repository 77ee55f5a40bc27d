"""The files that a schema is made of, read without ever leaving the disk."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from schemas.errors import SchemaError

XS = "{http://www.w3.org/2001/XMLSchema}"

_REFERENCES = (f"{XS}import", f"{XS}include", f"{XS}redefine")

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
"""The start of an address that is no path."""


class _DiskOnly(etree.Resolver):
    """Gives libxml2 an empty document wherever a schema points at an address."""

    def resolve(  # type: ignore[override]  # the stubs forget the third argument
        self,
        system_url: str,
        public_id: str,  # noqa: ARG002 - lxml gives it
        context: Any,  # noqa: ANN401 - of a type that lxml does not show
    ) -> Any:  # noqa: ANN401 - the same
        if _ADDRESS.match(system_url) and not system_url.startswith("file:"):
            return self.resolve_string("", context, base_url=None)
        return None


def _parser() -> etree.XMLParser:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    parser.resolvers.add(_DiskOnly())
    return parser


def parse(path: Path) -> etree._ElementTree:
    """Parse a schema file.

    Raises:
        SchemaError: it can not be read, is no schema, or has a document type declaration.
    """
    try:
        tree = etree.parse(path, _parser())
    except OSError as error:
        raise SchemaError(f"{path.name} can not be read") from error
    except etree.XMLSyntaxError as error:
        raise SchemaError(f"{path.name} is not well-formed XML, line {error.lineno}") from None
    about: Any = tree.docinfo
    if about.doctype:
        raise SchemaError(f"{path.name} has a document type declaration (DOCTYPE), which is not accepted")
    if tree.getroot().tag != f"{XS}schema":
        raise SchemaError(f"{path.name} is no XML schema")
    return tree


@dataclass(frozen=True)
class Document:
    """One schema file."""

    path: Path
    namespace: str | None
    """Its target namespace; `None` for a driver, or for a part that takes that of its includer."""

    roots: tuple[str, ...]
    """Local names of the elements that it declares for all."""

    tree: etree._ElementTree
    references: tuple[tuple[Path | None, str | None], ...]
    """Imports and includes: the file (`None`: on the web, or not said), and the namespace of an import."""


def read(path: Path) -> Document:
    """Read one schema file.

    Raises:
        SchemaError: as `parse`.
    """
    tree = parse(path)
    root = tree.getroot()
    references = []
    for each in root.iterchildren(*_REFERENCES):
        location = each.get("schemaLocation")
        on_disk = location is not None and not _ADDRESS.match(location)
        target = (path.parent / location).resolve() if location is not None and on_disk else None
        references.append((target, each.get("namespace")))
    return Document(
        path=path,
        namespace=root.get("targetNamespace"),
        roots=tuple(str(each.get("name")) for each in root.iterchildren(f"{XS}element")),
        tree=tree,
        references=tuple(references),
    )


def closure(driver: Path) -> list[Document]:
    """The driver and every file that it needs, each once, the driver first.

    A file that is missing is not needed where another one gives the namespace: then nothing ever asks for it.

    Raises:
        SchemaError: as `parse`, or a file that is needed is missing.
    """
    found: dict[Path, Document] = {}
    missing: list[tuple[Path, str | None]] = []
    waiting: list[tuple[Path, str | None]] = [(driver.resolve(), None)]
    while waiting:
        path, namespace = waiting.pop(0)
        if path in found:
            continue
        if not path.is_file():
            missing.append((path, namespace))
            continue
        found[path] = read(path)
        waiting += [(target, wanted) for target, wanted in found[path].references if target is not None]
    given = {document.namespace for document in found.values()} - {None}
    for path, namespace in missing:
        if namespace not in given:
            raise SchemaError(f"{path.name}, which the schemas need, is missing")
    return list(found.values())


def declared(driver: Path) -> frozenset[str]:
    """Every element that the driver's files declare for all, in Clark notation.

    Raises:
        SchemaError: as `parse`.
    """
    files = {each.path: each for each in closure(driver)}

    def roots(document: Document) -> set[str]:
        """With those of included parts, which take the namespace of the file that includes them."""
        parts = [files[path] for path, _ in document.references if path in files]
        return set(document.roots).union(*(roots(part) for part in parts if part.namespace is None))

    return frozenset(
        f"{{{each.namespace}}}{name}"
        for each in files.values()
        if each.namespace is not None
        for name in roots(each)
    )


def compile_schema(driver: Path) -> etree.XMLSchema:
    """Compile a schema from its files, with no network.

    Raises:
        SchemaError: a file can not be used, or the files do not fit together.
    """
    tree = parse(driver)
    try:
        return etree.XMLSchema(tree)
    except etree.XMLSchemaParseError as error:
        first = error.error_log[0] if len(error.error_log) else None
        place = f" ({Path(first.filename).name}, line {first.line})" if first is not None else ""
        raise SchemaError(f"the schemas do not compile{place}: {error}") from None
