"""A user's own module, loss and loop: rewired, exported, and equal in the simulated Verilog."""

import numpy as np
import pytest
import torch
from torch import nn

import spikeloom as sl
from spikeloom.encoding import LatencyEncoding
from spikeloom.neurons import IntegrateLeak, ShiftLeak

STEPS, EPOCHS = 4, 6
HIDDEN = sl.Neuron(leak=ShiftLeak(shift=2), reset="subtract", spiking=True, membrane_bits=10)
READOUT = sl.Neuron(leak=IntegrateLeak(), reset="subtract", spiking=False, membrane_bits=12)


class Net(nn.Module):
    """Two of our layers in a module of the user's own."""

    def __init__(self, *, inputs=64, hidden=24, classes=10, twist=False):
        super().__init__()
        self.hidden = sl.SpikingLinear(inputs, hidden, neuron=HIDDEN, weight_bits=4)
        self.readout = sl.SpikingLinear(hidden, classes, neuron=READOUT, weight_bits=4)
        self.twist = twist

    def forward(self, events):
        spikes, _, _ = self.hidden(events.transpose(0, 1))
        _, membranes, scale = self.readout(spikes)
        scores = membranes[-1] * scale
        return scores.roll(1, dims=1) if self.twist else scores


def trained(net, data):
    torch.manual_seed(0)
    rewirer = sl.make_sparse(
        net, epochs=EPOCHS, method="set", density=0.3, start_epoch=1, every_epochs=1
    )
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.02)
    margin = nn.MultiMarginLoss()
    events = torch.from_numpy(sl.encode(LatencyEncoding(), data.train.images[:], STEPS))
    labels = torch.from_numpy(data.train.labels)
    rewired = []
    for epoch in range(1, EPOCHS + 1):
        for batch in torch.randperm(len(labels)).split(64):
            margin(net(events[batch]), labels[batch]).backward()
            rewirer.after_backward()
            optimizer.step()
            rewirer.after_step()
            optimizer.zero_grad()
        rewired.append(rewirer.after_epoch(epoch, optimizer) is not None)
    return rewired


@pytest.fixture(scope="module")
def digits():
    return sl.load_dataset("digits")


@pytest.fixture(scope="module")
def net(digits):
    own = Net()
    assert sum(trained(own, digits)) >= 2, "it was rewired"
    return own


def test_trained_exported_and_verified(net, digits, tmp_path):
    active = sum(int(layer.mask.sum()) for layer in (net.hidden, net.readout))
    assert active == round(0.3 * (64 * 24 + 24 * 10))
    net.train()
    image = sl.export(net, digits, time_steps=STEPS)
    assert net.training
    assert image.provenance.accuracy_test == image.evaluate(digits).accuracy > 0.6
    weights = net.hidden.integers().weight.numpy().T
    assert np.array_equal(image.layers[0].dense(), weights)
    assert image.verify(digits, samples=4, failure_folder=tmp_path / "failure").exact


class Scalar(Net):
    def forward(self, events):
        return super().forward(events).sum()


def wrong(**sizes):
    return lambda: Net(**sizes)


REFUSED = {
    "no layers of ours": (lambda: nn.Linear(64, 10), "no spikeloom.nn.SpikingLinear"),
    "another forward": (wrong(twist=True), "class differs from that of its layers"),
    "too few classes": (wrong(classes=9), "9 neurons, but 'digits' has 10 classes"),
    "other inputs": (wrong(inputs=60), "60 inputs, but 'digits' is encoded into 64"),
    "no scores": (Scalar, "must return scores [B, classes]"),
    "layers that do not meet": (
        lambda: nn.Sequential(Net(hidden=24), Net()),
        "10 neurons stands before one of 64 inputs",
    ),
}


@pytest.mark.parametrize(("make", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(make, said, digits):
    with pytest.raises(sl.UserError) as refused:
        sl.export(make(), digits, time_steps=STEPS)
    assert said in str(refused.value)


def test_settings_are_checked():
    with pytest.raises(sl.UserError, match="has no key 'densty'"):
        sl.make_sparse(Net(), epochs=20, densty=0.1)
    with pytest.raises(sl.UserError, match=r"no spikeloom\.nn\.SpikingLinear"):
        sl.make_sparse(nn.Linear(3, 4), epochs=20)
