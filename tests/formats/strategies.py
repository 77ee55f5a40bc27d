"""Messages that a format can carry whole, with awkward characters in every place."""

from __future__ import annotations

import dataclasses

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from gateway.contracts.messages import (
    Attachment,
    CodedValue,
    CodeList,
    Conversation,
    DiagnosisEntry,
    EventEntry,
    Format,
    Head,
    Identifier,
    Message,
    Party,
    PatientRecord,
    Person,
    PostalAddress,
    ProcedureEntry,
    ProfessionalEntry,
    ProfessionalFunction,
    Receiver,
    RelativeEntry,
    Telecom,
    TextBlock,
    Unit,
)
from gateway.contracts.summary import Action
from gateway.formats.times import read_time

# Few values in the many places (generating is what takes the time), any text in the notes themselves.
lines = st.sampled_from(["Æ", "ø & å", "<b>", 'a "b"', "]]>", "d'e", "–«x»", "-", "&amp;", "\u200b𝄞", "1"])
_SIGNS = st.characters(exclude_categories=("Cc", "Cs", "Cn", "Zs", "Zl", "Zp"))
_WORDS = st.text(_SIGNS, min_size=1, max_size=8)
paragraphs = (
    st.lists(st.lists(_WORDS, max_size=3).map(" ".join), min_size=1, max_size=4)
    .map(lambda found: "\n".join(found).strip("\n"))
    .filter(lambda t: bool(t) and "\n\n\n" not in t)
)
values = st.sampled_from(["1", "C509", "WMFG11", "EK"])
oids = st.sampled_from([CodeList.ICD_10, CodeList.ICPC_2, CodeList.DIALOGUE_TOPIC_CLINICAL, "1.2.3"])
simple = st.builds(CodedValue, value=values, name=lines)
coded = st.builds(CodedValue, value=values, name=lines, code_list=oids) | st.builds(
    CodedValue, original_text=lines
)
ids = st.sampled_from(["9dfb369b-ab13-4fae-a276-55daa05f1119", "SSMED2002012345"])
dates = st.sampled_from(["1961-09-14", "2024-02-29"])
moments = st.sampled_from(["2026-03-02T13:45:00", "2005-11-17T09:30:47.0Z", "2026-07-02T00:00:00-03:30"])
roles = st.builds(
    CodedValue,
    value=st.sampled_from(["3", "9", "10", "11", "17"]),
    name=lines,
    code_list=st.just(CodeList.ROLE_TO_PATIENT),
)
telephones = st.sampled_from(["tel:90000001", "tel:+47 400 00 001", "mailto:a@b.no"])
telecoms = st.lists(st.builds(Telecom, address=telephones, type=st.none() | simple), max_size=2).map(tuple)
plain_telecoms = st.lists(st.builds(Telecom, address=telephones), max_size=2).map(tuple)
_PLACES = st.sampled_from(["street", "postal_code", "city"])


def identifiers(*, least: int = 1, code_list: bool = True) -> SearchStrategy[tuple[Identifier, ...]]:
    kinds = st.sampled_from(["HER", "ENH", "HPR", "FNR", "DNR", "RSH"])
    lists = (
        st.sampled_from([CodeList.ORGANISATION_IDENTIFIERS, CodeList.PERSON_IDENTIFIERS])
        if code_list
        else st.none()
    )
    number = st.sampled_from(["8910031", "258.521", "333 555 666", "0"])
    return st.lists(
        st.builds(Identifier, id=number, type=kinds, type_name=lines, code_list=lists),
        min_size=least,
        max_size=3,
    ).map(tuple)


def addresses(*, with_type: bool = False) -> SearchStrategy[PostalAddress]:
    return st.builds(
        PostalAddress,
        type=simple if with_type else st.none() | simple,
        street=st.none() | lines,
        postal_code=lines,
        city=st.none() | lines,
        municipality=st.none() | simple,
        city_district=st.none() | simple if with_type else st.none(),
    )


