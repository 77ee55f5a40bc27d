"""The benchmark measures what it says: the same messages, good signatures, nothing lost."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from lxml import etree

from gateway.ops import stores
from gateway.ops.bench.backlog import FEWEST, measure_backlog
from gateway.ops.bench.curves import grow_journal, small_gateway
from gateway.ops.bench.measuring import Bench, Effort, Latency, Measured, Series, Workload
from gateway.ops.bench.notes import make_notes, persons
from gateway.ops.bench.plot import Axis, bars, lines
from gateway.ops.bench.primitives import Work
from gateway.ops.bench.recording import record, sending_id
from gateway.ops.bench.reporting import write_files
from gateway.ops.bench.setup import Setup
from gateway.ops.bench.world import World
from gateway.ops.configuration import load
from gateway.ops.security import message_signer, message_verifier
from gateway.ops.simulation.persons import is_valid

_SVG = "{http://www.w3.org/2000/svg}"


def test_the_persons_are_all_different_and_their_numbers_are_valid() -> None:
    some = list(itertools.islice(persons(), 30_000))
    assert len({person.number for person in some}) == len(some)
    assert all(is_valid(person.number) for person in some[:2000])


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Setup]:
    world = World(tmp_path_factory.mktemp("bench"), key_bits=2048)
    configuration = load(world.configure("keys", broker="embedded:k.queue", journal="sqlite:k.journal"))
    registry = stores.open_registry(configuration)
    notes = make_notes(registry, message_signer(configuration), 4, attachment=3000)
    made = Setup(
        keys=str(configuration.path(configuration.signing.keys)),
        hospitals={h.her_id: h.org_no or "" for h in registry.hospitals},
        notes=notes,
        recorded=record(world, notes, "recording"),
    )
    file = world.folder / "setup.json"
    made.write(file)
    assert Setup.read(file) == made
    return world, made


def test_what_the_floor_sends_is_about_the_note_valid_and_signed(setup: tuple[World, Setup]) -> None:
    world, made = setup
    verifier = message_verifier(load(world.folder / "keys.toml"))
    work = Work("any", made)
    for her_id, number in made.hospitals.items():
        work.load_key(her_id, number)
    for note in made.notes:
        taken = work.note(note.body)
        assert [each.id for each in taken.out] == [
            sending_id(note.sender, note.msg_id, receiver) for receiver in note.receivers
        ]
        for each in taken.out:
            signed = verifier.verify(each.envelope.body)
            assert signed.signer.org_no == made.hospitals[note.sender]
            assert note.person.number.encode() in signed.signed
            assert note.person.family_name.encode() in signed.signed


def test_the_floor_refuses_what_was_changed(setup: tuple[World, Setup]) -> None:
    _, made = setup
    changed = made.notes[0].body.replace(made.notes[0].person.number.encode(), b"01010112345")
    with pytest.raises(ValueError, match="digest"):
        Work("any", made).note(changed)


def test_a_backlog_is_worked_off_to_its_last_note() -> None:
    worked_off = measure_backlog(FEWEST, broker=None)
    assert worked_off.notes == FEWEST
    assert len(worked_off.rates) == 10
    assert all(rate > 0 for rate in worked_off.rates)
    assert worked_off.peak_mebibytes > 20
    assert worked_off.cpu_milliseconds > 0.5


def test_the_whole_service_is_measured_beside_floor_and_baseline(tmp_path: Path) -> None:
    bench = Bench(Effort(repeats=3, seconds=0.2, low_rate=20.0, low_count=10), rabbitmq=None, postgresql=None)
    (measured,) = bench.measure(
        Workload(size="8 KB", key_bits=2048, broker="embedded", journal="sqlite", loads=(0.5,))
    )
    document = measured.document()
    assert len(measured.gateway.rates) == len(measured.floor.rates) == len(measured.glued.rates) == 3
    assert measured.floor.cpu_milliseconds < measured.gateway.cpu_milliseconds
    assert len(measured.latencies[0].milliseconds) == 10
    assert measured.peak_mebibytes > 30
    assert {
        "workload",
        "broker",
        "journal",
        "processes",
        "messages_per_second",
        "floor_per_second",
        "ratio_to_floor",
        "glued_per_second",
        "ratio_to_glued",
        "latency_ms",
        "peak_rss_mb",
    } <= document.keys()
    for file in write_files([measured], tmp_path):
        assert file.stat().st_size > 100


def test_a_curve_goes_on_where_the_journal_has_grown_and_receivers_are_down() -> None:
    with small_gateway(30) as gateway:
        assert gateway.cost(6) > 0
        there = grow_journal(gateway.journal_file, 3000)
        assert there >= 3000
        with gateway.worker.journal.reader() as view:
            assert sum(gateway.worker.journal.count_by_state().values()) > 6
            assert view.find_sendings("nothing") == []
        assert gateway.cost(6) > 0
        gateway.cut_off(1)
        assert gateway.cost(6) > 0
        assert gateway.worker.journal.next_due() is not None


def _series(*rates: float) -> Series:
    return Series(rates=list(rates), cpu=[0.002] * len(rates))


def test_ratios_are_of_repeats_that_followed_on_each_other() -> None:
    """A machine that slows down by half in the middle changes no ratio."""
    measured = Measured(
        workload=Workload(size="8 KB", key_bits=2048, broker="embedded", journal="sqlite"),
        processes=1,
        gateway=_series(100, 50, 25),
        floor=_series(200, 100, 50),
        glued=_series(20, 10, 5),
        one=_series(100, 50, 25),
        latencies=(Latency(load=10, milliseconds=tuple(float(n) for n in range(1, 101))),),
        peak_mebibytes=1.0,
    )
    document = measured.document()
    assert document["ratio_to_floor"] == 0.5
    assert document["ratio_to_glued"] == 5.0
    assert document["latency_ms"] == {"p50": 51.0, "p95": 96.0, "p99": 100.0}


def test_plots_are_svg_with_every_point() -> None:
    drawn = etree.fromstring(
        lines(
            "A < B",
            Axis(title="x", logarithmic=True),
            Axis(title="y"),
            {"one": [(0, 1), (1000, 2), (1_000_000, 3)], "two": [(1000, 4)]},
        )
    )
    assert len(drawn.findall(f".//{_SVG}circle")) == 4
    columns = etree.fromstring(bars("T", "u", [("a\nb", {"x": (10, 1), "y": (20, 0)})]))
    heights = [float(r.get("height", "0")) for r in columns.findall(f".//{_SVG}rect") if r.get("x")]
    assert heights[-1] == pytest.approx(2 * heights[-2], abs=0.2)
