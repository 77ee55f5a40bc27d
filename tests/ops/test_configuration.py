from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.contracts.errors import ConfigurationError, LocalError
from gateway.contracts.findings import Severity
from gateway.journal.opening import open_journal
from gateway.ops.configuration import Configuration, configuration_path, load
from gateway.ops.initialise import initialise
from gateway.ops.secret_values import SECRETS
from gateway.ops.stores import connect_queue
from gateway.ops.template import configuration_text
from gateway.security.vault import load_key_file

HERE = Path("/srv/gateway")


def made(document: dict[str, object] | None = None, **environment: str) -> Configuration:
    return Configuration.from_document(document or {}, HERE, environment)


def refusal(document: dict[str, object] | None = None, **environment: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        made(document, **environment)
    return caught.value


def test_the_template_says_every_default(tmp_path: Path) -> None:
    text = configuration_text(
        broker=("embedded:queue.sqlite", None),
        journal=("sqlite:journal.sqlite", None),
        her_id="8999900",
        org_no="310009999",
    )
    file = tmp_path / "gateway.toml"
    file.write_text(text, encoding="utf-8")
    expected = made({"gateway": {"org_no": "310009999"}}).model_dump()
    assert load(file).model_dump() == expected
    # Every key is there, so that nobody has to look elsewhere.
    for section in Configuration.model_fields.values():
        keys = (
            set(getattr(section.annotation, "model_fields", {})) - {"severity"} - {key for _, key in SECRETS}
        )
        assert [key for key in sorted(keys) if f"{key} =" not in text] == []


@pytest.mark.parametrize(
    ("document", "said", "hint"),
    [
        ({"queus": {}}, "unknown key in the configuration: queus", "did you mean queues?"),
        (
            {"queues": {"inbond": "x"}},
            "unknown key in the configuration: queues.inbond",
            "did you mean queues.inbound?",
        ),
        (
            {"registry": {"zz": "x"}},
            "unknown key in the configuration: registry.zz",
            "known there: file",
        ),
        ({"directory": "x"}, "unknown key in the configuration: directory", "known there"),
        ({"queues": "x"}, "queues: ", None),
        ({"gateway": {"her_id": "x1"}}, "gateway.her_id: ", None),
        ({"rules": {"repeat_days": -1}}, "rules.repeat_days: ", None),
        ({"rules": {"severity": {"PH030": "worse"}}}, "rules.severity.PH030: ", None),
        ({"rules": {"severity": {"PH999": "hold"}}}, "rules.severity: there is no finding PH999", "PH030"),
        ({"formats": {"preference": ["plo-9"]}}, "formats.preference.0: ", None),
    ],
)
def test_what_can_not_be_used_names_the_key(document: dict[str, object], said: str, hint: str | None) -> None:
    error = refusal(document)
    assert error.message.startswith(said)
    assert "\n" not in error.message
    assert error.exit_code == 3
    if hint is not None:
        assert error.hint is not None
        assert hint in error.hint


def test_the_environment_goes_before_the_file() -> None:
    configuration = made(
        {"queues": {"inbound": "from_file"}, "rules": {"severity": {"PH030": "hold", "PH031": "hold"}}},
        PAKKEHJEM__QUEUES__INBOUND="from_environment",
        PAKKEHJEM__FLOW__GROUP_SIZE="7",
        PAKKEHJEM__SIGNING__SIGN_OUTGOING="false",
        PAKKEHJEM__SIGNING__TRUST='["a.pem", "b.pem"]',
        PAKKEHJEM__RULES__SEVERITY='{"PH030": "reject"}',
        PAKKEHJEM__RULES__SEVERITY__PH060="info",
        PAKKEHJEM_CONFIG="elsewhere",
        OTHER="x",
    )
    assert configuration.queues.inbound == "from_environment"
    assert configuration.flow.group_size == 7
    assert configuration.signing.sign_outgoing is False
    assert configuration.signing.trust == (Path("a.pem"), Path("b.pem"))
    assert configuration.rules.severity == {
        "PH030": Severity.REJECT,
        "PH031": Severity.HOLD,
        "PH060": Severity.INFO,
    }


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PAKKEHJEM__QUEUS__URL", "x", "unknown key in the configuration: queus (PAKKEHJEM__QUEUS__URL)"),
        (
            "PAKKEHJEM__QUEUES__URI",
            "x",
            "unknown key in the configuration: queues.uri (PAKKEHJEM__QUEUES__URI)",
        ),
        ("PAKKEHJEM__DIRECTORY", "x", "unknown key in the configuration: directory (PAKKEHJEM__DIRECTORY)"),
        ("PAKKEHJEM__RULES__REPEAT_DAYS", "many", "rules.repeat_days (PAKKEHJEM__RULES__REPEAT_DAYS): "),
        ("PAKKEHJEM__RULES__SEVERITY", "{broken", "PAKKEHJEM__RULES__SEVERITY is no valid JSON"),
        ("PAKKEHJEM__SIGNING__TRUST", "root.pem", "signing.trust (PAKKEHJEM__SIGNING__TRUST): "),
    ],
)
def test_what_is_wrong_in_the_environment_names_the_variable(name: str, value: str, said: str) -> None:
    error = refusal({}, **{name: value})
    assert error.message.startswith(said)
    assert "broken" not in error.message


