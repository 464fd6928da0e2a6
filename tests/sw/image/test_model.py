"""What follows from a layer's integers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from networks import layers
from spikeloom.arithmetic import leak, rails
from spikeloom.image import IntegrateLeak, Layer
from spikeloom.image.widths import signed_bits


@given(layer=layers())
def test_dense_and_back(layer):
    again = Layer.from_dense(layer.dense(), name=layer.name, leak=layer.leak)
    assert again.row_ptr.tolist() == layer.row_ptr.tolist()
    assert again.target.tolist() == layer.target.tolist()
    assert again.weight.tolist() == layer.weight.tolist()


@given(layer=layers(max_inputs=8, max_neurons=8), seed=st.integers(0, 2**32 - 1))
def test_no_order_of_events_leaves_the_accumulator(layer, seed):
    rng = np.random.default_rng(seed)
    low, high = layer.accumulator_range
    for v in rails(layer.membrane_bits):
        potential = leak(np.full(layer.neurons, v), layer.leak) + layer.bias
        for row in rng.permutation(layer.inputs):
            assert low <= potential.min()
            assert potential.max() <= high
            potential = potential + layer.dense()[row]
    assert low >= -(1 << layer.accumulator_bits - 1)
    assert high < 1 << layer.accumulator_bits - 1


def test_the_accumulator_is_no_wider_than_it_must_be():
    layer = Layer.from_dense(
        [[7], [-3], [7]], name="one", leak=IntegrateLeak(), bias=2, membrane_bits=8
    )
    assert layer.accumulator_range == (-128 + 2 - 3, 127 + 2 + 14)
    assert layer.accumulator_bits == 9


@pytest.mark.parametrize(
    ("lowest", "highest", "bits"),
    [(0, 0, 1), (-1, 0, 1), (-2, 1, 2), (-2, 2, 3), (-8, 7, 4), (-9, 0, 5), (0, 8, 5)],
)
def test_signed_bits(lowest, highest, bits):
    assert signed_bits(lowest, highest) == bits


def test_widths_come_from_the_weights_in_use():
    layer = Layer.from_dense([[1, 0], [0, -2]], name="narrow", leak=IntegrateLeak())
    assert layer.weight_bits == 2
    assert (layer.synapses, layer.density) == (2, 0.5)
    assert layer.fan_out.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({"weights": [[40_000]]}, "weight 40000", id="wide weight"),
        pytest.param({"weights": [[1.5]]}, r"weight .*1\.5", id="fraction"),
        pytest.param({"weights": [[1]], "bias": 2**31}, "bias 2147483648", id="wide bias"),
        pytest.param({"weights": [[1]], "threshold": 2**32 + 5}, "threshold", id="threshold"),
    ],
)
def test_what_is_no_integer_is_not_rounded(arguments, message):
    with pytest.raises(ValueError, match=message):
        Layer.from_dense(**arguments, name="layer", leak=IntegrateLeak())
