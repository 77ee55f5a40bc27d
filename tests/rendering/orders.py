"""Orders and summaries that the tests of renderings share. All persons and numbers are made up."""

from __future__ import annotations

import datetime
from typing import Any

from gateway.contracts.messages import Conversation, Format, Identifier, Party, Unit
from gateway.contracts.summary import Action, Summary
from gateway.rendering import RenderingOrder

TEXT_FORMATS = (
    Format.PLO_1_5,
    Format.PLO_1_6,
    Format.EPIKRISE_1_1,
    Format.EPIKRISE_1_2,
    Format.DIALOGMELDING_1_0,
    Format.DIALOGMELDING_1_1,
)
ALL_FORMATS = (*TEXT_FORMATS, Format.SUMMARY_1)
OLD_MSG_ID = "7c0f4f2e-9f51-5a8e-a7a5-0d6f3c1f7f10"
"""MsgId of an order; a replacing order points back to it"""


def unit(name: str, her_id: str, org_no: str | None = None) -> Unit:
    base = "2.16.578.1.12.4.1.1.9051"
    identifiers = [Identifier(id=her_id, type="HER", type_name="HER-id", code_list=base)]
    if org_no:
        words = "Organisasjonsnummeret i Enhetsregister"
        identifiers.append(Identifier(id=org_no, type="ENH", type_name=words, code_list=base))
    return Unit(name=name, identifiers=tuple(identifiers))


SENDER = Party(
    organisation=unit("Nordvik universitetssykehus HF", "8900100", "310000107"),
    unit=unit("Kreftpoliklinikken, Nordvik", "8900101"),
)
RECEIVER = Party(
    organisation=unit("Lørenskog kommune", "8910030", "310000204"),
    unit=unit("Forvaltningskontoret", "8910031"),
)


def order(version: Format, **changes: Any) -> RenderingOrder:
    given: dict[str, Any] = {
        "format": version,
        "msg_id": OLD_MSG_ID,
        "at": datetime.datetime(2026, 3, 2, 13, 46, 5, tzinfo=datetime.timezone(datetime.timedelta(hours=1))),
        "sender": SENDER,
        "receiver": RECEIVER,
        "processing_status": "D",
        **changes,
    }
    return RenderingOrder(**given)


def replacing(version: Format, action: Action) -> RenderingOrder:
    """An order that changes or cancels an earlier sending."""
    return order(
        version,
        action=action,
        msg_id="c7f7a3ad-7a2d-5c34-8f0b-3b8f2f1f8a11",
        document_id=OLD_MSG_ID,
        conversation=Conversation(parent=OLD_MSG_ID, root=OLD_MSG_ID),
    )


SPARSE = Summary.from_json(
    """{
    "pathway": {"status": "offer_later"},
    "patient": {"given_name": "Stille", "family_name": "Vann", "birth_date": "1950-04-05", "sex": "female"},
    "source": {"system": "helseplattformen", "format": "dialogmelding-1.0"}
    }"""
)

NOTE = """PAKKEFORLØP HJEM

Diagnose: ca. mammae, ve. side
- Bekymret for økonomien
- Redd for operasjonen & det som kommer: «hva nå?»
- Sover dårlig

Mvh Pen Skisse"""

RICH = Summary.from_json(
    """{
    "pathway": {
        "status": "started", "reason": "new_diagnosis", "interaction_point": 1, "started_on": "2026-03-02",
        "objects_to_sharing": false,
        "next_points": [
            {"point": 2, "from": "2026-06-02", "to": "2026-07-02", "basis": "started_on"},
            {"point": 3, "from": "2027-03-02", "to": "2027-09-02", "basis": "started_on"}
        ]
    },
    "patient": {
        "id": "13888549952", "id_type": "FNR", "given_name": "Klar", "middle_name": "Blid",
        "family_name": "Morgensol", "birth_date": "1985-08-13", "sex": "female",
        "phones": ["+4790000071", "+4773000075"],
        "address": {"line": "Testveien 12", "postal_code": "1470", "city": "LØRENSKOG"},
        "municipality_code": "3222", "language": "pl"
    },
    "next_of_kin": [
        {"name": "Varm Morgensol", "relation": "ektefelle", "phone": "+4790000072"},
        {"name": "Rolig Nabohus", "relation": "god venn av familien", "phone": null}
    ],
    "gp": {"name": "Amina Kasuslege", "her_id": "8920031", "hpr": "9900031"},
    "diagnosis": {
        "code": "C50.9", "code_system": "ICD-10", "text": "Brystkreft, venstre side", "date": "2026-02-20",
        "confirmed": true, "intent": "curative"
    },
    "survey": {
        "held_on": "2026-03-02", "form": "in_person", "distress_score": 6, "relatives_present": true,
        "procedure_code": "WMFG11"
    },
    "strains": [
        {"area": "practical", "text": "Bekymret for økonomien"},
        {"area": "emotional", "text": "Redd for operasjonen & det som kommer: «hva nå?»"},
        {"area": null, "text": "Sover dårlig"}
    ],
    "what_matters": "Å kunne følge barna til skolen",
    "needs": [
        {"text": "Samtale med kreftkoordinator", "responsible": "municipality"},
        {"text": "Kontroll av sår om 2 uker", "responsible": "gp"},
        {"text": "Noen å snakke med", "responsible": null}
    ],
    "referrals": [{"text": "Klinisk ernæringsfysiolog"}, {"text": "Sosionom"}],
    "contact": {"initiated_by": "municipality", "when": "i løpet av to uker, helst på formiddagen"},
    "existing_follow_up": {"kreftkoordinator": false, "text": "Hjemmesykepleie hver fredag"},
    "author": {
        "name": "Pen Skisse", "role": "Kreftsykepleier", "unit": "Kreftpoliklinikken, Nordvik",
        "phone": "+4773000011", "hpr": "9910101"
    },
    "source": {
        "system": "dips", "format": "plo-1.6", "action": "new", "msg_type": "UTSKRIVNINGSRAPPORT",
        "msg_id": "9dfb369b-ab13-4fae-a276-55daa05f1119", "sent_at": "2026-03-02T13:45:00+01:00",
        "organisation": {"name": "Nordvik universitetssykehus HF", "her_id": "8900100"},
        "unit": {"name": "Kreftpoliklinikken, Nordvik", "her_id": "8900101"}
    }
    }"""
).model_copy(update={"note": NOTE})
