"""Readout: scores in order, the best so far, ties to the lowest index."""

import numpy as np
import pytest

from spikeloom_hw.core.readout import Readout
from streams import PAUSES, consumer, run_scenario, stream_get

TABLES = {
    "ascending": [-3, -2, 0, 1, 2],
    "descending": [5, 4, -1, -2, -3],
    "all equal": [2, 2, 2, 2, 2],
    "tie of the best": [0, 7, 3, 7, 1],
    "all negative": [-9, -4, -4, -8, -5],
    "one output": [-1],
}


def group_payload(params, lanes, group, spikes, membranes, last):
    return {
        "group": group,
        "spikes": int(spikes @ (1 << np.arange(lanes))),
        "membranes": membranes.tolist(),
        "end": int(group == params.groups - 1),
        "last": last,
    }


async def walk(ctx, dut, params, lanes, spikes, membranes, *, last):
    padded = np.zeros((2, params.groups * lanes), dtype=int)
    padded[:, : params.neurons] = spikes, membranes
    await ctx.tick().until(~dut.busy)
    for group in range(params.groups):
        own = slice(group * lanes, (group + 1) * lanes)
        ctx.set(
            dut.groups.payload,
            group_payload(params, lanes, group, padded[0, own], padded[1, own], last),
        )
        ctx.set(dut.groups.valid, 1)
        await ctx.tick()
    ctx.set(dut.groups.valid, 0)
    await ctx.tick().repeat(6)


@pytest.mark.parametrize("back_pressure", PAUSES.values(), ids=PAUSES)
@pytest.mark.parametrize("lanes", [1, 2, 8])
@pytest.mark.parametrize("values", TABLES.values(), ids=TABLES)
def test_membranes(layer_of, values, lanes, back_pressure):
    _, params, _ = layer_of([3, len(values)], lanes)
    dut = Readout(params, count=False, score_bits=8, label_bits=3)
    taken = []

    async def samples(ctx):
        zeros = np.zeros(len(values), dtype=int)
        for _ in range(2):
            await walk(ctx, dut, params, lanes, zeros, zeros - 100, last=0)
            await walk(ctx, dut, params, lanes, zeros, np.array(values), last=1)

    run_scenario(dut, samples, consumer(dut.scores, taken, 2 * len(values), back_pressure))
    best = [int(np.argmax(values[: n + 1])) for n in range(len(values))]
    expected = [(v, b, int(n == len(values) - 1)) for n, (v, b) in enumerate(zip(values, best))]  # noqa: B905
    assert [(s.value, s.best, s.last) for s in taken] == expected * 2


@pytest.mark.parametrize("lanes", [1, 2, 8])
def test_counts(layer_of, lanes):
    _, params, _ = layer_of([3, 5], lanes, readout="count")
    rng = np.random.default_rng(4)
    spikes = rng.random((3, 4, 5)) < 0.5
    dut = Readout(params, count=True, score_bits=4, label_bits=3)
    taken = []

    async def samples(ctx):
        zeros = np.zeros(5, dtype=int)
        for sample in spikes:
            for number, step in enumerate(sample):
                await walk(ctx, dut, params, lanes, step, zeros, last=int(number == 3))

    run_scenario(dut, samples, consumer(dut.scores, taken, 15))
    assert [s.value for s in taken] == spikes.sum(axis=1).ravel().tolist()
    labels = [s.best for s in taken if s.last]
    assert labels == spikes.sum(axis=1).argmax(axis=1).tolist()


def test_busy_until_the_last_score_is_taken(layer_of):
    _, params, _ = layer_of([3, 3], 1)
    dut = Readout(params, count=False, score_bits=8, label_bits=2)

    async def bench(ctx):
        for group in range(3):
            payload = group_payload(params, 1, group, np.array([0]), np.array([group]), last=1)
            ctx.set(dut.groups.payload, payload)
            ctx.set(dut.groups.valid, 1)
            await ctx.tick()
        ctx.set(dut.groups.valid, 0)
        await ctx.tick().repeat(3)
        for value in range(3):
            await ctx.tick().repeat(5)
            assert ctx.get(dut.busy)
            assert (await stream_get(ctx, dut.scores)).value == value
        await ctx.tick()
        assert not ctx.get(dut.busy)

    run_scenario(dut, bench)
