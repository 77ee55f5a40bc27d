from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.formats.epikrise_write import formatted
from gateway.formats.flatten import flatten
from tests.formats.support import parse

XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("plain", "plain"),
        ("  two\n  lines \n\n\n\nand more\t\n", "two\n  lines\n\nand more"),
        ("<![CDATA[a < b\nc]]>", "a < b\nc"),
        ("one<!-- a remark --> two<?pi x?>", "one two"),
        ("a\u0085b\u2028c", "a\nb\nc"),
        (f"<div {XHTML}><p>one</p>\n   <p>two\n  words</p></div>", "one\ntwo words"),
        (f"<div {XHTML}>one<br/>two<br/><br/>three</div>", "one\ntwo\n\nthree"),
        (f"<div {XHTML}><p>one<br/></p><p>two</p></div>", "one\ntwo"),
        (f"<div {XHTML}><p>the <b>bold</b> and<i> the </i>other</p></div>", "the bold and the other"),
        (f"<div {XHTML}><p>a<!-- no -->b</p></div>", "ab"),
        (
            f"<div {XHTML}>Needs:<ul><li>rest</li><li><p>sleep</p></li></ul>End</div>",
            "Needs:\n- rest\n- sleep\nEnd",
        ),
        (
            f"<table {XHTML}><tr><th>D</th><th/></tr><tr><td>h</td></tr><tr><td/><td>7</td></tr></table>",
            "D\nh\n\t7",
        ),
        (
            f"<table {XHTML}><tr><td><p>A</p></td><td><p>B</p><p>C</p></td></tr></table>after",
            "A\tB\nC\nafter",
        ),
        (f"<div {XHTML}><h1>Title</h1><pre>a  b\nc</pre>z</div>", "Title\na  b\nc\nz"),
        (f"<div {XHTML}><style>p {{}}</style><P>seen</P></div>", "seen"),
        (
            f"Written:\nby hand\n<div {XHTML}><p>and formatted</p></div> and more",
            "Written:\nby hand\nand formatted\nand more",
        ),
        (f"a <b {XHTML}>b</b> c", "a b c"),
        (f"<p {XHTML}>a\u00a0b &#160;c</p>", "a b c"),
        ("<Own>one</Own><Own>two</Own>", "one\ntwo"),
        ("", ""),
        (f"<div {XHTML}><p/><p> </p></div>", ""),
    ],
)
def test_lines(content: str, expected: str) -> None:
    assert flatten(parse(f"<Text>{content}</Text>")) == expected


words = st.lists(
    st.sampled_from(["pas", "trøtt", "&", "<8", ">", "«å»", "4-5", "a;b"]), min_size=1, max_size=5
).map(" ".join)
paragraphs = (
    st.lists(st.one_of(words, st.just("")), max_size=8)
    .map(lambda lines: "\n".join(lines).strip("\n"))
    .filter(lambda t: "\n\n\n" not in t)
)


@given(paragraphs)
def test_what_is_written_with_line_breaks_is_read_as_lines(text: str) -> None:
    written = formatted("Text", text)
    assert (flatten(parse(written)) if written else "") == text


@given(
    st.recursive(
        words.map(lambda w: w.replace("&", "").replace("<", "")),
        lambda inner: st.tuples(
            st.sampled_from(["p", "b", "ul", "li", "table", "tr", "td", "div", "span", "pre", "x"]),
            st.lists(inner, max_size=4),
        ).map(lambda t: f"<{t[0]}>{' '.join(t[1])}</{t[0]}>"),
        max_leaves=20,
    )
)
def test_no_word_is_lost(content: str) -> None:
    element = parse(f"<Text><div {XHTML}>{content}</div></Text>")
    before = "".join(map(str, element.itertext())).split()
    after = [w for line in flatten(element).splitlines() for w in line.removeprefix("- ").split()]
    assert [w for w in after if w != "-"] == before
