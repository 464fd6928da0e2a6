"""Networks that go where random ones seldom do."""

import numpy as np
import pytest

from cores import assert_equals_reference
from networks import random_events
from spikeloom.encoding import LatencyEncoding
from spikeloom.image import DecayLeak, IntegrateLeak, Layer, NetworkImage, Provenance
from spikeloom.image.network import Readout


def network(*layers, time_steps, readout: Readout = "count"):
    return NetworkImage.chain(
        layers=layers,
        time_steps=time_steps,
        encoding=LatencyEncoding(),
        readout=readout,
        provenance=Provenance(dataset="digits", seed=0),
    )


@pytest.mark.parametrize(
    ("lanes", "hidden"), [((1, 1), 1), ((1, 1), 8), ((4, 1), 8), ((8, 2), 8), ((8, 2), 19)], ids=str
)
def test_a_slow_layer_holds_up_the_one_before(lanes, hidden):
    """Every hidden neuron spikes in every step; the next layer reads 40 neurons for each."""
    fast = Layer.from_dense(np.ones((2, hidden)), name="fast", leak=IntegrateLeak(), bias=1)
    slow = Layer.from_dense(np.ones((hidden, 40)), name="slow", leak=IntegrateLeak(), threshold=5)
    silent = np.zeros((2, 4, 2), dtype=bool)
    assert_equals_reference(network(fast, slow, time_steps=4), lanes, silent)


@pytest.mark.parametrize("time_steps", [1, 2, 4, 7, 8])
def test_a_neuron_that_spikes_in_every_step(time_steps):
    layer = Layer.from_dense([[1, 0]], name="layer", leak=IntegrateLeak(), threshold=1, bias=[1, 0])
    events = np.ones((2, time_steps, 1), dtype=bool)
    assert_equals_reference(network(layer, time_steps=time_steps), (1,), events)


@pytest.mark.parametrize("odd", [0, 2, 4])
def test_one_neuron_unlike_the_others(odd):
    own = np.arange(5) == odd
    layer = Layer.from_dense(
        np.ones((3, 5)),
        name="layer",
        leak=IntegrateLeak(),
        threshold=np.where(own, 2, 7),
        bias=np.where(own, 3, -1),
    )
    image = network(layer, time_steps=3)
    assert_equals_reference(image, (2,), random_events(np.random.default_rng(1), image, 3, 0.5))


@pytest.mark.parametrize("lanes", [2, 4, 8])
@pytest.mark.parametrize("neurons", [1, 5])
@pytest.mark.parametrize("depth", [0, 8], ids=["sums in the bank", "sums apart"])
def test_a_shared_bias_stays_out_of_lanes_without_a_neuron(depth, neurons, lanes):
    layer = Layer.from_dense(
        np.ones((2, neurons)), name="layer", leak=IntegrateLeak(), threshold=9, bias=-3
    )
    image = network(layer, time_steps=3)
    events = random_events(np.random.default_rng(1), image, 3, 0.5)
    assert_equals_reference(image, (lanes,), events, distributed_depth=depth)


def test_the_most_negative_bias():
    forgets_all = DecayLeak(multiplier=8, fraction_bits=3)
    layer = Layer.from_dense(
        np.ones((2, 2)), name="layer", leak=forgets_all, bias=[-(2**31), 5], spiking=False
    )
    image = network(layer, time_steps=3, readout="membrane")
    assert_equals_reference(image, (1,), np.ones((1, 3, 2), dtype=bool))
