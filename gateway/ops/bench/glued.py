"""The baseline: the libraries glued together as their examples show, one message at a time.

signxml checks and makes the signatures, one message is prefetched, each is published with a confirm of its
own, and each step has a commit of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pika
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree
from signxml.algorithms import CanonicalizationMethod
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

from gateway.ops.bench.primitives import Made, Work
from gateway.ops.bench.rows import INBOX, MARK, OUTBOX, Rows, open_rows
from gateway.ops.bench.setup import Setup
from gateway.ops.bench.world import hospital_queue, inbound_queue
from queues import connect

_C14N = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0
Publish = Callable[[Made], None]


class Glued:
    """Works on one message after the other."""

    def __init__(self, setup: Setup, name: str, rows: Rows) -> None:
        """Load what is loaded once."""
        self._work = Work(name, setup)
        self._rows = rows
        self._signer = XMLSigner(c14n_algorithm=_C14N)
        self._keys: dict[str, tuple[RSAPrivateKey, list[x509.Certificate]]] = {}
        for her_id, number in setup.hospitals.items():
            stem = Path(setup.keys) / number
            self._keys[her_id] = (
                cast("RSAPrivateKey", load_pem_private_key(stem.with_suffix(".key.pem").read_bytes(), None)),
                x509.load_pem_x509_certificates(stem.with_suffix(".cert.pem").read_bytes()),
            )

    def note(self, body: bytes, publish: Publish) -> None:
        """A note in, its sendings out."""
        root = etree.fromstring(body)
        certificate = root.findtext(".//{http://www.w3.org/2000/09/xmldsig#}X509Certificate")
        configuration = SignatureConfiguration(location="./", expect_references=1)
        XMLVerifier().verify(body, x509_cert=certificate, expect_config=configuration)
        taken = self._work.note(body, raw=False)
        key, chain = self._keys[taken.sender]
        self._rows.commit([(INBOX, [(taken.id, taken.msg_id, taken.sender, "taken", body)])])
        for made in taken.out:
            signed = self._signer.sign(etree.fromstring(made.envelope.body), key=key, cert=chain)
            self._send(taken.id, made, etree.tostring(signed), publish)

    def apprec(self, body: bytes, publish: Publish) -> None:
        """An AppRec in, an AppRec out."""
        original, made = self._work.apprec(body)
        self._rows.commit([(INBOX, [(made.id, made.id, original, "taken", body)])])
        self._rows.commit([(MARK, [("answered", original)])])
        self._send(made.id, made, made.envelope.body, publish)

    def _send(self, owner: str, made: Made, body: bytes, publish: Publish) -> None:
        self._rows.commit([(OUTBOX, [(made.id, owner, made.queue, "due", body)])])
        publish(Made(id=made.id, queue=made.queue, envelope=replace(made.envelope, body=body)))
        self._rows.commit([(MARK, [("published", made.id)])])


def _on_rabbitmq(url: str, glued: Glued, inbound: str, names: Sequence[str]) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.confirm_delivery()
    channel.basic_qos(prefetch_count=1)

    def publish(made: Made) -> None:
        properties = pika.BasicProperties(
            message_id=made.envelope.message_id, headers=dict(made.envelope.headers), delivery_mode=2
        )
        channel.basic_publish("", made.queue, made.envelope.body, properties, mandatory=True)

    def came(channel: Any, method: Any, _properties: Any, body: bytes) -> None:  # noqa: ANN401 - pika has no types
        (glued.note if method.routing_key == inbound else glued.apprec)(body, publish)
        channel.basic_ack(method.delivery_tag)

    for name in names:
        channel.basic_consume(name, came)
    _say_ready()
    channel.start_consuming()


def _on_any(url: str, glued: Glued, inbound: str, names: Sequence[str]) -> None:
    queue = connect(url)

    def publish(made: Made) -> None:
        queue.publish([(made.queue, made.envelope)])

    _say_ready()
    while True:
        for delivery in queue.take(names, limit=1, wait_seconds=1.0):
            (glued.note if delivery.queue == inbound else glued.apprec)(delivery.envelope.body, publish)
            queue.acknowledge([delivery])


def _say_ready() -> None:
    sys.stdout.write('{"event":"ready"}\n')
    sys.stdout.flush()


def main() -> None:
    """`glued SETUP NAME BROKER JOURNAL`."""
    file, name, broker, journal = sys.argv[1:5]
    setup = Setup.read(Path(file))
    glued = Glued(setup, name, open_rows(journal, name))
    inbound = inbound_queue(name)
    names = [inbound, *(hospital_queue(name, her_id) for her_id in setup.hospitals)]
    (_on_rabbitmq if broker.startswith("amqp") else _on_any)(broker, glued, inbound, names)


if __name__ == "__main__":
    main()
