"""What a run of the test bench is given, and what is read of it, on a simulator of paper."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from spikeloom_cosim import verilator
from spikeloom_cosim.build import Build
from spikeloom_cosim.driver import event_steps
from spikeloom_cosim.monitor import read_recording
from spikeloom_cosim.simulation import (
    ISOLATED,
    MODES,
    SEEDS,
    STREAMING,
    STRESS,
    Round,
    Watchdog,
    round_seed,
    run_rounds,
)

from .paper_core import core_in, model, write_recording
from .recordings import (
    OUTPUTS,
    SHAPE,
    SIZES,
    STEPS,
    perfect,
    replace_outcome,
    with_scores,
)

SAMPLES, CHUNK, SEED = 7, 3, 5
EVENTS = np.random.default_rng(8).random((SAMPLES, STEPS, SIZES[0])) < 0.5
TOOLS = cast("Any", "tools")
WATCHDOG = Watchdog(patience=1000, limit=50_000)


@pytest.fixture
def core(tmp_path):
    return core_in(tmp_path / "core")


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
def test_what_a_run_reads_and_leaves(paper, core, tmp_path, mode):
    build = paper.build(core.verilog, core.shape)
    recording = run_rounds(
        build,
        core,
        [Round.of(core, EVENTS)],
        mode,
        folder=tmp_path / "run",
        seed=SEED,
        watchdog=WATCHDOG,
    )
    expected = perfect(model(EVENTS), mode, seed=SEED)
    (events,), (steps,) = paper.events, paper.steps
    assert (events == EVENTS).all()
    ascending = [sorted(step) for step in steps]
    assert (steps == ascending) is not mode.shuffled
    assert steps == event_steps(EVENTS, shuffle=SEED if mode.shuffled else None)
    assert (recording.starts == expected.starts).all()
    assert (tmp_path / "run" / "weights.mem").read_text() == "01"
    assert not (tmp_path / "run" / "load.bin").exists()
    assert not (tmp_path / "run" / "strikes.bin").exists()
    (settings,) = paper.played
    assert settings == {
        "rounds": 1,
        "idle": mode.idle,
        "stall": mode.stall,
        "random": SEED,
        "patience": 1000,
        "limit": 50_000,
        **({"isolated": None} if mode is ISOLATED else {}),
    }


def test_only_the_stress_mode_pauses_and_shuffles():
    assert [(mode.isolated, mode.idle, mode.stall, mode.shuffled) for mode in MODES] == [
        (True, 0, 0, False),
        (False, 0, 0, False),
        (False, 85, 128, True),
    ]
    assert [mode.full_rate for mode in MODES] == [False, True, False]
    for changes in ({"idle": 1}, {"stall": 1}, {"isolated": True}):
        assert not replace(STREAMING, **changes).full_rate


def test_waves_from_a_sample(paper, core, tmp_path):
    build = paper.build(core.verilog, core.shape)
    how = {"folder": tmp_path / "run", "seed": SEED, "watchdog": WATCHDOG}
    run_rounds(build, core, [Round.of(core, EVENTS)], STREAMING, waves_from=0, **how)
    assert paper.played[0]["waves_from"] == 0


def test_options_are_handed_on(paper, core, tmp_path):
    options = {"verilator+seed+7": None, "reset_for": 3, "limit": 9}
    run_rounds(
        paper.build(core.verilog, core.shape),
        core,
        [Round.of(core, EVENTS)],
        STREAMING,
        folder=tmp_path / "run",
        seed=SEED,
        watchdog=WATCHDOG,
        options=options,
    )
    (settings,) = paper.played
    assert {**settings, **options} == settings


def test_loads_strikes_and_orders_of_each_round(monkeypatch, core, tmp_path):
    """A program without cocotb is run as it is."""
    said = {}

    def run_program(program, *, folder, log, plusargs):
        said.update(program=program, log=log, **plusargs)
        write_recording(perfect(model(EVENTS), STREAMING), folder)

    monkeypatch.setattr(verilator, "run_program", run_program)
    rounds = [
        Round(events=EVENTS[:1], loads=np.array([5], dtype=np.uint64)),
        Round(events=EVENTS[:1], loads=np.array([6, 7], dtype=np.uint64), strike=9),
        Round(events=EVENTS[:1], loads=np.array([8], dtype=np.uint64)),
    ]
    folder = tmp_path / "run"
    run_rounds(
        Build(folder=Path("b"), cached=True, seconds=0, alone=True),
        core,
        rounds,
        STRESS,
        folder=folder,
        seed=SEEDS - 1,
        watchdog=WATCHDOG,
    )
    assert said == {
        "program": Path("b") / "bench",
        "log": folder / "simulation.log",
        "rounds": 3,
        "idle": 85,
        "stall": 128,
        "random": SEEDS - 1,
        "patience": 1000,
        "limit": 50_000,
    }
    words = np.fromfile(folder / "events.bin", dtype=">u4")
    ends = np.flatnonzero(words >> 30 & 1)
    assert len(ends) == 3
    first, second, third = np.split(words, ends + 1)[:3]
    assert sorted(first) == sorted(second) == sorted(third)
    # The seeds of their orders follow each other, and begin again.
    assert [round_seed(SEEDS - 1, number) for number in range(3)] == [SEEDS - 1, 0, 1]
    assert len({tuple(own) for own in (first, second, third)}) == 3
    loads = np.fromfile(folder / "load.bin", dtype=">u8").tolist()
    assert loads == [5 | 1 << 63, 6, 7 | 1 << 63, 8 | 1 << 63]
    assert np.fromfile(folder / "strikes.bin", dtype=">u4").tolist() == [0, 9, 0]


def test_what_a_core_is_loaded_with_is_played(paper, core, tmp_path):
    loaded = replace(core, loads=np.array([5, 6], dtype=np.uint64))
    build = paper.build(core.verilog, core.shape)
    how = {"folder": tmp_path / "run", "seed": SEED, "watchdog": WATCHDOG}
    run_rounds(build, loaded, [Round.of(loaded, EVENTS)], STREAMING, **how)
    assert np.fromfile(tmp_path / "run" / "load.bin", dtype=">u8").tolist() == [5, 6 | 1 << 63]


@pytest.mark.parametrize(
    ("latency", "patience", "limit"),
    [([100], 10_200, 42_400), ([3, 700, 5], 11_400, 4 * 11_400 + 16 * 708)],
)
def test_watchdog(latency, patience, limit):
    assert Watchdog.of(np.array(latency)) == Watchdog(patience=patience, limit=limit)


def test_every_word_of_a_recording_is_read(tmp_path):
    recording = perfect(model(EVENTS), STREAMING)
    value = recording.scores.value.copy()
    value[0] = -(1 << 31)
    recording = replace(with_scores(recording, value=value), looks=np.array([3, 1, 2]))
    recording = replace(recording, rounds=np.array([4, 9]))
    write_recording(recording, tmp_path)
    read = read_recording(tmp_path, SHAPE)
    for got, expected in zip(read.traces, recording.traces, strict=True):
        for name in ("cycle", "group", "spikes", "membranes"):
            assert (getattr(got, name) == getattr(expected, name)).all(), name
    assert any((own.membranes < 0).any() for own in read.traces)
    for name in ("valid", "taken", "value", "best", "last"):
        assert (getattr(read.scores, name) == getattr(recording.scores, name)).all(), name
    for name in ("starts", "rounds", "looks"):
        assert getattr(read, name).tolist() == getattr(recording, name).tolist()
    assert (read.counts.cycles, read.counts.clock) == (recording.counts.cycles,) * 2
    assert (read.counts.layers == recording.counts.layers).all()
    assert read.outcome == recording.outcome
    assert [len(read.scores), len(read.traces[0])] == [SAMPLES * OUTPUTS, SAMPLES * STEPS * 4]


def test_cycles_of_chip_and_bench_are_not_mixed_up(tmp_path):
    recording = perfect(model(EVENTS), STREAMING)
    counts = replace(recording.counts, cycles=70, clock=71)
    write_recording(replace(recording, counts=counts), tmp_path)
    read = read_recording(tmp_path, SHAPE).counts
    assert (read.cycles, read.clock) == (70, 71)


def test_a_recording_without_looks_has_none(tmp_path):
    write_recording(perfect(model(EVENTS), STREAMING), tmp_path)
    assert read_recording(tmp_path, SHAPE).looks.tolist() == []


@pytest.mark.parametrize(
    ("ran", "failed", "outcome", "says"),
    [
        pytest.param(1, 0, {"hung": True}, "0 of 1", id="it passed, and hung"),
        pytest.param(1, 1, {}, "1 of 1", id="it failed, and nothing was wrong"),
        pytest.param(0, 0, {}, "0 of 0", id="it never ran"),
        pytest.param(2, 0, {}, "0 of 2", id="another ran as well"),
    ],
)
def test_cocotb_and_the_outcome_agree(
    monkeypatch, paper, core, tmp_path, ran, failed, outcome, says
):
    paper.fault = lambda recording, _: replace(
        recording, outcome=replace_outcome(recording, **outcome)
    )

    def contradicting(**how):
        paper.run_bench(**how)
        return ran, failed

    monkeypatch.setattr(verilator, "run_bench", contradicting)
    build = paper.build(core.verilog, core.shape)
    how = {"folder": tmp_path / "run", "seed": SEED, "watchdog": WATCHDOG}
    with pytest.raises(verilator.SimulationError, match=says):
        run_rounds(build, core, [Round.of(core, EVENTS)], STREAMING, **how)


@pytest.mark.parametrize("outcome", [{"hung": True}, {"unstable": 2}])
def test_a_test_that_failed_for_a_reason_is_a_recording(paper, core, tmp_path, outcome):
    paper.fault = lambda recording, _: replace(
        recording, outcome=replace_outcome(recording, **outcome)
    )
    build = paper.build(core.verilog, core.shape)
    how = {"folder": tmp_path / "run", "seed": SEED, "watchdog": WATCHDOG}
    recording = run_rounds(build, core, [Round.of(core, EVENTS)], STREAMING, **how)
    assert (recording.outcome.hung, recording.outcome.unstable) == (
        outcome.get("hung", False),
        outcome.get("unstable", 0),
    )


def test_a_simulator_without_an_outcome_has_broken_down(paper, core, tmp_path):
    paper.broken = True
    build = paper.build(core.verilog, core.shape)
    how = {"folder": tmp_path / "run", "seed": SEED, "watchdog": WATCHDOG}
    with pytest.raises(verilator.SimulationError, match="out of paper"):
        run_rounds(build, core, [Round.of(core, EVENTS)], STREAMING, **how)
