"""SpikeQueue: spikes in ascending order, then the step; the queue never overflows."""

import numpy as np
import pytest

from cores import assert_equals_reference
from networks import random_events, random_network
from pairwise import every_pair
from spikeloom.image import DecayLeak, ShiftLeak
from spikeloom.reference import cycles
from spikeloom_hw.core.spike_queue import SpikeQueue
from streams import PAUSES, consumer, run_scenario

MASKS = {
    "silent": 0.0,
    "sparse": 0.1,
    "dense": 0.7,
    "all": 1.0,
}


@pytest.mark.parametrize("back_pressure", PAUSES.values(), ids=PAUSES)
@pytest.mark.parametrize("rate", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize(("neurons", "lanes"), [(1, 1), (5, 1), (8, 8), (9, 8), (16, 8), (13, 4)])
def test_events_of_each_step(layer_of, neurons, lanes, rate, back_pressure):
    _, params, _ = layer_of([3, neurons, 2], lanes, density=1.0)
    rng = np.random.default_rng(neurons)
    steps = [rng.random(neurons) < rate for _ in range(4)]
    dut = SpikeQueue(params)
    taken = []
    expected = []
    for number, spikes in enumerate(steps):
        expected += [(int(neuron), 0, 0) for neuron in np.flatnonzero(spikes)]
        expected.append((None, 1, int(number == 3)))

    async def walks(ctx):
        for number, spikes in enumerate(steps):
            # As NeuronUpdate does: begin when a step has room, then a group in every cycle.
            await ctx.tick().until(~dut.full)
            padded = np.zeros(params.groups * lanes, dtype=bool)
            padded[:neurons] = spikes
            for group, own in enumerate(padded.reshape(params.groups, lanes)):
                ctx.set(
                    dut.groups.payload,
                    {
                        "group": group,
                        "spikes": int(own @ (1 << np.arange(lanes))),
                        "membranes": [0] * lanes,
                        "end": int(group == params.groups - 1),
                        "last": int(number == 3),
                    },
                )
                ctx.set(dut.groups.valid, 1)
                await ctx.tick()
            ctx.set(dut.groups.valid, 0)
            await ctx.tick()

    run_scenario(dut, walks, consumer(dut.events, taken, len(expected), back_pressure))
    got = [(None if event.step else event.address, event.step, event.last) for event in taken]
    assert got == expected


ROOMS = {f"room for a step and {groups} groups": groups for groups in (0, 1, 9)}
LEAKS = {"shift": ShiftLeak(shift=2), "decay": DecayLeak(multiplier=5, fraction_bits=4)}
DEPTHS = {"shared": 0, "overlapped": 64}


@pytest.fixture
def shallow(monkeypatch):
    """`shallow(groups)`: queues with room for one step and so many groups."""

    def room(more):
        monkeypatch.setattr(cycles, "queue_depth", lambda groups: groups + more)

    return room


@pytest.mark.parametrize("back_pressure", PAUSES.values(), ids=PAUSES)
@pytest.mark.parametrize("room", ROOMS.values(), ids=ROOMS)
def test_a_shallow_queue_never_overflows(layer_of, shallow, room, back_pressure):
    shallow(room)
    test_events_of_each_step(layer_of, 13, 4, 1.0, back_pressure)


@pytest.mark.parametrize(("room", "leak", "distributed_depth"), every_pair(ROOMS, LEAKS, DEPTHS))
def test_a_full_queue_holds_the_walk_and_the_model_knows(shallow, room, leak, distributed_depth):
    shallow(room)
    rng = np.random.default_rng(5)
    image = random_network(rng, [16, 48, 10], density=0.8, time_steps=5, leak=leak)
    events = random_events(rng, image, 2, 0.7)
    run = assert_equals_reference(image, (8, 1), events, distributed_depth)
    updating, blocked = run.stalls.sum(axis=0).T
    assert 0 < blocked[0] < updating[0]  # the first layer's walks wait for room


def test_full_from_the_entry_on_that_leaves_no_room_for_a_step(layer_of, monkeypatch):
    monkeypatch.setattr(cycles, "queue_depth", lambda groups: groups + 1)
    _, params, _ = layer_of([3, 1, 2], 1, density=1.0)
    dut = SpikeQueue(params)
    full = []

    async def bench(ctx):
        # The first entry is being sent and the second shown; those behind them are stored.
        for _ in range(4):
            payload = {"group": 0, "spikes": 1, "membranes": [0], "end": 1, "last": 0}
            ctx.set(dut.groups.payload, payload)
            ctx.set(dut.groups.valid, 1)
            await ctx.tick()
            ctx.set(dut.groups.valid, 0)
            await ctx.tick().repeat(5)
            full.append(ctx.get(dut.full))

    run_scenario(dut, bench)
    assert full == [0, 0, 0, 1]
