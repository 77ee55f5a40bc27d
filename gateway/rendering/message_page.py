"""A message as a page for a person, as a record system would show it: a clinical message, or a receipt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from gateway.contracts.messages import CodedValue, DiagnosisEntry, Head, Message, Party, PatientRecord
from gateway.contracts.receipts import AppRec, ReceiptStatus
from gateway.rendering.markup import escaped
from gateway.rendering.page import page
from gateway.rendering.words import date_in_words, phone_in_words, time_in_words

_STATUS = {
    ReceiptStatus.OK: ("Mottatt", "Meldingen er mottatt."),
    ReceiptStatus.REJECTED: ("Avvist", "Meldingen er avvist. Mottakeren har ikke tatt den imot."),
    ReceiptStatus.PARTLY: ("Delvis mottatt", "Meldingen er mottatt, men med feil i en del."),
}


def message_page(message: Message) -> str:
    """A reply, or any other clinical message, whatever its format."""
    head = message.head
    name = message.subject or _words(head.msg_type) or _words(message.topic) or "Melding"
    return page(
        name,
        [
            *_section("Melding", _facts(_head_facts(head, message))),
            *(_section("Pasient", _facts(_patient_facts(head.patient))) if head.patient is not None else ()),
            *(_section("Diagnoser", _diagnoses(message.diagnoses)) if message.diagnoses else ()),
            *_texts(message),
            *(_section("Vedlegg", _attachments(message)) if message.attachments else ()),
        ],
        introduction=[f"Fra {_party(head.sender)}"] if head.sender is not None else [],
    )


def apprec_page(apprec: AppRec) -> str:
    """An application receipt."""
    known = {status.value: words for status, words in _STATUS.items()}
    word, sentence = known.get(apprec.status, (apprec.status_text or apprec.status, "Ukjent status."))
    faults = [
        (f.code, " ".join(filter(None, (f.text, f.detail and f"({f.detail})"))) or "uten forklaring")
        for f in apprec.faults
    ]
    original = apprec.original
    return page(
        f"Applikasjonskvittering: {word}",
        [
            *(_section("Feil", _facts(faults)) if faults else ()),
            *_section(
                "Kvitteringen",
                _facts(
                    [
                        ("Fra", _party(apprec.sender.party)),
                        ("Til", _party(apprec.receiver.party)),
                        ("Sendt", _time(apprec.generated_at)),
                        ("Id", apprec.id),
                    ]
                ),
            ),
            *_section(
                "Meldingen som er kvittert",
                _facts(
                    [
                        ("Type", _words(original.msg_type)),
                        ("Sendt", _time(original.issued_at)),
                        ("Id", original.id),
                    ]
                ),
            ),
        ],
        introduction=[sentence],
    )


def _head_facts(head: Head, message: Message) -> Iterator[tuple[str, str | None]]:
    yield "Type", _words(head.msg_type)
    yield "Emne", message.subject
    yield "Tema", _words(message.topic)
    yield "Sendt", _time(head.generated_at)
    yield "Fra", _party(head.sender)
    for receiver in head.receivers:
        yield ("Kopi til" if receiver.copy else "Til"), _party(receiver.party)
    yield "Meldings-id", head.msg_id
    if head.conversation is not None:
        yield "Svar på", head.conversation.parent


def _patient_facts(patient: PatientRecord) -> Iterator[tuple[str, str | None]]:
    whole = " ".join(filter(None, (patient.given_name, patient.middle_name, patient.family_name)))
    yield "Navn", whole or patient.name
    for each in patient.identifiers:
        yield (each.type_name or each.type), each.id
    yield "Født", _date(patient.birth_date)
    if (address := patient.address) is not None:
        place = " ".join(filter(None, (address.postal_code, address.city)))
        yield "Adresse", ", ".join(filter(None, (address.street, place)))
    for telecom in patient.telecoms:
        yield "Telefon" if not telecom.address.startswith("mailto:") else "E-post", _number(telecom.address)


def _number(address: str) -> str:
    return phone_in_words(address.removeprefix("tel:").removeprefix("mailto:"))


def _texts(message: Message) -> Iterator[str]:
    for number, text in enumerate(message.texts, start=1):
        heading = _words(text.heading) or ("Notat" if number == 1 else f"Notat {number}")
        yield from _section(heading, [f'<p class="note">{escaped(text.text)}</p>'])


def _diagnoses(entries: Iterable[DiagnosisEntry]) -> Iterator[str]:
    yield "<ul>"
    for entry in entries:
        code = entry.code.value if entry.code is not None else None
        words = entry.description or (_words(entry.code) if entry.code is not None else None)
        text = " ".join(filter(None, (code, words if words != code else None)))
        yield f"<li>{escaped(text)}{' (hovedtilstand)' if entry.main else ''}</li>"
    yield "</ul>"


def _attachments(message: Message) -> Iterator[str]:
    yield "<ul>"
    for each in message.attachments:
        size = f"{-(-len(each.content) // 1024)} kB"
        yield f"<li>{escaped(each.description or 'Uten navn')} ({escaped(each.mime_type)}, {size})</li>"
    yield "</ul>"


def _section(heading: str, content: Iterable[str]) -> Iterator[str]:
    yield f"<section>\n<h2>{escaped(heading)}</h2>"
    yield from content
    yield "</section>"


def _facts(facts: Iterable[tuple[str, str | None]]) -> Iterator[str]:
    yield "<dl>"
    yield from (f"<dt>{escaped(name)}</dt><dd>{escaped(value)}</dd>" for name, value in facts if value)
    yield "</dl>"


def _words(value: CodedValue | None) -> str | None:
    if value is None:
        return None
    return value.name or value.original_text or value.value


def _party(party: Party | None) -> str:
    if party is None:
        return "ukjent avsender"
    person = party.person.full_name if party.person is not None else None
    levels = [person, party.unit.name if party.unit is not None else None, party.organisation.name]
    names = ", ".join(dict.fromkeys(filter(None, levels)))
    her_id = f" (HER-id {party.her_id})" if party.her_id else ""
    return f"{names or 'uten navn'}{her_id}"


def _time(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    # One without a zone is of the sender's clock.
    return time_in_words(text) if moment.tzinfo is not None else moment.strftime("%d.%m.%Y kl. %H.%M")


def _date(text: str | None) -> str | None:
    try:
        return date_in_words(text) if text is not None else None
    except ValueError:
        return text
