"""What becomes of a core on all samples, in every mode and chunk, on a simulator of paper."""

import json
from dataclasses import replace
from typing import Any, cast

import msgspec
import numpy as np
import pytest

from spikeloom_cosim import verify
from spikeloom_cosim.chunk import chunks_of
from spikeloom_cosim.divergence import KINDS
from spikeloom_cosim.drilldown import FAILURE
from spikeloom_cosim.simulation import (
    ISOLATED,
    MODES,
    SEEDS,
    STREAMING,
    STRESS,
    WAVES,
    Watchdog,
)
from spikeloom_cosim.verify import verify_core

from .paper_core import BUILD_SECONDS, core_in, membrane_of, model, stressed
from .recordings import (
    LANES,
    NAMES,
    SIZES,
    STEPS,
    off,
    perfect,
)

SAMPLES, CHUNK, SEED = 7, 3, 5
EVENTS = np.random.default_rng(8).random((SAMPLES, STEPS, SIZES[0])) < 0.5
TOOLS = cast("Any", "tools")
WATCHDOG = Watchdog(patience=1000, limit=50_000)


@pytest.fixture
def core(tmp_path):
    return core_in(tmp_path / "core")


@pytest.fixture
def run(paper, core, tmp_path):
    """`run(...)`: what becomes of the core."""

    def result(*, of=model, **how):
        settings = {"seed": SEED, "jobs": 1, "chunk": CHUNK, **how}
        return verify_core(
            core,
            EVENTS,
            of,
            tools=TOOLS,
            failure_folder=tmp_path / "failure",
            **settings,
        )

    return result


def test_chunks(monkeypatch):
    chunks = list(chunks_of(EVENTS, CHUNK, seed=SEEDS - 2))
    assert [chunk.start for chunk in chunks] == [0, 3, 6]
    assert [chunk.seed for chunk in chunks] == [SEEDS - 2, SEEDS - 1, 0]
    assert [len(chunk.events) for chunk in chunks] == [3, 3, 1]
    assert (np.concatenate([chunk.events for chunk in chunks]) == EVENTS).all()


def test_a_core_that_is_equal(paper, run, core, tmp_path):
    advanced = []
    result = run(advance=advanced.append)
    assert advanced == [3, 3, 1]
    assert paper.built == [{"core": core.verilog, "tools": TOOLS}]
    assert not (tmp_path / "failure").exists()
    # Each mode plays every sample, chunk by chunk, each chunk with a seed of its own.
    assert [settings["random"] for settings in paper.played] == [5] * 3 + [6] * 3 + [7] * 3
    expected = [Watchdog.of(model(chunk.events).latency) for chunk in chunks_of(EVENTS, 3, seed=0)]
    assert [settings["limit"] for settings in paper.played[::3]] == [own.limit for own in expected]
    assert [mode.name for mode in result.modes] == ["isolated", "streaming", "stress"]
    for number, mode in enumerate(result.modes):
        assert not mode.mismatches.total()
        assert set(mode.mismatches) == set(KINDS)
        parts = [
            perfect(model(chunk.events), MODES[number], seed=chunk.seed)
            for chunk in chunks_of(EVENTS, CHUNK, seed=SEED)
        ]
        assert mode.cycles == sum(part.outcome.cycles for part in parts)
        assert mode.seconds > 0
    assert result.first is result.replay is None
    assert (result.lanes, result.loaded, result.samples) == (LANES, False, SAMPLES)
    assert result.build_seconds == BUILD_SECONDS
    assert result.seconds > max(mode.seconds for mode in result.modes)
    assert result.mismatches.total() == 0


