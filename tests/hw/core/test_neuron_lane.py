"""NeuronLane: the arithmetic of ``spikeloom.arithmetic``, one neuron a cycle, at exact cycles."""

import numpy as np
import pytest

from spikeloom.arithmetic import leak, neuron_step
from spikeloom.image import DecayLeak, IntegrateLeak, ShiftLeak
from spikeloom.reference.cycles import GROUP_LATENCY, update_latency
from spikeloom_hw.core.neuron_lane import NeuronLane
from streams import run_scenario

LEAKS = [
    pytest.param(IntegrateLeak(), id="integrate"),
    pytest.param(ShiftLeak(shift=1), id="shift 1"),
    pytest.param(ShiftLeak(shift=5), id="shift 5"),
    pytest.param(DecayLeak(multiplier=5, fraction_bits=4), id="decay"),
    pytest.param(DecayLeak(multiplier=256, fraction_bits=8), id="decay of everything"),
]


@pytest.mark.parametrize("spec", LEAKS)
@pytest.mark.parametrize("reset", ["subtract", "zero"])
@pytest.mark.parametrize("readout", ["membrane", "count"], ids=["integrates", "spikes"])
def test_every_potential(layer_of, readout, reset, spec):
    """Potentials from rail to rail stream through back to back, with thresholds and biases."""
    layer, params, _ = layer_of(
        [30, 4], 1, density=1.0, leak=spec, reset=reset, readout=readout, shared=False
    )
    low, high = layer.accumulator_range
    rng = np.random.default_rng(2)
    potentials = np.concatenate([[low, high, 0, -1], rng.integers(low, high + 1, 200)])
    thresholds = rng.integers(1, layer.threshold.max() + 1, len(potentials))
    thresholds[4:20] = np.maximum(1, np.minimum(potentials[4:20], layer.threshold.max()))
    biases = rng.integers(-3, 4, len(potentials))
    lasts = rng.random(len(potentials)) < 0.2
    latency = update_latency(spec)
    dut = NeuronLane(params)
    shown, written = [], []

    async def bench(ctx):
        ctx.set(dut.exists, 1)
        for now in range(len(potentials) + latency):
            # Cycle 1 of neuron `now`; earlier ones are further along.
            if now < len(potentials):
                ctx.set(dut.potential, int(potentials[now]))
                ctx.set(dut.threshold, int(thresholds[now]))
            leaving = now - (latency - 1)
            if 0 <= leaving < len(potentials):
                ctx.set(dut.bias, int(biases[leaving]))
                ctx.set(dut.last, int(lasts[leaving]))
                written.append(ctx.get(dut.next_potential))
            if 0 <= now - (GROUP_LATENCY - 1) < len(potentials):
                shown.append((bool(ctx.get(dut.spike)), ctx.get(dut.membrane)))
            await ctx.tick()

    run_scenario(dut, bench)
    spikes, membranes = neuron_step(
        np.zeros_like(potentials),
        potentials,
        leak_spec=IntegrateLeak(),
        threshold=thresholds,
        reset=reset,
        spiking=layer.spiking,
        membrane_bits=layer.membrane_bits,
    )
    assert shown == list(zip(spikes.tolist(), membranes.tolist(), strict=True))
    carried = np.where(lasts, 0, leak(membranes, spec))
    assert written == (carried + biases).tolist()


def test_a_lane_without_a_neuron_never_spikes(layer_of):
    _, params, _ = layer_of([30, 4], 1, density=1.0, readout="count")
    dut = NeuronLane(params)

    async def bench(ctx):
        ctx.set(dut.potential, 100)
        ctx.set(dut.threshold, 1)
        ctx.set(dut.exists, 0)
        await ctx.tick().repeat(4)
        assert ctx.get(dut.spike) == 0

    run_scenario(dut, bench)
