"""Each fault that could stop the service is planted, and found with a line that says what to do."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.contracts.states import InboundState
from gateway.ops.configuration import load
from gateway.ops.stores import open_journal
from gateway.security import test_pki
from gateway.security.vault import new_key_file
from queues.embedded import EmbeddedQueue
from tests.journal.stores import note
from tests.ops.conftest import Pakkehjem

NORDVIK = "310000107"
GATEWAY = "310009999"


@dataclass(frozen=True)
class Place:
    """The folder of a configuration, to spoil."""

    config: Path

    @property
    def folder(self) -> Path:
        return self.config.parent

    @property
    def signing(self) -> Path:
        return self.folder / "pki" / "signing"

    def replace(self, old: str, new: str, *, file: str | None = None) -> None:
        path = self.folder / file if file is not None else self.config
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def pki(self, number: str, *, now: datetime) -> Path:
        """A PKI of another root, with a pair for one organisation."""
        made = self.folder / "other"
        test_pki.create(made, [("Someone", number)], now=now)
        return made

    def sign_with(
        self, made: Path, number: str, *, kind: str = "signing", as_number: str | None = None
    ) -> None:
        for suffix in (".key.pem", ".cert.pem"):
            target = self.signing / f"{as_number or number}{suffix}"
            shutil.copy(made / kind / f"{number}{suffix}", target)

    def trust_as_well(self, made: Path) -> None:
        root = self.folder / "pki" / "root.pem"
        root.write_bytes(root.read_bytes() + (made / "root.pem").read_bytes())


def unknown_key(place: Place) -> None:
    place.replace("[queues]", "[queues]\ninbond = 1")


def no_toml(place: Place) -> None:
    place.replace("[queues]", "[queues")


def no_such_password(place: Place) -> None:
    place.replace('url = "sqlite:', 'password_file = "gone"\nurl = "postgresql://u@h/d" #')


def open_key(place: Place) -> None:
    (place.folder / "journal.key").chmod(0o644)


def missing_journal_key(place: Place) -> None:
    (place.folder / "journal.key").unlink()


def other_pair(place: Place) -> None:
    shutil.copy(place.signing / f"{GATEWAY}.cert.pem", place.signing / f"{NORDVIK}.cert.pem")


def open_signing_key(place: Place) -> None:
    (place.signing / f"{NORDVIK}.key.pem").chmod(0o640)


def no_default_key(place: Place) -> None:
    for suffix in (".key.pem", ".cert.pem"):
        (place.signing / f"{GATEWAY}{suffix}").unlink()


def no_certificate(place: Place) -> None:
    (place.signing / f"{NORDVIK}.cert.pem").write_text("nothing")


def expired(place: Place) -> None:
    made = place.pki(NORDVIK, now=datetime.now(UTC) - timedelta(days=1200))
    place.sign_with(made, NORDVIK)
    place.trust_as_well(made)


def expires_soon(place: Place) -> None:
    made = place.pki(NORDVIK, now=datetime.now(UTC) - timedelta(days=1085))
    place.sign_with(made, NORDVIK)
    place.trust_as_well(made)


def not_yet_valid(place: Place) -> None:
    made = place.pki(NORDVIK, now=datetime.now(UTC) + timedelta(days=3))
    place.sign_with(made, NORDVIK)
    place.trust_as_well(made)


def other_root(place: Place) -> None:
    place.sign_with(place.pki(NORDVIK, now=datetime.now(UTC)), NORDVIK)


def another_party(place: Place) -> None:
    made = place.pki("310000199", now=datetime.now(UTC))
    place.sign_with(made, "310000199", as_number=NORDVIK)
    place.trust_as_well(made)


def for_encryption(place: Place) -> None:
    made = place.pki(NORDVIK, now=datetime.now(UTC))
    place.sign_with(made, NORDVIK, kind="encryption")
    place.trust_as_well(made)


def no_root(place: Place) -> None:
    (place.folder / "pki" / "root.pem").write_text("nothing")


def pki_of_tests_in_production(place: Place) -> None:
    place.replace('profile = "test"', 'profile = "production"')


def no_revocation_list(place: Place) -> None:
    place.replace("crl = []", 'crl = ["gone.crl"]')


def strange_responder(place: Place) -> None:
    place.replace("ocsp = []", 'ocsp = ["http://ocsp.example/"]')


def no_register(place: Place) -> None:
    (place.folder / "register.toml").unlink()


def register_with_a_slip(place: Place) -> None:
    place.replace("mailbox", "mailboks", file="register.toml")


def two_of_a_code(place: Place) -> None:
    place.replace('code = "5056"', 'code = "5001"', file="register.toml")


def two_of_a_unit(place: Place) -> None:
    place.replace('her_id = "8900201"', 'her_id = "8900101"', file="register.toml")


def lost_successor(place: Place) -> None:
    place.replace('mailbox = "8900102"', 'mailbox = "8900102"\nsuccessor = "1"', file="register.toml")


def one_queue_for_two(place: Place) -> None:
    place.replace('code = "5056"', 'queue = "8910011_async"\ncode = "5056"', file="register.toml")


def unknown_system(place: Place) -> None:
    place.replace('systems = ["dips"]', 'systems = ["dipps"]', file="register.toml")


def formats_that_nobody_writes(place: Place) -> None:
    place.replace('"dialogmelding-1.0", "plo-1.5",', '"dialogmelding-1.0",')


def unknown_format(place: Place) -> None:
    place.replace('"plo-1.6"]', '"plo-1.7"]', file="register.toml")


def receiver_without_certificate(place: Place) -> None:
    for path in (place.folder / "pki" / "encryption").glob("310000200.*"):
        path.unlink()
    place.replace(
        'epj = "Helseplattformen"', 'epj = "Helseplattformen"\nprotection = "cms"', file="register.toml"
    )


def no_key_for_a_hospital(place: Place) -> None:
    for suffix in (".key.pem", ".cert.pem"):
        (place.signing / f"{NORDVIK}{suffix}").unlink()


def broken_official_schemas(place: Place) -> None:
    folder = place.folder / "schemas"
    folder.mkdir()
    (folder / "all.xsd").write_text("<xs:schema")
    place.replace("# official", "official")


def no_database_server(place: Place) -> None:
    place.replace('url = "sqlite:', 'url = "postgresql://u:p@127.0.0.1:1/d" #')


def no_folder_for_the_journal(place: Place) -> None:
    place.replace('url = "sqlite:journal', 'url = "sqlite:gone/journal')


def no_journal(place: Place) -> None:
    (place.folder / "journal.sqlite").write_bytes(b"no database at all" * 100)


def older_journal(place: Place) -> None:
    open_journal(load(place.config)).close()
    with sqlite3.connect(place.folder / "journal.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '1'")
    connection.close()


def newer_journal(place: Place) -> None:
    open_journal(load(place.config)).close()
    with sqlite3.connect(place.folder / "journal.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '99'")
    connection.close()


def journal_of_another_key(place: Place) -> None:
    open_journal(load(place.config)).close()
    (place.folder / "journal.key").unlink()
    new_key_file(place.folder / "journal.key")


def clock_that_went_back(place: Place) -> None:
    journal = open_journal(load(place.config))
    with journal.transaction() as transaction:
        later = datetime.now(UTC) + timedelta(hours=2)
        transaction.add_inbound(note("later", state=InboundState.ACCEPTED, received_at=later))
    journal.close()


def no_broker(place: Place) -> None:
    place.replace('url = "embedded:', 'url = "amqp://u:p@127.0.0.1:1/" #')


def strange_broker(place: Place) -> None:
    place.replace('url = "embedded:', 'url = "kafka://h/" #')


def no_folder_for_the_queue(place: Place) -> None:
    place.replace('url = "embedded:queue', 'url = "embedded:gone/queue')


def missing_queues(place: Place) -> None:
    EmbeddedQueue(place.folder / "queue.sqlite").close()


PLANTED: tuple[tuple[Callable[[Place], None], str, str, int], ...] = (
    (unknown_key, "config", r"unknown key .*queues\.inbond", 3),
    (no_toml, "config", r"is no valid TOML", 3),
    (no_such_password, "config", r"gone can not be read", 3),
    (open_key, "keys", r"Others may read or change .*journal\.key", 3),
    (missing_journal_key, "keys", r"journal\.key can not be read", 3),
    (other_pair, "certificates", rf"key {NORDVIK}\.key\.pem does not belong", 3),
    (open_signing_key, "keys", rf"Others may read or change .*{NORDVIK}\.key\.pem", 3),
    (no_default_key, "keys", rf"holds no key for {GATEWAY}", 3),
    (no_certificate, "certificates", rf"{NORDVIK}\.cert\.pem holds no certificate", 3),
    (expired, "certificates", rf"signing: {NORDVIK}\.cert\.pem has expired", 1),
    (expires_soon, "certificates", rf"signing: {NORDVIK}\.cert\.pem expires in \d+ days", 0),
    (not_yet_valid, "certificates", rf"signing: {NORDVIK}\.cert\.pem is not valid before", 1),
    (other_root, "certificates", rf"signing: {NORDVIK}\.cert\.pem leads to no root", 0),
    (another_party, "certificates", rf"{NORDVIK}\.cert\.pem was issued to 310000199", 1),
    (for_encryption, "certificates", rf"{NORDVIK}\.cert\.pem is not for signing", 1),
    (no_root, "certificates", r"root\.pem holds no certificate", 1),
    (pki_of_tests_in_production, "keys", r"is one for tests, and gateway\.profile", 3),
    (no_revocation_list, "certificates", r"signing\.crl names gone\.crl, which is not there", 1),
    (strange_responder, "certificates", r"on the loopback address only", 3),
    (no_register, "register", r"register\.toml can not be read", 3),
    (register_with_a_slip, "register", r"hospital\.0\.unit\.0\.mailboks", 3),
    (two_of_a_code, "register", r"two entries with the kommune code 5001", 3),
    (two_of_a_unit, "register", r"8900101: one HER-id for 2 entries", 1),
    (lost_successor, "register", r"unit 8900101: its successor 1 is no other unit", 3),
    (one_queue_for_two, "register", r"queue 8910011_async is read by several", 1),
    (unknown_system, "register", r"8900100: its system dipps has no adapter", 1),
    (formats_that_nobody_writes, "register", r"8910041: accepts plo-1\.5, none of which", 1),
    (unknown_format, "register", r"municipality\.0\.accepts", 3),
    (receiver_without_certificate, "register", r"8910011: wants its messages encrypted", 1),
    (no_key_for_a_hospital, "register", rf"8900100: there is no signing key for {NORDVIK}", 0),
    (broken_official_schemas, "schemas", r"the official schemas in .* can not be used", 3),
    (no_database_server, "journal", r"database can not be reached", 4),
    (no_folder_for_the_journal, "journal", r"is not there, and its folder can not be written", 1),
    (no_journal, "journal", r"is no journal", 3),
    (older_journal, "journal", r"has schema version 1; this program works with \d+", 1),
    (newer_journal, "journal", r"has schema version 99", 3),
    (journal_of_another_key, "journal", r"was written with another key", 3),
    (clock_that_went_back, "clock", r"the newest message came at .* to come", 1),
    (no_broker, "broker", r"", 4),
    (strange_broker, "broker", r"No queue is known for 'kafka'", 3),
    (no_folder_for_the_queue, "broker", r"is not there, and its folder can not be written", 1),
    (missing_queues, "broker", r"\d+ of \d+ queues are missing: pakkehjem_in", 0),
)


def unwell(document: dict[str, Any], area: str) -> list[dict[str, Any]]:
    return [line for line in document["lines"] if line["area"] == area and line["grade"] != "ok"]


def test_a_fresh_configuration_is_well(pakkehjem: Pakkehjem, config: Path) -> None:
    before = sorted(path.name for path in config.parent.iterdir())
    done = pakkehjem("doctor", "-c", config, "--json")
    document = done.json()
    assert (done.code, document["well"]) == (0, True)
    assert {line["text"] for line in document["lines"] if line["grade"] != "ok"} == {
        "only our own: the official ones are not added"
    }
    assert {line["area"] for line in document["lines"]} >= {
        *("config", "keys", "certificates", "register", "schemas", "journal", "broker", "disk", "clock")
    }
    assert sorted(path.name for path in config.parent.iterdir()) == before


@pytest.mark.parametrize(
    ("plant", "area", "text", "code"), PLANTED, ids=[plant.__name__ for plant, *_ in PLANTED]
)
def test_a_planted_fault_is_found(
    plant: Callable[[Place], None],
    area: str,
    text: str,
    code: int,
    pakkehjem: Pakkehjem,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("queues.rabbitmq._ROUNDS", 1)
    plant(Place(config))
    done = pakkehjem("doctor", "-c", config, "--json")
    document = done.json()
    (line,) = [line for line in unwell(document, area) if re.search(text, line["text"])]
    assert line["hint"]
    assert done.code == code
    assert document["well"] is (code == 0)


def test_there_are_enough_of_them() -> None:
    assert len(PLANTED) >= 20


def test_a_person_gets_a_line_and_what_to_do(pakkehjem: Pakkehjem, config: Path) -> None:
    Place(config).replace("crl = []", 'crl = ["gone.crl"]')
    done = pakkehjem("doctor", "-c", config)
    assert done.code == 1
    assert "fault" in done.out
    assert "→ let the job that fetches it run" in done.out
    assert all(len(line) <= 100 for line in done.out.splitlines())
    assert "1 fault, " in done.err


def test_no_configuration_is_a_fault_of_the_configuration(pakkehjem: Pakkehjem, tmp_path: Path) -> None:
    done = pakkehjem("doctor", "-c", tmp_path / "none.toml", "--json")
    assert done.code == 3
    assert done.json()["lines"][0]["area"] == "config"


def test_a_full_disk_is_a_fault(pakkehjem: Pakkehjem, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(config.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    (line,) = unwell(pakkehjem("doctor", "-c", config, "--json").json(), "disk")
    assert "0.0 GiB" in line["text"]
    assert "make room" in line["hint"]
