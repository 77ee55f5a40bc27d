"""`pakkehjem init`: a folder with everything that a first run needs."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from gateway.contracts.errors import ConfigurationError
from gateway.ops.samples import registry_file
from gateway.ops.template import configuration_text
from gateway.routing.register_file import RegisterFile
from gateway.security import test_pki
from gateway.security.files import read_public, write_private, write_public
from gateway.security.vault import new_key_file

GATEWAY_HER_ID = "8999900"
GATEWAY_ORG_NO = "310009999"

CONFIGURATION = "gateway.toml"
_REGISTER = "register.toml"
_PARTS = (_REGISTER, "pki", "journal.key", "broker.password", "journal.password", CONFIGURATION)
"""What is written; the configuration last, so that what has one is complete"""


def initialise(
    directory: Path, *, broker: str | None = None, journal: str | None = None, register: Path | None = None
) -> Path:
    """Write a configuration with a test PKI, the journal's key and a register.

    Nothing is ever written over: all of it is made, or nothing. A password in a URL goes into a file of its
    own.

    Args:
        directory: made, for its owner only, where it is missing.
        broker: URL of the queues; the embedded queue by default.
        journal: URL of the journal; SQLite by default.
        register: is copied; the sample register by default.

    Returns:
        The configuration file.

    Raises:
        ConfigurationError: something stands there already, or the register can not be used.
    """
    source = register or registry_file()
    parties = _parties(RegisterFile.load(source))
    content = read_public(source)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_free(directory, source)
        with tempfile.TemporaryDirectory(dir=directory, prefix=".init-") as name:
            scratch = Path(name)
            write_public(scratch / _REGISTER, content)
            test_pki.create(scratch / "pki", parties, now=datetime.now(UTC))
            new_key_file(scratch / "journal.key")
            text = configuration_text(
                broker=_without_password(broker or "embedded:queue.sqlite", scratch / "broker.password"),
                journal=_without_password(journal or "sqlite:journal.sqlite", scratch / "journal.password"),
                her_id=GATEWAY_HER_ID,
                org_no=GATEWAY_ORG_NO,
            )
            write_public(scratch / CONFIGURATION, text.encode())
            for part in (part for part in _PARTS if (scratch / part).exists()):
                (scratch / part).replace(directory / part)
    except OSError as error:
        raise ConfigurationError(f"{directory} can not be written: {error.strerror}") from None
    return directory / CONFIGURATION


def _check_free(directory: Path, register: Path) -> None:
    """A register that is in its place already is as good as copied."""
    places = (directory / part for part in _PARTS)
    taken = [place.name for place in places if place.exists() and not place.samefile(register)]
    if taken:
        raise ConfigurationError(
            f"{directory} holds {', '.join(taken)} already", hint="choose another folder; nothing was changed"
        )


def _without_password(url: str, file: Path) -> tuple[str, str | None]:
    """The URL as it may stand in the configuration, and the name of the file that its password is in."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConfigurationError("the URL of the broker or the journal can not be read") from None
    if parts.password is None:
        return url, None
    if not parts.username:
        raise ConfigurationError("a URL with a password needs a user, too")
    write_private(file, unquote(parts.password).encode())
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username}@{host}")), file.name


def _parties(registry: RegisterFile) -> list[tuple[str, str]]:
    """Who gets a certificate: name and number (organisation number, else HER-id), the gateway first."""
    parties = {GATEWAY_ORG_NO: "Pakkeforløp hjem gateway"}
    for hospital in registry.hospitals:
        if hospital.org_no:
            parties.setdefault(hospital.org_no, hospital.name)
    for endpoint in registry.endpoints:
        number = endpoint.org_no or endpoint.organisation_her_id
        parties.setdefault(number, endpoint.organisation_name)
    return [(name, org_no) for org_no, name in parties.items()]
