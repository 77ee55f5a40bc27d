"""`adapters check`: the contract that every adapter keeps, tried on its fixtures."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from gateway.contracts.errors import AdapterError, ConfigurationError
from gateway.contracts.messages import Message
from gateway.contracts.ports import Adapter, AdapterSet
from gateway.contracts.reading import Reading
from gateway.contracts.registry import Registry
from gateway.contracts.summary import Summary
from gateway.formats.summary_xml import read_summary, write_summary
from gateway.intake.intake import IntakePolicy, RefusedError
from gateway.ops.adapter_kit.comparison import Comparison
from gateway.ops.conversion import stateless_intake
from gateway.ops.samples import notes_directory
from gateway.rendering import render_text
from gateway.security.gate import parse

_POLICY = IntakePolicy(message_id_must_be_uuid="never")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One fixture."""

    file: str
    problems: tuple[str, ...]


def find(name: str, adapters: AdapterSet, folder: Path) -> tuple[Adapter, Path]:
    """An adapter with the folder of its fixtures: installed, or a scaffold in `folder`.

    Raises:
        ConfigurationError: there is none of that name, or it can not be loaded.
    """
    package = folder / name
    if (package / "fixtures").is_dir():
        return _from_folder(name, package), package / "fixtures"
    adapter = adapters.named(name)
    if adapter is None:
        raise ConfigurationError(
            f"there is no adapter {name}, and no folder {name} with fixtures here",
            hint="pakkehjem adapters list shows what is installed; adapters new makes one",
        )
    fixtures = notes_directory() / name
    if not fixtures.is_dir():
        raise ConfigurationError(
            f"the adapter {name} is installed, but its fixtures are not here",
            hint=f"run it in the folder that holds {name}, or name that folder with --directory",
        )
    return adapter, fixtures


def _from_folder(name: str, package: Path) -> Adapter:
    """The adapter of a package that is not installed."""
    source = package / f"{name}_adapter" / "__init__.py"
    class_name = "".join(part.capitalize() for part in name.split("_"))
    spec = importlib.util.spec_from_file_location(f"{name}_adapter", source)
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"{source} can not be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
        return cast("Adapter", getattr(module, class_name)())
    except Exception as error:
        raise ConfigurationError(f"{source} can not be loaded: {type(error).__name__}: {error}") from error


def check(adapter: Adapter, fixtures: Path, registry: Registry | None) -> Iterator[Outcome]:
    """Try the contract on each fixture.

    Raises:
        ConfigurationError: there are no fixtures.
    """
    files = sorted(fixtures.rglob("*.xml"))
    if not files:
        raise ConfigurationError(f"{fixtures} holds no fixtures (NAME.xml with NAME.expected.json)")
    for file in files:
        yield Outcome(str(file.relative_to(fixtures)), tuple(_problems(adapter, file, registry)))


def _problems(adapter: Adapter, file: Path, registry: Registry | None) -> Iterator[str]:
    expected: dict[str, Any] = {}
    beside = file.with_suffix(".expected.json")
    if beside.exists():
        expected = json.loads(beside.read_text(encoding="utf-8"))
    else:
        yield f"{beside.name} is missing: what does a person read in it?"
    try:
        message = stateless_intake(_POLICY).open(file.read_bytes()).message
    except RefusedError as error:
        if not expected.get("broken"):
            yield f"refused before it is read ({error.reason}): {error.message}"
        return
    if expected.get("broken"):
        yield "is declared broken, and is not"
        return
    if message is None:
        yield "is an AppRec"
        return
    yield from _reads(adapter, message, expected, registry)


def _reads(
    adapter: Adapter, message: Message, expected: dict[str, Any], registry: Registry | None
) -> Iterator[str]:
    if not adapter.recognises(message):
        yield "is not recognised as a message of this system"
    try:
        reading = adapter.read(message, registry)
        again = adapter.read(message, registry)
    except AdapterError as error:
        if "error" not in expected:
            yield f"can not be read: {error.message}"
        return
    except Exception as error:  # noqa: BLE001 - the contract: nothing but AdapterError
        yield f"raises {type(error).__name__}; only AdapterError may be raised"
        return
    if reading != again:
        yield "gives another result when it is read again"
    yield from _noticed(expected, reading)
    if "PH001" not in reading.noticed:
        yield from _summary(expected, message, reading.summary)


def _noticed(expected: dict[str, Any], reading: Reading) -> Iterator[str]:
    is_note = "PH001" not in reading.noticed
    if "summary" in expected and is_note is (expected["summary"] is None):
        yield "is taken for a note, and is none" if is_note else "is a note, and is not taken for one"
    for code in expected.get("noticed", ()):
        if code not in reading.noticed:
            yield f"{code} is not noticed"


def _summary(expected: dict[str, Any], message: Message, summary: Summary) -> Iterator[str]:
    comparison = Comparison(expected.get("lenient", ()), tuple(expected.get("optional", {})))
    for path in comparison.differences(expected.get("summary") or {}, summary.model_dump(mode="json")):
        yield f"{path} is not as expected"
    note = summary.note or ""
    for block in message.texts:
        lost = [line for line in block.text.splitlines() if line.strip() and line.strip() not in note]
        if lost:
            yield f"the note has lost {len(lost)} lines of {block.place}"
    if read_summary(parse(write_summary(summary))) != summary:
        yield "the summary does not survive its XML"
    if not render_text(summary):
        yield "the summary can not be written for a person"