def test_what_is_measured(run):
    result = run()
    expected = [model(chunk.events) for chunk in chunks_of(EVENTS, CHUNK, seed=0)]
    latency = np.concatenate([own.latency for own in expected])
    cycles = sum(int(own.results[-1]) for own in expected)
    counted = np.sum([own.counted.sum(axis=0) for own in expected], axis=0)
    timings = [own.timing for own in expected if own.timing is not None]
    assert len(timings) == len(expected)
    stalls = np.sum([own.together.stalls.sum(axis=0) for own in timings], axis=0)
    measured = result.cycles
    assert measured is not None
    assert measured.mean == pytest.approx(latency.mean())
    assert measured.max == latency.max()
    assert measured.p99 == sorted(latency)[-1]
    assert measured.interval == pytest.approx(cycles / SAMPLES)
    operations = counted[:, 2]
    assert measured.sop_per_cycle_per_lane == pytest.approx(operations.sum() / cycles / sum(LANES))
    busiest = int(np.argmax(sum(own.busy for own in expected)))
    assert measured.busiest_layer.name == NAMES[busiest]
    assert measured.busiest_layer.sop_per_cycle_per_lane == pytest.approx(
        operations[busiest] / cycles / LANES[busiest]
    )
    assert result.layers is not None
    for number, work in enumerate(result.layers):
        events, words, operations = counted[number].tolist()
        updating, blocked = stalls[number].tolist()
        assert (work.name, work.lanes, work.cycles) == (NAMES[number], LANES[number], cycles)
        assert (work.events, work.words, work.operations) == (events, words, operations)
        assert (work.updating, work.blocked) == (updating, blocked)
        synapses = operations / LANES[number]
        assert work.sop_per_cycle_per_lane == pytest.approx(synapses / cycles)
        assert msgspec.structs.asdict(work.shares) == {
            "synapses": pytest.approx(synapses / cycles),
            "padding": pytest.approx((words - synapses) / cycles),
            "update": pytest.approx((updating - blocked) / cycles),
            "blocked": pytest.approx(blocked / cycles),
            "idle": pytest.approx((cycles - words - updating) / cycles),
        }


@pytest.mark.parametrize(
    ("modes", "known"),
    [
        pytest.param((ISOLATED, STREAMING), True, id="both"),
        pytest.param((ISOLATED, STRESS), False, id="no full rate"),
        pytest.param((STREAMING, STRESS), False, id="no sample alone"),
    ],
)
def test_what_is_not_measured_is_none(run, modes, known):
    result = run(modes=modes)
    assert (result.cycles is not None) is (result.layers is not None) is known
    assert [mode.name for mode in result.modes] == [mode.name for mode in modes]


def test_the_busiest_of_all_chunks_is_told(run):
    """Each chunk has another busiest layer; over all it is the middle one."""
    busy = iter([[9, 5, 0], [0, 5, 0], [0, 5, 6]])

    def lopsided(events):
        return replace(model(events), busy=np.array(next(busy)))

    result = run(of=lopsided)
    assert result.cycles is not None
    assert result.cycles.busiest_layer.name == NAMES[1]


@pytest.mark.parametrize("isolated", [True, False])
def test_what_lacks_a_result_is_not_measured(paper, run, isolated):
    def lost(recording, settings):
        if ("isolated" in settings) is not isolated or len(recording.starts) > 1:
            return recording
        return replace(recording, scores=recording.scores.part(slice(0, -1)))

    paper.fault = lost
    result = run()
    assert result.cycles is result.layers is None
    assert result.document()["cycles"] is result.document()["layers"] is None


def test_the_document_of_a_core(run):
    result = run()
    document = result.document()
    assert list(document) == [
        *("lanes", "loaded", "samples", *(f"{kind}_mismatches" for kind in KINDS)),
        *("first_divergence", "waves", "cycles", "layers", "seconds", "build_seconds", "modes"),
    ]
    assert (document["lanes"], document["loaded"], document["samples"]) == ([2, 4, 2], False, 7)
    assert [document[f"{kind}_mismatches"] for kind in KINDS] == [0] * len(KINDS)
    assert document["first_divergence"] is document["waves"] is None
    assert document["cycles"] == msgspec.to_builtins(result.cycles)
    assert document["layers"] == msgspec.to_builtins(result.layers)
    assert document["seconds"] == round(result.seconds, 3)
    assert document["build_seconds"] == BUILD_SECONDS
    assert document["modes"] == [
        {
            "name": mode.name,
            "mismatches": 0,
            "cycles": mode.cycles,
            "seconds": round(mode.seconds, 3),
        }
        for mode in result.modes
    ]
    json.dumps(document)


