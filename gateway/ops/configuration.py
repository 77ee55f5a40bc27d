"""The configuration: one TOML file, every value also by environment (`PAKKEHJEM__QUEUES__URL`).

Relative paths are relative to the file; `$CREDENTIALS_DIRECTORY/NAME` is a credential of systemd's. Unknown
keys are errors that name the key. A secret stands in a file of its own, or in the environment.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Self, cast
from urllib.parse import quote, urlencode, urlunsplit

from pydantic import BaseModel, PrivateAttr, ValidationError

from gateway.contracts.errors import ConfigurationError
from gateway.contracts.findings import FINDINGS
from gateway.ops.environment import Environment, merged
from gateway.ops.secret_values import SECRETS, refuse_secrets, url_parts, with_password
from gateway.ops.sections import (
    FlowSection,
    FormatsSection,
    GatewaySection,
    JournalSection,
    LimitsSection,
    ObservabilitySection,
    QueuesSection,
    ReceiptsSection,
    RegistrySection,
    RetentionSection,
    RulesSection,
    SchemasSection,
    Section,
    SigningSection,
)
from gateway.security.files import CREDENTIALS_VARIABLE, credentials_directory, read_private

CONFIG_VARIABLE = "PAKKEHJEM_CONFIG"
"""Names the file"""


class Configuration(Section):
    """All of it."""

    gateway: GatewaySection = GatewaySection()
    queues: QueuesSection = QueuesSection()
    journal: JournalSection = JournalSection()
    registry: RegistrySection = RegistrySection()
    schemas: SchemasSection = SchemasSection()
    signing: SigningSection = SigningSection()
    formats: FormatsSection = FormatsSection()
    rules: RulesSection = RulesSection()
    flow: FlowSection = FlowSection()
    receipts: ReceiptsSection = ReceiptsSection()
    limits: LimitsSection = LimitsSection()
    observability: ObservabilitySection = ObservabilitySection()
    retention: RetentionSection = RetentionSection()

    _directory: Path = PrivateAttr(default=Path())

    def model_post_init(self, context: Path | None, /) -> None:
        """Learn the folder of the file."""
        self._directory = context or Path()

    def path(self, value: Path) -> Path:
        """A path of the file, made absolute.

        Raises:
            ConfigurationError: it is a credential, and there are none.
        """
        if value.parts[:1] == (f"${CREDENTIALS_VARIABLE}",):
            directory = credentials_directory()
            if directory is None:
                raise ConfigurationError(
                    f"{value}: the service manager has given no credentials",
                    hint="LoadCredential= in the unit of systemd gives them",
                )
            return directory.joinpath(*value.parts[1:]).absolute()
        return (self._directory / value).absolute()

    def file_url(self, url: str) -> str:
        """A URL with the relative file of `embedded:FILE` and `sqlite:FILE` made absolute."""
        scheme, _, rest = url.partition(":")
        if scheme == "embedded" and not rest.startswith("//"):
            return f"embedded://{quote(str(self.path(Path(rest))))}"
        if scheme == "sqlite":
            # SQLAlchemy's form has one slash more before the path, and takes the path as it stands.
            return f"sqlite:///{self.path(Path(rest.removeprefix('///')))}"
        return url

    def broker_url(self) -> str:
        """The broker's URL as `queues.connect` takes it, with what the section says of RabbitMQ.

        Raises:
            ConfigurationError: the URL can not be read.
            LocalError: others may read the key of our certificate.
        """
        section = self.queues
        url = self.file_url(section.url)
        if not url.startswith("amqp"):
            return url
        settings = {} if section.declare else {"declare": "false"}
        for name, file in (("ca", section.ca), ("certificate", section.certificate), ("key", section.key)):
            if file is not None:
                settings[name] = str(self.path(file))
        if section.key is not None:
            read_private(self.path(section.key))
        parts = url_parts("queues.url", url)
        return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode(settings))))))

    @classmethod
    def from_document(
        cls, document: Mapping[str, object], directory: Path, environment: Mapping[str, str] | None = None
    ) -> Self:
        """Make one from a parsed file and the environment, which goes before the file.

        Args:
            document: the file's tables.
            directory: the folder of the file.
            environment: variables by name; those of `PAKKEHJEM__…` count.

        Raises:
            ConfigurationError: a key is unknown, or its value can not be used.
        """
        given = Environment.read(environment or {}, raw=SECRETS)
        refuse_secrets(document)
        try:
            configuration = cls.model_validate(merged(document, given.document), context=directory)
        except ValidationError as error:
            raise _refusal(error, given) from None
        for key in ("severity", "tell_sender"):
            unknown = sorted(set(getattr(configuration.rules, key)) - set(FINDINGS))
            if unknown:
                raise ConfigurationError(
                    f"rules.{key}: there is no finding {unknown[0]}", hint=f"known: {', '.join(FINDINGS)}"
                )
        return configuration.model_copy(update=_passwords(configuration))


def _passwords(configuration: Configuration) -> dict[str, Section]:
    """The sections whose URL gets a password from the environment or a file."""
    changed: dict[str, Section] = {}
    for name, section in (("queues", configuration.queues), ("journal", configuration.journal)):
        if section.password is not None:
            password = section.password.get_secret_value()
        elif section.password_file is not None:
            password = read_private(configuration.path(section.password_file)).decode("utf-8", "replace")
        else:
            continue
        url = with_password(f"{name}.url", section.url, password.strip())
        changed[name] = section.model_copy(update={"url": url})
    return changed


def _refusal(error: ValidationError, given: Environment) -> ConfigurationError:
    first = error.errors(include_input=False, include_context=False, include_url=False)[0]
    location = tuple(str(part) for part in first["loc"])
    key, variable = ".".join(location), given.variable(location)
    origin = f" ({variable})" if variable is not None else ""
    if first["type"] != "extra_forbidden":
        return ConfigurationError(f"{key}{origin}: {first['msg']}")
    return ConfigurationError(f"unknown key in the configuration: {key}{origin}", hint=_known(location))


def _known(location: tuple[str, ...]) -> str | None:
    """The keys that there are where an unknown one stands; the nearest one, if it looks like a slip."""
    section: type[BaseModel] = Configuration
    for part in location[:-1]:
        # Only a section refuses keys.
        section = cast("type[BaseModel]", section.model_fields[part].annotation)
    near = difflib.get_close_matches(location[-1], section.model_fields, n=1)
    if near:
        return f"did you mean {'.'.join((*location[:-1], near[0]))}?"
    return f"known there: {', '.join(section.model_fields)}"


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
    """Read the configuration file, and the environment over it.

    Raises:
        ConfigurationError: there is none, or it can not be used.
    """
    file = configuration_path(path)
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        hint = "pakkehjem init DIR writes a configuration"
        if isinstance(error, PermissionError):
            hint = "run it as the service's user, or let this one read the file and its folder"
        raise ConfigurationError(f"{file} can not be read: {error.strerror}", hint=hint) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} is no valid TOML: {error}") from None
    try:
        return Configuration.from_document(document, file.parent.absolute(), os.environ)
    except ConfigurationError as error:
        raise ConfigurationError(f"{file}: {error.message}", hint=error.hint) from None
