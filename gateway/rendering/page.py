"""A summary as a page for a person: one file, no script, nothing fetched from anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from gateway.contracts.summary import Action, Summary
from gateway.rendering.markup import escaped
from gateway.rendering.rows import Row
from gateway.rendering.text import Block, blocks, title

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; }
h2 { font-size: 1.15rem; margin: 1.75rem 0 .25rem; border-bottom: 1px solid; }
dl { display: grid; grid-template-columns: minmax(9rem, 15rem) 1fr; gap: .15rem 1rem; margin: .5rem 0; }
dt { font-weight: 600; }
dd { margin: 0; overflow-wrap: anywhere; }
p, li { overflow-wrap: anywhere; }
.note { white-space: pre-wrap; }
@media (max-width: 32rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .4rem; } }
@media print { body { max-width: none; margin: 0; } h2 { break-after: avoid; } }
""".strip()


def render_html(summary: Summary, *, action: Action = Action.NEW, gp: bool = False) -> str:
    """The summary as one self-contained page in HTML; every text of the note is escaped."""
    name, *introduction = title(action, gp=gp)
    content: list[str] = []
    for number, block in enumerate(blocks(summary), start=1):
        content += _section(block, f"s{number}")
    return page(name, content, introduction=introduction)


def page(name: str, content: Iterable[str], *, introduction: Iterable[str] = ()) -> str:
    """A page with a title and sentences below it, which are escaped here, and content that is already."""
    parts = [
        "<!DOCTYPE html>",
        '<html lang="nb">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="robots" content="noindex">',
        f"<title>{escaped(name)}</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
        "<main>",
        f"<h1>{escaped(name)}</h1>",
        *(f"<p>{escaped(line)}</p>" for line in introduction),
        *content,
        "</main>",
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def _section(block: Block, name: str) -> Iterator[str]:
    yield f'<section aria-labelledby="{name}">'
    yield f'<h2 id="{name}">{escaped(block.heading)}</h2>'
    if block.section is None:
        yield f'<p class="note">{escaped(chr(10).join(row.text for row in block.rows))}</p>'
    else:
        for kind, rows in groupby(block.rows, key=_kind):
            yield from _rows(kind, rows)
    yield "</section>"


def _kind(row: Row) -> str:
    if row.item:
        return "ul"
    return "dl" if row.label else "p"


def _rows(kind: str, rows: Iterable[Row]) -> Iterator[str]:
    if kind == "p":
        yield from (f"<p>{escaped(row.text)}</p>" for row in rows)
        return
    yield f"<{kind}>"
    for row in rows:
        text, label = escaped(row.text), escaped(row.label or "")
        if kind == "dl":
            yield f"<dt>{label}</dt><dd>{text}</dd>"
        else:
            yield f"<li><b>{label}:</b> {text}</li>" if label else f"<li>{text}</li>"
    yield f"</{kind}>"
