"""The doctor at a real broker: what is missing, what is otherwise, what is not allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pika
import pytest

from tests.ops.conftest import Pakkehjem
from tests.servers import RabbitServer, rabbit_server, rabbitmq

__all__ = ["rabbit_server", "rabbitmq"]


@pytest.fixture
def config(pakkehjem: Pakkehjem, rabbitmq: str, tmp_path: Path) -> Path:
    return Path(pakkehjem("init", tmp_path / "gateway", "--broker", rabbitmq).out.strip())


def broker_lines(pakkehjem: Pakkehjem, config: Path) -> tuple[int, list[dict[str, Any]]]:
    done = pakkehjem("doctor", "-c", config, "--json")
    lines = [line for line in done.json()["lines"] if line["area"] == "broker"]
    return done.code, lines


def test_queues_that_are_missing_and_then_there(pakkehjem: Pakkehjem, config: Path) -> None:
    code, (missing, reached) = broker_lines(pakkehjem, config)
    assert code == 0
    assert missing["grade"] == "warning"
    assert "pakkehjem queues setup" in missing["hint"]
    assert reached["text"].startswith("it can be reached; 0 of")
    config.write_text(config.read_text().replace('inbound = "pakk', 'declare = false\ninbound = "pakk'))
    code, (missing, _) = broker_lines(pakkehjem, config)
    assert (code, missing["grade"]) == (1, "fault")
    config.write_text(config.read_text().replace("declare = false", "declare = true"))
    assert pakkehjem("queues", "setup", "-c", config).code == 0
    code, (reached,) = broker_lines(pakkehjem, config)
    assert (code, reached["grade"]) == (0, "ok")


def test_a_queue_of_another_kind(pakkehjem: Pakkehjem, config: Path, rabbitmq: str) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(rabbitmq))
    connection.channel().queue_declare("pakkehjem_in", durable=True)
    connection.close()
    code, lines = broker_lines(pakkehjem, config)
    (line,) = [line for line in lines if line["grade"] == "fault"]
    assert code == 3
    assert "pakkehjem_in is there with other properties" in line["text"]


def test_a_user_without_rights(
    pakkehjem: Pakkehjem, rabbit_server: RabbitServer, rabbitmq: str, tmp_path: Path
) -> None:
    parts = urlsplit(rabbitmq)
    vhost = parts.path.removeprefix("/")
    name = f"reader-{vhost}"
    rabbit_server.ctl("add_user", name, "secret")
    rabbit_server.ctl("set_permissions", "-p", vhost, name, ".*", "^$", ".*")
    url = urlunsplit(parts._replace(netloc=f"{name}:secret@{parts.netloc.rpartition('@')[2]}"))
    config = Path(pakkehjem("init", tmp_path / "gateway", "--broker", url).out.strip())
    code, lines = broker_lines(pakkehjem, config)
    (line,) = [line for line in lines if line["grade"] == "fault"]
    assert code == 4
    assert "it takes no message from this user" in line["text"]
    assert "right to write" in line["hint"]
    password = config.parent / "broker.password"
    password.write_text("wrong")
    code, (line,) = broker_lines(pakkehjem, config)
    assert line["grade"] == "fault"
    assert "refuses" in line["text"]
    assert code == 3
