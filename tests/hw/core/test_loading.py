"""A loadable core runs networks that it was not made for, and refuses what is beyond it."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from cores import event_list, score_bench
from networks import random_events, random_network
from spikeloom.errors import UserError
from spikeloom.image import IntegrateLeak, ShiftLeak
from spikeloom.packing import pack_network
from spikeloom.reference import cycle_times, simulate
from spikeloom_hw.core import CoreParams, SpikingCore
from spikeloom_hw.core.layouts import LOOK_CYCLES, MemoryKind
from spikeloom_hw.core.loading import fit, load_sequence, make_loadable
from streams import producer, recorder, run_scenario

LANES = (4, 2)


def network(seed, shape=(20, 24, 6), **options):
    options = {"leak": IntegrateLeak(), "density": 0.4, **options}
    image = random_network(np.random.default_rng(seed), list(shape), **options)
    layers = [dataclasses.replace(own, bias=np.zeros_like(own.bias)) for own in image.layers]
    return image.with_layers(tuple(layers))


def padded(events, inputs):
    wide = np.zeros((*events.shape[:2], inputs), dtype=bool)
    wide[..., : events.shape[2]] = events
    return wide


def loadable_core(image, single_ports=0, **options):
    packed = pack_network(image, LANES)
    return make_loadable(
        CoreParams.from_packed(image, packed, **options), single_ports=single_ports
    )


FIELDS = ("layer", "kind", "address", "data")


async def look_back(ctx, core, load):
    """Look at all that was loaded, in every cycle another chunk."""
    readable = [one for one in load if one[1] != MemoryKind.THRESHOLD.value]
    seen = []
    for cycle in range(len(readable) + LOOK_CYCLES):
        asking = cycle < len(readable)
        if asking:
            layer, kind, address, _ = readable[cycle]
            look = {"layer": layer, "kind": kind, "address": address, "data": 0xAAAA, "look": 1}
            ctx.set(core.load.payload, look)
        ctx.set(core.load.valid, asking)
        if cycle >= LOOK_CYCLES:
            seen.append(ctx.get(core.chunk))
        await ctx.tick()
    assert seen == [data for *_, data in readable]
    ctx.set(core.load.payload, dict.fromkeys(("layer", "address", "data", "look"), 0))


def run(core, loads, samples, scores, labels):
    """Load, look, then play ``samples``, one network after another."""

    async def host(ctx):
        for load, events in zip(loads, samples, strict=True):
            wanted = len(labels) + len(events)
            await producer(core.load, [dict(zip(FIELDS, one, strict=True)) for one in load])(ctx)
            await ctx.tick().repeat(2)
            await look_back(ctx, core, load)
            await producer(core.events, event_list(None, events))(ctx)
            while len(labels) < wanted:
                await ctx.tick()

    total = sum(map(len, samples))
    run_scenario(core, host, score_bench(core, total, scores, labels))


@pytest.mark.parametrize(
    ("single_ports", "spilled"),
    [
        pytest.param(0, 0, id="block RAM"),
        pytest.param(4, 0, id="single-port RAM"),
        pytest.param(1, 8, id="both"),
    ],
)
def test_one_network_after_another(single_ports, spilled):
    first, second = network(1), network(2, (18, 21, 6), density=0.5)
    params = loadable_core(first, single_ports)
    assert [layer.single_port for layer in params.layers] == [single_ports > 0, False]
    assert params.layers[0].spill_bits == spilled
    rng = np.random.default_rng(5)
    images, samples = [first, second, first], []
    loads = [load_sequence(image, params) for image in images]
    samples = [random_events(rng, image, 2) for image in images]
    wide = [padded(events, 20) for events in samples]
    scores, labels = [], []
    core = SpikingCore(params)
    run(core, loads, wide, scores, labels)
    traces = [simulate(image, events) for image, events in zip(images, samples, strict=True)]
    assert scores == [score for trace in traces for score in trace.scores.ravel().tolist()]
    assert labels == [label for trace in traces for label in trace.predictions.tolist()]


def test_a_core_of_block_ram_begins_with_the_network_it_was_made_for():
    image = network(1)
    core = SpikingCore(loadable_core(image))
    events = random_events(np.random.default_rng(5), image, 3)
    scores, labels = [], []
    run_scenario(
        core, producer(core.events, event_list(None, events)), score_bench(core, 3, scores, labels)
    )
    assert scores == simulate(image, events).scores.ravel().tolist()


def test_a_fitted_network_has_the_same_scores():
    first, second = network(1), network(2, (18, 21, 6))
    events = random_events(np.random.default_rng(5), second, 4)
    fitted, packed = fit(second, loadable_core(first))
    assert [len(words.count) for words in packed] == [20, 24]
    own, other = simulate(second, events), simulate(fitted, padded(events, 20))
    assert own.scores.tolist() == other.scores.tolist()
    assert own.operations.tolist() == other.operations.tolist()


BEYOND = {
    "layers": (network(1, (20, 24, 24, 6)), "the network has 3 layers and the core 2"),
    "outputs": (network(1, (20, 24, 7)), "the network has 7 outputs read as membrane"),
    "readout": (network(1, readout="count"), "read as count"),
    "inputs": (network(1, (23, 24, 6)), "it has 23 inputs and the core 20, 3 too many"),
    "neurons": (network(1, (20, 25, 6)), "it has 25 neurons and the core 24, 1 too many"),
    "leak": (network(1, leak=ShiftLeak(shift=2)), "it has a leak of ShiftLeak"),
    "membrane": (network(1, membrane_bits=7), "it has membrane bits of 7"),
    "thresholds": (network(1, shared=False), "it has a threshold or a bias for each neuron"),
}


@pytest.mark.parametrize(("image", "message"), BEYOND.values(), ids=BEYOND)
def test_beyond_the_core(image, message):
    with pytest.raises(UserError, match=message):
        load_sequence(image, loadable_core(network(1)))


def test_more_steps_than_a_count_has_room_for():
    made_for, longer = (network(1, readout="count", time_steps=steps) for steps in (3, 4))
    with pytest.raises(UserError, match="over 4 time steps and the core over 3"):
        load_sequence(longer, loadable_core(made_for))
    load_sequence(network(1, time_steps=4), loadable_core(network(1, time_steps=3)))


def test_too_many_words():
    sparse = network(1, (64, 64, 6), density=0.05)
    with pytest.raises(UserError, match=r"takes \d+ words of 4 synapses .* 256, \d+ too many"):
        load_sequence(network(1, (64, 64, 6), density=1.0), loadable_core(sparse))


def test_own_thresholds_are_not_loadable():
    with pytest.raises(UserError, match="a threshold or a bias for each neuron"):
        loadable_core(network(1, shared=False))


def test_the_chip_counts_what_the_reference_counts():
    image = network(3)
    packed = pack_network(image, LANES)
    core: Any = SpikingCore(CoreParams.from_packed(image, packed, counters=True))
    events = random_events(np.random.default_rng(5), image, 4)
    trace = simulate(image, events)
    scores, labels, counts, busy = [], [], [], []

    async def read(ctx):
        while len(labels) < len(events):
            await ctx.tick()
        await ctx.tick().repeat(5)
        for number in range(11):
            ctx.set(core.select, number)
            await ctx.tick()
            counts.append(ctx.get(core.count))

    run_scenario(
        core,
        producer(core.events, event_list(None, events)),
        score_bench(core, len(events), scores, labels),
        read,
        background=[recorder(core.events.valid, into=busy)],
    )
    cycles, *rest = counts
    assert cycles >= cycle_times(image, trace, packed).results[-1]
    for number in range(2):
        taken, words, operations, updating, blocked = rest[5 * number : 5 * number + 5]
        inputs = trace.inputs_of(number).sum(axis=(0, 1))
        assert taken == inputs.sum()
        assert words == inputs @ packed[number].count
        assert operations == trace.operations[:, number].sum()
        steps = len(events) * image.time_steps
        assert updating >= steps * packed[number].groups
        assert blocked <= updating
        assert words + updating < cycles
