"""Parties of epikrise and AppRec, and whole epikriser."""

from __future__ import annotations

import dataclasses

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from gateway.contracts.messages import (
    CodedValue,
    EventEntry,
    Format,
    Head,
    Message,
    Party,
    PatientRecord,
    Person,
    ProfessionalEntry,
    ProfessionalFunction,
    Receiver,
    RelativeEntry,
    TextBlock,
    Unit,
)
from tests.formats.strategies import (
    COPY,
    actions,
    addresses,
    attachments,
    dates,
    diagnoses,
    identifiers,
    ids,
    lines,
    moments,
    paragraphs,
    plain_telecoms,
    procedures,
    simple,
    with_time,
)


def _hcp_units(*, address: bool, kind: SearchStrategy[CodedValue | None]) -> SearchStrategy[Unit]:
    return st.builds(
        Unit,
        name=lines,
        type=kind,
        identifiers=identifiers(least=0, code_list=False),
        address=st.none() | addresses(with_type=True) if address else st.none(),
        telecoms=plain_telecoms if address else st.just(()),
    )


_hcp_persons = st.builds(Person, name=lines, identifiers=identifiers(least=0, code_list=False))
_professionals_alone = st.builds(
    Person,
    name=lines,
    type=st.none() | simple,
    identifiers=identifiers(least=0, code_list=False),
    address=st.none() | addresses(with_type=True),
    telecoms=plain_telecoms,
)


def hcp_parties(kind: SearchStrategy[CodedValue | None]) -> SearchStrategy[Party]:
    """Parties as epikrise and AppRec have them; `kind`: the type of the institution."""
    institution = st.builds(
        Party,
        organisation=_hcp_units(address=True, kind=kind),
        unit=st.none() | _hcp_units(address=False, kind=st.none() | simple),
        person=st.none() | _hcp_persons,
    )
    return institution | st.builds(Party, person=_professionals_alone)


@st.composite
def epikriser(draw: st.DrawFn, version: Format) -> Message:
    old = version is Format.EPIKRISE_1_1
    party = hcp_parties(st.none() | simple if old else st.none())
    function = ProfessionalFunction
    fle, ahp = (
        CodedValue(value="FLE", name="Fastlege"),
        CodedValue(value="AHP", name="Ansvarlig helsepersonell"),
    )

    def staff(
        kind: ProfessionalFunction, role: SearchStrategy[CodedValue]
    ) -> SearchStrategy[ProfessionalEntry]:
        alone = st.tuples(st.just(None), _professionals_alone)
        inside = st.tuples(_hcp_units(address=True, kind=st.none()), _hcp_persons)
        return st.tuples(alone | inside, role).map(
            lambda found: ProfessionalEntry(
                function=kind, unit=found[0][0], person=dataclasses.replace(found[0][1], role=found[1])
            )
        )

    kinds = (
        staff(function.GP, st.just(fle)),
        staff(function.OTHER, st.builds(CodedValue, value=st.just("HHE"), name=lines)),
        staff(function.AUTHOR, st.just(ahp)),
    )
    requester = st.builds(Receiver, party=party, role=st.just(CodedValue(value="REQ", name="Rekvirent")))
    copies = st.builds(Receiver, party=party, copy=st.just(value=True), role=st.just(COPY))
    status = [None] if old else [None, CodedValue(value="TEST", name="Melding til testformål")]
    head = Head(
        msg_type=draw(simple),
        msg_id=draw(ids),
        generated_at=draw(moments),
        sent_at=None,
        document_id=draw(st.none() | ids),
        processing_status=draw(st.sampled_from(status)),
        ack=draw(st.none() | simple),
        sender=draw(party),
        receivers=(draw(requester), *draw(st.lists(copies, max_size=2))),
        patient=PatientRecord(
            name=draw(lines),
            birth_date=draw(st.none() | dates),
            sex=draw(st.none() | simple),
            identifiers=draw(identifiers(least=0, code_list=False)),
            address=draw(st.none() | addresses(with_type=True)),
            telecoms=draw(plain_telecoms),
        ),
    )
    relative = st.builds(
        RelativeEntry,
        relation=simple,
        person=st.builds(
            Person, name=lines, address=st.none() | addresses(with_type=True), telecoms=plain_telecoms
        ),
    )
    text = st.builds(TextBlock, text=paragraphs, heading=st.none() | simple, place=st.just(""))
    # An end is written where it is later than the start.
    later = st.sampled_from(["2026-12-31T08:00:00+01:00", "2027-01-01"])
    event = st.builds(EventEntry, code=simple, start=moments | dates, end=st.none() | later)
    return Message(
        format=version,
        head=with_time(head),
        action=draw(actions),
        content_root="Message",
        subject=draw(lines),
        texts=tuple(draw(st.lists(text, max_size=3))),
        diagnoses=draw(diagnoses),
        procedures=draw(procedures),
        relatives=tuple(draw(st.lists(relative, max_size=1))),
        professionals=tuple(p for kind in kinds for p in draw(st.lists(kind, max_size=1))),
        events=tuple(draw(st.lists(event, min_size=1, max_size=2))),
        attachments=draw(attachments),
    )
