"""Run a core in Amaranth's simulator, and hold it to the reference and the cycle model."""

from typing import Any

import numpy as np

from spikeloom.packing import pack_network
from spikeloom.reference import cycle_times, simulate
from spikeloom_hw.core import CoreParams, SpikingCore
from spikeloom_hw.core.counters import LAYER_COUNTS
from spikeloom_hw.core.spiking_core import counter_count
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
    """Every spike, membrane, score and class, and all that the cycle model tells, back to back.

    Returns the model's run.
    """
    # A component's members are known once it is made, and to no type checker.
    packed = pack_network(image, lanes)
    params = CoreParams.from_packed(
        image, packed, trace=True, counters=True, distributed_depth=distributed_depth
    )
    core: Any = SpikingCore(params)
    scores, labels, taken, done, counted = [], [], [], [], []
    seen = [[] for _ in image.layers]
    ports = [getattr(core, f"trace{number}") for number in range(len(image.layers))]
    sent, told = core.events, core.scores
    observers = [
        recorder(port.valid, port.group, port.spikes, port.membranes, into=into)
        for port, into in zip(ports, seen, strict=True)
    ]
    observers.append(recorder(sent.valid & sent.ready, into=taken))
    observers.append(recorder(told.valid & told.payload.last, into=done))
    take_scores = score_bench(core, len(events), scores, labels)

    async def take_scores_and_counts(ctx):
        await take_scores(ctx)
        for number in range(counter_count(params)):
            ctx.set(core.select, number)
            await ctx.tick().repeat(2)
            counted.append(ctx.get(core.count))

    run_scenario(
        core,
        producer(core.events, event_list(None, events)),
        take_scores_and_counts,
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
    run = cycle_times(image, trace, packed, overlapped=overlapped).together
    first = taken[0][0] - 1
    assert [cycle - first for (cycle,) in done] == run.results.tolist()
    counts = np.array(counted[1:]).reshape(len(image.layers), len(LAYER_COUNTS))
    for number in range(len(image.layers)):
        shown = [cycle - first for cycle, group, *_ in seen[number] if group == 0]
        assert shown == run.shown[number].ravel().tolist()
        updating_and_blocked = counts[number, LAYER_COUNTS.index("updating") :]
        assert updating_and_blocked.tolist() == run.stalls[:, number].sum(axis=0).tolist()
    return run
