"""The neuron over time, in torch: the integers of `spikeloom.arithmetic`, and their gradients.

Membranes, inputs and thresholds are integers held in float32 (exact below 2^24), so the forward
pass computes the very numbers of the reference and of the chip. The backward pass is
back-propagation through time by hand, one fused function a layer: autograd would record five
small operations a step. With g(x) a surrogate derivative (`spikeloom.nn.surrogate`):

    ds/du = g((u - threshold) / (width threshold)) / (width threshold)
    dv/du = 1 within the rails, 0 beyond, 0 after a reset to zero
    du/dv = the leak's slope, its floor passed straight through

No gradient flows through the reset (Zenke and Vogels, Neural Computation 33(4), 2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from spikeloom.arithmetic import DecayLeak, IntegrateLeak, Leak, Reset, ShiftLeak, rails
from spikeloom.nn.surrogate import SURROGATES

__all__ = ["EXACT", "Neuron", "integrate_and_fire", "leak", "leak_slope", "neuron_step"]

EXACT = 1 << 24
"""Integers of smaller magnitude are exact in float32."""


@dataclass(frozen=True, kw_only=True)
class Neuron:
    """Parameters that the neurons of a layer share.

    Attributes:
        leak: decay of the membrane in a step.
        reset: what a spike does to the membrane.
        spiking: False for a readout layer, which integrates.
        membrane_bits: signed width of the membrane's rails, 2 ... 20.
        surrogate: a name in `SURROGATES`.
        surrogate_width: half width of it, in units of the threshold.
    """

    leak: Leak
    reset: Reset
    spiking: bool
    membrane_bits: int
    surrogate: str = "triangle"
    surrogate_width: float = 1.0

    def __post_init__(self) -> None:
        if not 2 <= self.membrane_bits <= 20:
            raise ValueError(f"membrane_bits must be 2 to 20, not {self.membrane_bits!r}")
        if self.surrogate not in SURROGATES:
            raise ValueError(f"surrogate must be in {list(SURROGATES)}, not {self.surrogate!r}")


def leak(v: Tensor, spec: Leak) -> Tensor:
    """What is left of membranes `v` (float32 integers, any shape) after a step of leaking."""
    match spec:
        case IntegrateLeak():
            return v
        case ShiftLeak(shift=shift):
            return v - torch.floor(v * 2.0**-shift)
        case DecayLeak(multiplier=multiplier, fraction_bits=bits):
            # The product may need 35 bits.
            lost = torch.floor(v.double() * multiplier * 2.0**-bits)
            return v - lost.to(v.dtype)


def leak_slope(spec: Leak) -> float:
    """Derivative of the leak without its rounding."""
    match spec:
        case IntegrateLeak():
            return 1.0
        case ShiftLeak(shift=shift):
            return 1.0 - 2.0**-shift
        case DecayLeak(multiplier=multiplier, fraction_bits=bits):
            return 1.0 - multiplier * 2.0**-bits


def neuron_step(
    v: Tensor, a: Tensor, threshold: Tensor, neuron: Neuron
) -> tuple[Tensor, Tensor, Tensor]:
    """One time step, `spikeloom.arithmetic.neuron_step` on float32 integers.

    Args:
        v: membranes after the step before, [..., neurons].
        a: summed input of this step, [..., neurons].
        threshold: positive, [neurons].
        neuron: the shared parameters.

    Returns:
        (spikes 0 or 1, membranes after the step, u: membranes before reset and rails).
    """
    u = leak(v, neuron.leak) + a
    spikes = (u >= threshold).to(u.dtype) if neuron.spiking else torch.zeros_like(u)
    after = u - spikes * threshold if neuron.reset == "subtract" else u * (1 - spikes)
    low, high = rails(neuron.membrane_bits)
    return spikes, after.clamp(low, high), u


class _IntegrateAndFire(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, threshold: Tensor, neuron: Neuron) -> tuple[Tensor, Tensor]:
        spikes, membranes, before = (torch.empty_like(a) for _ in range(3))
        v = torch.zeros_like(a[0])
        for t in range(len(a)):
            spikes[t], v, before[t] = neuron_step(v, a[t], threshold, neuron)
            membranes[t] = v
        ctx.neuron = neuron
        ctx.save_for_backward(before, spikes, threshold)
        return spikes, membranes

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None, None]:
        grad_spikes, grad_membranes = grad_outputs
        before, spikes, threshold = ctx.saved_tensors
        neuron = cast(Neuron, ctx.neuron)
        low, high = rails(neuron.membrane_bits)
        if neuron.reset == "subtract":
            after = before - spikes * threshold
            passes = ((after >= low) & (after <= high)).to(before.dtype)
        else:
            passes = ((before >= low) & (before <= high)).to(before.dtype) * (1 - spikes)
        slope = leak_slope(neuron.leak)
        grad = torch.zeros_like(before)
        if neuron.spiking:
            width = neuron.surrogate_width * threshold
            surrogate = SURROGATES[neuron.surrogate]
            grad = grad_spikes * surrogate((before - threshold) / width) / width
        carried = torch.zeros_like(before[0])
        for t in reversed(range(len(before))):
            grad[t].addcmul_(grad_membranes[t] + carried, passes[t])
            carried = grad[t] * slope
        return grad, None, None


def integrate_and_fire(a: Tensor, threshold: Tensor, neuron: Neuron) -> tuple[Tensor, Tensor]:
    """All time steps of a layer, from membranes at 0.

    Args:
        a: summed inputs, float32 integers [T, B, neurons]; receives gradients.
        threshold: positive float32 integers [neurons]; receives none.
        neuron: the shared parameters.

    Returns:
        (spikes [T, B, neurons], membranes after each step [T, B, neurons]).
    """
    return cast("tuple[Tensor, Tensor]", _IntegrateAndFire.apply(a, threshold, neuron))
