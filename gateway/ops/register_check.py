"""What is inconsistent in an address register that can be read, and what to do about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gateway.contracts.messages import Format
from gateway.contracts.registry import Endpoint, PartyKind, Protection
from gateway.ops.certificate_list import Listed, Purpose
from gateway.ops.configuration import Configuration
from gateway.routing.register_file import RegisterFile
from gateway.routing.route import choose_format

_ORGANISATION_WEIGHTS = (3, 2, 7, 6, 5, 4, 3, 2)
_LONGEST_QUEUE = 255
"""Bytes of a queue's name (AMQP 0-9-1, shortstr)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inconsistency:
    """One of them."""

    entry: str
    """HER-id of the entry"""
    text: str
    hint: str
    grave: bool = True
    """Whether messages would not arrive, or at the wrong place"""


def inconsistencies(
    register: RegisterFile,
    configuration: Configuration,
    *,
    certificates: Sequence[Listed] = (),
    systems: Iterable[str] = (),
) -> list[Inconsistency]:
    """All that is found.

    Args:
        register: which could be read.
        configuration: what it is used with.
        certificates: as they are now.
        systems: names of the installed adapters.
    """
    check = _Check(register, configuration)
    return [
        *check.is_filled(),
        *check.shared_ids(),
        *check.shared_queues(),
        *check.formats(),
        *check.numbers(),
        *check.systems(set(systems)),
        *check.keys(certificates),
    ]


class _Check:
    def __init__(self, register: RegisterFile, configuration: Configuration) -> None:
        self._register = register
        self._configuration = configuration

    def is_filled(self) -> Iterator[Inconsistency]:
        kinds = {endpoint.kind for endpoint in self._register.endpoints}
        if not self._register.hospitals:
            yield Inconsistency(
                entry="-", text="there is no hospital: every message is set aside", hint="add [[hospital]]"
            )
        if PartyKind.MUNICIPALITY not in kinds:
            yield Inconsistency(
                entry="-", text="there is no municipality: every note is held", hint="add [[municipality]]"
            )

    def shared_ids(self) -> Iterator[Inconsistency]:
        """A HER-id is one party's."""
        holders: dict[str, list[str]] = defaultdict(list)
        holders[self._configuration.gateway.her_id].append("the gateway itself")
        for hospital in self._register.hospitals:
            holders[hospital.her_id].append(hospital.name)
        for unit in self._register.units:
            holders[unit.her_id].append(unit.name)
        for endpoint in self._register.endpoints:
            holders[endpoint.her_id].append(endpoint.name)
        for her_id, names in holders.items():
            if len(names) > 1:
                yield Inconsistency(
                    entry=her_id,
                    text=f"one HER-id for {len(names)} entries: {', '.join(names)}",
                    hint="look them up in Adresseregisteret, and correct all but one",
                )

    def shared_queues(self) -> Iterator[Inconsistency]:
        readers: dict[str, list[str]] = defaultdict(list)
        own = f"{self._configuration.gateway.her_id}_async"
        for queue in (self._configuration.queues.inbound, own):
            readers[queue].append("the gateway")
        for hospital in self._register.hospitals:
            readers[hospital.queue].append("the gateway")
            readers[hospital.record_system_queue].append(hospital.her_id)
        for endpoint in self._register.endpoints:
            readers[endpoint.queue].append(endpoint.her_id)
        for queue, names in readers.items():
            if len(set(names)) > 1:
                yield Inconsistency(
                    entry=names[-1],
                    text=f"the queue {queue} is read by several: {', '.join(dict.fromkeys(names))}",
                    hint="give each its own queue: what one takes the other never sees",
                )
            if len(queue.encode()) > _LONGEST_QUEUE:
                yield Inconsistency(
                    entry=names[-1], text="the name of its queue is too long", hint="255 bytes at most"
                )

    def formats(self) -> Iterator[Inconsistency]:
        preference = self._configuration.formats.preference
        for endpoint in self._register.endpoints:
            if choose_format(endpoint, preference) is None:
                accepted = ", ".join(endpoint.accepts)
                yield Inconsistency(
                    entry=endpoint.her_id,
                    text=f"accepts {accepted}, none of which is in formats.preference: it gets nothing",
                    hint="add one of them to formats.preference",
                )
            if set(endpoint.accepts) <= {Format.APPREC_1_0, Format.APPREC_1_1}:
                yield Inconsistency(
                    entry=endpoint.her_id, text="accepts receipts only", hint="name a format of notes"
                )

    def numbers(self) -> Iterator[Inconsistency]:
        # Those of test parties are made up.
        production = self._configuration.gateway.profile == "production"
        for entry, number in self._organisations():
            if number is None:
                yield Inconsistency(
                    entry=entry,
                    text="has no organisation number: the gateway's own key signs for it",
                    hint="add org_no",
                    grave=False,
                )
            elif production and not _is_organisation_number(number):
                yield Inconsistency(
                    entry=entry,
                    text=f"{number} is no organisation number (nine digits with a check digit)",
                    hint="look it up in Enhetsregisteret",
                    grave=False,
                )

    def _organisations(self) -> Iterator[tuple[str, str | None]]:
        yield from ((hospital.her_id, hospital.org_no) for hospital in self._register.hospitals)
        yield from ((e.her_id, e.org_no) for e in self._register.endpoints if e.org_no is not None)

    def systems(self, known: set[str]) -> Iterator[Inconsistency]:
        for hospital in self._register.hospitals:
            for system in hospital.systems:
                if system not in known:
                    yield Inconsistency(
                        entry=hospital.her_id,
                        text=f"its system {system} has no adapter: its notes are refused",
                        hint=f"known: {', '.join(sorted(known))}; pakkehjem adapters list",
                    )

    def keys(self, certificates: Sequence[Listed]) -> Iterator[Inconsistency]:
        """A key to sign with for every hospital, a certificate for every receiver with encryption."""
        signing = {c.name for c in certificates if c.purpose is Purpose.SIGNING}
        receivers = {c.name: c for c in certificates if c.purpose is Purpose.RECEIVER}
        folder = self._configuration.path(self._configuration.signing.encryption_certificates)
        if self._configuration.signing.sign_outgoing:
            for hospital in self._register.hospitals:
                if hospital.org_no is not None and hospital.org_no not in signing:
                    yield Inconsistency(
                        entry=hospital.her_id,
                        text=f"there is no signing key for {hospital.org_no}: the gateway's own is used",
                        hint=f"put {hospital.org_no}.key.pem and .cert.pem into signing.keys",
                        grave=False,
                    )
        for endpoint in self._register.endpoints:
            if endpoint.protection is Protection.SIGNATURE:
                continue
            if not any(name in receivers for name in _names(endpoint)):
                yield Inconsistency(
                    entry=endpoint.her_id,
                    text="wants its messages encrypted, and there is no certificate: it gets nothing",
                    hint=f"put {endpoint.her_id}.cert.pem into {folder}",
                )


def _names(endpoint: Endpoint) -> Iterator[str]:
    for name in (endpoint.her_id, endpoint.organisation_her_id, endpoint.org_no):
        if name is not None:
            yield name


def _is_organisation_number(number: str) -> bool:
    """Nine digits, the last of which is the check digit (modulus 11)."""
    if len(number) != 9 or not number.isdecimal():
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_ORGANISATION_WEIGHTS, number, strict=False))
    return -total % 11 == int(number[-1])
