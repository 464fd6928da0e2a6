"""Packed bits as the objective."""

import pytest
import torch

from spikeloom.config import parse_config
from spikeloom.datasets import load_dataset
from spikeloom.packing import pack
from spikeloom.sparsity import PackedSize
from spikeloom.sparsity.layer import Layers
from spikeloom.training import checked_image, train_network

TEXT = """
[data]
time_steps = 4
[network]
hidden = [48]
[sparsity]
{keys}
stop_rule = "bits"
target_bits = 6000
target_lanes = [8, 2]
start_epoch = 1
every_epochs = 1
stop_epoch = 28
[training]
epochs = 30
learning_rate = 0.02
"""


def masks(share, *shapes):
    generator = torch.Generator().manual_seed(5)
    return [torch.rand(shape, generator=generator) < share for shape in shapes]


def layers(given):
    return Layers(weights=[mask.float() for mask in given], masks=given)


@pytest.mark.parametrize("lanes", [(8,), (8, 2)])
def test_a_network_below_its_budget_stays(lanes):
    given = masks(0.3, (40, 64), (10, 40))
    size = PackedSize(10**6, lanes=lanes, weight_bits=4)
    active = sum(int(mask.sum()) for mask in given)
    assert size.density(layers(given)) == active / (40 * 64 + 10 * 40)


def test_density_comes_down_to_the_budget_from_above():
    given = masks(0.5, (40, 64), (10, 40))
    size = PackedSize(4000, lanes=(8,), weight_bits=4)
    sizes = [size.bits(given)]
    while sizes[-1] > 4000:
        places = sum(mask.numel() for mask in given)
        wanted = int(size.density(layers(given)) * places + 1e-9)
        flat = torch.cat([mask.reshape(-1) for mask in given])
        flat[torch.nonzero(flat).squeeze(1)[torch.randperm(int(flat.sum()))[wanted:]]] = False
        given = [
            part.reshape(mask.shape)
            for part, mask in zip(flat.split([mask.numel() for mask in given]), given, strict=True)
        ]
        sizes.append(size.bits(given))
    assert len(sizes) < 12
    assert sizes[-1] > 3700


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param('method = "pq-layer"\ngamma = 4.0', id="with regrowth"),
        pytest.param('method = "pq-layer"\ngamma = 4.0\nbanks = 8', id="balanced"),
        pytest.param('method = "iterative"', id="without"),
    ],
)
def test_training_ends_within_the_bits_that_the_packer_counts(keys):
    digits = load_dataset("digits")
    config = parse_config(TEXT.format(keys=keys), source="x")
    trained = train_network(config, digits)
    image, _ = checked_image(config, trained.network, digits)
    stored = sum(pack(layer, own).bits for layer, own in zip(image.layers, (8, 2), strict=True))
    told = [record["bits"] for record in trained.history]
    assert told[0] > 9000
    assert 5400 < stored <= told[-1] <= 6000
    # Once there, nothing moves.
    arrived = next(i for i, bits in enumerate(told) if bits <= 6000)
    assert set(told[arrived:]) == {told[arrived]}
    assert not any(
        layer["pruned"] for record in trained.history[arrived + 1 :] for layer in record["layers"]
    )


def test_history_has_no_bits_unless_asked_for():
    text = "[network]\nhidden = [8]\n[sparsity]\nstart_epoch = 1\n[training]\nepochs = 2"
    trained = train_network(parse_config(text, source="x"), load_dataset("digits"))
    assert "bits" not in trained.history[0]
