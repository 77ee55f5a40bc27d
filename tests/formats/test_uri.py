"""A telecom address that we take is one that every schema takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway.formats.uri import is_uri

_SCHEMA = etree.XMLSchema(
    etree.XML(
        b'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a"><xs:complexType>'
        b'<xs:attribute name="V" type="xs:anyURI"/></xs:complexType></xs:element></xs:schema>'
    )
)


def valid(value: str) -> bool:
    element = etree.Element("a")
    element.set("V", value)
    return bool(_SCHEMA.validate(element))


@pytest.mark.parametrize(
    "value",
    ["tel:90000001", "tel:+47 900 00 001", "mailto:post@eksempel.no", "90000001", "fax:73 52 12 34", ""],
)
def test_what_messages_hold(value: str) -> None:
    assert valid(value)
    assert is_uri(value)


@pytest.mark.parametrize("value", ["fax:73526T];4321", "tel:%", "a#b#c", "1tel:5", "tel:{1}", "tel:9\\0"])
def test_what_damaged_messages_hold(value: str) -> None:
    assert not is_uri(value)


@given(st.text(st.sampled_from("tel:+4790 /?#[]@!$&'()*,;=%aFåø-._~<>\"{}|\\^`"), max_size=12))
def test_what_is_taken_is_valid(value: str) -> None:
    assert not is_uri(value) or valid(value)
