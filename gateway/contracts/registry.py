"""The address register, as the flow asks it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from gateway.contracts.messages import Format


class PartyKind(StrEnum):
    """What a registered party is."""

    HOSPITAL = "hospital"
    MUNICIPALITY = "municipality"
    GP = "gp"


class Protection(StrEnum):
    """What shows a receiver who sent a message, and hides it on the way."""

    SIGNATURE = "signature"
    """A signature in the message (XML-DSig); an epikrise has no place for one and goes without"""
    CMS = "cms"
    """Signed and enveloped as a whole (CMS); no signature in the message"""
    BOTH = "both"


class ContentCipher(StrEnum):
    """How content is encrypted for a receiver."""

    AES_256_CBC = "aes-256-cbc"
    """What everyone on the health network reads; the key is carried with PKCS#1 v1.5"""
    AES_256_GCM = "aes-256-gcm"
    """Authenticated; the key is carried with OAEP"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HospitalUnit:
    """A department of a hospital."""

    name: str
    her_id: str
    mailbox: str
    """HER-id of the department's secretary, where replies go (the unit itself where none is set)"""
    hospital: Hospital
    reads: tuple[Format, ...] = (Format.DIALOGMELDING_1_0,)
    """The versions of the Dialogmelding that whoever reads the mailbox takes, the best first"""

    @property
    def kind(self) -> PartyKind:
        """Hospital."""
        return PartyKind.HOSPITAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Hospital:
    """A hospital with its record systems; its units inherit its queue."""

    name: str
    her_id: str
    org_no: str | None
    systems: tuple[str, ...]
    queue: str
    """Where municipalities and GPs answer: `<herId>_async`"""
    record_system_queue: str
    """Where the hospital's record system reads: `epj_<herId>`"""
    reads: tuple[Format, ...] = (Format.DIALOGMELDING_1_0,)
    """The versions of the Dialogmelding that the record system takes, the best first; units inherit them"""

    @property
    def error_queue(self) -> str:
        """Where its peers tell of transport faults: the gateway reads it for the hospital."""
        return _beside(self.queue, self.her_id, "error")

    @property
    def dead_letter_queue(self) -> str:
        """Where a broker puts what it has given up: the gateway reads it for the hospital."""
        return _beside(self.queue, self.her_id, "dl")

    @property
    def record_system_error_queue(self) -> str:
        """Where the record system reads of transport faults in what it wrote."""
        return f"{self.record_system_queue}_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A receiver of sendings: a municipality's one way in, or a GP."""

    kind: PartyKind
    her_id: str
    """HER-id of the communication party: the service, or the GP"""
    name: str
    """Name of the service, or of the GP"""
    organisation_her_id: str
    """HER-id of the municipality, or of the GP's office"""
    organisation_name: str
    accepts: tuple[Format, ...]
    queue: str
    org_no: str | None = None
    hpr: str | None = None
    """GP only"""
    municipality_code: str | None = None
    """Municipality only: four digits, or a bydel code of six"""
    epj: str | None = None
    attaches_summary: bool = False
    """Whether the canonical XML goes along as an attachment"""
    protection: Protection = Protection.SIGNATURE
    encryption: ContentCipher = ContentCipher.AES_256_CBC

    @property
    def error_queue(self) -> str:
        """Where it reads of transport faults in what it sent."""
        return _beside(self.queue, self.her_id, "error")


def _beside(queue: str, her_id: str, kind: str) -> str:
    """The queue of another kind that belongs to `<herId>_async`."""
    stem, _, last = queue.rpartition("_")
    return f"{stem if last == 'async' and stem else her_id}_{kind}"


class Registry(Protocol):
    """Who is who on the health network."""

    def municipality(self, code: str | None) -> Endpoint | None:
        """The one way in of a municipality or bydel, by its code."""

    def gp(self, *, her_id: str | None, hpr: str | None) -> Endpoint | None:
        """A GP by HER-id, or by HPR number (compared as a number); never by name."""

    def endpoint(self, her_id: str | None) -> Endpoint | None:
        """A receiver by the HER-id of the service, the GP, or (where it is one only) the organisation."""

    def unit(self, her_id: str | None) -> HospitalUnit | None:
        """A hospital's department by its HER-id or its mailbox's."""

    def hospital(self, her_id: str | None) -> Hospital | None:
        """A hospital by its own HER-id, or that of a unit or mailbox."""

    def municipality_code(self, *, postal_code: str | None, city: str | None) -> str | None:
        """The code of the municipality of a postal code or a city; None where that is not certain."""

    @property
    def hospitals(self) -> tuple[Hospital, ...]:
        """All hospitals, in the order of the register."""

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """All receivers, in the order of the register."""
