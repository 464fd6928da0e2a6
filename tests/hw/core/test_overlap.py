"""Layers whose sums stand apart from their membranes: the same values, in fewer cycles."""

import numpy as np
import pytest

from cores import assert_equals_reference
from networks import random_events, random_network
from pairwise import every_pair
from spikeloom.image import DecayLeak, IntegrateLeak, ShiftLeak
from spikeloom.packing import pack_network
from spikeloom.reference import cycle_times, simulate

NEURONS = {
    "shift, subtract": {"leak": ShiftLeak(shift=2), "reset": "subtract"},
    "integrate, zero": {"leak": IntegrateLeak(), "reset": "zero"},
    "decay, count": {"leak": DecayLeak(multiplier=5, fraction_bits=4), "readout": "count"},
    "own thresholds and biases": {"shared": False},
    "narrow membranes": {"membrane_bits": 5, "density": 1.0},
    "no synapses": {"density": 0.0},
}
SHAPES = {
    "single neurons": [1, 1, 1],
    "a group exactly": [9, 8, 4],
    "three layers": [14, 40, 11, 6],
}


LANES = {str(lanes): lanes for lanes in (1, 4, 16)}
RATES = {"rare": 0.05, "all": 1.0}


@pytest.mark.parametrize(
    ("lanes", "shape", "options", "rate"), every_pair(LANES, SHAPES, NEURONS, RATES)
)
def test_every_spike_membrane_and_cycle(lanes, shape, options, rate):
    rng = np.random.default_rng([lanes, *shape])
    image = random_network(rng, shape, time_steps=4, **options)
    events = random_events(rng, image, 3, rate)
    lanes_of_layers = (lanes,) * (len(image.layers) - 1) + (1,)
    assert_equals_reference(image, lanes_of_layers, events, distributed_depth=64)


def test_wide_layers_keep_the_shared_banks():
    rng = np.random.default_rng(1)
    image = random_network(rng, [12, 40, 5])
    assert_equals_reference(image, (2, 1), random_events(rng, image, 3), distributed_depth=10)


def test_the_update_is_hidden_behind_the_rows():
    rng = np.random.default_rng(1)
    image = random_network(rng, [64, 128, 10], density=0.5, time_steps=8)
    trace = simulate(image, random_events(rng, image, 8, 0.2))
    packed = pack_network(image, (8, 2))
    shared, apart = (
        cycle_times(image, trace, packed, overlapped=overlapped).results[-1]
        for overlapped in ([False, False], [True, True])
    )
    words = sum(trace.inputs_of(0)[sample].sum(axis=0) @ packed[0].count for sample in range(8))
    steps = 8 * image.time_steps
    assert shared > words + steps * packed[0].groups
    assert apart < words + steps * 6
