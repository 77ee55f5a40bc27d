"""The address register as a TOML file: hospitals with their units, municipalities, GPs."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.contracts.errors import ConfigurationError
from gateway.contracts.messages import Format
from gateway.contracts.registry import (
    ContentCipher,
    Endpoint,
    Hospital,
    HospitalUnit,
    PartyKind,
    Protection,
)
from gateway.contracts.summary import HerId, MunicipalityCode
from gateway.routing.municipalities import MunicipalityTable


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


_Dialogue = Literal[Format.DIALOGMELDING_1_0, Format.DIALOGMELDING_1_1]
_Reads = Annotated[tuple[_Dialogue, ...], Field(min_length=1)]
_READS: Final = (Format.DIALOGMELDING_1_0,)
"""What every record system takes: DIPS, DocuLive and Helseplattformen send it"""


class _UnitEntry(_Entry):
    name: str
    her_id: HerId
    mailbox: HerId | None = None
    successor: HerId | None = None
    """HER-id of the unit that took over: what comes for a closed unit goes to its mailbox"""
    reads: _Reads | None = None


class _HospitalEntry(_Entry):
    name: str
    her_id: HerId
    org_no: str | None = None
    systems: tuple[str, ...] = ()
    queue: str | None = None
    record_system_queue: str | None = None
    reads: _Reads = _READS
    """In which versions of the Dialogmelding replies reach it, the best first"""
    unit: tuple[_UnitEntry, ...] = ()


class _Service(_Entry):
    name: str
    her_id: HerId


class _ReceiverEntry(_Entry):
    accepts: Annotated[tuple[Format, ...], Field(min_length=1)]
    queue: str | None = None
    org_no: str | None = None
    attaches_summary: bool = False
    protection: Protection = Protection.SIGNATURE
    encryption: ContentCipher = ContentCipher.AES_256_CBC


class _MunicipalityEntry(_ReceiverEntry):
    code: MunicipalityCode
    name: str
    her_id: HerId
    service: _Service
    epj: str | None = None
    postal_codes: tuple[str, ...] = ()
    """`"7240"`, or a range `"7240-7250"`: what this municipality alone has"""
    cities: tuple[str, ...] = ()


class _GpEntry(_ReceiverEntry):
    name: str
    her_id: HerId
    hpr: str | None = None
    office: _Service


class _Register(_Entry):
    hospital: tuple[_HospitalEntry, ...] = ()
    municipality: tuple[_MunicipalityEntry, ...] = ()
    gp: tuple[_GpEntry, ...] = ()


class RegisterFile:
    """A `Registry` (gateway.contracts.registry) that is read from a file once."""

    def __init__(self, register: _Register) -> None:
        """Index the entries.

        Raises:
            ConfigurationError: two entries share a HER-id, a code or an HPR number, or a unit's successor is
                none.
        """
        self._hospitals = tuple(_hospital(entry) for entry in register.hospital)
        self._municipalities = tuple(_municipality(entry) for entry in register.municipality)
        self._gps = tuple(_gp(entry) for entry in register.gp)
        self._units: dict[str, HospitalUnit] = {}
        units: list[HospitalUnit] = []
        self._hospital_by_her_id: dict[str, Hospital] = {}
        for entry, hospital in zip(register.hospital, self._hospitals, strict=True):
            self._hospital_by_her_id[hospital.her_id] = hospital
            for unit_entry in entry.unit:
                unit = _unit(unit_entry, hospital, _successor(unit_entry, entry.unit))
                units.append(unit)
                # A mailbox that another unit has taken over is that unit's.
                for her_id in {unit.her_id, unit_entry.mailbox or unit.her_id}:
                    self._units[her_id] = unit
                    self._hospital_by_her_id[her_id] = hospital
        self._all_units = tuple(units)
        self._by_code = _unique(((e.municipality_code, e) for e in self._municipalities), "kommune code")
        self._by_hpr = _unique(((_number(e.hpr), e) for e in self._gps), "HPR number")
        self._by_her_id = _unique(((e.her_id, e) for e in self.endpoints), "HER-id")
        self._by_organisation: dict[str, list[Endpoint]] = {}
        for endpoint in self.endpoints:
            self._by_organisation.setdefault(endpoint.organisation_her_id, []).append(endpoint)
        self._table = MunicipalityTable.with_own(
            {e.code: (e.postal_codes, e.cities) for e in register.municipality}
        )

    @classmethod
    def load(cls, path: Path) -> RegisterFile:
        """Read a register.

        Raises:
            ConfigurationError: it can not be read, or an entry is not in order.
        """
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigurationError(f"the register {path} can not be read: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"the register {path} is no valid TOML: {error}") from None
        return cls.from_document(document)

    @classmethod
    def from_document(cls, document: Mapping[str, object]) -> RegisterFile:
        """Make one from a parsed file.

        Raises:
            ConfigurationError: an entry is not in order.
        """
        try:
            return cls(_Register.model_validate(document))
        except ValidationError as error:
            first = error.errors(include_input=False, include_context=False, include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            named = _named(document, first["loc"])
            raise ConfigurationError(f"the register, {where}{named}: {first['msg']}") from None

    @property
    def hospitals(self) -> tuple[Hospital, ...]:
        """All hospitals, in the order of the file."""
        return self._hospitals

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """All municipalities, then all GPs, in the order of the file."""
        return self._municipalities + self._gps

    @property
    def units(self) -> tuple[HospitalUnit, ...]:
        """All departments, in the order of the file; a closed one has its successor's mailbox."""
        return self._all_units

    def municipality(self, code: str | None) -> Endpoint | None:
        """The one way in by code; a bydel without an entry of its own has its city's."""
        if code is None:
            return None
        return self._by_code.get(code) or self._by_code.get(code[:4])

    def gp(self, *, her_id: str | None, hpr: str | None) -> Endpoint | None:
        """A GP by HER-id, else by HPR number."""
        by_her_id = self._by_her_id.get(her_id) if her_id else None
        if by_her_id is not None and by_her_id.kind is PartyKind.GP:
            return by_her_id
        number = _number(hpr)
        return self._by_hpr.get(number) if number else None

    def endpoint(self, her_id: str | None) -> Endpoint | None:
        """By the party's HER-id, else by its organisation's where that has one party only."""
        if her_id is None:
            return None
        if (found := self._by_her_id.get(her_id)) is not None:
            return found
        parties = self._by_organisation.get(her_id, ())
        return parties[0] if len(parties) == 1 else None

    def unit(self, her_id: str | None) -> HospitalUnit | None:
        """A department by its HER-id or its mailbox's."""
        return self._units.get(her_id) if her_id else None

    def hospital(self, her_id: str | None) -> Hospital | None:
        """A hospital by its HER-id, a unit's or a mailbox's."""
        return self._hospital_by_her_id.get(her_id) if her_id else None

    def municipality_code(self, *, postal_code: str | None, city: str | None) -> str | None:
        """The municipality of a postal code, else of a city, where it is certain."""
        return self._table.code(postal_code=postal_code, city=city)


