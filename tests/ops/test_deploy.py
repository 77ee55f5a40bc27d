"""What stands in `deploy/` is taken by the programs that it is for, and the gateway works with it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from gateway.ops.configuration import load
from gateway.ops.queue_names import all_queues, inbound_queues
from gateway.ops.stores import open_registry
from tests.conftest import ROOT
from tests.flow.harness import Gateway, note
from tests.ops.conftest import Pakkehjem
from tests.postgres_server import PostgresServer, postgres
from tests.servers import RabbitServer, rabbit_server

__all__ = ["postgres", "rabbit_server"]

DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "systemd" / "pakkehjem.service"
DEFINITIONS = DEPLOY / "rabbitmq" / "definitions.json"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_unit_and_finds_little_exposed(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    # The command is not installed where tests run.
    unit.write_text(UNIT.read_text().replace("/opt/pakkehjem/bin/pakkehjem", "/bin/true"))
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (verified.returncode, verified.stderr) == (0, "")
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", unit],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"LC_ALL": "C.UTF-8"},
    )
    exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", rated.stdout)
    assert exposure is not None, rated.stdout + rated.stderr
    assert float(exposure[1]) <= 1.5


def test_every_watch_of_the_unit_is_longer_than_ours() -> None:
    from gateway.ops import watchdog  # noqa: PLC0415 - for this test alone

    text = UNIT.read_text()
    assert "Type=notify" in text
    minutes = re.search(r"WatchdogSec=(\d+)min", text)
    assert minutes is not None
    assert int(minutes[1]) * 60 > watchdog.HUNG_SECONDS


def test_rabbitmq_takes_the_definitions_and_the_gateway_their_rights(
    pakkehjem: Pakkehjem, rabbit_server: RabbitServer, tmp_path: Path
) -> None:
    rabbit_server.ctl("import_definitions", str(DEFINITIONS))
    policies = rabbit_server.ctl("list_policies", "-p", "helsenett", "--formatter=json")
    assert {each["name"] for each in json.loads(policies)} == {"pakkehjem", "pakkehjem-faults"}
    rabbit_server.ctl("change_password", "pakkehjem-gateway", "secret")
    parts = urlsplit(rabbit_server.url)
    host = parts.netloc.rpartition("@")[2]
    url = urlunsplit(parts._replace(netloc=f"pakkehjem-gateway:secret@{host}", path="/helsenett"))
    config = Path(pakkehjem("init", tmp_path / "gateway", "--broker", url).out.strip())
    assert pakkehjem("queues", "setup", "-c", config).code == 0
    lines = pakkehjem("doctor", "-c", config, "--json").json()["lines"]
    assert [line for line in lines if line["area"] == "broker" and line["grade"] != "ok"] == []


def test_the_rights_cover_every_queue_and_no_other(config: Path) -> None:
    configuration = load(config)
    register = open_registry(configuration)
    (rights,) = [
        each
        for each in json.loads(DEFINITIONS.read_text())["permissions"]
        if each["user"] == "pakkehjem-gateway"
    ]
    for name in all_queues(configuration, register):
        assert re.search(rights["configure"], name), name
    for name in inbound_queues(configuration, register):
        assert re.search(rights["read"], name), name
    # What lies there is for the hospital's record system alone.
    assert not re.search(rights["read"], register.hospitals[0].record_system_queue)
    assert not re.search(rights["configure"], "someone_elses")


def test_the_gateway_works_with_the_roles_of_postgresql(
    pakkehjem: Pakkehjem, postgres: PostgresServer, tmp_path: Path
) -> None:
    parts = urlsplit(postgres.url)
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/psql"))
    psql = shutil.which("psql") or str(installed[-1])
    done = subprocess.run(
        [psql, "-v", "ON_ERROR_STOP=1", "-q", "-f", DEPLOY / "postgresql" / "roles.sql", postgres.url],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    roles = ("pakkehjem_owner", "pakkehjem_gateway", "pakkehjem_reader")
    urls = {
        role: urlunsplit(
            parts._replace(netloc=f"{role}:secret@{parts.hostname}:{parts.port}", path="/pakkehjem")
        )
        for role in roles
    }
    try:
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            for role in roles:
                connection.execute(f"ALTER ROLE {role} PASSWORD 'secret'".encode())
        owner = Path(pakkehjem("init", tmp_path / "owner", "--journal", urls["pakkehjem_owner"]).out.strip())
        config = Path(
            pakkehjem("init", tmp_path / "service", "--journal", urls["pakkehjem_gateway"]).out.strip()
        )
        shutil.copy(owner.parent / "journal.key", config.parent / "journal.key")
        assert pakkehjem("db", "upgrade", "-c", owner).code == 0
        gateway = Gateway(config)
        gateway.note(note("dips/01"))
        assert [row.state.value for row in gateway.rows()] == ["delivered"]
        gateway.close()
        assert pakkehjem("messages", "list", "-c", config, "--json").json()[0]["state"] == "delivered"
        with psycopg.connect(urls["pakkehjem_gateway"]) as connection, pytest.raises(psycopg.Error):
            connection.execute("DROP TABLE event")
        with psycopg.connect(urls["pakkehjem_reader"]) as connection:
            assert connection.execute("SELECT count(*) FROM inbound").fetchall() == [(1,)]
            with pytest.raises(psycopg.Error):
                connection.execute("DELETE FROM inbound")
    finally:
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS pakkehjem WITH (FORCE)")
            for role in roles:
                connection.execute(f"DROP ROLE IF EXISTS {role}".encode())
