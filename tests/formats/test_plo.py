from __future__ import annotations

from gateway.contracts.messages import CodedValue, Message, ProfessionalFunction
from gateway.formats import read_message
from tests.formats.support import KITH, in_head


def plo(content: str, root: str = "TverrfagligEpikrise") -> Message:
    spaces = (
        f'xmlns="{KITH}/po/poKomponent/2012-04-01" xmlns:e2="{KITH}/epj/epj2/2008-02-20"'
        f' xmlns:f="{KITH}/felleskomponent1"'
    )
    return read_message(
        in_head(f'<p:{root} xmlns:p="{KITH}/po/{root}/2012-04-01" {spaces}>{content}</p:{root}>')
    )


def journal(text: str, remark: str = "") -> str:
    return f"<e2:Journaltekst><e2:Notat>{text}</e2:Notat>{remark}</e2:Journaltekst>"


def test_a_text_is_found_wherever_it_stands() -> None:
    found = plo(
        f"""<MedisinskfagligeOpplysninger>
        <InfoTidligereSykdommer>{journal("tidligere")}</InfoTidligereSykdommer>
        <e2:GenereltJournalnotat>{journal("A")}
        {journal("B", "<e2:Merknad>til B</e2:Merknad>")}</e2:GenereltJournalnotat>
        </MedisinskfagligeOpplysninger>
        <InfoAndreViktigeOpplysninger><e2:GenereltJournalnotat>{journal("viktig")}</e2:GenereltJournalnotat>
        </InfoAndreViktigeOpplysninger>
        <Sykepleierdokumentasjon><InfoFraSykepleier>{journal("pleie")}</InfoFraSykepleier>
        <InfoVurderinger>{journal("vurdering")}</InfoVurderinger></Sykepleierdokumentasjon>
        <OpplysningerAndreFaggrupper><AndreFagrapporter>{journal("fysio")}</AndreFagrapporter>
        </OpplysningerAndreFaggrupper>"""
    )
    assert [(t.text, t.place) for t in found.texts] == [
        ("tidligere", "MedisinskfagligeOpplysninger/InfoTidligereSykdommer/Journaltekst/Notat"),
        ("A", "MedisinskfagligeOpplysninger/GenereltJournalnotat/Journaltekst[1]/Notat"),
        ("B", "MedisinskfagligeOpplysninger/GenereltJournalnotat/Journaltekst[2]/Notat"),
        ("til B", "MedisinskfagligeOpplysninger/GenereltJournalnotat/Journaltekst[2]/Merknad"),
        ("viktig", "InfoAndreViktigeOpplysninger/GenereltJournalnotat/Journaltekst/Notat"),
        ("pleie", "Sykepleierdokumentasjon/InfoFraSykepleier/Journaltekst/Notat"),
        ("vurdering", "Sykepleierdokumentasjon/InfoVurderinger/Journaltekst/Notat"),
        ("fysio", "OpplysningerAndreFaggrupper/AndreFagrapporter/Journaltekst/Notat"),
    ]


def test_what_has_no_place_of_its_own_follows_as_text() -> None:
    found = plo(
        """<TypeInnholdIMelding><TypeInnhold V="11"/><Merknad>pas. tlf. 900 00 001</Merknad>
        </TypeInnholdIMelding>
        <OpplysningerTilSoknad><EgensoknadSendt>true</EgensoknadSendt><Merknad>sendes i dag</Merknad>
        </OpplysningerTilSoknad>
        <TjenesteBehov><IPLOStjenestetype V="4" DN="Helsetjenester i hjemmet"/><BetegnelseTjeneste>Sårstell
2 x pr. uke</BetegnelseTjeneste><AntallEnheterOnsket>2</AntallEnheterOnsket></TjenesteBehov>
        <InfoInformasjonGitt><InformasjonGitt><BeskrivelseInformasjon>Fått brosjyre</BeskrivelseInformasjon>
        <InformasjonGittTil><f:FamilyName>Kjele</f:FamilyName></InformasjonGittTil></InformasjonGitt>
        </InfoInformasjonGitt>""",
    )
    assert [(t.text, t.place) for t in found.texts] == [
        ("pas. tlf. 900 00 001", "TypeInnholdIMelding/Merknad"),
        ("EgensoknadSendt: ja\nsendes i dag", "OpplysningerTilSoknad"),
        (
            "IPLOStjenestetype: Helsetjenester i hjemmet (4)\nSårstell\n2 x pr. uke\nAntallEnheterOnsket: 2",
            "TjenesteBehov",
        ),
        ("Fått brosjyre", "InfoInformasjonGitt/InformasjonGitt/BeskrivelseInformasjon"),
        ("FamilyName: Kjele", "InfoInformasjonGitt/InformasjonGitt/InformasjonGittTil/FamilyName"),
    ]