def _number(hpr: str | None) -> str | None:
    return (hpr.lstrip("0") or None) if hpr else None


def _unique(pairs: Iterable[tuple[str | None, Endpoint]], what: str) -> dict[str, Endpoint]:
    index: dict[str, Endpoint] = {}
    for key, endpoint in pairs:
        if key is None:
            continue
        if key in index:
            raise ConfigurationError(f"the register has two entries with the {what} {key}")
        index[key] = endpoint
    return index


def _hospital(entry: _HospitalEntry) -> Hospital:
    return Hospital(
        name=entry.name,
        her_id=entry.her_id,
        org_no=entry.org_no,
        systems=entry.systems,
        queue=entry.queue or f"{entry.her_id}_async",
        record_system_queue=entry.record_system_queue or f"epj_{entry.her_id}",
        reads=entry.reads,
    )


def _unit(entry: _UnitEntry, hospital: Hospital, successor: _UnitEntry) -> HospitalUnit:
    mailbox = successor.mailbox or successor.her_id
    return HospitalUnit(
        name=entry.name,
        her_id=entry.her_id,
        mailbox=mailbox,
        hospital=hospital,
        reads=successor.reads or hospital.reads,
    )


def _successor(entry: _UnitEntry, units: Iterable[_UnitEntry]) -> _UnitEntry:
    """The unit that is open: the entry itself, or the last in the line of its successors."""
    by_her_id, seen = {u.her_id: u for u in units}, {entry.her_id}
    while entry.successor is not None:
        following = by_her_id.get(entry.successor)
        if following is None or following.her_id in seen:
            raise ConfigurationError(
                f"the register, unit {entry.her_id}: its successor {entry.successor} is no other unit of the "
                "hospital, or leads back to it"
            )
        seen.add(following.her_id)
        entry = following
    return entry


def _municipality(entry: _MunicipalityEntry) -> Endpoint:
    return Endpoint(
        kind=PartyKind.MUNICIPALITY,
        her_id=entry.service.her_id,
        name=entry.service.name,
        organisation_her_id=entry.her_id,
        organisation_name=entry.name,
        accepts=entry.accepts,
        queue=entry.queue or f"{entry.service.her_id}_async",
        org_no=entry.org_no,
        municipality_code=entry.code,
        epj=entry.epj,
        attaches_summary=entry.attaches_summary,
        protection=entry.protection,
        encryption=entry.encryption,
    )


def _gp(entry: _GpEntry) -> Endpoint:
    return Endpoint(
        kind=PartyKind.GP,
        her_id=entry.her_id,
        name=entry.name,
        organisation_her_id=entry.office.her_id,
        organisation_name=entry.office.name,
        accepts=entry.accepts,
        queue=entry.queue or f"{entry.her_id}_async",
        org_no=entry.org_no,
        hpr=_number(entry.hpr),
        attaches_summary=entry.attaches_summary,
        protection=entry.protection,
        encryption=entry.encryption,
    )


def _named(document: Mapping[str, object], location: Sequence[int | str]) -> str:
    """Which entry that is: nobody counts them in a file of hundreds."""
    found: object = document
    named = ""
    for part in location:
        if isinstance(found, Mapping) and isinstance(part, str):
            found = found.get(part)
        elif isinstance(found, list) and isinstance(part, int) and part < len(found):
            found = found[part]
        if isinstance(found, Mapping) and isinstance(found.get("name"), str):
            named = f" ({found['name']})"
    return named
