from dataclasses import replace

import numpy as np
import pytest
import torch

from spikeloom.config import dump_config, parse_config
from spikeloom.encoding import encoding_inputs
from spikeloom.errors import UserError
from spikeloom.image.validation import validate_image
from spikeloom.nn import SpikingNetwork, build_network
from spikeloom.training import checked_image, compare, to_image, train_network
from spikeloom.training import run as run_module


def changed(layer, **fields):
    return replace(layer, **{name: change(getattr(layer, name)) for name, change in fields.items()})


def planted(image, position, **fields):
    layers = list(image.layers)
    layers[position] = changed(layers[position], **fields)
    return image.with_layers(tuple(layers))


def bumped(index):
    def change(array):
        array = array.copy()
        array[index] += 1 if array[index] != -1 else 2
        return array

    return change


def test_torch_and_reference_are_identical(trained, config, digits):
    image = to_image(trained.network, config)
    validate_image(image)
    result = compare(trained.network, image, digits.test)
    assert result.identical
    assert result.first is None
    assert result.samples == len(digits.test) == result.evaluation.samples


@pytest.mark.parametrize(
    ("position", "fault"),
    [
        pytest.param(0, {"weight": bumped(40)}, id="a weight of the hidden layer"),
        pytest.param(1, {"weight": bumped(5)}, id="a weight of the readout"),
        pytest.param(0, {"threshold": bumped(3)}, id="a threshold"),
        pytest.param(1, {"bias": bumped(9)}, id="a bias"),
        pytest.param(0, {"membrane_bits": lambda _bits: 5}, id="the rails"),
        pytest.param(0, {"reset": lambda _reset: "zero"}, id="the reset"),
    ],
)
def test_planted_faults_are_found(trained, config, digits, position, fault):
    image = planted(to_image(trained.network, config), position, **fault)
    result = compare(trained.network, image, digits.validation)
    assert not result.identical
    first = result.first
    assert first is not None
    assert first.layer == position
    assert first.got != first.expected
    assert result.spike_mismatches + result.membrane_mismatches > 0
    assert f"layer {first.layer}, neuron {first.neuron}" in str(first)


def test_the_first_divergence_is_the_first(trained, config, digits):
    """A bias of one neuron shows at once: sample 0, step 0, that neuron, that much."""
    image = planted(to_image(trained.network, config), 1, bias=bumped(9))
    first = compare(trained.network, image, digits.validation).first
    assert first is not None
    assert (first.sample, first.step, first.layer, first.neuron) == (0, 0, 1, 9)
    assert (first.quantity, first.expected - first.got) == ("membrane", 1)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[network]\nreadout = 'count'\nbias = true", id="count, bias"),
        pytest.param("[network]\nhidden = [30, 20]\nreset = 'zero'", id="two layers, to zero"),
        pytest.param("[network]\nmembrane_bits = 5\nreadout_membrane_bits = 5", id="tight rails"),
        pytest.param("[network.leak]\nkind='decay'\nmultiplier=5\nfraction_bits=5", id="decay"),
        pytest.param(
            "[network]\nreadout = 'count'\nlearn_threshold = 'neuron'\nlearn_leak = true",
            id="learned thresholds, learned shift",
        ),
        pytest.param(
            "[network]\nlearn_threshold = 'layer'\nlearn_leak = true\n"
            "leak = {kind='decay', multiplier=5, fraction_bits=5}",
            id="a learned threshold, learned decay",
        ),
        pytest.param("[data.encoding]\nkind = 'rate'\nseed = 5", id="rate"),
        pytest.param("[data.encoding]\nkind = 'delta'\ndelta = 48", id="delta"),
        pytest.param("[quantization]\nweight_bits = 8\nscale = 'max'", id="8 bits"),
        pytest.param(
            "[quantization]\nscale = 'max'\nper_channel = true\n"
            "[network]\nreadout = 'count'\nbias = true",
            id="a scale per neuron, of its largest weight",
        ),
        pytest.param(
            "[quantization]\nscale = 'learned'\nper_channel = true", id="learned scale per neuron"
        ),
    ],
)
def test_every_kind_of_network_exports_exactly(digits, text):
    config = parse_config(text, source="x")
    inputs = encoding_inputs(config.data.encoding, digits.pixels, config.data.time_steps)
    network = build_network(config, inputs=inputs, classes=10)
    assert isinstance(network, SpikingNetwork)
    generator = torch.Generator().manual_seed(1)
    for layer in network.layers:
        layer.set_mask(torch.rand(layer.mask.shape, generator=generator) < 0.6)
        layer.initialise(2.0, generator)
        if layer.bias is not None:
            torch.nn.init.normal_(layer.bias, std=0.2, generator=generator)
        with torch.no_grad():
            if layer.log_threshold is not None:
                layer.log_threshold.normal_(std=0.4, generator=generator)
            if layer.learned_leak is not None:
                layer.learned_leak.parameter.fill_(0.6)
    image, results = checked_image(config, network, digits)
    assert all(result.identical for result in results.values())
    assert results["test"].evaluation.events[-1] > 0
    validate_image(image)