def test_people_and_units() -> None:
    def person(role: str) -> str:
        name = f'<f:RoleToPatient V="{role}"/><f:FamilyName>N{role}</f:FamilyName>'
        return name + '<f:Ident><f:Id>1</f:Id><f:TypeId V="HPR"/></f:Ident>'

    found = plo(
        f"""<TilknyttetEnhet><Kontaktenhet><f:OrganisationName>Ortopeden</f:OrganisationName><f:Ident>
        <f:Id>ORT</f:Id>
        <f:TypeId V="LAV" S="2.16.578.1.12.4.1.1.9051"/></f:Ident></Kontaktenhet>
        <Merknad>ring</Merknad></TilknyttetEnhet>
        <KontaktpersonHelsepersonell><Kontaktperson>{person("17")}</Kontaktperson><Merknad>m1</Merknad>
        </KontaktpersonHelsepersonell>
        <KontaktpersonHelsepersonell><Kontaktperson>{person("6")}</Kontaktperson>
        </KontaktpersonHelsepersonell>
        <AnsvarForRapport><AnsvarligRapport>{person("11")}</AnsvarligRapport><Merknad>m2</Merknad>
        </AnsvarForRapport>
        <Sykepleierdokumentasjon><Ansvarlig>
        <AnsvarligTjenesteyter>{person("10")}</AnsvarligTjenesteyter></Ansvarlig>
        </Sykepleierdokumentasjon>"""
    )
    function = ProfessionalFunction
    assert [(p.function, p.person.family_name, p.remark) for p in found.professionals] == [
        (function.OTHER, None, "ring"),
        (function.CONTACT, "N17", "m1"),
        (function.GP, "N6", None),
        (function.AUTHOR, "N11", "m2"),
        (function.OTHER, "N10", None),
    ]
    unit = found.professionals[0].unit
    assert unit is not None
    assert (unit.name, unit.identifiers[0].type) == ("Ortopeden", "LAV")
    assert not found.texts


def test_procedures_and_times_and_languages() -> None:
    found = plo(
        """<TilleggsopplysningPasient><Sprak V="so" DN="Somali"/></TilleggsopplysningPasient>
        <OpplysningOpphold><TidsfestetHendelse><Hendelsekode V="2" DN="Pasient utskrevet"/>
        <TidspunktForHendelse V="2026-03-02"/>
        <Anslag>true</Anslag><Merknad>med drosje</Merknad></TidsfestetHendelse></OpplysningOpphold>
        <Sykepleierdokumentasjon><IverksatteTiltak><Tiltaksbeskrivelse>
        <IntervensjonTiltakKode V="WMFG11" DN="Samtale"/>
        </Tiltaksbeskrivelse></IverksatteTiltak></Sykepleierdokumentasjon>"""
    )
    assert found.language == CodedValue(value="so", name="Somali")
    assert [(e.code and e.code.value, e.start) for e in found.events] == [("2", "2026-03-02")]
    assert [p.code.value for p in found.procedures] == ["WMFG11"]
    assert [t.text for t in found.texts] == ["med drosje"]


def test_the_language_of_an_interpreter_comes_first() -> None:
    found = plo(
        """<TilleggsopplysningPasient><Sprak V="no" DN="Norsk"/></TilleggsopplysningPasient>
        <InfoAssistertKommunikasjon><AssistertKommunikasjon><BehovTolkSprak V="ti"/></AssistertKommunikasjon>
        </InfoAssistertKommunikasjon>"""
    )
    assert found.language == CodedValue(value="ti")
    assert [t.text for t in found.texts] == ["Sprak: Norsk (no)"]


def test_earlier_illness_is_no_diagnosis_of_now() -> None:
    found = plo(
        """<MedisinskfagligeOpplysninger><InfoTidligereSykdommer><TidligereSykdomFragment>
        <TidligereSykdom>Brystkreft 2009</TidligereSykdom><Diagnosekode V="C509" DN="Brystkreft"/>
        </TidligereSykdomFragment>
        </InfoTidligereSykdommer></MedisinskfagligeOpplysninger>
        <InfoMedisinskDiagnose><MedisinskDiagnose><Hoveddiagnose>1</Hoveddiagnose>
        <DiagnoseBeskrivelse>Ileus</DiagnoseBeskrivelse>
        </MedisinskDiagnose></InfoMedisinskDiagnose>"""
    )
    assert [(d.main, d.code, d.description) for d in found.diagnoses] == [(True, None, "Ileus")]
    assert found.texts[0].text == "Brystkreft 2009\nDiagnosekode: Brystkreft (C509)"
