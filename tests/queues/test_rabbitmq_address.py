"""What a broker's URL says."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from gateway.contracts.errors import ConfigurationError
from queues.rabbitmq_address import Address


def address(url: str) -> Address:
    return Address.of(urlsplit(url))


def test_everything_has_a_default() -> None:
    found = address("amqp://one.example")
    assert found.nodes == (("one.example", 5672),)
    assert (found.user, found.password, found.vhost) == ("guest", "guest", "/")
    assert found.tls is None
    assert found.declare


def test_all_of_it() -> None:
    found = address(
        "amqps://us%40er:p%3A%2F%40ss@one.example,two.example:5999,[::1]:5671,[::2]/a%2Fb"
        "?declare=false&heartbeat=7&confirm_seconds=2.5&blocked_seconds=60&connect_seconds=1"
    )
    assert found.nodes == (("one.example", 5671), ("two.example", 5999), ("::1", 5671), ("::2", 5671))
    assert (found.user, found.password, found.vhost) == ("us@er", "p:/@ss", "a/b")
    assert (found.heartbeat, found.confirm_seconds, found.blocked_seconds) == (7, 2.5, 60)
    assert not found.declare
    assert found.tls is not None
    assert found.tls.check_hostname
    assert "p:/@ss" not in repr(found)


@pytest.mark.parametrize("vhost", ["", "/", "/%2F"])
def test_the_root_virtual_host(vhost: str) -> None:
    assert address(f"amqp://host{vhost}").vhost == "/"


def test_parameters_of_a_connection() -> None:
    found = address("amqps://u:p@one.example/v?heartbeat=9&blocked_seconds=11&connect_seconds=3")
    parameters = found.parameters(found.nodes[0], "taking")
    assert (parameters.host, parameters.port, parameters.virtual_host) == ("one.example", 5671, "v")
    assert (parameters.heartbeat, parameters.blocked_connection_timeout) == (9, 11)
    assert parameters.socket_timeout == 3
    assert parameters.ssl_options.server_hostname == "one.example"


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("amqp://u:secret@/", "host"),
        ("amqp://u:secret@one,,two/", "host"),
        ("amqp://u:secret@one:abc/", "host"),
        ("amqp://u:secret@one:99999/", "host"),
        ("amqp://u:secret@one/?unknown=1", "unknown"),
        ("amqp://u:secret@one/?declare=perhaps", "declare"),
        ("amqp://u:secret@one/?heartbeat=never", "heartbeat"),
        ("amqp://u:secret@one/?confirm_seconds=0", "confirm_seconds"),
        ("amqp://u:secret@one/?confirm_seconds=nan", "confirm_seconds"),
        ("amqp://u:secret@one/?declare", "settings"),
        ("amqp://u:secret@one/?ca=/x.pem", "amqps"),
        ("amqps://u:secret@one/?certificate=/x.pem", "both"),
        ("amqps://u:secret@one/?ca=/nowhere/x.pem", "No such file"),
    ],
)
def test_what_can_not_be_used(url: str, word: str) -> None:
    with pytest.raises(ConfigurationError, match=word) as raised:
        address(url)
    assert "secret" not in str(raised.value)