units = st.builds(
    Unit,
    name=lines,
    type=st.none() | coded,
    identifiers=identifiers(),
    address=st.none() | addresses(),
    telecoms=telecoms,
)


def people(
    *, least_ids: int = 1, role: SearchStrategy[CodedValue | None], professional: bool = True
) -> SearchStrategy[Person]:
    return st.builds(
        Person,
        family_name=lines,
        middle_name=st.none() | lines,
        given_name=st.none() | lines,
        type=st.none() | simple if professional else st.none(),
        role=role,
        birth_date=st.none() | dates,
        sex=st.none() | simple,
        identifiers=identifiers(least=least_ids),
        address=st.none() | addresses(),
        telecoms=telecoms,
    )


parties = st.builds(
    Party, organisation=units, unit=st.none() | units, person=st.none() | people(role=st.none() | roles)
)
_COPY = CodedValue(value="COP", name="Kopimottaker")


def _with_time(head: Head) -> Head:
    return dataclasses.replace(head, sent_at=read_time(head.generated_at))


heads = st.builds(
    Head,
    msg_type=simple,
    msg_id=ids,
    generated_at=moments,
    sent_at=st.none(),
    processing_status=st.sampled_from(
        [None, CodedValue(value="D", name="Debugging"), CodedValue(value="P", name="Produksjon")]
    ),
    ack=st.none() | simple,
    conversation=st.none() | st.builds(Conversation, parent=ids, root=ids),
    sender=parties,
    receivers=st.tuples(
        st.builds(Receiver, party=parties),
        st.lists(
            st.builds(Receiver, party=parties, copy=st.just(value=True), role=st.just(_COPY)), max_size=2
        ),
    ).map(lambda found: (found[0], *found[1])),
    patient=st.none()
    | st.builds(
        PatientRecord,
        family_name=lines,
        middle_name=st.none() | lines,
        given_name=st.none() | lines,
        birth_date=st.none() | dates,
        sex=st.none() | simple,
        identifiers=identifiers(least=0),
        address=st.none() | addresses(),
        telecoms=telecoms,
    ),
).map(_with_time)

attachments = st.lists(
    st.builds(
        Attachment,
        mime_type=st.sampled_from(["application/pdf", "image/png"]),
        description=st.none() | lines,
        content=st.binary(min_size=1, max_size=10),
    ),
    max_size=2,
).map(tuple)
actions = st.sampled_from(list(Action))
diagnoses = st.lists(
    st.builds(DiagnosisEntry, code=coded, main=st.booleans(), description=st.none() | lines)
    | st.builds(DiagnosisEntry, main=st.booleans(), description=lines),
    max_size=3,
).map(tuple)
procedures = st.lists(st.builds(ProcedureEntry, code=coded), max_size=2).map(tuple)


def professionals(
    function: ProfessionalFunction, role: SearchStrategy[CodedValue | None], **parts: SearchStrategy[object]
) -> SearchStrategy[ProfessionalEntry]:
    return st.builds(ProfessionalEntry, function=st.just(function), person=people(role=role), **parts)


_GP = st.builds(CodedValue, value=st.just("6"), name=lines, code_list=st.just(CodeList.ROLE_TO_PATIENT))
_CONTACTS = roles.filter(lambda r: r.value in ("9", "17"))
_OTHERS = roles.filter(lambda r: r.value in ("3", "10", "11"))


