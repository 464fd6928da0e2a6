import pytest
import torch
from brevitas.nn import QuantLinear
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeloom.arithmetic import ShiftLeak
from spikeloom.config import parse_config
from spikeloom.nn import Neuron, SpikingLinear, build_network
from spikeloom.nn.quantizer import integer_weight, quantized_linear, straight_through

NEURON = Neuron(leak=ShiftLeak(shift=3), reset="subtract", spiking=True, membrane_bits=10)


def layer(inputs=20, neurons=6, **changed):
    made = SpikingLinear(
        inputs, neurons, **{"neuron": NEURON, "weight_bits": 4, "limit": 0.5, **changed}
    )
    made.initialise(1.5, torch.Generator().manual_seed(0))
    return made


def gradient_of(parameter):
    assert parameter.grad is not None
    return parameter.grad


@pytest.mark.parametrize("scale", ["fixed", "max", "learned"])
@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_brevitas_integers_are_whole_narrow_and_near(scale, bits):
    torch.manual_seed(1)
    linear = quantized_linear(30, 20, weight_bits=bits, scale=scale, limit=0.1)
    assert isinstance(linear, QuantLinear)
    integers, unit = integer_weight(linear)
    largest = 2 ** (bits - 1) - 1
    assert torch.equal(integers, integers.round())
    assert integers.abs().max() == largest
    inside = linear.weight.abs() <= largest * unit
    assert ((linear.weight - integers * unit).abs()[inside] <= 0.5001 * unit).all()
    # Brevitas' own dequantised weights are these integers times its scale.
    assert torch.equal(linear.quant_weight().value, integers * unit)
    assert torch.equal(linear.quant_weight().int(float_datatype=True), integers)
    if scale == "fixed":
        assert float(unit) == pytest.approx(0.1 / largest)