@given(st.text(), st.text())
def test_no_environment_brings_it_down(name: str, value: str) -> None:
    with contextlib.suppress(ConfigurationError):
        made({}, **{f"PAKKEHJEM__{name}": value})


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("embedded:queue.sqlite", "embedded:///srv/gateway/queue.sqlite"),
        ("embedded:/var/my queue#1.sqlite", "embedded:///var/my%20queue%231.sqlite"),
        ("embedded:///var/queue.sqlite", "embedded:///var/queue.sqlite"),
        ("sqlite:journal.sqlite", "sqlite:////srv/gateway/journal.sqlite"),
        ("sqlite:///journal.sqlite", "sqlite:////srv/gateway/journal.sqlite"),
        ("sqlite:////var/journal.sqlite", "sqlite:////var/journal.sqlite"),
        ("amqps://user@host/vhost", "amqps://user@host/vhost"),
    ],
)
def test_relative_files_are_relative_to_the_configuration(url: str, whole: str) -> None:
    assert made().file_url(url) == whole


def test_any_folder_name_will_do(tmp_path: Path) -> None:
    folder = tmp_path / "my gateway #1 (å) 100%"
    configuration = load(initialise(folder))
    with connect_queue(configuration) as queue:
        queue.declare(["x"])
    vault = load_key_file(configuration.path(configuration.journal.key_file))
    open_journal(configuration.file_url(configuration.journal.url), vault).close()
    assert (folder / "queue.sqlite").is_file()
    assert (folder / "journal.sqlite").is_file()


def test_a_password_comes_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("p@ss/word\n", encoding="utf-8")
    file.chmod(0o600)
    document: dict[str, object] = {
        "queues": {"url": "amqps://user@host:5671/vhost", "password_file": "secret"},
        "journal": {"url": "postgresql://u@h/d", "password_file": str(file)},
    }
    configuration = Configuration.from_document(document, tmp_path)
    assert configuration.queues.url == "amqps://user:p%40ss%2Fword@host:5671/vhost"
    assert configuration.journal.url == "postgresql://u:p%40ss%2Fword@h/d"
    assert "p%40ss" not in repr(configuration)
    assert "p%40ss" not in str(configuration.queues)
    assert configuration.path(Path("x")) == tmp_path / "x"


def test_a_password_that_can_not_be_used_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("hemmelig", encoding="utf-8")
    document: dict[str, object] = {"queues": {"url": "amqps://u@h/v", "password_file": "secret"}}
    file.chmod(0o644)
    with pytest.raises(LocalError, match="Others may read"):
        Configuration.from_document(document, tmp_path)
    file.chmod(0o600)
    for url in ("amqps://host/vhost", "amqps://u:other@host/v"):
        broken: dict[str, object] = {"queues": {"url": url, "password_file": "secret"}}
        with pytest.raises(ConfigurationError, match=r"queues\.url") as caught:
            Configuration.from_document(broken, tmp_path)
        assert "hemmelig" not in caught.value.message
        assert "other" not in caught.value.message


def test_a_file_is_named_by_option_or_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAKKEHJEM_CONFIG", "from-variable.toml")
    assert configuration_path(Path("from-option.toml")) == Path("from-option.toml")
    assert configuration_path(None) == Path("from-variable.toml")
    monkeypatch.delenv("PAKKEHJEM_CONFIG")
    with pytest.raises(ConfigurationError) as caught:
        configuration_path(None)
    assert "pakkehjem init" in str(caught.value.hint)


@pytest.mark.parametrize("content", [b"[queues\n", b"\xff\xfe", b"a = 1\na = 2\n"])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "gateway.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match="is no valid TOML") as caught:
        load(file)
    assert str(file) in caught.value.message


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "gateway.toml", tmp_path):
        with pytest.raises(ConfigurationError, match="can not be read") as caught:
            load(path)
        assert str(path) in caught.value.message
