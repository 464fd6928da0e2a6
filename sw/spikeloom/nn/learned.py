"""Leaks and thresholds that are trained, and are in every step ones that the core has.

Each is a begun value times exp(parameter): positive by itself, moved by a factor in an optimiser's
step, and drawn back to where it began by weight decay. The forward pass takes the nearest value of
the core, the backward pass goes straight through to the parameter.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from spikeloom.arithmetic import DecayLeak, Leak, ShiftLeak
from spikeloom.nn.dynamics.membrane import leak_slope
from spikeloom.nn.quantizer import straight_through

__all__ = ["LearnedLeak"]

LARGEST_SHIFT = 15


class LearnedLeak(nn.Module):
    """A layer's leak: a shift of 1 to 15, or the multiplier of a fixed-point decay.

    Args:
        begin: where it begins; its kind stays.

    Raises:
        ValueError: `begin` does not leak.
    """

    def __init__(self, begin: Leak) -> None:
        super().__init__()
        if not isinstance(begin, ShiftLeak | DecayLeak):
            raise ValueError(f"a leak that is learned must begin as shift or decay, not {begin!r}")
        self._begin: ShiftLeak | DecayLeak = begin
        self.parameter = nn.Parameter(torch.zeros(()))

    def _real(self) -> Tensor:
        """The share of a membrane that it loses in a step, as a real number."""
        return (1 - leak_slope(self._begin)) * self.parameter.exp()

    @torch.no_grad()
    def nearest(self) -> Leak:
        """The leak that is computed."""
        lost = float(self._real())
        match self._begin:
            case ShiftLeak():
                return ShiftLeak(shift=min(max(1, round(-math.log2(lost))), LARGEST_SHIFT))
            case DecayLeak(fraction_bits=bits):
                multiplier = min(max(1, round(lost * (1 << bits))), 1 << bits)
                return DecayLeak(multiplier=multiplier, fraction_bits=bits)

    def forward(self) -> Tensor:
        """The share that the nearest leak loses, a scalar with the parameter's gradient."""
        real = self._real()
        return straight_through(real, torch.full_like(real, 1 - leak_slope(self.nearest())))
