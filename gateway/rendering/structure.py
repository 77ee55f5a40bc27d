"""What a summary says, for the structured places of a message.

Source: the criteria of the national acceptance tests for sending (2009-10): no identifier without its type, a
CS with V and DN, a CV with S, and V with DN or OT, legal codes, no empty elements. What the summary does not
know is left out; what has no legal code stands as words, or in the text alone.
"""

from __future__ import annotations

from gateway.contracts.last import of_last
from gateway.contracts.messages import (
    CodedValue,
    CodeList,
    DiagnosisEntry,
    Format,
    Identifier,
    PatientRecord,
    Person,
    PostalAddress,
    ProcedureEntry,
    ProfessionalEntry,
    ProfessionalFunction,
    RelativeEntry,
    Telecom,
    Unit,
)
from gateway.contracts.summary import (
    Address,
    Author,
    GeneralPractitioner,
    NextOfKin,
    Participant,
    Patient,
    Summary,
)
from gateway.formats.codes import GP, IDENTIFIER_NAMES, is_listed, listed_code, simple_code
from gateway.formats.diagnosis_code import has_form_of
from gateway.rendering.form import codes
from gateway.rendering.words import is_mobile, municipalities, names

EPIKRISES = frozenset({Format.EPIKRISE_1_1, Format.EPIKRISE_1_2})
DIALOGUES = frozenset({Format.DIALOGMELDING_1_0, Format.DIALOGMELDING_1_1})

_CODE_SYSTEMS = {"ICD-10": CodeList.ICD_10, "ICPC-2": CodeList.ICPC_2}
NO_DIAGNOSIS = "Diagnosen er ikke oppgitt i notatet."
"""An epikrise has a main diagnosis always, so a note without one says that in its place."""

_OTHER_RELATION = simple_code("7317", "ARL")
_HOME = simple_code("3401", "H")
_MOBILE = simple_code("9061", "MC")
_LANDLINE = simple_code("9061", "HP")
_AT_WORK = simple_code("9061", "WP")


def coded(table: str, word: str | None) -> CodedValue | None:
    """The code that a table of `mappings/rendering.toml` has for a word of the summary, if any."""
    return codes(table).get(word) if word is not None else None


@of_last
def patient_record(patient: Patient) -> PatientRecord:
    """The patient as the head of a message has it."""
    given = " ".join(name for name in (patient.given_name, patient.middle_name) if name)
    identifiers: tuple[Identifier, ...] = ()
    if patient.id and patient.id_type:
        kind = listed_code(CodeList.PERSON_IDENTIFIERS, patient.id_type)
        identifiers = (
            Identifier(id=patient.id, type=patient.id_type, type_name=kind.name, code_list=kind.code_list),
        )
    return PatientRecord(
        family_name=patient.family_name,
        middle_name=patient.middle_name,
        given_name=patient.given_name,
        name=", ".join(name for name in (patient.family_name, given) if name) or None,
        birth_date=patient.birth_date.isoformat() if patient.birth_date else None,
        sex=coded("sex", patient.sex),
        identifiers=identifiers,
        address=_address(patient.address, patient.municipality_code),
        telecoms=tuple(_telecom(phone) for phone in patient.phones),
    )


def diagnoses(summary: Summary, version: Format) -> tuple[DiagnosisEntry, ...]:
    """The diagnosis: coded where the code has the form of its code system's, else as words.

    An epikrise has a main diagnosis always (E 24): where the note has none, it says so.
    """
    diagnosis = summary.diagnosis
    if diagnosis is None or not (diagnosis.code or diagnosis.text):
        return (DiagnosisEntry(main=True, description=NO_DIAGNOSIS),) if version in EPIKRISES else ()
    number, system = diagnosis.code, diagnosis.code_system
    if not number or not system:
        words = " ".join(each for each in (diagnosis.text, number) if each)
        return (DiagnosisEntry(main=True, description=words),)
    code_list = _CODE_SYSTEMS[system]
    if not has_form_of(number, system):
        code = CodedValue(code_list=code_list, original_text=number)
        return (DiagnosisEntry(code=code, main=True, description=diagnosis.text),)
    # The name of the code is the text already: once is enough where both are shown.
    code = CodedValue(value=number, code_list=code_list, name=diagnosis.text or number)
    return (DiagnosisEntry(code=code, main=True),)


def procedures(summary: Summary) -> tuple[ProcedureEntry, ...]:
    """The code of the conversation (WMFG11); another than those that the gateway knows as words."""
    number = summary.survey.procedure_code if summary.survey else None
    if number is None:
        return ()
    if is_listed(CodeList.PROCEDURES, number):
        return (ProcedureEntry(code=listed_code(CodeList.PROCEDURES, number)),)
    return (ProcedureEntry(code=CodedValue(code_list=CodeList.PROCEDURES, original_text=number)),)


