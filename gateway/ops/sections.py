"""The tables of the configuration file: their keys, what each may be, and its default."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from gateway.contracts.findings import Severity
from gateway.contracts.messages import Format
from gateway.contracts.retention import DataClass
from gateway.contracts.summary import HerId
from gateway.intake.attachments import TAKEN
from gateway.receipts.relay import AnsweredBy

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

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)


class GatewaySection(Section):
    """`[gateway]`: who we are."""

    name: str = "Pakkeforløp hjem gateway"
    her_id: HerId = "8999900"
    """Our own HER-id: notes addressed to it are answered by the gateway"""
    org_no: str | None = None
    """Organisation number of the gateway's own certificate"""
    profile: Literal["production", "test", "training"] = "test"
    """What outgoing messages say of themselves (ProcessingStatus P, D, T), and whose patients are taken: test
    persons are refused in production, real ones everywhere else"""


class QueuesSection(Section):
    """`[queues]`: the message broker."""

    url: Annotated[str, Field(repr=False)] = "embedded:queue.sqlite"
    """`embedded:FILE`, or `amqps://user@host/vhost`"""
    password_file: Path | None = None
    """Holds the password of the URL's user, and nothing else"""
    password: SecretStr | None = None
    """The same, by environment only"""
    inbound: str = "pakkehjem_in"
    """What the hospitals' record systems write to"""
    declare: bool = True
    """RabbitMQ: whether queues are made; where others manage the broker they are only looked for"""
    ca: Path | None = None
    """RabbitMQ with TLS: roots of the broker's certificate; those of the system by default"""
    certificate: Path | None = None
    """RabbitMQ with TLS: our client certificate"""
    key: Path | None = None
    """The key of the client certificate"""


class JournalSection(Section):
    """`[journal]`: the durable memory."""

    url: Annotated[str, Field(repr=False)] = "sqlite:journal.sqlite"
    """`sqlite:FILE`, or `postgresql://user@host/database`"""
    password_file: Path | None = None
    """Holds the password of the URL's user, and nothing else"""
    key_file: Path = Path("journal.key")
    """Keys that payloads are encrypted with, newest first"""
    password: SecretStr | None = None
    """That of the URL's user, by environment only"""
    key: SecretStr | None = None
    """What would stand in the key file, by environment only"""


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
    trust_test: tuple[Path, ...] = ()
    """Roots of test certificates: trusted as well, and refused (certificate-test) in production"""
    encryption_keys: Path = Path("pki/encryption")
    """`<any name>.key.pem` and `.cert.pem`: what we read with; older keys lie beside the current one"""
    encryption_certificates: Path = Path("pki/encryption")
    """`<HER-id or organisation number>.cert.pem` of each receiver that gets its messages encrypted"""
    allow_pkcs1: bool = True
    """Read what senders encrypted with RSAES-PKCS1-v1_5, as most do"""
    crl: tuple[str, ...] = ()
    """Revocation lists: files, or `http://127.0.0.1:…` of a proxy; as soon as `crl` or `ocsp` names one, a
    certificate counts only if it is found not to be revoked"""
    ocsp: tuple[str, ...] = ()
    """Answers in files, or a responder on `http://127.0.0.1:…`"""
    sign_outgoing: bool = True
    require: tuple[HerId, ...] = ()
    """HER-ids of organisations whose messages must be signed; a signature that is there is always checked"""


class FormatsSection(Section):
    """`[formats]`: what receivers get."""

    preference: tuple[Format, ...] = DEFAULT_PREFERENCE
    """The first of these that a receiver accepts"""
    plo_message: Literal["UTSKRIVNINGSRAPPORT", "HELSEOPPL_SOKNAD"] = "UTSKRIVNINGSRAPPORT"
    attachments: tuple[str, ...] = TAKEN
    """MIME types of attachments that are sent on, in lower case"""


class RulesSection(Section):
    """`[rules]`: findings."""

    severity: dict[str, Severity] = {}
    """`PH030 = "hold"`: overrides the default"""
    tell_sender: tuple[str, ...] = ()
    """Findings that the department is told of by DIALOG_AVVIK, code 2, when its note is sent on"""
    repeat_days: Annotated[int, Field(ge=0, le=3650)] = 30
    """PH040: how recent a note is a repeat"""
    message_id_must_be_uuid: Literal["always", "new-versions", "never"] = "new-versions"
    """E10 (HIS 80415:2012, 3.3.4): for all, for messages answered with AppRec 1.1, or not at all"""
    unknown_service: Literal["reject", "accept"] = "reject"
    """E21 (HIS 80415:2012, 3.3.4): a service or person that the register does not have, at an organisation
    that it has"""
    other_attachments: Literal["reject", "accept"] = "reject"
    """A message with an attachment of another type: refused, or taken without sending the attachment on"""


