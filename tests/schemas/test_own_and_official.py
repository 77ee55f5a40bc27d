"""The project's schemas against the official ones, which stand outside of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from schemas import OWN, SchemaSet, documents, explanation
from tests.schemas import corpus
from tests.schemas.generated import Generator
from tests.strategies import examples

KITH = "{http://www.kith.no/xmlstds"
MSGHEAD = f"{KITH}/msghead/2006-05-24}}MsgHead"
ATTACHMENT = f"{KITH}/base64container}}Base64Container"
CONTENTS = (
    f"{KITH}/dialog/2006-10-11}}Dialogmelding",
    f"{KITH}/dialog/2013-01-23}}Dialogmelding",
    f"{KITH}/po/TverrfagligEpikrise/2009-06-30}}TverrfagligEpikrise",
    f"{KITH}/po/TverrfagligEpikrise/2012-04-01}}TverrfagligEpikrise",
    f"{KITH}/po/HelseopplysningerVedSoknad/2009-06-30}}HelseopplysningerVedSoknad",
    f"{KITH}/po/HelseopplysningerVedSoknad/2012-04-01}}HelseopplysningerVedSoknad",
)
ROOTS = (
    *((MSGHEAD, content) for content in CONTENTS),
    (f"{KITH}/epikrise/2006-09-23}}Message", ATTACHMENT),
    (f"{KITH}/epikrise/2012-02-15}}Message", ATTACHMENT),
    (f"{KITH}/apprec/2004-11-21}}AppRec", None),
    (f"{KITH}/apprec/2012-02-15}}AppRec", None),
)
FREE_TEXT = ("TextResultValue", "TekstNotatInnhold", "Sporsmal", "Description")
SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"

own = SchemaSet()


@pytest.fixture(scope="module")
def official(standards: Path) -> etree.XMLSchema:
    return documents.compile_schema(standards / "xsd" / "all.xsd")


def _holds_parts_in_free_text(root: etree._Element) -> bool:
    """Whether elements of a message stand in text of any kind.

    The official schemas declare each part of a message for all, and so look at it there too; the own ones
    take what stands in free text as text. No system writes this, and the gateway reads only the words of it.
    """
    texts = (each for name in FREE_TEXT for each in root.iter(f"{{*}}{name}"))
    return any(
        "www.kith.no" in part.tag for text in texts for part in text.iter(etree.Element) if part is not text
    )


def test_official_examples_are_accepted_as_the_official_schemas_do(
    standards: Path, official: etree.XMLSchema
) -> None:
    counted = {True: 0, False: 0}
    for path, root in corpus.messages(standards):
        if own.covers(root):
            assert own.is_valid(root) == official(root), path.name
            counted[official(root)] += 1
    assert counted[True] > 120
    assert counted[False] >= 5


@pytest.mark.parametrize(("root", "content"), ROOTS)
def test_every_structure_that_a_schema_allows_is_judged_alike(
    root: str, content: str | None, standards: Path, official: etree.XMLSchema
) -> None:
    for driver in (OWN, standards / "xsd" / "all.xsd"):
        dice = corpus.dice_of(root)
        generator = Generator(explanation.validator(driver), dice)
        accepted = 0
        for _ in range(examples(12)):
            message = generator.message(root, content)
            if driver != OWN:
                # Of signatures the own schemas declare less: see own/signature.xsd.
                for signature in message.findall(SIGNATURE):
                    message.remove(signature)
            fresh = corpus.again(message)
            assert own.is_valid(fresh) == official(fresh)
            accepted += official(fresh)
        assert accepted


@pytest.mark.parametrize(("root", "content"), ROOTS)
def test_what_is_refused_officially_is_refused(
    root: str, content: str | None, official: etree.XMLSchema
) -> None:
    dice = corpus.dice_of(content or root)
    generator = Generator(explanation.validator(OWN), dice)
    for _ in range(examples(40)):
        message = corpus.changed(generator.message(root, content), dice)
        if own.is_valid(message) and not _holds_parts_in_free_text(message):
            assert official(message)


def test_messages_gone_wrong_are_never_accepted_where_the_official_schemas_refuse(
    standards: Path, official: etree.XMLSchema
) -> None:
    refused = accepted = 0
    for path, root in corpus.messages(standards):
        if not own.covers(root):
            continue
        dice = corpus.dice_of(path.name)
        for _ in range(examples(400) // 50):
            message = corpus.changed(root, dice)
            if own.is_valid(message):
                accepted += 1
                assert official(message) or _holds_parts_in_free_text(message), path.name
            elif own.covers(message):
                refused += 1
                assert not official(message), path.name
    assert refused > 500
    assert accepted > 200


def test_other_plo_messages_are_covered_by_the_official_schemas_only(standards: Path) -> None:
    both = SchemaSet(standards / "xsd")
    others = [root for _, root in corpus.messages(standards) if both.covers(root) and not own.covers(root)]
    assert len(others) > 15
    for root in others:
        assert not own.is_valid(root)
        assert own.faults(root)[0].code == "no-declaration"
        assert both.is_valid(root)
        assert both.faults(root) == ()


def test_with_official_schemas_added_both_must_accept(standards: Path) -> None:
    """Elements of a message in free text: see `_holds_parts_in_free_text`."""
    root = next(r for p, r in corpus.messages(standards) if p.name == "epikrise_v1.2_n.xml")
    text = next(root.iter("{*}TextResultValue"))
    text.append(etree.Element(text.tag.replace("TextResultValue", "InfItem")))
    fresh = corpus.again(root)
    assert own.is_valid(fresh)
    both = SchemaSet(standards / "xsd")
    assert not both.is_valid(fresh)
    assert [fault.code for fault in both.faults(fresh)] == ["missing-element"]
