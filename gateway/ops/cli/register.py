"""`pakkehjem register`: who is who on the health network, as the gateway sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from adapters import installed
from gateway.contracts.errors import EXIT_DONE, EXIT_NO, GatewayError
from gateway.contracts.registry import Endpoint, Hospital, HospitalUnit
from gateway.ops.certificate_list import Listed, Purpose, certificates
from gateway.ops.cli.options import config_option, json_option
from gateway.ops.configuration import Configuration, load
from gateway.ops.console import print_json, say, table
from gateway.ops.counted import counted
from gateway.ops.flagged_entries import Flagged, flagged_entries
from gateway.ops.register_check import Inconsistency, inconsistencies
from gateway.routing.register_file import RegisterFile


class NotInRegisterError(GatewayError):
    """The register has no such entry."""

    code = "not-in-register"
    exit_code = EXIT_NO


@click.group()
def command() -> None:
    """Look up who is in the address register; check it, and certificates.

    Example: pakkehjem register lookup 5001
    """


class _Register:
    """The register with the certificates that belong to it."""

    def __init__(self, configuration: Configuration) -> None:
        self.file = configuration.path(configuration.registry.file)
        self.register = RegisterFile.load(self.file)
        self.certificates = certificates(configuration)
        self.flagged: dict[str, Flagged] = {}
        self.unread: GatewayError | None = None
        """Why the journal could not be asked for flagged entries"""
        try:
            self.flagged = {each.her_id: each for each in flagged_entries(self.register, configuration)}
        except GatewayError as error:
            self.unread = error
        self._now = datetime.now(UTC)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Everyone, in the order of the file."""
        for hospital in self.register.hospitals:
            yield self.hospital(hospital)
            yield from (self.unit(u) for u in self.register.units if u.hospital.her_id == hospital.her_id)
        yield from (self.endpoint(endpoint) for endpoint in self.register.endpoints)

    def hospital(self, entry: Hospital) -> dict[str, Any]:
        return {
            "kind": "hospital",
            "her_id": entry.her_id,
            "name": entry.name,
            "org_no": entry.org_no,
            "systems": list(entry.systems),
            "queue": entry.queue,
            "record_system_queue": entry.record_system_queue,
            "reads": [each.value for each in entry.reads],
            "certificate": self._certificate(Purpose.SIGNING, entry.org_no),
        }

    @staticmethod
    def unit(entry: HospitalUnit) -> dict[str, Any]:
        return {
            "kind": "unit",
            "her_id": entry.her_id,
            "name": entry.name,
            "hospital": entry.hospital.her_id,
            "mailbox": entry.mailbox,
            "reads": [each.value for each in entry.reads],
        }

    def endpoint(self, entry: Endpoint) -> dict[str, Any]:
        return {
            "kind": entry.kind.value,
            "her_id": entry.her_id,
            "name": entry.name,
            "organisation": entry.organisation_name,
            "organisation_her_id": entry.organisation_her_id,
            "org_no": entry.org_no,
            "municipality_code": entry.municipality_code,
            "hpr": entry.hpr,
            "accepts": [each.value for each in entry.accepts],
            "queue": entry.queue,
            "epj": entry.epj,
            "protection": entry.protection.value,
            "certificate": self._certificate(
                Purpose.RECEIVER, entry.her_id, entry.organisation_her_id, entry.org_no
            ),
            "flagged": self.flagged[entry.her_id].document() if entry.her_id in self.flagged else None,
        }

    def inconsistencies(self) -> list[Inconsistency]:
        """What receivers say of their entries."""
        found = [each.inconsistency() for each in self.flagged.values()]
        if self.unread is not None:
            text = f"what receivers say of their entries is not known: {self.unread.message}"
            found.append(Inconsistency(entry="-", text=text, hint="pakkehjem doctor", grave=False))
        return found

    def _certificate(self, purpose: Purpose, *names: str | None) -> dict[str, Any] | None:
        found = {each.name: each for each in self.certificates if each.purpose is purpose}
        for name in names:
            if name is not None and name in found:
                return self.certificate(found[name])
        return None

    def certificate(self, listed: Listed) -> dict[str, Any]:
        return {
            "purpose": listed.purpose.value,
            "name": listed.name,
            "not_after": listed.not_after.isoformat() if listed.not_after is not None else None,
            "days_left": listed.days_left(self._now),
            "problems": [problem.text for problem in listed.problems],
        }


