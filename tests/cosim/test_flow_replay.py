"""A failure that is run again, and what is expected of some of the samples."""

import json
from dataclasses import replace
from typing import Any, cast

import msgspec
import numpy as np
import pytest

from spikeloom_cosim.divergence import Divergence
from spikeloom_cosim.drilldown import FAILURE, replay
from spikeloom_cosim.expectation import COUNTED
from spikeloom_cosim.simulation import (
    STRESS,
    WAVES,
    Watchdog,
)
from spikeloom_hw.core.counters import LAYER_COUNTS

from .paper_core import core_in, membrane_of, model, stressed
from .recordings import (
    IMAGE,
    OVERLAPPED,
    PACKED,
    SIZES,
    STEPS,
)

SAMPLES, CHUNK, SEED = 7, 3, 5
EVENTS = np.random.default_rng(8).random((SAMPLES, STEPS, SIZES[0])) < 0.5
TOOLS = cast("Any", "tools")
WATCHDOG = Watchdog(patience=1000, limit=50_000)


@pytest.fixture
def core(tmp_path):
    return core_in(tmp_path / "core")


def replayed(core, tmp_path, divergence, **how):
    return replay(
        core,
        model(EVENTS),
        divergence,
        STRESS,
        tools=TOOLS,
        seed=SEED,
        folder=tmp_path / "failure",
        **how,
    )


def difference(sample: int | None = 4) -> Divergence:
    return Divergence(kind="membrane", mode="stress", sample=sample, got=1, expected=2)


def test_a_sample_that_fails_alone(paper, core, tmp_path):
    paper.fault = membrane_of(0)
    found = replayed(core, tmp_path, difference())
    assert found.alone
    assert paper.built == [{"core": core.verilog, "tools": TOOLS, "waves": True}]
    (settings,) = paper.played
    assert "isolated" in settings
    assert (settings["waves_from"], settings["random"]) == (0, SEED)
    assert settings["limit"] == Watchdog.of(model(EVENTS).latency).limit
    assert (paper.events[0] == EVENTS[4:5]).all()
    assert (found.folder, found.waves) == (tmp_path / "failure", tmp_path / "failure" / WAVES)
    assert sorted(path.name for path in found.folder.iterdir()) == [
        ".spikeloom",
        "core.v",
        "divergence.json",
        "waves.vcd",
        "weights.mem",
    ]
    assert json.loads((found.folder / FAILURE).read_text()) == msgspec.to_builtins(difference())
    assert found.waves.read_text() == "from sample 0"


def test_a_sample_that_fails_after_others(paper, core, tmp_path):
    paper.fault = membrane_of(0, when=stressed)
    found = replayed(core, tmp_path, difference())
    assert not found.alone
    alone, crowd = paper.played
    assert "isolated" in alone
    assert (crowd["idle"], crowd["stall"], crowd["random"]) == (STRESS.idle, STRESS.stall, SEED)
    assert crowd["waves_from"] == 4
    assert (paper.events[1] == EVENTS[:5]).all()
    assert found.waves.read_text() == "from sample 4"


def test_a_failure_that_does_not_come_again_leaves_its_last_run(paper, core, tmp_path):
    found = replayed(core, tmp_path, difference())
    assert not found.alone
    assert len(paper.played) == 2


@pytest.mark.parametrize("sample", [None, SAMPLES - 1, SAMPLES, SAMPLES + 3])
def test_what_is_of_no_sample_is_sought_in_the_last(paper, core, tmp_path, sample):
    replayed(core, tmp_path, difference(sample))
    assert (paper.events[0] == EVENTS[-1:]).all()
    assert (paper.events[1] == EVENTS).all()
    assert paper.played[1]["waves_from"] == SAMPLES - 1


def test_the_difference_as_the_report_names_it(paper, core, tmp_path):
    reported = msgspec.structs.replace(difference(), sample=104)
    found = replayed(core, tmp_path, difference(), reported=reported)
    assert json.loads((found.folder / FAILURE).read_text())["sample"] == 104


def test_what_the_core_was_loaded_with_is_left(paper, core, tmp_path):
    loaded = replace(core, loads=np.array([5, 6], dtype=np.uint64))
    found = replayed(loaded, tmp_path, difference())
    loads = np.fromfile(found.folder / "load.bin", dtype=">u8").tolist()
    assert loads == [5, 6 | 1 << 63]


@pytest.mark.parametrize("sample", [0, 2, SAMPLES - 1])
def test_what_is_expected_of_one_sample(sample):
    own, alone = model(EVENTS).only(sample), model(EVENTS[sample : sample + 1])
    assert_same(own, alone)


@pytest.mark.parametrize("sample", [0, 2, SAMPLES - 1])
def test_what_is_expected_until_a_sample(sample):
    own, first = model(EVENTS).until(sample), model(EVENTS[: sample + 1])
    assert_same(own, first)


def assert_same(own, other):
    assert own.samples == other.samples
    for name in ("latency", "results", "counted"):
        assert getattr(own, name).tolist() == getattr(other, name).tolist(), name
    for name in ("events", "operations", "scores", "predictions"):
        assert getattr(own.trace, name).tolist() == getattr(other.trace, name).tolist(), name
    for name in ("spikes", "membranes"):
        for got, expected in zip(getattr(own.trace, name), getattr(other.trace, name), strict=True):
            assert (got == expected).all()
            assert got.shape == expected.shape
    for kind in ("alone", "together"):
        got, expected = getattr(own.timing, kind), getattr(other.timing, kind)
        for name in ("starts", "results", "stalls"):
            assert getattr(got, name).tolist() == getattr(expected, name).tolist(), (kind, name)
        for shown, wanted in zip(got.shown, expected.shown, strict=True):
            assert shown.tolist() == wanted.tolist()


def test_what_is_counted_and_how_busy_a_layer_is():
    """By plain loops over every event."""
    expected = model(EVENTS)
    for number, (layer, words) in enumerate(zip(IMAGE.layers, PACKED, strict=True)):
        source = EVENTS if number == 0 else expected.trace.spikes[number - 1]
        reads = 0
        for sample in range(SAMPLES):
            counted = dict.fromkeys(COUNTED, 0)
            for step in range(STEPS):
                for address in np.flatnonzero(source[sample, step]):
                    counted["events"] += 1
                    counted["words"] += int(words.count[address])
                    counted["operations"] += int(layer.fan_out[address])
            assert expected.counted[sample, number].tolist() == list(counted.values())
            reads += counted["words"]
        # Five cycles to the walk and its groups; a shift leak takes no more.
        walks = SAMPLES * STEPS * (5 + words.groups)
        overlapped = OVERLAPPED[number]
        assert expected.busy[number] == (max(reads, walks) if overlapped else reads + walks)
    assert COUNTED == LAYER_COUNTS[:3] == ("events", "words", "operations")