@st.composite
def dialogues(draw: st.DrawFn, version: Format) -> Message:
    unit: dict[str, SearchStrategy[object]] = {}
    if version is Format.DIALOGMELDING_1_1 and draw(st.booleans()):
        unit = {"unit": units, "remark": st.none() | lines}
    function = ProfessionalFunction
    staff = st.one_of(
        professionals(function.AUTHOR, st.none() | roles, **unit),
        professionals(function.GP, _GP, **unit),
        professionals(function.CONTACT, _CONTACTS, **unit),
        professionals(function.OTHER, _OTHERS, **unit),
    )
    relative = st.builds(
        RelativeEntry,
        relation=st.none() | coded,
        person=people(least_ids=0, role=st.none(), professional=False),
    )
    texts = [TextBlock(text=draw(paragraphs), place="Notat/TekstNotatInnhold")]
    if draw(st.booleans()):
        texts.append(TextBlock(text=draw(paragraphs), place="Notat/Merknad"))
    written = draw(st.none() | dates)
    return Message(
        format=version,
        head=draw(heads),
        content_root="Dialogmelding",
        topic=draw(coded),
        subject=draw(st.none() | lines),
        texts=tuple(texts),
        events=() if written is None else (EventEntry(description="Dato for notatet", start=written),),
        professionals=tuple(draw(st.lists(staff, max_size=2))),
        relatives=tuple(draw(st.lists(relative, max_size=1))),
        attachments=draw(attachments),
    )


_SECTIONS = {
    "MedisinskfagligeOpplysninger": CodeList.PLO_HEADING_MEDICAL,
    "InfoAndreViktigeOpplysninger": None,
    "Sykepleierdokumentasjon": CodeList.PLO_HEADING_NURSING,
}


@st.composite
def _journal(draw: st.DrawFn, sections: list[str]) -> tuple[TextBlock, ...]:
    found: list[TextBlock] = []
    for section in sections:
        for _ in range(draw(st.integers(0, 2))):
            heading = draw(
                st.none()
                | st.builds(
                    CodedValue, value=values, name=lines, code_list=st.just(_SECTIONS[section] or "1.2")
                )
            )
            found.append(TextBlock(text=draw(paragraphs), heading=heading, place=section + "/Notat"))
            if draw(st.booleans()):
                found.append(TextBlock(text=draw(paragraphs), heading=heading, place=section + "/Merknad"))
    return tuple(found)


@st.composite
def plo(draw: st.DrawFn, version: Format, root: str) -> Message:
    application = root == "HelseopplysningerVedSoknad" and version is Format.PLO_1_5
    sections = [s for s in _SECTIONS if root == "TverrfagligEpikrise" or s != "InfoAndreViktigeOpplysninger"]
    function = ProfessionalFunction
    connected = st.builds(
        ProfessionalEntry,
        function=st.just(function.OTHER),
        person=st.just(Person()),
        unit=units,
        remark=st.none() | lines,
    )
    remark: dict[str, SearchStrategy[object]] = {"remark": st.none() | lines}
    contact = professionals(function.GP, _GP, **remark) | professionals(
        function.CONTACT, st.none() | _CONTACTS, **remark
    )
    author = professionals(function.AUTHOR, st.none() | roles, **remark)
    event = st.builds(
        EventEntry, code=st.none() | coded, description=st.none() | lines, start=moments | dates
    )
    least = 1 if root == "HelseopplysningerVedSoknad" else 0
    return Message(
        format=version,
        head=draw(heads),
        action=draw(actions),
        content_root=root,
        topic=None if application else draw(coded),
        texts=draw(_journal(sections)),
        diagnoses=draw(diagnoses),
        procedures=draw(procedures),
        relatives=tuple(
            draw(
                st.lists(
                    st.builds(
                        RelativeEntry,
                        relation=st.none() | simple,
                        person=people(least_ids=0, role=st.none(), professional=False),
                        remark=st.none() | lines,
                    ),
                    max_size=2,
                )
            )
        ),
        professionals=tuple(
            p for kind in (connected, contact, author) for p in draw(st.lists(kind, max_size=2))
        ),
        events=() if application else tuple(draw(st.lists(event, min_size=least, max_size=2))),
        language=draw(st.none() | simple),
        attachments=draw(attachments),
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
    copies = st.builds(Receiver, party=party, copy=st.just(value=True), role=st.just(_COPY))
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
    event = st.builds(EventEntry, code=simple, start=moments | dates, end=st.none() | moments)
    return Message(
        format=version,
        head=_with_time(head),
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
