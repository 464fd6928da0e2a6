"""Batch normalisation of integer sums, folded into a threshold and a bias for each channel.

Normalising the sums `a` of a channel with mean m and deviation d, then multiplying by a gain g > 0
and adding b, before a neuron whose threshold is θ, is the same as leaving the sums alone and
giving the neuron, in the unit of the sums,

    threshold = amount = θ d / g        bias = b d / g - m

since leaks are linear up to their rounding, and a positive factor on all of a membrane changes no
comparison. So the chip needs nothing new, and training normalises a pair of numbers a channel
instead of every sum. Both are rounded to integers, in training, too.

Ioffe and Szegedy, ICML 2015; for spiking networks, with the statistics taken over time as well,
tdBN: Zheng et al., AAAI 2021.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["FoldedNorm"]

MOMENTUM = 0.1
EPSILON = 1e-2
"""Added to the variance of integers; a channel that is never driven has none."""


class FoldedNorm(nn.Module):
    """Gain and offset of each channel, and the statistics of its sums.

    The statistics are kept in real units, since the integers' unit moves with the weights.

    Args:
        channels: of the population; a list of neurons has as many channels as neurons.
        threshold: θ, in units of the deviation where the gain is 1.
    """

    mean: Tensor
    variance: Tensor

    def __init__(self, channels: int, threshold: float) -> None:
        super().__init__()
        self.threshold = threshold
        # The gain is an exponential, so that it stays positive; weight decay draws it back to 1.
        self.log_gain = nn.Parameter(torch.zeros(channels))
        self.offset = nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))

    def forward(self, sums: Tensor, unit: Tensor) -> tuple[Tensor, Tensor]:
        """Threshold and bias of each channel, in the unit of the sums, not rounded yet.

        Args:
            sums: integers of a batch, [T, B, channels, ...]; their statistics are taken in
                training mode.
            unit: real value of integer 1, scalar or [channels].
        """
        if self.training:
            axes = [axis for axis in range(sums.dim()) if axis != 2]
            variance, mean = torch.var_mean(sums, axes, correction=0)
            with torch.no_grad():
                self.mean.lerp_(mean * unit, MOMENTUM)
                self.variance.lerp_(variance * unit.square(), MOMENTUM)
        else:
            mean, variance = self.mean / unit, self.variance / unit.square()
        deviation = (variance + EPSILON).sqrt() * torch.exp(-self.log_gain)
        return self.threshold * deviation, self.offset * deviation - mean
