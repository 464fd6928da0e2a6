"""Run a core in Amaranth's simulator, and hold it to the reference and the cycle model."""

from typing import Any

import numpy as np

from spikeloom.packing import pack_network
from spikeloom.reference import cycle_times, simulate
from spikeloom_hw.core import CoreParams, SpikingCore
from streams import producer, recorder, run_scenario, stream_get


def event_list(rng, events):
    """The events of all samples; those of a step in random order, or in ascending without rng."""
    listed = []
    for sample in events:
        for number, step in enumerate(sample):
            addresses = np.flatnonzero(step)
            order = addresses if rng is None else rng.permutation(addresses)
            listed += [{"address": int(a), "step": 0, "last": 0} for a in order]
            listed.append({"address": 0, "step": 1, "last": int(number == len(sample) - 1)})
    return listed


def trace_arrays(layer, seen, samples, time_steps):
    """Spikes and membranes as bool and int ``[S, T, neurons]`` from an observer's record."""
    groups, lanes, bits = layer.groups, layer.lanes, layer.membrane_bits
    assert [group for _, group, _, _ in seen] == list(range(groups)) * samples * time_steps
    spikes = [[mask >> lane & 1 for lane in range(lanes)] for _, _, mask, _ in seen]
    fields = [[packed >> lane * bits for lane in range(lanes)] for *_, packed in seen]
    membranes = (np.array(fields, dtype=object) & ((1 << bits) - 1)).astype(np.int64)
    membranes -= (membranes >> bits - 1) << bits
    shape = samples, time_steps, groups * lanes
    spikes = np.array(spikes, dtype=bool).reshape(shape)
    membranes = membranes.reshape(shape)
    for seen_there in spikes, membranes:
        assert not seen_there[..., layer.neurons :].any()
    return spikes[..., : layer.neurons], membranes[..., : layer.neurons]


def score_bench(core, samples, scores, labels, pauses=(0,)):
    async def bench(ctx):
        for number in range(samples * core.params.layers[-1].neurons):
            if pause := pauses[number % len(pauses)]:
                await ctx.tick().repeat(pause)
            score = await stream_get(ctx, core.scores)
            scores.append(score.value)
            if score.last:
                labels.append(score.best)

    return bench


def assert_equals_reference(image, lanes, events, distributed_depth=0):
    """Every spike, membrane, score and class, and the cycle of every result, back to back."""
    # A component's members are known once it is made, and to no type checker.
    packed = pack_network(image, lanes)
    params = CoreParams.from_packed(
        image, packed, trace=True, counters=True, distributed_depth=distributed_depth
    )
    core: Any = SpikingCore(params)
    scores, labels, taken, done = [], [], [], []
    seen = [[] for _ in image.layers]
    ports = [getattr(core, f"trace{number}") for number in range(len(image.layers))]
    sent, told = core.events, core.scores
    observers = [
        recorder(port.valid, port.group, port.spikes, port.membranes, into=into)
        for port, into in zip(ports, seen, strict=True)
    ]
    observers.append(recorder(sent.valid & sent.ready, into=taken))
    observers.append(recorder(told.valid & told.payload.last, into=done))
    run_scenario(
        core,
        producer(core.events, event_list(None, events)),
        score_bench(core, len(events), scores, labels),
        background=observers,
    )
    trace = simulate(image, events)
    for number, layer in enumerate(core.params.layers):
        spikes, membranes = trace_arrays(layer, seen[number], len(events), image.time_steps)
        assert spikes.tolist() == trace.spikes[number].tolist()
        assert membranes.tolist() == trace.membranes[number].tolist()
    assert scores == trace.scores.ravel().tolist()
    assert labels == trace.predictions.tolist()
    overlapped = [layer.overlapped for layer in params.layers]
    results = cycle_times(image, trace, packed, overlapped=overlapped).results.tolist()
    assert [cycle - taken[0][0] + 1 for (cycle,) in done] == results