class FlowSection(Section):
    """`[flow]`: groups and retries."""

    group_size: Annotated[int, Field(ge=1, le=1000)] = 100
    retry_first_seconds: Annotated[float, Field(gt=0)] = 2.0
    retry_longest_seconds: Annotated[float, Field(gt=0)] = 600.0
    give_up_after_hours: Annotated[float, Field(gt=0)] = 72.0
    lease_seconds: Annotated[float, Field(ge=1)] = 30.0
    """PostgreSQL: how long a process has to publish what it took; what a dead one held is then taken over"""
    poison_attempts: Annotated[int, Field(ge=2)] = 3
    """How many processes may end over one message before it is set aside (`failed`, reason `poison`)"""
    circuit_faults: Annotated[int, Field(ge=1)] = 5
    """How often in a row a receiver is not reached before it is only probed, one sending at a time"""
    circuit_longest_seconds: Annotated[float, Field(gt=0)] = 60.0
    """Between two probes of a receiver, at most; the pauses double from `retry_first_seconds`"""
    stop_seconds: Annotated[float, Field(ge=1)] = 30.0
    """From SIGTERM to the end of the process, at most"""
    receipt_deadline_hours: Annotated[float, Field(gt=0)] = 96.0
    """From GenDate to the AppRec of a municipality or GP (HIS 80415:2012, chapter 3.3.4)"""
    reply_deadline_hours: Annotated[float, Field(gt=0)] = 24.0
    """Until a hospital must have acknowledged a reply that was passed on to it"""
    held_alert_hours: Annotated[float, Field(ge=0)] = 24.0
    """How long before the receipt deadline of a note that is held its operator is told"""


class ReceiptsSection(Section):
    """`[receipts]`: who answers the hospitals."""

    answered_by: AnsweredBy = AnsweredBy.RECEIVER
    """`receiver`: its AppRec is passed on; `gateway`: positively, once a note is on its way"""
    by_sender: dict[HerId, AnsweredBy] = {}
    """`"8900100" = "gateway"`: for a hospital, or a unit"""


class RetentionSection(Section):
    """`[retention]`: for how many days content is kept; without a number, for ever.

    Counted from the last that happened to a message. `pakkehjem db purge` takes it away.
    """

    notes_days: Annotated[int, Field(ge=1)] | None = None
    """Notes that have ended, and all that was sent for them"""
    replies_days: Annotated[int, Field(ge=1)] | None = None
    receipts_days: Annotated[int, Field(ge=1)] | None = None
    """AppRecs"""
    unreadable_days: Annotated[int, Field(ge=1)] | None = None
    """What could not be read, and whatever is none of the others"""
    audit_days: Annotated[int, Field(ge=1)] | None = None
    """The reasons that operators have given; the rows of the audit log stay"""
    automatic: bool = False
    """The service purges by itself, every hour"""

    def periods(self) -> dict[DataClass, timedelta]:
        """How long each class is kept, where it is not for ever."""
        days = {data: getattr(self, f"{data}_days") for data in DataClass}
        return {data: timedelta(days=number) for data, number in days.items() if number is not None}


class LimitsSection(Section):
    """`[limits]`: what is refused unread."""

    message_bytes: Annotated[int, Field(ge=1000)] = 20 * 1024 * 1024
    attachment_bytes: Annotated[int, Field(ge=0)] = 10 * 1024 * 1024
    """All attachments of a message together, decoded"""


class ObservabilitySection(Section):
    """`[observability]`: how others watch the service."""

    listen: Annotated[str, Field(pattern=r"^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$")] | None = None
    """`127.0.0.1:9464`: where `/metrics`, `/healthz` and `/readyz` are answered; nowhere by default. Whoever
    reaches it sees counts and HER-ids, and nothing of a message"""
    traces: Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.\[\]:-]+(/[\w.~/-]*)?$")] | None = None
    """`http://127.0.0.1:4318/v1/traces`: the collector that is sent spans (OTLP/HTTP; the extra `otel`)"""

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port."""
        if self.listen is None:
            return None
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)
