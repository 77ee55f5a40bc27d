"""The files of a new adapter's package. `@NAME@`, `@CLASS@` and `@TITLE@` are filled in."""

# ruff: noqa: E501 - a table row of the README is one line

from __future__ import annotations

_PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "pakkehjem-@NAME@"
version = "0.1.0"
dependencies = ["pakkehjem"]

# The gateway finds the adapter by this entry.
[project.entry-points."pakkehjem.adapters"]
@NAME@ = "@NAME@_adapter:@CLASS@"

[tool.hatch.build.targets.wheel]
packages = ["@NAME@_adapter"]
"""

_MODULE = '''\
"""@TITLE@: where it puts things inside the formats that it writes."""

from __future__ import annotations

from typing import ClassVar

from adapters.base import RecordSystem
from gateway.contracts.messages import Format, Message


class @CLASS@(RecordSystem):
    """@TITLE@. All of the reading is shared; only the differences stand here (see `RecordSystem`)."""

    name: ClassVar[str] = "@NAME@"
    title: ClassVar[str] = "@TITLE@"
    source_url: ClassVar[str] = "where the way that @TITLE@ writes notes is described"

    formats: ClassVar[frozenset[Format]] = frozenset({Format.DIALOGMELDING_1_0, Format.DIALOGMELDING_1_1})
    """The formats in which the system sends notes"""
    subject_is_title: ClassVar[bool] = True
    """Tema is part of the note"""
    action_in_words: ClassVar[bool] = True
    """A dialogmelding has no status: only the words tell a correction"""

    def marks(self, message: Message) -> int:
        """What only this system writes. Here: nothing is known yet."""
        del message
        return 0
'''

_README = """\
# @TITLE@

An adapter for the Pakkeforløp hjem gateway.

| what | where |
|---|---|
| the differences | `@NAME@_adapter/__init__.py` |
| notes as the system writes them, with what a person reads in them | `fixtures/good/NN-what.xml`, `.expected.json` |
| messages that are no notes, or that must be refused | `fixtures/bad/NN-what.xml`, `.expected.json` |

    pakkehjem adapters check @NAME@     # in the folder that holds this one, before it is installed
    pip install ./@NAME@                # then the gateway finds it by its entry point
    pakkehjem adapters list

In the address register, name it in the `systems` of each hospital that uses it.
"""


def _message(subject: str, text: str) -> str:
    return f"""\
<?xml version="1.0" encoding="UTF-8"?>
<MsgHead xmlns="http://www.kith.no/xmlstds/msghead/2006-05-24">
  <MsgInfo>
    <Type V="DIALOG_HELSEFAGLIG" DN="Helsefaglig dialog"/>
    <MIGversion>v1.2 2006-05-24</MIGversion>
    <GenDate>2026-03-02T13:45:00+01:00</GenDate>
    <MsgId>0b0e5a53-5c2e-4f0e-9a51-2f6a0f3a7c01</MsgId>
    <Sender>
      <Organisation>
        <OrganisationName>Eksempel sykehus HF</OrganisationName>
        <Ident><Id>8900100</Id><TypeId V="HER" DN="HER-id" S="2.16.578.1.12.4.1.1.9051"/></Ident>
        <Organisation>
          <OrganisationName>Kreftpoliklinikken</OrganisationName>
          <Ident><Id>8900101</Id><TypeId V="HER" DN="HER-id" S="2.16.578.1.12.4.1.1.9051"/></Ident>
        </Organisation>
      </Organisation>
    </Sender>
    <Receiver>
      <Organisation>
        <OrganisationName>Trondheim kommune</OrganisationName>
        <Ident><Id>8910010</Id><TypeId V="HER" DN="HER-id" S="2.16.578.1.12.4.1.1.9051"/></Ident>
        <Organisation>
          <OrganisationName>Helse- og velferdskontor, saksbehandling</OrganisationName>
          <Ident><Id>8910011</Id><TypeId V="HER" DN="HER-id" S="2.16.578.1.12.4.1.1.9051"/></Ident>
        </Organisation>
      </Organisation>
    </Receiver>
    <Patient>
      <FamilyName>Sommerfugl</FamilyName>
      <GivenName>Modig</GivenName>
      <DateOfBirth>1957-06-20</DateOfBirth>
      <Sex V="2" DN="Kvinne"/>
      <Ident><Id>20865711477</Id><TypeId V="FNR" DN="Fødselsnummer" S="2.16.578.1.12.4.1.1.8116"/></Ident>
      <TeleCom><TeleAddress V="tel:90000201"/></TeleCom>
    </Patient>
  </MsgInfo>
  <Document>
    <RefDoc>
      <MsgType V="XML" DN="XML-instans"/>
      <Content>
        <Dialogmelding xmlns="http://www.kith.no/xmlstds/dialog/2013-01-23">
          <Notat>
            <TemaKodet V="6" DN="Henvendelse om pasient" S="2.16.578.1.12.4.1.1.7322"/>
            <Tema>{subject}</Tema>
            <TekstNotatInnhold>{text}</TekstNotatInnhold>
          </Notat>
        </Dialogmelding>
      </Content>
    </RefDoc>
  </Document>
</MsgHead>
"""


_GOOD = _message(
    "Pakkeforløp hjem for pasienter med kreft",
    """Diagnose: Lungekreft, påvist 20.02.2026. Kurativ behandling.
Status: Startet pakkeforløp hjem 02.03.2026.
Kartlegging: Samtale 02.03.2026 på poliklinikken. Termometer for grad av påkjenning: 5.
Påkjenninger:
- Tungpust i trapper
- Redd for tilbakefall
Behov for oppfølging fra kommunen:
- Hjelp til dusj
Henvist til: Klinisk ernæringsfysiolog
Kontakt: Kommunen ringer pasienten i uke 12.""",
)

_GOOD_EXPECTED = """\
{
  "summary": {
    "pathway": {"status": "started", "started_on": "2026-03-02"},
    "patient": {"id": "20865711477", "phones": ["+4790000201"]},
    "diagnosis": {"date": "2026-02-20", "intent": "curative", "confirmed": true},
    "survey": {"held_on": "2026-03-02", "distress_score": 5},
    "strains": [{"text": "Tungpust i trapper"}, {"text": "Redd for tilbakefall"}],
    "needs": [{"text": "Hjelp til dusj", "responsible": "municipality"}],
    "referrals": [{"text": "Klinisk ernæringsfysiolog"}],
    "contact": {"initiated_by": "municipality", "when": "uke 12"}
  }
}
"""

_BAD = _message("Time til kontroll", "Pasienten har time til kontroll på lungepoliklinikken 20. mai kl. 10.")

_BAD_EXPECTED = """\
{"summary": null, "noticed": ["PH001"]}
"""

FILES = {
    "pyproject.toml": _PYPROJECT,
    "README.md": _README,
    "@NAME@_adapter/__init__.py": _MODULE,
    "fixtures/good/01-startet.xml": _GOOD,
    "fixtures/good/01-startet.expected.json": _GOOD_EXPECTED,
    "fixtures/bad/01-annen-melding.xml": _BAD,
    "fixtures/bad/01-annen-melding.expected.json": _BAD_EXPECTED,
}
"""Path in the package to text."""
