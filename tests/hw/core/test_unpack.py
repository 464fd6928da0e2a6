"""Unpack: absolute and gap indices, padding and escapes."""

import numpy as np
import pytest

from spikeloom.image import IntegrateLeak, Layer
from spikeloom.packing import pack
from spikeloom_hw.core.params import layer_contents, layer_params
from spikeloom_hw.core.unpack import Unpack
from streams import producer, recorder, run_scenario


def packed(lanes, form, seed=0, density=0.25):
    rng = np.random.default_rng(seed)
    weights = rng.integers(-7, 8, (7, 40)) * (rng.random((7, 40)) < density)
    layer = Layer.from_dense(weights, name="layer", leak=IntegrateLeak())
    words = pack(layer, lanes, **form)
    return layer, layer_params(layer, words), layer_contents(layer, words)


def word_events(contents, row, blocks=1):
    base, count = sum(contents.counts[:row]), contents.counts[row]
    for at in range(count):
        slots = [{"index": index, "weight": weight} for index, weight in contents.words[base + at]]
        place = {"first": int(at == 0), "block": at % blocks}
        yield {"slots": slots, **place, "step": 0, "last": 0}


FORMS = [
    pytest.param({"index_form": "absolute", "blocks": 1}, id="absolute"),
    pytest.param({"index_form": "absolute", "blocks": 4}, id="four blocks"),
    pytest.param({"index_form": "absolute", "blocks": 64}, id="a block an address"),
    pytest.param({"index_form": "gap", "index_bits": 1}, id="gap of 1 bit"),
    pytest.param({"index_form": "gap", "index_bits": 2}, id="gap of 2 bits"),
    pytest.param({"index_form": "gap", "index_bits": 5}, id="gap of 5 bits"),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("lanes", [1, 2, 8])
def test_operations_are_the_synapses(lanes, form):
    layer, params, contents = packed(lanes, form)
    rows = [3, 0, 6, 6, 1]
    dut = Unpack(params)
    seen = [[] for _ in range(lanes)]
    words = [word for row in rows for word in word_events(contents, row, params.blocks)]

    async def settle(ctx):
        await producer(dut.words, words, (0, 0, 2))(ctx)
        await ctx.tick().repeat(3)

    run_scenario(
        dut,
        settle,
        background=[
            recorder(operation.valid, operation.payload, into=into)
            for operation, into in zip(dut.operations, seen, strict=True)
        ],
    )
    dense = layer.dense()
    for lane in range(lanes):
        got = [(op.address * lanes + lane, op.weight) for _, op in seen[lane]]
        expected = [
            (neuron, dense[row, neuron])
            for row in rows
            for neuron in range(lane, layer.neurons, lanes)
            if dense[row, neuron]
        ]
        assert sorted(got) == sorted(expected)


def test_a_step_follows_its_operations_a_cycle_behind():
    _, params, contents = packed(2, {"index_form": "absolute"})
    dut = Unpack(params)
    steps, operations = [], []
    word = next(word_events(contents, 0))
    step = {**word, "first": 0, "step": 1, "last": 1}

    async def settle(ctx):
        await producer(dut.words, [word, step])(ctx)
        await ctx.tick().repeat(3)

    run_scenario(
        dut,
        settle,
        background=[
            recorder(dut.steps.valid, dut.steps.payload.last, into=steps),
            recorder(dut.operations[0].valid | dut.operations[1].valid, into=operations),
        ],
    )
    assert [cycle for (cycle,) in operations] == [2]
    assert steps == [(3, 1)]
