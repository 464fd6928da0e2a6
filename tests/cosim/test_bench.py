"""The test bench around a core written by hand: player, sink, recorders, watchdog, waves."""

from dataclasses import replace

import numpy as np
import pytest

from spikeloom_cosim.build import build_bench
from spikeloom_cosim.checker import check
from spikeloom_cosim.simulation import (
    ISOLATED,
    STREAMING,
    STRESS,
    WAVES,
    Round,
    Watchdog,
    run_rounds,
)
from spikeloom_cosim.wake_up import random_wake_up

from .by_hand import (
    ENDLESS,
    HESITANT,
    SHAPE,
    SILENT,
    expectation,
    random_events,
    write_core,
)

SAMPLES = 40
WATCHDOG = Watchdog(patience=500, limit=10_000)


@pytest.fixture(scope="module")
def run(tools, tmp_path_factory):
    """Runs the core by hand, with one of its mistakes."""

    def play(events, mode, *, mistake="0", seed=1, **settings):
        folder = tmp_path_factory.mktemp("core")
        core = write_core(folder / "core", mistakes=mistake)
        build = build_bench(core.verilog, SHAPE, tools=tools, waves="waves_from" in settings)
        place = folder / "run"
        return place, run_rounds(
            build,
            core,
            [Round.of(core, events)],
            mode,
            folder=place,
            seed=seed,
            watchdog=WATCHDOG,
            **settings,
        )

    return play


@pytest.mark.parametrize("mode", [ISOLATED, STREAMING, STRESS], ids=lambda mode: mode.name)
def test_equal_in_every_mode(run, mode):
    events = random_events(SAMPLES)
    _, recording = run(events, mode)
    verdict = check(
        expectation(events),
        recording,
        SHAPE,
        mode=mode,
        seed=1,
    )
    assert verdict.equal, verdict.found
    assert len(recording.starts) == recording.outcome.results == SAMPLES


def test_isolated_samples_never_overlap(run):
    _, recording = run(random_events(SAMPLES), ISOLATED)
    ends = recording.scores.taken[2::3]
    assert (recording.starts[1:] > ends[:-1]).all()


def test_streaming_leaves_no_gap(run):
    _, recording = run(random_events(SAMPLES), STREAMING)
    assert (recording.starts[1:] == recording.scores.taken[2::3][:-1] + 2).all()


def test_stress_pauses_on_both_sides_and_obeys_its_seed(run):
    events = random_events(SAMPLES)
    _, calm = run(events, STREAMING)
    runs = [run(events, STRESS, seed=seed)[1] for seed in (1, 1, 2)]
    waits = runs[0].scores.taken - runs[0].scores.valid
    assert waits.max() > 3
    assert (waits == 0).any()
    taking = [recording.outcome.cycles - waits.sum() for recording in runs[:1]]
    assert taking[0] > calm.outcome.cycles
    assert (runs[0].scores.taken == runs[1].scores.taken).all()
    assert (runs[0].scores.taken != runs[2].scores.taken).any()


def test_one_side_pauses_alone(run):
    events = random_events(SAMPLES)
    _, paused = run(events, replace(STREAMING, idle=128))
    assert (paused.scores.taken == paused.scores.valid).all()
    assert (np.diff(paused.starts) > expectation(events).latency[:-1]).any()
    _, stalled = run(events, replace(STREAMING, stall=128))
    assert (stalled.scores.taken > stalled.scores.valid).any()


def test_options_reach_the_simulator(run):
    """The seed of what nobody gave a value, the length of the reset, and a plusarg of any name."""
    events = random_events(1)

    def counts(seed, given, reset_for):
        options = {**random_wake_up(seed), "given": given, "reset_for": reset_for}
        return run(events, STREAMING, options=options)[1].counts

    first, again, other = counts(1, 0, 1), counts(1, 200, 6), counts(2, 0, 1)
    assert again.cycles - first.cycles == 200 << 16
    assert other.cycles != first.cycles
    assert first.layers[0, 4] == 1
    assert again.layers[0, 4] == 6


def test_memories_are_read_when_the_simulation_starts(tools, tmp_path):
    before = build_bench(write_core(tmp_path / "a").verilog, SHAPE, tools=tools)
    silent = write_core(tmp_path / "b", weights=" ".join(["00"] * 16))
    build = build_bench(silent.verilog, SHAPE, tools=tools)
    assert build.cached
    assert build.folder == before.folder
    recording = run_rounds(
        build,
        silent,
        [Round.of(silent, random_events(3))],
        STREAMING,
        folder=tmp_path / "run",
        seed=1,
        watchdog=WATCHDOG,
    )
    assert not recording.traces[0].membranes.any()


def test_a_core_that_falls_silent_ends_the_run(run):
    events = random_events(SAMPLES)
    _, recording = run(events, STREAMING, mistake=SILENT)
    assert recording.outcome.hung
    assert recording.outcome.results == 0
    assert recording.outcome.cycles < WATCHDOG.patience + 100
    verdict = check(expectation(events), recording, SHAPE, mode=STREAMING)
    assert verdict.mismatches["hang"] == 1
    assert verdict.mismatches["beat"] > 0


def test_a_score_that_changes_while_it_waits_is_seen(run):
    _, recording = run(random_events(SAMPLES), STRESS, mistake=HESITANT)
    assert recording.outcome.unstable > 0
    _, healthy = run(random_events(SAMPLES), STRESS)
    assert healthy.outcome.unstable == 0


def test_a_core_that_never_falls_silent_ends_the_run_too(run):
    _, recording = run(random_events(2), STREAMING, mistake=ENDLESS)
    assert len(recording.scores) > 2 * SHAPE.outputs
    assert recording.outcome.hung
    assert recording.outcome.cycles > WATCHDOG.limit


def test_waves_start_where_asked(run):
    events = random_events(4)
    sizes = []
    for first in (0, 3):
        place, recording = run(events, STREAMING, waves_from=first)
        waves = (place / WAVES).read_text()
        assert "events__payload" in waves
        times = [int(line[1:]) for line in waves.splitlines() if line.startswith("#")]
        # Two time units a cycle, and four cycles of reset before the first one.
        assert abs(times[0] / 2 - 4 - recording.starts[first]) <= 5
        sizes.append(len(waves))
    assert sizes[0] > sizes[1]
