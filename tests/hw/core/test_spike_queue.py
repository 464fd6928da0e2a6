"""SpikeQueue: spikes in ascending order, then the step; the queue never overflows."""

import numpy as np
import pytest

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
            # As NeuronUpdate does: begin when nothing waits, then a group in every cycle.
            await ctx.tick().until(~dut.waiting)
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


def test_one_entry_is_waiting(layer_of):
    """The first entry goes to the register from which it is sent, the second waits."""
    _, params, _ = layer_of([3, 1, 2], 1, density=1.0)
    dut = SpikeQueue(params)

    async def bench(ctx):
        for _ in range(2):
            payload = {"group": 0, "spikes": 1, "membranes": [0], "end": 1, "last": 0}
            ctx.set(dut.groups.payload, payload)
            ctx.set(dut.groups.valid, 1)
            await ctx.tick()
            ctx.set(dut.groups.valid, 0)
            await ctx.tick().repeat(5)
        assert ctx.get(dut.waiting)

    run_scenario(dut, bench)
