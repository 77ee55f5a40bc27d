"""The configuration: one TOML file, every value also by environment (`PAKKEHJEM__QUEUES__URL`).

Relative paths are relative to the file. Unknown keys are errors that name the key.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from gateway.contracts.errors import ConfigurationError
from gateway.contracts.findings import FINDINGS, Severity
from gateway.contracts.messages import Format
from gateway.contracts.summary import HerId

CONFIG_VARIABLE = "PAKKEHJEM_CONFIG"

DEFAULT_PREFERENCE = (
    Format.SUMMARY_1,
    Format.DIALOGMELDING_1_1,
    Format.PLO_1_6,
    Format.EPIKRISE_1_2,
    Format.DIALOGMELDING_1_0,
    Format.PLO_1_5,
    Format.EPIKRISE_1_1,
)


class Section(BaseModel):
    """A table of the file: closed, frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class GatewaySection(Section):
    """`[gateway]`: who we are."""

    name: str = "Pakkeforløp hjem gateway"
    her_id: HerId = "8999900"
    """Our own HER-id: notes addressed to it are answered by the gateway"""
    org_no: str | None = None
    """Organisation number of the gateway's own certificate"""
    profile: Literal["production", "test", "training"] = "test"
    """What outgoing messages say of themselves (ProcessingStatus P, D, T)"""


class QueuesSection(Section):
    """`[queues]`: the message broker."""

    url: str = "embedded:queue.sqlite"
    """`embedded:FILE`, or `amqps://user@host/vhost`"""
    inbound: str = "pakkehjem_in"
    """What the hospitals' record systems write to"""


class JournalSection(Section):
    """`[journal]`: the durable memory."""

    url: str = "sqlite:journal.sqlite"
    """`sqlite:FILE`, or `postgresql://…`"""
    key_file: Path = Path("journal.key")
    """Keys that payloads are encrypted with, newest first"""


class RegistrySection(Section):
    """`[registry]`: the address register."""

    file: Path = Path("register.toml")


class SchemasSection(Section):
    """`[schemas]`: what messages are validated against."""

    official: Path | None = None
    """Folder that `pakkehjem schemas add` fills; the user's data folder by default"""


class SigningSection(Section):
    """`[signing]`: keys and trust."""

    keys: Path = Path("pki/signing")
    """`<organisation number>.key.pem` and `.cert.pem` for each party that we sign for"""
    trust: tuple[Path, ...] = (Path("pki/root.pem"),)
    """Roots that a sender's certificate must lead to"""
    sign_outgoing: bool = True
    require: tuple[HerId, ...] = ()
    """HER-ids of organisations whose messages must be signed; a signature that is there is always checked"""


class FormatsSection(Section):
    """`[formats]`: what receivers get."""

    preference: tuple[Format, ...] = DEFAULT_PREFERENCE
    """The first of these that a receiver accepts"""
    plo_message: Literal["UTSKRIVNINGSRAPPORT", "HELSEOPPL_SOKNAD"] = "UTSKRIVNINGSRAPPORT"


class RulesSection(Section):
    """`[rules]`: findings."""

    severity: dict[str, Severity] = {}
    """`PH030 = "hold"`: overrides the default"""
    repeat_days: Annotated[int, Field(ge=0, le=3650)] = 30
    """PH040: how recent a note is a repeat"""
    message_id_must_be_uuid: Literal["always", "new-versions", "never"] = "new-versions"
    """E10 (HIS 80415:2012, 3.3.4): for all, for messages answered with AppRec 1.1, or not at all"""


class FlowSection(Section):
    """`[flow]`: groups and retries."""

    group_size: Annotated[int, Field(ge=1, le=1000)] = 50
    retry_first_seconds: Annotated[float, Field(gt=0)] = 2.0
    retry_longest_seconds: Annotated[float, Field(gt=0)] = 600.0
    give_up_after_hours: Annotated[float, Field(gt=0)] = 72.0


class LimitsSection(Section):
    """`[limits]`: what is refused unread."""

    message_bytes: Annotated[int, Field(ge=1000)] = 20 * 1024 * 1024


class Configuration(BaseSettings):
    """All of it."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        env_prefix="PAKKEHJEM__",
        env_nested_delimiter="__",
    )

    gateway: GatewaySection = GatewaySection()
    queues: QueuesSection = QueuesSection()
    journal: JournalSection = JournalSection()
    registry: RegistrySection = RegistrySection()
    schemas: SchemasSection = SchemasSection()
    signing: SigningSection = SigningSection()
    formats: FormatsSection = FormatsSection()
    rules: RulesSection = RulesSection()
    flow: FlowSection = FlowSection()
    limits: LimitsSection = LimitsSection()
    directory: Path = Path()
    """Folder of the file; not to be set"""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment goes before the file; there are no other sources."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings

    def path(self, value: Path) -> Path:
        """A path of the file, made absolute."""
        return (self.directory / value).absolute()

    def file_url(self, url: str) -> str:
        """A URL with the relative file of `embedded:FILE` and `sqlite:FILE` made absolute."""
        scheme, _, rest = url.partition(":")
        if scheme in {"embedded", "sqlite"} and not rest.startswith("//"):
            # SQLAlchemy's form has one slash more before the path.
            slashes = "///" if scheme == "sqlite" else "//"
            return f"{scheme}:{slashes}{self.path(Path(rest))}"
        return url

    @classmethod
    def from_document(cls, document: dict[str, object], directory: Path) -> Self:
        """Make one from a parsed file.

        Raises:
            ConfigurationError: a key is unknown, or its value can not be used.
        """
        if "directory" in document:
            raise ConfigurationError("unknown key in the configuration: directory")
        try:
            configuration = cls(directory=directory, **document)  # type: ignore[arg-type]
        except ValidationError as error:
            raise ConfigurationError(_explain(error)) from None
        unknown = sorted(set(configuration.rules.severity) - set(FINDINGS))
        if unknown:
            raise ConfigurationError(f"rules.severity: there is no finding {unknown[0]}")
        return configuration


def _explain(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_context=False, include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"unknown key in the configuration: {key}"
    return f"{key}: {first['msg']}"


def configuration_path(path: Path | None) -> Path:
    """The file that is meant: the option, else `PAKKEHJEM_CONFIG`.

    Raises:
        ConfigurationError: neither is given.
    """
    chosen = path or (Path(value) if (value := os.environ.get(CONFIG_VARIABLE)) else None)
    if chosen is None:
        raise ConfigurationError(
            "no configuration is given",
            hint=f"use -c FILE or set {CONFIG_VARIABLE}; pakkehjem init DIR writes one",
        )
    return chosen


def load(path: Path | None = None) -> Configuration:
    """Read the configuration file.

    Raises:
        ConfigurationError: there is none, or it can not be used.
    """
    file = configuration_path(path)
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{file} can not be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} is no valid TOML: {error}") from None
    return Configuration.from_document(document, file.parent.absolute())
