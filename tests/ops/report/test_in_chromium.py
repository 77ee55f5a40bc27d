"""The report as a browser shows it: `make report-check`."""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.journal.figures import months
from gateway.ops.report.page import render_page
from gateway.ops.report.report import Names, make_report, period
from gateway.ops.report.words import BOKMAL
from gateway.routing.register_file import RegisterFile
from tests.journal.stores import SqliteStore
from tests.ops.report.world import fill

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
BLUE, ORANGE = (0x0B, 0x4F, 0x8A), (0xC2, 0x63, 0x0A)
PICTURES = Path(__file__).parents[3] / "build" / "report"

pytestmark = [
    pytest.mark.skipif("REPORT_CHECK" not in os.environ, reason="takes a browser: make report-check"),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, registry_file: Path) -> Path:
    folder, now = tmp_path_factory.mktemp("report"), datetime.now(UTC)
    journal = SqliteStore(folder).open()
    fill(journal, now=now, count=600)
    first, last = period(None, None, now)
    figures = journal.figures(months(first, last), facts_from=first, deadline=timedelta(hours=96))
    journal.close()
    names = Names(RegisterFile.load(registry_file), figures.unit_names, unknown="ukjent")
    file = folder / "report.html"
    made = make_report(figures, names, first=first, last=last, made_at=now)
    file.write_text(render_page(made, BOKMAL), encoding="utf-8")
    return file


def chromium(profile: Path, address: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            str(CHROMIUM),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            "--hide-scrollbars",
            "--virtual-time-budget=5000",  # so that all is drawn, however slow the machine
            "--enable-logging=stderr",
            f"--user-data-dir={profile}",
            *options,
            address,
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )


def framed(page: Path, width: int, *, attributes: str = "") -> str:
    """A page that shows the report in a frame of a width: a window of its own is never narrower than 500."""
    frame = page.with_name(f"frame-{width}{attributes}.html")
    style = f"border:0;width:{width}px;height:3000px"
    measure = (
        "const d = f.contentDocument.documentElement; document.title = `${d.scrollWidth} of ${d.clientWidth}`"
    )
    frame.write_text(
        f'<body style="margin:0"><iframe id="f" src="{page.name}" style="{style}" {attributes}></iframe>'
        f"<script>onload = () => {{ {measure} }};</script>",
        encoding="utf-8",
    )
    return frame.as_uri()


def pixels(picture: Path) -> list[tuple[int, int, int]]:
    """The pixels of a PNG of 8 bits a channel (W3C PNG, sections 9 and 11.2)."""
    data, at, packed, header = picture.read_bytes(), 8, b"", (0, 0, 0, 0)
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            header = struct.unpack(">IIBB", body[:10])
        elif kind == b"IDAT":
            packed += body
        at += length + 12
    width, _, depth, colour = header
    assert (depth, colour) in {(8, 2), (8, 6)}
    size = 3 if colour == 2 else 4
    raw, line = zlib.decompress(packed), width * size
    before, found = bytearray(line), []
    for start in range(0, len(raw), line + 1):
        kind, row = raw[start], bytearray(raw[start + 1 : start + 1 + line])
        for i in range(line):
            left = row[i - size] if i >= size else 0
            corner = before[i - size] if i >= size else 0
            row[i] = (row[i] + _predicted(kind, left, before[i], corner)) & 255
        found += [(row[i], row[i + 1], row[i + 2]) for i in range(0, line, size)]
        before = row
    return found


def _predicted(kind: int, left: int, up: int, corner: int) -> int:
    if kind < 4:
        return (0, left, up, (left + up) // 2)[kind]
    near = left + up - corner
    return min((abs(near - left), 0, left), (abs(near - up), 1, up), (abs(near - corner), 2, corner))[2]


@pytest.mark.parametrize("width", [400, 1400])
def test_the_charts_are_drawn_and_nothing_runs_over_the_edge(page: Path, tmp_path: Path, width: int) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    picture = PICTURES / f"report-{width}.png"
    address = framed(page, width)
    allowed = "--allow-file-access-from-files"
    size = f"--window-size={max(width, 500)},2000"
    chromium(tmp_path, address, allowed, size, f"--screenshot={picture}")
    found = pixels(picture)
    assert found.count(BLUE) > 3_000
    assert found.count(ORANGE) > 1_000
    shown = chromium(tmp_path, address, allowed, size, "--dump-dom").stdout
    measured = re.search(r"<title>(\d+) of (\d+)</title>", shown)
    assert measured is not None
    assert int(measured[1]) <= int(measured[2]) == width


def test_it_needs_no_script(page: Path, tmp_path: Path) -> None:
    pictures = []
    # A frame in a sandbox runs none.
    for attributes in ("", "sandbox"):
        picture = tmp_path / f"{attributes}.png"
        address = framed(page, 900, attributes=attributes)
        chromium(tmp_path / "profile", address, "--window-size=900,900", f"--screenshot={picture}")
        pictures.append(pixels(picture))
    # The edges of letters are smoothed in another way there; nothing else differs.
    assert pictures[0].count(BLUE) > 1_000
    assert pictures[0].count(BLUE) == pictures[1].count(BLUE)
    differ = sum(abs(one[0] - other[0]) > 128 for one, other in zip(*pictures, strict=True))
    assert differ < len(pictures[0]) / 1_000


def test_it_asks_nobody_and_complains_of_nothing(page: Path, tmp_path: Path) -> None:
    log = tmp_path / "net.json"
    done = chromium(tmp_path / "profile", page.as_uri(), "--dump-dom", f"--log-net-log={log}")
    assert "CONSOLE" not in done.stderr
    lines = log.read_text(encoding="utf-8").splitlines()
    # What the browser asks for itself (lists of words, for one) has no page as its initiator.
    asked = [line for line in lines if '"initiator"' in line and '"not an origin"' not in line]
    assert [line for line in asked if re.search(r'"url":"(https?|wss?):', line)] == []
