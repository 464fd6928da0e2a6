"""Another order of hidden neurons is another image of the same network."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from networks import leaks, random_events, random_network
from spikeloom.image.permutation import permute_hidden
from spikeloom.image.validation import validate_image
from spikeloom.reference import simulate


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    hidden=st.lists(st.integers(1, 20), max_size=3),
    readout=st.sampled_from(["membrane", "count"]),
    reset=st.sampled_from(["subtract", "zero"]),
    leak=leaks,
    density=st.sampled_from([0.05, 0.4, 1.0]),
)
def test_the_same_scores_and_spikes_in_another_order(seed, hidden, readout, reset, leak, density):
    rng = np.random.default_rng(seed)
    image = random_network(
        rng,
        [12, *hidden, 5],
        readout=readout,
        reset=reset,
        leak=leak,
        density=density,
        shared=False,
    )
    orders = [rng.permutation(neurons) for neurons in hidden]
    permuted = permute_hidden(image, orders)
    validate_image(permuted)
    assert permuted.provenance == image.provenance
    events = random_events(rng, image, samples=4)
    before, after = simulate(image, events), simulate(permuted, events)
    assert np.array_equal(after.scores, before.scores)
    assert np.array_equal(after.operations, before.operations)
    for number, order in enumerate([*orders, np.arange(5)]):
        assert np.array_equal(after.spikes[number], before.spikes[number][:, :, order])
        assert np.array_equal(after.membranes[number], before.membranes[number][:, :, order])


def test_what_belongs_to_a_neuron_moves_with_it():
    image = random_network(np.random.default_rng(3), [6, 4, 2], shared=False)
    order = np.array([2, 0, 3, 1])
    hidden, last = permute_hidden(image, [order]).layers
    assert np.array_equal(hidden.dense(), image.layers[0].dense()[:, order])
    assert np.array_equal(hidden.threshold, image.layers[0].threshold[order])
    assert np.array_equal(hidden.bias, image.layers[0].bias[order])
    assert np.array_equal(last.dense(), image.layers[1].dense()[order])
    assert np.array_equal(last.threshold, image.layers[1].threshold)
    for array in ("row_ptr", "target", "weight", "bias", "threshold"):
        for layer, old in itertools.product((hidden, last), image.layers):
            assert getattr(layer, array).dtype == getattr(old, array).dtype


@pytest.mark.parametrize(
    ("orders", "message"),
    [
        pytest.param([], "0 orders for 1 hidden layers", id="too few"),
        pytest.param([[0, 1, 2, 3], [0, 1]], "2 orders", id="outputs are not moved"),
        pytest.param([[0, 1, 2]], "layer0 is no permutation of 4 neurons", id="too short"),
        pytest.param([[0, 1, 2, 2]], "no permutation", id="twice"),
    ],
)
def test_refused(orders, message):
    image = random_network(np.random.default_rng(3), [6, 4, 2])
    with pytest.raises(ValueError, match=message):
        permute_hidden(image, [np.array(order) for order in orders])
