"""The bench's pauses are foretold, and what happens under them has its time."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from spikeloom.arithmetic import ShiftLeak
from spikeloom_cosim.build import build_bench
from spikeloom_cosim.checker import check
from spikeloom_cosim.fitting import fit_design
from spikeloom_cosim.pauses import BLOCK, Pauses
from spikeloom_cosim.simulation import ISOLATED, STREAMING, STRESS, Round, Watchdog, run_rounds
from spikeloom_hw.generate import generate
from spikeloom_hw.targets import TARGETS

from .networks import random_network

CYCLES = BLOCK + 1000
SEED = 5


def awake(state: int, chance: int, turn: int):
    """Whether a side of the bench does not rest, cycle by cycle, as the bench has it."""
    mood = 0
    for cycle in range(CYCLES):
        rests = chance and mood and (mood == 3 or state >> 8 & 255 < chance)
        yield not rests
        if cycle % 64 == turn:
            mood = state & 3
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF


@pytest.mark.parametrize("seed", [0, 1, (1 << 31) - 1])
def test_pauses_are_those_of_the_bench(seed):
    reads = [at for at, own in enumerate(awake(seed ^ 0x9E3779B9, STRESS.idle, 0)) if own]
    ready = [at for at, own in enumerate(awake(seed ^ 0xFF4A7C15, STRESS.stall, 32)) if own]
    pauses = Pauses(STRESS, seed)

    def foretold(pause, start):
        while True:
            start = pause(start) + 1
            yield start - 1

    assert list(islice(foretold(pauses.offered, 1), len(reads))) == [at + 1 for at in reads]
    assert list(islice(foretold(pauses.taken, 1), len(ready))) == [at + 1 for at in ready]


def test_without_pauses_all_is_at_once():
    pauses = Pauses(STREAMING, SEED)
    assert [pauses.offered(at) for at in (1, 2, 40)] == [1, 2, 40]
    assert [pauses.taken(at) for at in (1, 2, 40)] == [1, 2, 40]


def test_pauses_are_asked_in_order():
    pauses = Pauses(STRESS, SEED)
    pauses.offered(3 * BLOCK)
    with pytest.raises(ValueError, match="cycle 0 is asked for after"):
        pauses.offered(1)


@pytest.fixture(scope="module", params=["icebreaker", "ulx3s-25f"])
def fitting(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("core") / "design"
    image = random_network((20, 14, 9), leak=ShiftLeak(shift=2))
    generate(image, target=TARGETS[request.param], lanes=(4, 2), directory=folder, bare=True)
    return fit_design(folder, image, network=folder)


@pytest.fixture(scope="module")
def expected(fitting):
    return fitting.expect(np.random.default_rng(1).random((4, *_shape(fitting))) < 0.3)


def _shape(fitting):
    return fitting.image.time_steps, fitting.image.inputs


@pytest.fixture
def recording(fitting, expected, tools, tmp_path):
    def play(mode):
        return run_rounds(
            build_bench(fitting.core.verilog, fitting.core.shape, tools=tools),
            fitting.core,
            [Round.of(fitting.core, expected.trace.events)],
            mode,
            folder=tmp_path / "run",
            seed=SEED,
            watchdog=Watchdog.of(expected.latency),
        )

    return play


@pytest.mark.parametrize("mode", [ISOLATED, STREAMING, STRESS], ids=lambda mode: mode.name)
def test_every_time_is_known_in_every_mode(fitting, expected, recording, mode):
    found = recording(mode)
    shape = fitting.core.shape

    def verdict(changed):
        return check(expected, changed, shape, mode=mode, seed=SEED)

    assert verdict(found).equal, verdict(found).found

    # A beat of the first layer, a cycle late.
    beats = found.traces[0]
    cycle = beats.cycle.copy()
    cycle[-1] += 1
    late = replace(found, traces=(replace(beats, cycle=cycle), *found.traces[1:]))
    assert verdict(late).mismatches["cycle"] == 1

    # Half a sample's results, a cycle late.
    scores = replace(found.scores, valid=found.scores.valid + 1)
    assert verdict(replace(found, scores=scores)).mismatches["cycle"] == expected.samples

    # A stalled cycle that is counted for another.
    layers = found.counts.layers.copy()
    layers[0, -2:] += 1
    counted = replace(found, counts=replace(found.counts, layers=layers))
    assert verdict(counted).mismatches["counter"] == 2