@command.command("list")
@config_option
@json_option
def list_entries(config: Path | None, *, as_json: bool) -> int:
    """List hospitals with their units, municipalities, GPs; then certificates with their days left.

    Entries that are flagged, because their receivers say that they are not there, are named below.

    Example: pakkehjem register list -c gateway.toml
    """
    found = _Register(load(config))
    rows = list(found.rows())
    listed = [found.certificate(each) for each in found.certificates]
    if as_json:
        print_json({"entries": rows, "certificates": listed})
        return EXIT_DONE
    table(
        ["kind", "HER-id", "code", "name", "accepts", "days"],
        [
            (
                row["kind"],
                row["her_id"],
                row.get("municipality_code"),
                _full_name(row),
                " ".join(row.get("accepts") or row.get("systems") or ()),
                (row.get("certificate") or {}).get("days_left"),
            )
            for row in rows
        ],
        whole=("kind", "HER-id", "code"),
    )
    if told := found.inconsistencies():
        click.echo()
        table(
            ["flagged", "what, and what to do"],
            [(each.entry, f"{each.text}\n→ {each.hint}") for each in told],
        )
    click.echo()
    table(
        ["certificate", "of", "ends", "days left", "problem"],
        [
            (
                each["purpose"],
                each["name"],
                (each["not_after"] or "")[:10],
                each["days_left"],
                "; ".join(each["problems"]),
            )
            for each in listed
        ],
        whole=("certificate", "of", "ends"),
    )
    say(f"{counted(len(rows), 'entry', 'entries')}, {counted(len(listed), 'certificate')}")
    return EXIT_DONE


def _full_name(row: Mapping[str, Any]) -> str:
    organisation = row.get("organisation")
    return f"{organisation}: {row['name']}" if organisation else str(row["name"])


@command.command("lookup")
@click.argument("what", metavar="CODE|HER-ID|HPR|NAME")
@config_option
@json_option
def lookup(what: str, config: Path | None, *, as_json: bool) -> int:
    """Find entries by municipality code, HER-id, HPR number, organisation number, or a part of the name.

    A bydel without an entry of its own is its city's; a HER-id of an organisation finds its services.

    Example: pakkehjem register lookup trondheim
    """
    found = _Register(load(config))
    rows = [row for row in found.rows() if _matches(row, what.strip())]
    by_code = found.register.municipality(what.strip())
    if not rows and by_code is not None:
        rows = [found.endpoint(by_code)]
    if not rows:
        raise NotInRegisterError(
            f"{found.file} has no entry for {what}", hint="pakkehjem register list shows all of them"
        )
    if as_json:
        print_json(rows)
        return EXIT_DONE
    for number, row in enumerate(rows):
        if number:
            click.echo()
        table(["", ""], [(key, _text(value)) for key, value in row.items() if value not in (None, [])])
    return EXIT_DONE


def _matches(row: Mapping[str, Any], what: str) -> bool:
    numbers = ("her_id", "organisation_her_id", "org_no", "municipality_code", "hpr", "mailbox")
    if what.isdecimal():
        return any(row.get(name) in (what, what.lstrip("0")) and row.get(name) for name in numbers)
    return what.casefold() in _full_name(row).casefold()


def _text(value: object) -> str:
    if isinstance(value, Mapping) and "codes" in value:
        return f"{' '.join(value['codes'])}, {value['notes']} waiting since {value['since'][:10]}"
    if isinstance(value, Mapping):
        problems = "".join(f"; {problem}" for problem in value["problems"])
        return f"{value['purpose']}, {counted(value['days_left'], 'day')} left{problems}"
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


@command.command("check")
@config_option
@json_option
def check(config: Path | None, *, as_json: bool) -> int:
    """Tell what is inconsistent: shared ids and queues, formats that nobody writes, missing keys.

    And which entries are flagged, because their receivers say that they are not there.

    Exit code 1 where messages would not arrive.

    Example: pakkehjem register check -c gateway.toml
    """
    configuration = load(config)
    read = _Register(configuration)
    found = inconsistencies(
        read.register,
        configuration,
        certificates=read.certificates,
        systems=[adapter.name for adapter in installed().adapters],
    )
    found += read.inconsistencies()
    if as_json:
        print_json(
            [
                {"entry": each.entry, "grave": each.grave, "text": each.text, "hint": each.hint}
                for each in found
            ]
        )
    else:
        if found:
            table(
                ["entry", "", "what, and what to do"],
                [
                    (each.entry, "fault" if each.grave else "warning", f"{each.text}\n→ {each.hint}")
                    for each in found
                ],
                whole=("entry", ""),
            )
        say(f"{read.file}: {len(found)} inconsistencies" if found else f"{read.file} is consistent")
    return EXIT_NO if any(each.grave for each in found) else EXIT_DONE
