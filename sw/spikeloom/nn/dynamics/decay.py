"""`spikeloom.neurons.decay` in torch: what a step leaves of a membrane or a current."""

from __future__ import annotations

import torch
from torch import Tensor

from spikeloom.neurons import DecayLeak, IntegrateLeak, Leak, Rounding, ShiftLeak

__all__ = ["leak", "leak_slope"]


def leak(v: Tensor, spec: Leak) -> Tensor:
    """What is left of states `v` (float integers, any shape) after a step of leaking."""
    match spec:
        case IntegrateLeak():
            return v
        case ShiftLeak(shift=shift, rounding=rounding):
            # A power of two moves the point of a float and drops no bit of it.
            return v - _share(v, 2.0**-shift, rounding)
        case DecayLeak(multiplier=multiplier, fraction_bits=bits, rounding=rounding):
            # The product may need 44 bits.
            return v - _share(v.double(), multiplier * 2.0**-bits, rounding).to(v.dtype)


def _share(v: Tensor, lost: float, rounding: Rounding) -> Tensor:
    """The integer that a step takes off states, of the real share `lost`."""
    share = v * lost
    match rounding:
        case "floor":
            return torch.floor(share)
        case "nearest":
            return torch.floor(share + 0.5)
        case "toward-zero":
            # What is kept is rounded toward zero, so what is lost away from it.
            return torch.sign(share) * torch.ceil(share.abs())


def leak_slope(spec: Leak) -> float:
    """Derivative of the leak without its rounding."""
    match spec:
        case IntegrateLeak():
            return 1.0
        case ShiftLeak(shift=shift):
            return 1.0 - 2.0**-shift
        case DecayLeak(multiplier=multiplier, fraction_bits=bits):
            return 1.0 - multiplier * 2.0**-bits
