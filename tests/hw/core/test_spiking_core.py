"""The whole core against the reference: every spike, membrane, score and cycle."""

import numpy as np
import pytest

from cores import event_list, score_bench, trace_arrays
from networks import random_events, random_network
from pairwise import every_pair
from spikeloom.image import DecayLeak, IntegrateLeak, ShiftLeak
from spikeloom.packing import pack_network
from spikeloom.reference import cycle_times, simulate
from spikeloom_hw.core import CoreParams, SpikingCore
from streams import PAUSES, producer, recorder, run_scenario

SHAPES = {
    "single neurons": [1, 1, 1],
    "a group exactly": [9, 8, 4],
    "a group and one": [12, 9, 5],
    "three layers": [14, 21, 11, 6],
}
NEURONS = {
    "shift, subtract": {"leak": ShiftLeak(shift=2), "reset": "subtract"},
    "integrate, zero": {"leak": IntegrateLeak(), "reset": "zero"},
    "decay, count": {"leak": DecayLeak(multiplier=5, fraction_bits=4), "readout": "count"},
    "own thresholds and biases": {"shared": False, "readout": "count"},
    "narrow membranes": {"membrane_bits": 5, "density": 1.0},
    "no synapses": {"density": 0.0},
}


LANES = {str(lanes): lanes for lanes in (1, 2, 4, 8)}
PLACED = {str(lanes): lanes for lanes in ((1, 1, 1), (8, 2, 1), (2, 8, 4))}
LEAKS = {"shift": ShiftLeak(shift=2), "decay": DecayLeak(multiplier=5, fraction_bits=4)}
RATES = {"rare": 0.05, "busy": 0.5, "all": 1.0}


@pytest.mark.parametrize(("lanes", "shape", "options"), every_pair(LANES, SHAPES, NEURONS))
def test_every_spike_and_membrane(lanes, shape, options):
    rng = np.random.default_rng([lanes, *shape])
    image = random_network(rng, shape, **options)
    events = random_events(rng, image, samples=2)
    trace = simulate(image, events)
    lanes_of_layers = (lanes,) * (len(image.layers) - 1) + (1,)
    core = SpikingCore(CoreParams.from_image(image, lanes_of_layers, trace=True))
    scores, labels = [], []
    seen = [[] for _ in image.layers]
    ports = [getattr(core, f"trace{number}") for number in range(len(image.layers))]
    pauses = list(PAUSES.values())
    run_scenario(
        core,
        producer(core.events, event_list(rng, events), pauses[lanes % len(pauses)]),
        score_bench(core, len(events), scores, labels, pauses[len(shape) % len(pauses)]),
        background=[
            recorder(port.valid, port.group, port.spikes, port.membranes, into=into)
            for port, into in zip(ports, seen, strict=True)
        ],
    )
    for number, layer in enumerate(core.params.layers):
        spikes, membranes = trace_arrays(layer, seen[number], len(events), image.time_steps)
        assert spikes.tolist() == trace.spikes[number].tolist()
        assert membranes.tolist() == trace.membranes[number].tolist()
    assert scores == trace.scores.ravel().tolist()
    assert labels == trace.predictions.tolist()


@pytest.mark.parametrize(
    ("lanes", "rate", "leak", "isolated"),
    every_pair(PLACED, RATES, LEAKS, {"alone": True, "back to back": False}),
)
def test_every_cycle(lanes, rate, leak, isolated):
    """The cycle model tells when each result comes, to the cycle."""
    rng = np.random.default_rng(8)
    image = random_network(rng, [13, 19, 11, 6], leak=leak, density=0.4)
    events = random_events(rng, image, 4, rate)
    timing = cycle_times(image, simulate(image, events), pack_network(image, lanes))
    core = SpikingCore(CoreParams.from_image(image, lanes))
    taken, done = [], []
    payload, port = core.scores.payload, core.events

    async def player(ctx):
        ctx.set(core.scores.ready, 1)
        for number, sample in enumerate(events):
            while isolated and len(done) < number:
                await ctx.tick()
            for event in event_list(None, sample[None]):
                ctx.set(port.payload, event)
                ctx.set(port.valid, 1)
                await ctx.tick().until(port.ready)
            ctx.set(port.valid, 0)
        while len(done) < len(events):
            await ctx.tick()

    run_scenario(
        core,
        player,
        background=[
            recorder(port.valid & port.ready, port.payload.step, port.payload.last, into=taken),
            recorder(core.scores.valid & payload.last, into=done),
        ],
    )
    results = [cycle for (cycle,) in done]
    ends = [number for number, (_, step, last) in enumerate(taken) if step and last]
    starts = [taken[0][0], *(taken[end + 1][0] for end in ends[:-1])]
    if isolated:
        latency = [r - s + 1 for r, s in zip(results, starts, strict=True)]
        assert latency == timing.latency.tolist()
    else:
        assert [result - starts[0] + 1 for result in results] == timing.results.tolist()


def test_lanes_that_can_not_be_built_are_shown():
    image = random_network(np.random.default_rng(0), [3, 4])
    with pytest.raises(ValueError, match=r"lanes must be one of .* not 3"):
        CoreParams.from_image(image, (3,))