def test_thresholds_and_leaks_are_trained_and_stay_exact(digits):
    text = """
    [network]
    hidden = [20]
    learn_threshold = "neuron"
    learn_leak = true
    leak = {kind = "decay", multiplier = 16, fraction_bits = 7}
    [quantization]
    scale = "max"
    per_channel = true
    [sparsity]
    start_epoch = 1
    nonzero = true
    [training]
    epochs = 3
    learning_rate = 0.03
    """
    config = parse_config(text, source="x")
    trained = train_network(config, digits)
    image, results = checked_image(config, trained.network, digits)
    assert all(result.identical for result in results.values())
    assert isinstance(trained.network, SpikingNetwork)
    hidden = trained.network.layers[0]
    assert hidden.log_threshold is not None
    assert hidden.log_threshold.abs().min() > 0
    assert image.layers[0].leak == hidden.neuron.leak != config.network.leak
    assert len(set(image.layers[0].threshold.tolist())) > 2


def test_the_image_holds_the_quantised_synapses_and_no_zeros(trained, config):
    image = to_image(trained.network, config)
    for mine, layer in zip(image.layers, trained.network.layers, strict=True):
        integers = layer.integers()
        assert np.array_equal(mine.dense(), integers.weight.numpy().T)
        assert mine.synapses == int((integers.weight != 0).sum()) <= int(layer.mask.sum())
        assert np.abs(mine.weight).max() <= 7
        assert mine.scale == integers.scale


def test_provenance_says_what_was_measured(trained, config, digits):
    image, results = checked_image(config, trained.network, digits)
    claimed = image.provenance
    assert claimed.accuracy_validation == trained.history[trained.epoch - 1]["accuracy_validation"]
    assert claimed.accuracy_test == results["test"].evaluation.accuracy
    assert claimed.input_events == results["validation"].evaluation.events_per_sample
    assert (claimed.dataset, claimed.seed) == ("digits", 11)
    assert parse_config(claimed.config, source="provenance") == config
    assert claimed.config == dump_config(config)


def test_a_difference_forbids_the_export(trained, config, digits, monkeypatch):
    monkeypatch.setattr(
        run_module,
        "to_image",
        lambda network, config: planted(to_image(network, config), 1, bias=bumped(2)),
    )
    with pytest.raises(UserError, match=r"first at sample 0, step 0, layer 1, neuron 2: membrane"):
        checked_image(config, trained.network, digits)


def test_another_data_set_is_refused(trained, config, digits):
    with pytest.raises(UserError, match="encoded into 16 inputs, but the network has 64"):
        checked_image(config, trained.network, replace(digits, shape=(4, 4)))
