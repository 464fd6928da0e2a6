"""Each thing that torch and the reference are compared in, changed alone in torch's answer."""

from dataclasses import replace
from typing import cast

import numpy as np
import pytest
import torch

from spikeloom.config import parse_config
from spikeloom.encoding import encode
from spikeloom.evaluation import evaluate_split
from spikeloom.nn import SpikingNetwork
from spikeloom.training import compare, to_image
from spikeloom.training import equivalence as equivalence_module
from spikeloom.training.trainer import begin
from tiny import TEXT, tiny_dataset, tiny_split

DATASET = tiny_dataset()
SAMPLES, BATCH = 23, 10


@pytest.fixture
def config():
    text = TEXT.replace("hidden = [6]", "hidden = [6, 5]\nreadout = 'count'")
    return parse_config(text, source="x")


@pytest.fixture
def network(config):
    return begin(config, DATASET).network.eval()


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    """Batches of ten, so that a split has three."""
    whole = equivalence_module.encoded_batches
    monkeypatch.setattr(
        equivalence_module,
        "encoded_batches",
        lambda split, **options: whole(split, **{**options, "batch_size": BATCH}),
    )


class Lying(torch.nn.Module):
    """A network that answers of some samples what is not so."""

    def __init__(self, network, sample, **lies):
        super().__init__()
        self.network, self.sample, self.lies = network, sample, lies
        self.seen = 0

    def computed(self, activity):
        return self.network.computed(activity)

    def forward(self, events):
        activity = self.network(events)
        at = self.sample - self.seen
        self.seen += len(events)
        if not 0 <= at < len(events):
            return activity
        changed = {}
        for name, (layer, step, neuron, amount) in self.lies.items():
            values = [own.clone() for own in getattr(activity, name)]
            if name == "scores":
                values[at] = values[at].clone()
                values[at][neuron] += amount
                changed[name] = torch.stack(values)
            else:
                values[layer][step, at, neuron] += amount
                changed[name] = tuple(values)
        return replace(activity, **changed)


def test_a_network_equals_its_image(network, config):
    image = to_image(network, config)
    result = compare(network.train(), image, DATASET.validation)
    assert not network.training
    assert result.identical
    assert (result.samples, result.first) == (SAMPLES, None)
    assert result.evaluation == evaluate_split(image, DATASET.validation)
    assert result.evaluation.events[1] > 0 < result.evaluation.events[2]


@pytest.mark.parametrize("sample", [0, 12, 22])
@pytest.mark.parametrize(
    ("quantity", "name", "layer", "step", "neuron", "amount"),
    [
        pytest.param("spike", "spikes", 0, 0, 5, 1, id="a spike of the first layer"),
        pytest.param("spike", "spikes", 1, 2, 0, 1, id="a spike of the second, last step"),
        pytest.param("spike", "spikes", 2, 1, 2, -1, id="a spike of the readout"),
        pytest.param("membrane", "membranes", 0, 2, 0, 1, id="a membrane of the first layer"),
        pytest.param("membrane", "membranes", 1, 0, 4, -1, id="a membrane of the second"),
        pytest.param("membrane", "membranes", 2, 1, 1, 3, id="a membrane of the readout"),
    ],
)
def test_one_value_that_differs_is_found(
    network, config, sample, quantity, name, layer, step, neuron, amount
):
    image = to_image(network, config)
    lying = Lying(network, sample, **{name: (layer, step, neuron, amount)})
    result = compare(cast(SpikingNetwork, lying), image, DATASET.validation)
    assert not result.identical
    assert (result.spike_mismatches, result.membrane_mismatches, result.prediction_mismatches) == (
        int(quantity == "spike"),
        int(quantity == "membrane"),
        0,
    )
    first = result.first
    assert first is not None
    assert (first.sample, first.step, first.layer, first.neuron, first.quantity) == (
        sample,
        step,
        layer,
        neuron,
        quantity,
    )
    assert first.got - first.expected == amount


@pytest.mark.parametrize("sample", [0, 12, 22])
def test_a_prediction_alone_that_differs_is_found(network, config, sample):
    image = to_image(network, config)
    events = encode(image.encoding, np.asarray(DATASET.validation.images[:]), image.time_steps)
    other = (int(network(torch.from_numpy(events)).predictions[sample]) + 1) % 3
    lying = Lying(network, sample, scores=(0, 0, other, 99))
    result = compare(cast(SpikingNetwork, lying), image, DATASET.validation)
    assert not result.identical
    assert result.prediction_mismatches == 1
    assert (result.spike_mismatches, result.membrane_mismatches) == (0, 0)


def test_the_first_of_many_goes_by_sample_then_step_then_layer_then_neuron(network, config):
    image = to_image(network, config)
    lying = Lying(Lying(network, 15, spikes=(0, 0, 0, 1)), 12, spikes=(1, 1, 3, 1),
                  membranes=(0, 1, 5, 2))  # fmt: skip
    result = compare(cast(SpikingNetwork, lying), image, DATASET.validation)
    first = result.first
    assert first is not None
    assert (first.sample, first.step, first.layer, first.neuron) == (12, 1, 0, 5)
    assert (result.spike_mismatches, result.membrane_mismatches) == (2, 1)


def test_an_empty_split_has_no_samples(network, config):
    result = compare(network, to_image(network, config), tiny_split(3, 1).take(np.arange(0)))
    assert (result.samples, result.identical) == (0, True)
