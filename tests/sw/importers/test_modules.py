"""Live modules: their order, their cells, folded batch norms, integers that stay what they are."""

import brevitas.nn
import numpy as np
import pytest
import torch
from torch import nn

from foreign_modules import Alpha, Crossed, Leaky, Net, QuantReLU
from spikeloom.errors import UserError
from spikeloom.importers import Widths, from_brevitas, from_snntorch
from spikeloom.importers.layout import memory_order


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(5)


def steps_of(module, x):
    with torch.no_grad():
        return np.stack([module(torch.tensor(frame, dtype=torch.float32)).numpy() for frame in x])


def same_spikes(foreign, module, x):
    """Whether the import spikes as the module does on `x [T, S, …]`."""
    theirs = steps_of(module, x)
    order = memory_order(x.shape[2:])
    given = x.swapaxes(0, 1).reshape(x.shape[1], len(x), -1)[:, :, order]
    ours = foreign.run(given).outputs[foreign.floats.readout.name]
    assert theirs.sum() > 50
    return np.array_equal(ours, theirs.swapaxes(0, 1))


@pytest.mark.parametrize("reset", ["subtract", "zero", "none"])
def test_a_chain_of_cells(reset):
    each = torch.linspace(0.5, 0.95, 9)
    module = nn.Sequential(
        nn.Linear(6, 9), Leaky(each, reset_mechanism=reset), nn.Dropout(0.5),
        nn.Sequential(nn.Linear(9, 4, bias=False), Leaky(0.8, 0.4)),
    )  # fmt: skip
    foreign = from_snntorch(module)
    module.eval()
    assert same_spikes(foreign, module, np.random.default_rng(1).random((25, 40, 6)) < 0.5)
    assert [own.name for own in foreign.floats.populations] == ["input", "n1", "n3_1"]
    entry = {own.name: own.value for own in foreign.origin.entries}
    assert entry["reset"] == {"subtract": "subtract-late", "zero": "value, subtract-late",
                              "none": "subtract, subtract-late"}[reset]  # fmt: skip
    assert entry["compare"] == ">"


def test_an_example_shows_the_order_of_a_module():
    module = Net()
    with torch.no_grad():
        torch.nn.init.normal_(module.norm.get_buffer("running_mean"))
        module.norm.weight.normal_()
        module.conv.weight.mul_(6)
        module.fc.weight.mul_(4)
    example = torch.rand(2, 1, 8, 8)
    foreign = from_snntorch(module, shape=(1, 8, 8), example=example)
    assert module.lif1.mem is None, "the user's own module was run"
    kinds = [connection.kind for connection in foreign.floats.connections]
    assert sorted(kinds) == ["conv2d", "linear", "max_pool2d"]
    x = np.random.default_rng(2).random((20, 30, 1, 8, 8)) < 0.4
    module.eval()

    class Step(nn.Module):
        def forward(self, frame):
            return module(frame, steps=1)[0]

    assert same_spikes(foreign, Step(), x)


def test_integers_of_brevitas_stay_what_they_are():
    """Scales a channel; the widest integer of a channel need not be in use."""
    layer = brevitas.nn.QuantLinear(5, 3, bias=True, weight_bit_width=4)
    with torch.no_grad():
        layer.weight[1] *= 0.3
    module = nn.Sequential(layer, Leaky(0.9))
    network = from_brevitas(module).integers(Widths())
    dense = network.graph.connections[0].arrays()
    expected = layer.quant_weight().int().numpy()
    rebuilt = np.zeros((5, 3), dtype=np.int64)
    rows = np.repeat(np.arange(5), np.diff(dense["row_ptr"]))
    rebuilt[rows, dense["target"]] = dense["weight"]
    assert np.array_equal(rebuilt.T, expected)
    scale = float(layer.quant_weight().scale.detach())
    assert network.populations["n1"].scale == pytest.approx([scale] * 3)


def test_convolutions_of_brevitas():
    layer = brevitas.nn.QuantConv2d(2, 3, (2, 3), padding=(0, 1), weight_bit_width=3, bias=False)
    flat = nn.Sequential(layer, Leaky(1.0), nn.Flatten(), nn.Linear(3 * 4 * 5, 2), Leaky(1.0))
    network = from_brevitas(flat, shape=(2, 5, 5)).integers(Widths())
    weights = network.graph.connections[0].arrays()["weight"]
    expected = layer.quant_weight().int().numpy()
    assert sorted(weights) == sorted(expected[expected != 0])


REFUSED = {
    "a cell that is not known": (
        lambda: nn.Sequential(nn.Linear(2, 2), Alpha(0.5)),
        r"1 \(Alpha\): this cell is not imported: use one of Leaky",
    ),
    "inhibition": (
        lambda: nn.Sequential(nn.Linear(2, 2), Leaky(0.5, inhibition=True)),
        r"1 \(Leaky\): inhibition is set: train without it",
    ),
    "a second comparison": (
        lambda: nn.Sequential(nn.Linear(2, 2), Leaky(0.5, reset_delay=False)),
        "with reset_delay=False it compares",
    ),
    "a layer that is not known": (
        lambda: nn.Sequential(nn.Linear(2, 2), nn.Softmax(1), Leaky(0.5)),
        r"1 \(Softmax\)",
    ),
    "a module of its own without an example": (Net, "pass example=, an input"),
    "an activation of Brevitas": (
        lambda: nn.Sequential(nn.Linear(2, 2), QuantReLU(), Leaky(0.5)),
        r"1 \(QuantReLU\): this layer is not imported",
    ),
    "a convolution without a shape": (
        lambda: nn.Sequential(nn.Conv2d(1, 2, 3), Leaky(0.5)),
        r"pass shape=\(channels, height, width\)",
    ),
    "a norm in front of weights": (
        lambda: nn.Sequential(
            nn.Linear(2, 2), Leaky(0.5), moved(nn.BatchNorm1d(2)), nn.Linear(2, 2), Leaky(0.5)
        ),
        "it adds an offset in front of weights",
    ),
    "padding that is no zeros": (
        lambda: nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular"), Leaky(0.5)),
        "padding_mode is 'circular'",
    ),
}  # fmt: skip


def moved(norm):
    with torch.no_grad():
        norm.bias.fill_(0.5)
    return norm


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_name(name):
    build, expected = REFUSED[name]
    with pytest.raises(UserError, match=expected):
        from_snntorch(build())


def test_what_lies_between_layers_is_refused():
    with pytest.raises(UserError, match=r"lif \(Leaky\): what comes into it comes from no layer"):
        from_snntorch(Crossed(), example=torch.rand(1, 4))
