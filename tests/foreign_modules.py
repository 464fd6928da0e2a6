"""Cells that look like snnTorch's and step as its documentation says, so that no test needs it."""

import torch
from torch import Tensor, nn

RESETS = {"subtract": 0, "zero": 1, "none": 2}


class Leaky(nn.Module):
    """`u = beta·u + x`, less a threshold where there was a spike one step before."""

    beta: Tensor
    threshold: Tensor
    reset_mechanism_val: Tensor

    def __init__(
        self, beta, threshold=1.0, reset_mechanism="subtract", *, inhibition=False, reset_delay=True
    ):
        super().__init__()
        self.register_buffer("beta", torch.as_tensor(beta))
        self.register_buffer("threshold", torch.as_tensor(threshold))
        self.register_buffer("reset_mechanism_val", torch.as_tensor(RESETS[reset_mechanism]))
        self.inhibition, self.reset_delay, self.mem = inhibition, reset_delay, None

    def forward(self, x):
        mem = torch.zeros_like(x) if self.mem is None else self.mem
        before = (mem > self.threshold).to(x)
        if int(self.reset_mechanism_val) == 1:
            mem = mem * (1 - before)
        mem = self.beta.clamp(0, 1) * mem + x
        if int(self.reset_mechanism_val) == 0:
            mem = mem - before * self.threshold
        self.mem = mem
        return (mem > self.threshold).to(x)


class Alpha(Leaky):
    """A cell that is not imported."""


class QuantReLU(nn.Module):
    """A layer of Brevitas that is not imported."""


Leaky.__module__ = Alpha.__module__ = "snntorch._neurons.leaky"
QuantReLU.__module__ = "brevitas.nn.quant_activation"


class Net(nn.Module):
    """A module whose forward is its own: several steps, a view, a maximum."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3)
        self.norm = nn.BatchNorm2d(3)
        self.lif1 = Leaky(0.9)
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(3 * 3 * 3, 4)
        self.lif2 = Leaky(0.8, reset_mechanism="zero")

    def forward(self, x, steps=3):
        out = []
        for _ in range(steps):
            spikes = self.lif1(self.norm(self.conv(x)))
            out.append(self.lif2(self.fc(self.pool(spikes).view(len(x), -1))))
        return torch.stack(out)


class Crossed(nn.Module):
    """Something between layers that is no layer."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 3)
        self.lif = Leaky(0.9)

    def forward(self, x):
        return self.lif(self.fc(x) * 2)