def test_straight_through_has_the_exact_value_and_the_real_gradient():
    real = torch.tensor([0.1, 1e8, -3.7], requires_grad=True)
    out = straight_through(real, torch.tensor([7.0, 5.0, -4.0]))
    assert out.tolist() == [7.0, 5.0, -4.0]
    (out * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert real.grad is not None
    assert real.grad.tolist() == [1.0, 2.0, 3.0]


def test_gradient_does_not_depend_on_the_unit():
    """Halving every real weight and the threshold gives the same integers and doubles gradients."""
    events = (torch.rand(5, 3, 20, generator=torch.Generator().manual_seed(4)) < 0.4).float()
    results = []
    for size in (1.0, 0.5):
        made = layer(scale="max", threshold=size)
        spikes, _, _ = made(events)
        spikes.sum().backward()
        results.append((made.integers(), spikes, gradient_of(made.weight) * size))
    assert torch.equal(results[0][0].weight, results[1][0].weight)
    assert torch.equal(results[0][0].threshold, results[1][0].threshold)
    assert torch.equal(results[0][1], results[1][1])
    assert torch.allclose(results[0][2], results[1][2], rtol=1e-4)


def test_dense_gradients_reach_masked_places():
    made = layer()
    mask = torch.rand(6, 20, generator=torch.Generator().manual_seed(5)) < 0.4
    made.set_mask(mask)
    spikes, membranes, _ = made(torch.ones(4, 2, 20))
    (spikes.sum() + membranes.sum()).backward()
    assert (gradient_of(made.weight)[~mask] != 0).any()


@settings(max_examples=20)
@given(seed=st.integers(0, 999), share=st.floats(0, 1), scale=st.sampled_from(["fixed", "max"]))
def test_masked_weights_are_zero_in_the_integers(seed, share, scale):
    generator = torch.Generator().manual_seed(seed)
    made = layer(scale=scale)
    mask = torch.rand(6, 20, generator=generator) < share
    made.set_mask(mask)
    assert (made.weight[~mask] == 0).all()
    assert (made.integers().weight[~mask] == 0).all()


def test_threshold_and_bias_are_counted_in_weights():
    made = layer(scale="fixed", threshold=2.0, bias=True)
    bias = made.bias
    assert bias is not None
    with torch.no_grad():
        bias.copy_(torch.linspace(-0.6, 0.6, 6))
    integers = made.integers()
    assert integers.scale == pytest.approx(2.0 * 0.5 / 7)
    assert integers.threshold.tolist() == [14] * 6
    assert integers.bias.tolist() == [-4, -3, -1, 1, 3, 4]  # round(b * 7)
    _, membranes, _ = made(torch.zeros(1, 1, 20))
    assert membranes[0, 0].tolist() == [-4, -3, -1, 1, 3, 4]
    membranes.sum().backward()
    assert (gradient_of(bias) == gradient_of(bias)[0]).all()
    assert gradient_of(bias)[0] != 0


def test_a_layer_without_weights_still_has_integers():
    made = layer(scale="max")
    made.set_mask(torch.zeros(6, 20, dtype=torch.bool))
    integers = made.integers()
    assert (integers.weight == 0).all()
    assert (integers.threshold > 0).all()
    spikes, _, _ = made(torch.ones(3, 2, 20))
    assert (spikes == 0).all()


def test_sums_beyond_float32_are_refused():
    with pytest.raises(ValueError, match="2\\^24"):
        layer(inputs=140_000, neurons=1, weight_bits=8)


def test_learned_scale_begins_at_the_drawn_weights():
    made = layer(scale="learned")
    assert made.integers().scale == pytest.approx(made.weight.abs().max().item() / 7)


@pytest.mark.parametrize("readout", ["membrane", "count"])
def test_networks_are_read_out_as_configured(readout):
    config = parse_config(f"[network]\nhidden = [12]\nreadout = '{readout}'", source="x")
    network = build_network(config, inputs=20, classes=4)
    for made in network.layers:
        made.initialise(2.0, torch.Generator().manual_seed(0))
    activity = network(torch.rand(5, 6, 20, generator=torch.Generator().manual_seed(1)) < 0.5)
    assert activity.logits.shape == (5, 4)
    if readout == "membrane":
        assert torch.equal(activity.scores, activity.membranes[-1][-1])
        assert (activity.spikes[-1] == 0).all()
    else:
        assert torch.equal(activity.scores, activity.spikes[-1].sum(dim=0))
        assert (activity.spikes[-1] != 0).any()
    assert torch.equal(activity.predictions, activity.scores.argmax(dim=1))


class Listening(torch.nn.Module):
    """Stands before a layer, and keeps what arrives there."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    @property
    def weight(self):
        return self.layer.weight

    @property
    def neuron(self):
        return self.layer.neuron

    def forward(self, events, **options):
        self.arrived = events
        return self.layer(events, **options)


def test_dropout_silences_whole_neurons_of_a_sample_in_training_only():
    text = "[network]\nhidden = [40]\n[training]\ndropout = 0.3"
    network = build_network(parse_config(text, source="x"), inputs=20, classes=4)
    for made in network.layers:
        made.initialise(2.0, torch.Generator().manual_seed(0))
    readout = Listening(network.layers[1])
    setattr(network.chain, "1", readout)
    events = torch.ones(50, 3, 20)
    torch.manual_seed(0)
    fired = network.train()(events).spikes[0]
    silenced = fired.bool() & ~readout.arrived.bool()
    spiking = fired.any(dim=0)
    # What is silenced is silent in every step, and what is not is as it was.
    assert torch.equal(silenced, fired.bool() & silenced.any(dim=0))
    assert torch.equal(readout.arrived, fired * ~silenced)
    # Each sample has neurons of its own that are silenced, three in ten.
    assert not torch.equal(silenced[:, 0], silenced[:, 1])
    share = silenced.any(dim=0)[spiking].double().mean()
    assert 0.25 < share < 0.35
    fired = network.eval()(events).spikes[0]
    assert torch.equal(readout.arrived, fired)


def test_training_keeps_the_last_membranes_only():
    config = parse_config("[network]\nhidden = [70]", source="x")
    network = build_network(config, inputs=20, classes=4)
    for made in network.layers:
        made.initialise(2.0, torch.Generator().manual_seed(0))
    events = torch.rand(8, 3, 20, generator=torch.Generator().manual_seed(1)) < 0.2
    trained, evaluated = network.train()(events), network.eval()(events)
    assert [len(membranes) for membranes in trained.membranes] == [1, 1]
    assert [len(membranes) for membranes in evaluated.membranes] == [3, 3]
    for few, all_steps in zip(trained.membranes, evaluated.membranes, strict=True):
        assert torch.equal(few[-1], all_steps[-1])
    assert torch.equal(trained.scores, evaluated.scores)


@pytest.mark.parametrize("scale", ["fixed", "max"])
def test_weights_beyond_the_range_saturate_and_still_receive_gradients(scale):
    linear = quantized_linear(2, 1, weight_bits=4, scale=scale, limit=0.5)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor([[3.0, -0.1]]))
    integers, unit = integer_weight(linear)
    assert integers[0, 0] == 7
    integers.sum().backward()
    assert torch.allclose(gradient_of(linear.weight)[0, 1], 1 / unit)
    if scale == "fixed":
        assert torch.allclose(gradient_of(linear.weight), 1 / unit)


@pytest.mark.parametrize("scale", ["fixed", "max", "learned"])
def test_integers_and_scale_are_those_of_brevitas_quantised_tensor(scale):
    torch.manual_seed(3)
    linear = quantized_linear(30, 20, weight_bits=4, scale=scale, limit=0.03)
    quantized = linear.quant_weight()
    integers, unit = integer_weight(linear)
    assert torch.equal(integers, quantized.int(float_datatype=True))
    assert torch.equal(unit, quantized.scale.squeeze())
    assert not unit.requires_grad


@pytest.mark.parametrize("scale", ["fixed", "max", "learned"])
def test_gradients_are_those_of_quantised_over_constant_scale(scale):
    torch.manual_seed(4)
    linear = quantized_linear(30, 20, weight_bits=4, scale=scale, limit=0.03)
    pull = torch.randn(20, 30)
    quantized = linear.quant_weight()
    ((quantized.value / quantized.scale.detach()) * pull).sum().backward()
    expected = {name: gradient_of(p).clone() for name, p in linear.named_parameters()}
    linear.zero_grad()
    (integer_weight(linear)[0] * pull).sum().backward()
    for name, parameter in linear.named_parameters():
        assert torch.allclose(gradient_of(parameter), expected[name], rtol=1e-4), name


@pytest.mark.parametrize("scale", ["max", "learned"])
def test_a_scale_per_neuron_is_that_of_brevitas_and_sets_its_threshold(scale):
    made = layer(scale=scale, per_channel=True, threshold=1.3)
    largest = made.weight.detach().abs().amax(dim=1)
    integers, unit = integer_weight(made.linear)
    assert torch.allclose(unit, largest / 7)
    assert torch.equal(integers, made.linear.quant_weight().int(float_datatype=True))
    assert (integers.abs().amax(dim=1) == 7).all()
    theirs = made.integers()
    assert theirs.threshold.tolist() == torch.round(1.3 / unit).tolist()
    assert torch.equal(torch.as_tensor(theirs.scale), unit)


def test_a_readout_that_is_compared_keeps_one_scale():
    text = "[quantization]\nscale = 'max'\nper_channel = true\n[network]\nreadout = '{}'"
    for readout, dimensions in (("membrane", [1, 0]), ("count", [1, 1])):
        network = build_network(
            parse_config(text.format(readout), source="x"), inputs=20, classes=4
        )
        scales = [torch.as_tensor(made.integers().scale) for made in network.layers]
        assert [scale.dim() for scale in scales] == dimensions


@pytest.mark.parametrize("scale", ["max", "learned"])
def test_gradients_of_a_scale_per_neuron_take_it_as_constant(scale):
    torch.manual_seed(4)
    linear = quantized_linear(30, 20, weight_bits=4, scale=scale, limit=0.03, per_channel=True)
    pull = torch.randn(20, 30)
    quantized = linear.quant_weight()
    ((quantized.value / quantized.scale.detach()) * pull).sum().backward()
    expected = {name: gradient_of(p).clone() for name, p in linear.named_parameters()}
    linear.zero_grad()
    (integer_weight(linear)[0] * pull).sum().backward()
    for name, parameter in linear.named_parameters():
        assert torch.allclose(gradient_of(parameter), expected[name], rtol=1e-4), name
