"""The reference against three nested loops."""

import numpy as np
import pytest

from networks import random_events, random_network
from spikeloom.arithmetic import neuron_step
from spikeloom.image import DecayLeak, IntegrateLeak, ShiftLeak
from spikeloom.reference import simulate

CASES = [
    pytest.param("membrane", ShiftLeak(shift=2), "subtract", id="membrane, shift, subtract"),
    pytest.param("count", IntegrateLeak(), "zero", id="count, integrate, zero"),
    pytest.param("count", DecayLeak(multiplier=5, fraction_bits=4), "subtract", id="count, decay"),
]


def naive(image, events):
    """Event after event, one neuron after another."""
    state = [np.zeros(layer.neurons, dtype=np.int64) for layer in image.layers]
    operations = [0] * len(image.layers)
    spikes = [[] for _ in image.layers]
    membranes = [[] for _ in image.layers]
    for step in events:
        arriving = np.flatnonzero(step)
        for number, layer in enumerate(image.layers):
            a = layer.bias.astype(np.int64)
            for event in arriving:
                for at in range(layer.row_ptr[event], layer.row_ptr[event + 1]):
                    a[layer.target[at]] += layer.weight[at]
                    operations[number] += 1
            fired, state[number] = neuron_step(
                state[number],
                a,
                leak_spec=layer.leak,
                threshold=layer.threshold,
                reset=layer.reset,
                spiking=layer.spiking,
                membrane_bits=layer.membrane_bits,
            )
            spikes[number].append(fired)
            membranes[number].append(state[number])
            arriving = np.flatnonzero(fired)
    return spikes, membranes, operations


@pytest.mark.parametrize(("readout", "leak", "reset"), CASES)
def test_equals_the_loops(readout, leak, reset):
    rng = np.random.default_rng(11)
    image = random_network(
        rng, [12, 17, 9, 5], readout=readout, leak=leak, reset=reset, shared=False
    )
    events = random_events(rng, image, 6)
    trace = simulate(image, events)
    for sample in range(len(events)):
        spikes, membranes, operations = naive(image, events[sample])
        for number in range(len(image.layers)):
            assert trace.spikes[number][sample].tolist() == np.array(spikes[number]).tolist()
            assert trace.membranes[number][sample].tolist() == np.array(membranes[number]).tolist()
        assert trace.operations[sample].tolist() == operations
        score = np.sum(spikes[-1], axis=0) if readout == "count" else membranes[-1][-1]
        assert trace.scores[sample].tolist() == score.tolist()


def test_a_tie_goes_to_the_lowest_index():
    image = random_network(np.random.default_rng(0), [3, 4], density=0.0)
    trace = simulate(image, np.ones((1, 3, 3), dtype=bool))
    assert trace.scores.tolist() == [[0, 0, 0, 0]]
    assert trace.predictions.tolist() == [0]


def test_the_wrong_shape_is_shown():
    image = random_network(np.random.default_rng(0), [3, 4])
    with pytest.raises(ValueError, match=r"\(1, 2, 3\)"):
        simulate(image, np.zeros((1, 2, 3), dtype=bool))
