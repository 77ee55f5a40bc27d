"""The configuration file that `init` writes: complete, commented, working."""

from __future__ import annotations

import json

_TEMPLATE = """\
# Pakkeforløp hjem gateway. Every value can also be given by environment: PAKKEHJEM__QUEUES__URL=…
# Relative paths are relative to this file. Unknown keys are errors.

[gateway]
name = "Pakkeforløp hjem gateway"   # what receivers see as the sender of what the gateway itself writes
her_id = "{her_id}"              # our own address; notes addressed to it are answered by the gateway
org_no = "{org_no}"            # organisation number of our own certificate
profile = "test"                # production | test | training; test persons are refused in production,
                                # real ones everywhere else

[queues]
# embedded:FILE for trials on one machine, or amqps://user@host/vhost.
{broker}
inbound = "pakkehjem_in"        # what the hospitals' record systems write to
# RabbitMQ: url = "amqps://user@one.example,two.example/vhost" names the nodes of a cluster.
# declare = false               # others manage the broker: its queues are only looked for
# password_file = "broker.password"   # holds the password of the URL's user, for its owner only; or set
                                # PAKKEHJEM__QUEUES__PASSWORD. A credential of systemd's (LoadCredential=) is
                                # "$CREDENTIALS_DIRECTORY/broker.password", here and for every other file
# ca = "broker-ca.pem"          # roots of the broker's certificate
# certificate = "client.cert.pem"     # our client certificate
# key = "client.key.pem"        # and its key

[journal]
# sqlite:FILE for one process, or postgresql://user@host/database for several. A password stands in a file of
# its own: password_file = "journal.password", or in PAKKEHJEM__JOURNAL__PASSWORD.
{journal}
key_file = "journal.key"        # keep a copy apart from the journal: without it nothing can be read. Its text
                                # may also stand in PAKKEHJEM__JOURNAL__KEY

[registry]
file = "register.toml"          # hospitals with their units, municipalities, GPs

[signing]
keys = "pki/signing"            # <organisation number>.key.pem and .cert.pem
trust = ["pki/root.pem"]        # roots of the certificates that we accept
trust_test = []                 # roots of test certificates: accepted too, and refused in production
encryption_keys = "pki/encryption"          # every key in it reads: keep the old one beside the new one
encryption_certificates = "pki/encryption"  # <HER-id or organisation number>.cert.pem of each receiver
allow_pkcs1 = true              # read what was encrypted with RSAES-PKCS1-v1_5, too
crl = []                        # revocation lists: files, or http://127.0.0.1:… of a proxy
ocsp = []                       # OCSP answers in files, or a responder on http://127.0.0.1:…
sign_outgoing = true            # what goes out in a format with a place for a signature is signed (XML-DSig)
require = []                    # HER-ids of organisations whose messages must be signed

[formats]
# The first of these that a receiver accepts.
preference = [
    "summary-1", "dialogmelding-1.1", "plo-1.6", "epikrise-1.2",
    "dialogmelding-1.0", "plo-1.5", "epikrise-1.1",
]
plo_message = "UTSKRIVNINGSRAPPORT"   # or HELSEOPPL_SOKNAD
attachments = ["application/pdf", "image/jpeg", "image/png"]   # sent on to receivers that take them

[rules]
tell_sender = []                # ["PH020", "PH030", "PH031"]: the department is told of these (DIALOG_AVVIK)
repeat_days = 30                # a note for the same patient within so many days is held (PH040)
message_id_must_be_uuid = "new-versions"   # always | new-versions | never
unknown_service = "reject"      # a service that the register does not have, of an organisation that it has
other_attachments = "reject"    # or accept: the message is taken, and sent on without the attachment

[rules.severity]
# Each finding has a default (info, warning, hold, withhold, reject). For example:
# PH030 = "hold"
# PH001 = "info"                # what is no Pakkeforløp hjem note is answered and kept, and goes nowhere

[flow]
group_size = 100                # messages worked on together
retry_first_seconds = 2.0       # pause after a first attempt that failed; it doubles from there
retry_longest_seconds = 600.0   # and no pause is longer
give_up_after_hours = 72.0      # a sending that was not delivered by then has failed: pakkehjem failed list
lease_seconds = 30.0            # PostgreSQL: what a dead process held is taken over after this
poison_attempts = 3             # how many processes may end over a message before it is set aside
circuit_faults = 5              # a receiver not reached so often in a row is only probed, one at a time
circuit_longest_seconds = 60.0  # between two probes, at most
stop_seconds = 30.0             # from SIGTERM to the end of the process, at most
receipt_deadline_hours = 96.0   # no AppRec by then counts as negative, and alerts
reply_deadline_hours = 24.0     # a reply that the hospital has not acknowledged by then alerts
held_alert_hours = 24.0         # a held note alerts so long before its receipt deadline

[receipts]
answered_by = "receiver"        # its AppRec is passed on; or gateway: positive once a note is on its way
by_sender = {{}}                  # {{ "8900100" = "gateway" }}: otherwise for a hospital, or for a unit

[limits]
message_bytes = 20971520        # a larger message is refused unread; below RabbitMQ's max_message_size
attachment_bytes = 10485760     # all attachments of a message together

[retention]
# For how many days content is kept after the last that happened to it; without a number, for ever. What is
# held, refused, failed, not delivered or not answered is never taken. Rows, history and audit log stay.
# notes_days = 365              # notes that have ended, and all that was sent for them
# replies_days = 365            # replies that were taken
# receipts_days = 90            # AppRecs
# unreadable_days = 90          # what could not be read
# audit_days = 1825             # reasons that operators have given; the rows of the audit log stay
automatic = false               # the service purges by itself; otherwise: pakkehjem db purge

[observability]
# listen = "127.0.0.1:9464"     # /metrics for Prometheus, /healthz, /readyz; no process more without it
# traces = "http://127.0.0.1:4318/v1/traces"  # OpenTelemetry collector (OTLP/HTTP); needs pakkehjem[otel]

[schemas]
# official = "schemas"          # folder of the official ones, filled by: pakkehjem schemas add PATH
"""


def configuration_text(
    *, broker: tuple[str, str | None], journal: tuple[str, str | None], her_id: str, org_no: str
) -> str:
    """The file's text. Broker and journal: a URL, and the name of the file with its password."""
    return _TEMPLATE.format(
        broker=_connection(*broker), journal=_connection(*journal), her_id=her_id, org_no=org_no
    )


def _connection(url: str, password_file: str | None) -> str:
    # What JSON writes as a string TOML reads as one.
    lines = [f"url = {json.dumps(url, ensure_ascii=False)}"]
    if password_file is not None:
        lines.append(f'password_file = "{password_file}"')
    return "\n".join(lines)
