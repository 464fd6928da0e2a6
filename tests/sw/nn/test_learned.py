"""Leaks and thresholds that are trained: always ones that the core has."""

import math

import pytest
import torch

from spikeloom.arithmetic import DecayLeak, IntegrateLeak, ShiftLeak
from spikeloom.config import parse_config
from spikeloom.nn import SpikingNetwork, build_network
from spikeloom.nn.learned import LearnedLeak

DECAY = DecayLeak(multiplier=5, fraction_bits=4)


@pytest.mark.parametrize(
    ("begin", "factor", "nearest"),
    [
        pytest.param(ShiftLeak(shift=3), 1.0, ShiftLeak(shift=3), id="where it began"),
        pytest.param(ShiftLeak(shift=3), 1.9, ShiftLeak(shift=2), id="a stronger shift"),
        pytest.param(ShiftLeak(shift=3), 0.6, ShiftLeak(shift=4), id="a weaker shift"),
        pytest.param(ShiftLeak(shift=2), 99, ShiftLeak(shift=1), id="the strongest shift"),
        pytest.param(ShiftLeak(shift=15), 0.1, ShiftLeak(shift=15), id="the weakest shift"),
        pytest.param(DECAY, 1.0, DECAY, id="the decay where it began"),
        pytest.param(DECAY, 1.29, DecayLeak(multiplier=6, fraction_bits=4), id="a stronger decay"),
        pytest.param(DECAY, 99, DecayLeak(multiplier=16, fraction_bits=4), id="all is lost"),
        pytest.param(DECAY, 0.01, DecayLeak(multiplier=1, fraction_bits=4), id="the weakest decay"),
    ],
)
def test_a_learned_leak_is_the_nearest_of_its_kind(begin, factor, nearest):
    leak = LearnedLeak(begin)
    with torch.no_grad():
        leak.parameter.fill_(math.log(factor))
    assert leak.nearest() == nearest


def test_a_learned_leak_has_the_gradient_of_the_real_one():
    leak = LearnedLeak(ShiftLeak(shift=2))
    with torch.no_grad():
        leak.parameter.fill_(0.1)
    lost = leak()
    assert lost.item() == 0.25
    lost.backward()
    assert leak.parameter.grad is not None
    assert float(leak.parameter.grad) == pytest.approx(0.25 * math.exp(0.1))


def test_a_membrane_that_does_not_leak_cannot_learn_to():
    with pytest.raises(ValueError, match="begin as shift or decay"):
        LearnedLeak(IntegrateLeak())


@pytest.mark.parametrize(("kind", "factors"), [("layer", 1), ("neuron", 6)])
def test_a_learned_threshold_is_counted_in_weights(kind, factors):
    # With weights drawn by chance no membrane may come near the threshold, and none has a gradient.
    torch.manual_seed(1)
    text = f"[network]\nhidden = [6]\nlearn_threshold = '{kind}'"
    network = build_network(parse_config(text, source="x"), inputs=20, classes=4)
    assert isinstance(network, SpikingNetwork)
    hidden, readout = network.layers
    assert readout.log_threshold is None
    assert hidden.log_threshold is not None
    assert hidden.log_threshold.shape == (factors,)
    assert hidden.integers().threshold.tolist() == [14] * 6
    with torch.no_grad():
        hidden.log_threshold.copy_(torch.linspace(-1, 1, factors))
    expected = [round(14 * math.exp(x)) for x in hidden.log_threshold.tolist()]
    assert hidden.integers().threshold.tolist() == expected * (6 // factors)
    network(torch.ones(3, 4, 20)).logits.sum().backward()
    assert hidden.log_threshold.grad is not None
    assert hidden.log_threshold.grad.abs().max() > 0
    with torch.no_grad():
        hidden.log_threshold.fill_(-9)
    assert hidden.integers().threshold.tolist() == [1] * 6


def test_what_is_not_learned_has_no_parameter():
    network = build_network(parse_config("", source="x"), inputs=20, classes=4)
    assert [name for name, _ in network.named_parameters()] == [
        "chain.0.linear.weight",
        "chain.1.linear.weight",
    ]
