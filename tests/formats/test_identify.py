from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway.contracts.messages import Format
from gateway.formats import identify
from gateway.formats.summary_xml import NAMESPACE
from tests.conftest import NOTES
from tests.formats.support import KITH, in_head, parse, parse_file


@pytest.mark.parametrize(
    ("namespace", "root", "expected"),
    [
        ("dialog/2006-10-11", "Dialogmelding", Format.DIALOGMELDING_1_0),
        ("dialog/2013-01-23", "Dialogmelding", Format.DIALOGMELDING_1_1),
        ("po/TverrfagligEpikrise/2009-06-30", "TverrfagligEpikrise", Format.PLO_1_5),
        ("po/TverrfagligEpikrise/2012-04-01", "TverrfagligEpikrise", Format.PLO_1_6),
        ("po/HelseopplysningerVedSoknad/2012-04-01", "HelseopplysningerVedSoknad", Format.PLO_1_6),
        ("po/Innleggelsesrapport/2012-04-01", "Innleggelsesrapport", Format.PLO_1_6),
        ("po/Pasientlogistikk/2009-06-30", "Pasientlogistikk", Format.PLO_1_5),
        ("po/MeldingFravar/2009-06-30", "MeldingFravar", Format.PLO_1_5),
        ("po/HelseopplysningerTilLege/2012-04-01", "Konsultasjon", Format.PLO_1_6),
        ("po/Konsultasjon/2009-06-30", "Konsultasjon", Format.PLO_1_5),
        ("po/MedisinskeOpplysninger/2012-04-01", "OverforingMedisinskeOpplysninger", Format.PLO_1_6),
        ("epikrise/2006-09-23", "Message", Format.EPIKRISE_1_1),
        # Of no format that the gateway knows:
        ("po/MeldingFravar/2012-04-01", "MeldingFravar", None),
        ("po/Konsultasjon/2012-04-01", "Konsultasjon", None),
        ("po/TverrfagligEpikrise/2008-02-20", "TverrfagligEpikrise", None),
        ("po/TverrfagligEpikrise/2012-04-01", "Innleggelsesrapport", None),
        ("epikrise", "Message", None),
        ("dialog/2020-01-01", "Dialogmelding", None),
    ],
)
def test_the_content_decides_the_format(namespace: str, root: str, expected: Format | None) -> None:
    found = identify(in_head(f'<x:{root} xmlns:x="{KITH}/{namespace}"/>'))
    assert found.format is expected
    assert found.envelope == "msghead"
    assert (found.root, found.content_root) == ("MsgHead", root)
    assert found.content_namespace == f"{KITH}/{namespace}"
    assert found.msg_type == "DIALOG_NOTAT"


def test_plo_2_0_is_not_known() -> None:
    namespace = "http://ehelse.no/xmlstds/po/Sammenfatning/2016-05-30"
    assert identify(in_head(f'<s:Sammenfatning xmlns:s="{namespace}"/>')).format is None


def test_the_canonical_summary_in_a_msghead() -> None:
    assert identify(in_head(f'<Summary xmlns="{NAMESPACE}"/>')).format is Format.SUMMARY_1


@pytest.mark.parametrize(
    ("date", "version"), [("2006-09-23", Format.EPIKRISE_1_1), ("2012-02-15", Format.EPIKRISE_1_2)]
)
def test_an_epikrise_is_a_message_of_its_own(date: str, version: Format) -> None:
    found = identify(parse(f'<e:Message xmlns:e="{KITH}/epikrise/{date}"><e:Type V="E"/></e:Message>'))
    assert (found.format, found.envelope, found.msg_type) == (version, "epikrise", "E")
    assert (found.content_root, found.content_namespace) == ("Message", f"{KITH}/epikrise/{date}")


def test_an_epikrise_in_a_msghead_gives_its_own_type() -> None:
    found = identify(in_head(f'<Message xmlns="{KITH}/epikrise/2012-02-15"><Type V="EPIKRISE"/></Message>'))
    assert (found.format, found.envelope, found.msg_type) == (Format.EPIKRISE_1_2, "msghead", "EPIKRISE")
    untyped = identify(in_head(f'<Message xmlns="{KITH}/epikrise/2012-02-15"/>'))
    assert untyped.msg_type == "DIALOG_NOTAT"


@pytest.mark.parametrize(
    ("date", "version"), [("2004-11-21", Format.APPREC_1_0), ("2012-02-15", Format.APPREC_1_1)]
)
def test_a_receipt(date: str, version: Format) -> None:
    found = identify(parse(f'<AppRec xmlns="{KITH}/apprec/{date}"><MsgType V="APPREC"/></AppRec>'))
    assert (found.format, found.envelope, found.msg_type) == (version, "apprec", "APPREC")
    assert found.content_root is None


def test_an_attachment_before_the_business_message_is_passed_over() -> None:
    root = in_head(
        f'<b:Base64Container xmlns:b="{KITH}/base64container">QQ==</b:Base64Container>',
        documents=f'<h:Document><h:RefDoc><h:Content><Dialogmelding xmlns="{KITH}/dialog/2013-01-23"/>'
        "</h:Content></h:RefDoc></h:Document>",
    )
    assert identify(root).format is Format.DIALOGMELDING_1_1


@pytest.mark.parametrize(
    "document", ["<a/>", '<MsgHead xmlns="urn:x"/>', f'<MsgHead xmlns="{KITH}/msghead/2006-05-24"/>']
)
def test_what_is_not_known_has_no_format(document: str) -> None:
    found = identify(parse(document))
    assert found.format is None
    assert found.msg_type is None


_NAMES = st.sampled_from(["MsgHead", "MsgInfo", "Type", "Document", "RefDoc", "Content", "Message", "AppRec"])
_SPACES = st.sampled_from(["", f"{{{KITH}/msghead/2006-05-24}}", f"{{{KITH}/epikrise/2012-02-15}}"])


@st.composite
def trees(draw: st.DrawFn) -> etree._Element:
    root = etree.Element(draw(_SPACES) + draw(_NAMES))
    nodes = [root]
    for _ in range(draw(st.integers(0, 12))):
        parent = draw(st.sampled_from(nodes))
        if draw(st.booleans()):
            nodes.append(etree.SubElement(parent, draw(_SPACES) + draw(_NAMES)))
        else:
            parent.append(etree.Comment("x"))
    return root


@given(trees())
def test_never_raises(root: etree._Element) -> None:
    assert identify(root).root == etree.QName(root).localname


def test_every_note_says_what_it_is() -> None:
    found = {}
    for path in NOTES.glob("*/*.xml"):
        try:
            found[f"{path.parent.name}/{path.stem}"] = identify(parse_file(path)).format
        except etree.XMLSyntaxError:
            continue
    assert len(found) == 57
    assert None not in found.values()
    assert found["dips/03-i-utredning-pankreas"] is Format.PLO_1_5
    assert found["helseplattformen/18-tilbod-seinare-berre-postnummer"] is Format.DIALOGMELDING_1_0