def relatives(summary: Summary, version: Format) -> tuple[RelativeEntry, ...]:
    """The next of kin; a relation that the code list has no code for stands in the remark.

    A dialogue message has places for professionals only (RollerRelatertNotat: a role of list 9057 or 9034).
    """
    if version in DIALOGUES:
        return ()
    table = "relation_epikrise" if version in EPIKRISES else "relation_plo"
    return tuple(_relative(kin, table) for kin in summary.next_of_kin)


def _relative(kin: NextOfKin, table: str) -> RelativeEntry:
    known = coded(table, kin.relation.lower() if kin.relation else None)
    person = named(kin.name, telecoms=(_telecom(kin.phone),) if kin.phone else ())
    # An epikrise can not do without the code (PatientRelParty/Relation), a PLO message can.
    relation = known or (_OTHER_RELATION if table == "relation_epikrise" else None)
    return RelativeEntry(relation=relation, person=person, remark=None if known else kin.relation)


def professionals(
    summary: Summary, version: Format, enterprise: Unit | None = None
) -> tuple[ProfessionalEntry, ...]:
    """The author and the GP.

    A health professional in a MsgHead message has an identifier (fk1:HealthcareProfessional/Ident 1..*); who
    has none stands in the text alone.

    Args:
        summary: the summary.
        version: the format of the message.
        enterprise: the hospital of the author's department, if it is known: lends its organisation number.
    """
    entries = (author(summary.author, summary.source.unit, enterprise), _gp(summary.gp))
    return tuple(
        entry
        for entry in entries
        if entry is not None and (entry.person.identifiers or (version in EPIKRISES and entry.person.name))
    )


def author(
    writer: Author | None, unit: Participant, enterprise: Unit | None = None
) -> ProfessionalEntry | None:
    """Who wrote the note, with the department; None where nothing is known of the person."""
    if writer is None or not (writer.name or writer.hpr):
        return None
    profession = next(
        (
            word
            for word in (writer.role or "").lower().replace("/", " ").split()
            if word in codes("profession")
        ),
        None,
    )
    telecoms = (Telecom(address=f"tel:{writer.phone}", type=_AT_WORK),) if writer.phone else ()
    person = named(
        writer.name,
        type=coded("profession", profession),
        identifiers=_identifiers(hpr=writer.hpr),
        telecoms=telecoms,
    )
    own = _identifiers(her_id=unit.her_id)
    number = tuple(i for i in enterprise.identifiers if i.type == "ENH") if enterprise else ()
    place = Unit(name=unit.name or writer.unit, identifiers=own + number) if own else None
    return ProfessionalEntry(function=ProfessionalFunction.AUTHOR, person=person, unit=place)


def _gp(gp: GeneralPractitioner | None) -> ProfessionalEntry | None:
    if gp is None or not (gp.name or gp.her_id or gp.hpr):
        return None
    person = named(gp.name, role=GP, identifiers=_identifiers(hpr=gp.hpr, her_id=gp.her_id))
    return ProfessionalEntry(function=ProfessionalFunction.GP, person=person)


def language(summary: Summary) -> CodedValue | None:
    """The language of the interpreter (list 3303: the ISO code in capitals)."""
    code = summary.patient.language
    name = names("languages").get(code) if code else None
    return CodedValue(value=code.upper(), name=name) if code and name else None


def named(
    name: str | None,
    *,
    type: CodedValue | None = None,  # noqa: A002 - as the field of Person
    role: CodedValue | None = None,
    identifiers: tuple[Identifier, ...] = (),
    telecoms: tuple[Telecom, ...] = (),
) -> Person:
    """A person of a name in one string: the last word is taken as the family name."""
    given, _, family = (name or "").rpartition(" ")
    return Person(
        name=name,
        given_name=given or None,
        family_name=family or None,
        type=type,
        role=role,
        identifiers=identifiers,
        telecoms=telecoms,
    )


def _identifiers(*, hpr: str | None = None, her_id: str | None = None) -> tuple[Identifier, ...]:
    given = (
        ("HPR", hpr, CodeList.PERSON_IDENTIFIERS),
        ("HER", her_id, CodeList.ORGANISATION_IDENTIFIERS),
    )
    return tuple(
        Identifier(id=number, type=kind, type_name=IDENTIFIER_NAMES[kind], code_list=code_list)
        for kind, number, code_list in given
        if number
    )


def _address(address: Address | None, code: str | None) -> PostalAddress | None:
    """The home address; the kommune (list 3402) also where the note gives a bydel of it (list 3403)."""
    where = address or Address()
    county = _place(code[:4]) if code else None
    if not (where.line or where.postal_code or where.city or county):
        return None
    return PostalAddress(
        type=_HOME,
        street=where.line,
        postal_code=where.postal_code,
        city=where.city,
        municipality=county,
        city_district=_place(code) if code and len(code) > 4 else None,
    )


def _place(code: str) -> CodedValue | None:
    name = municipalities().get(code)
    return CodedValue(value=code, name=name) if name else None


def _telecom(phone: str) -> Telecom:
    return Telecom(address=f"tel:{phone}", type=_MOBILE if is_mobile(phone) else _LANDLINE)