def test_a_loaded_core_says_so(paper, core, tmp_path):
    loaded = replace(core, loads=np.array([5], dtype=np.uint64))
    result = verify_core(
        loaded,
        EVENTS[:2],
        model,
        tools=TOOLS,
        seed=1,
        jobs=1,
        modes=(STREAMING,),
        failure_folder=tmp_path / "failure",
    )
    assert result.loaded
    assert result.document()["loaded"] is True


def test_mismatches_are_told_by_mode_and_kind(paper, run):
    paper.fault = membrane_of(2, when=stressed)
    result = run()
    # Once in each chunk.
    assert [mode.mismatches.total() for mode in result.modes] == [0, 0, 3]
    assert result.modes[2].mismatches["membrane"] == 3
    assert result.mismatches["membrane"] == result.mismatches.total() == 3
    document = result.document()
    assert document["membrane_mismatches"] == 3
    assert document["spike_mismatches"] == 0
    assert [mode["mismatches"] for mode in document["modes"]] == [0, 0, 3]
    assert document["first_divergence"] == msgspec.to_builtins(result.first)


def test_the_first_is_of_the_first_chunk_that_fails(paper, run, tmp_path):
    last = len(EVENTS) % CHUNK

    def only_the_last(recording, settings):
        return len(recording.starts) == last and stressed(recording, settings)

    paper.fault = membrane_of(4, when=only_the_last)
    result = run()
    assert result.first is not None
    assert (result.first.sample, result.first.step, result.first.layer) == (6, 1, "layer0")
    assert result.first.mode == "stress"
    assert result.replay is not None
    written = json.loads((tmp_path / "failure" / FAILURE).read_text())
    assert written == msgspec.to_builtins(result.first)
    assert result.document()["waves"] == str(tmp_path / "failure" / WAVES)


def test_what_is_of_no_sample_has_no_number(paper, run):
    def miscounted(recording, settings):
        layers = off(recording.counts.layers, 0, 0)
        return replace(recording, counts=replace(recording.counts, layers=layers))

    paper.fault = miscounted
    result = run()
    assert result.first is not None
    assert (result.first.sample, result.first.counter) == (None, "events")


def test_the_earliest_of_all_modes_is_told(paper, run):
    def plant(recording, settings):
        if stressed(recording, settings):
            return membrane_of(0)(recording, settings)
        return membrane_of(5)(recording, settings)

    paper.fault = plant
    result = run()
    assert result.first is not None
    assert (result.first.mode, result.first.step) == ("stress", 0)


def test_a_tie_goes_to_the_mode_that_ran_first(paper, run):
    paper.fault = membrane_of(3)
    for modes, first in (((STREAMING, STRESS), "streaming"), ((STRESS, STREAMING), "stress")):
        result = run(modes=modes)
        assert result.first is not None
        assert result.first.mode == first


def test_only_a_failure_of_ours_is_removed(paper, run, tmp_path):
    failure = tmp_path / "failure"
    failure.mkdir()
    (failure / "notes.txt").write_text("of somebody else")
    run()
    assert (failure / "notes.txt").exists()
    (failure / FAILURE).write_text("{}")
    run()
    assert not failure.exists()


@pytest.mark.parametrize(
    ("jobs", "chunk", "processes", "threads"),
    [
        pytest.param(1, 7, 1, 1, id="one job"),
        pytest.param(2, 7, 1, 2, id="one chunk, two jobs"),
        pytest.param(8, 7, 1, 3, id="no more threads than modes"),
        pytest.param(2, 3, 2, 1, id="two processes"),
        pytest.param(6, 3, 3, 2, id="no more processes than chunks"),
        pytest.param(None, 3, 3, 1, id="one job a processor"),
    ],
)
def test_jobs(monkeypatch, paper, run, jobs, chunk, processes, threads):
    seen = {}
    mapped = verify._mapped

    def watched(bench, chunks, *, processes):
        seen.update(processes=processes, threads=bench.threads)
        return mapped(bench, chunks, processes=1)

    monkeypatch.setattr(verify, "_mapped", watched)
    monkeypatch.setattr(verify.os, "cpu_count", lambda: 3)
    run(jobs=jobs, chunk=chunk)
    assert seen == {"processes": processes, "threads": threads}
