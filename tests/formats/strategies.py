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
COPY = CodedValue(value="COP", name="Kopimottaker")


def with_time(head: Head) -> Head:
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
            st.builds(Receiver, party=parties, copy=st.just(value=True), role=st.just(COPY)), max_size=2
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
).map(with_time)

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
