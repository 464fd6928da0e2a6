"""The neuron over time, in torch: the integers of `spikeloom.arithmetic`, and their gradients.

Membranes, inputs and thresholds are integers held in float32 (exact below 2^24), so the forward
pass computes the very numbers of the reference and of the chip. The backward pass is
back-propagation through time by hand, one fused function a layer: autograd would record five
small operations a step. With g(x) a surrogate derivative (`spikeloom.nn.surrogate`):

    ds/du = g((u - threshold) / (width threshold)) / (width threshold)
    dv/du = 1 within the rails, 0 beyond, 0 after a reset to zero
    du/dv = the leak's slope, its floor passed straight through
    ds/dthreshold = -ds/du, and du/dlost = -v, for those that are learned

No gradient flows through the reset (Zenke and Vogels, Neural Computation 33(4), 2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from spikeloom.arithmetic import (
    DecayLeak,
    IntegrateLeak,
    Leak,
    Reset,
    ShiftLeak,
    check_neuron,
    rails,
)
from spikeloom.nn.surrogate import SURROGATES, Surrogate

__all__ = ["EXACT", "Neuron", "integrate_and_fire", "leak", "leak_slope", "neuron_step"]

EXACT = 1 << 24
"""Integers of smaller magnitude are exact in float32."""


SMALL = 1 << 16
"""Membranes of all steps that fit into a processor's nearer cache with all that is made of them."""


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
        check_neuron(self.leak, self.reset)
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
    spikes, after, u = (torch.empty_like(v) for _ in range(3))
    _step_into(spikes, after, u, v, a, threshold, neuron)
    return spikes, after, u


def _step_into(
    spikes: Tensor,
    after: Tensor,
    u: Tensor,
    v: Tensor,
    a: Tensor,
    threshold: Tensor,
    neuron: Neuron,
) -> None:
    """`neuron_step` into `spikes`, `after` and `u`; `after` may be `v`, and `u` may be `a`."""
    torch.add(leak(v, neuron.leak), a, out=u)
    _fire_into(spikes, after, u, threshold, neuron)


def _fire_into(spikes: Tensor, after: Tensor, u: Tensor, threshold: Tensor, neuron: Neuron) -> None:
    """What a step does once the membranes `u` before reset and rails are known."""
    low, high = rails(neuron.membrane_bits)
    if not neuron.spiking:
        spikes.zero_()
        torch.clamp(u, low, high, out=after)
        return
    torch.ge(u, threshold, out=spikes)
    if neuron.reset == "subtract":
        torch.addcmul(u, spikes, threshold, value=-1, out=after)
    else:
        torch.addcmul(u, spikes, u, value=-1, out=after)
    after.clamp_(low, high)


class _IntegrateAndFire(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        a: Tensor,
        threshold: Tensor,
        _lost: Tensor | None,
        neuron: Neuron,
        every_step: bool,
    ) -> tuple[Tensor, Tensor]:
        ctx.set_materialize_grads(False)
        spikes, before = torch.empty_like(a), torch.empty_like(a)
        membranes = torch.empty_like(a) if every_step else torch.zeros_like(a[:1])
        # Nothing leaks from membranes at 0.
        before[0] = a[0]
        _fire_into(spikes[0], membranes[0], before[0], threshold, neuron)
        for t in range(1, len(a)):
            v, after = (membranes[step if every_step else 0] for step in (t - 1, t))
            _step_into(spikes[t], after, before[t], v, a[t], threshold, neuron)
        ctx.neuron = neuron
        ctx.save_for_backward(before, spikes, threshold)
        return spikes, membranes

    @staticmethod
    def backward(
        ctx: Any, *grad_outputs: Tensor | None
    ) -> tuple[Tensor, Tensor | None, Tensor | None, None, None]:
        grad_spikes, grad_membranes = grad_outputs
        before, spikes, threshold = ctx.saved_tensors
        neuron = cast(Neuron, ctx.neuron)
        surrogate, slope = SURROGATES[neuron.surrogate], leak_slope(neuron.leak)
        width = neuron.surrogate_width * threshold
        rails_hold = _rails_hold(before, neuron)
        grad = torch.empty_like(before)
        last = len(before) - 1
        # Step by step, so that what a step needs stays in the processor's cache; all at once
        # where calls take longer than the work.
        small = neuron.spiking and before.numel() <= SMALL
        gains = _gain(before, threshold, width, surrogate) if small else before
        grad_threshold = torch.zeros_like(threshold) if ctx.needs_input_grad[1] else None
        grad_lost = before.new_zeros(()) if ctx.needs_input_grad[2] else None
        for t in reversed(range(len(before))):
            here = grad[t]
            if t < last:
                torch.mul(grad[t + 1], slope, out=here)
            else:
                here.zero_()
            if grad_membranes is not None and (t == last or len(grad_membranes) > 1):
                here.add_(grad_membranes[-1 if t == last else t])
            if not rails_hold:
                here.mul_(_within_rails(before[t], spikes[t], threshold, neuron))
            if neuron.reset == "zero" and neuron.spiking:
                here.mul_(1 - spikes[t])
            if neuron.spiking and grad_spikes is not None:
                gain = gains[t] if small else _gain(before[t], threshold, width, surrogate)
                here.addcmul_(grad_spikes[t], gain)
                if grad_threshold is not None:
                    grad_threshold.sub_((grad_spikes[t] * gain).sum(dim=0))
            if grad_lost is not None and t:
                v = _after(before[t - 1], spikes[t - 1], threshold, neuron)
                grad_lost.sub_((here * v.clamp_(*rails(neuron.membrane_bits))).sum())
        return grad, grad_threshold, grad_lost, None, None


def _gain(before: Tensor, threshold: Tensor, width: Tensor, surrogate: Surrogate) -> Tensor:
    """The surrogate of ds/du."""
    return surrogate((before - threshold).div_(width)).div_(width)


def _rails_hold(before: Tensor, neuron: Neuron) -> bool:
    """Whether no membrane can have met the rails: the common case, told by two numbers."""
    low, high = rails(neuron.membrane_bits)
    smallest, largest = torch.aminmax(before)
    # A spike lowers a membrane to 0 at the least, since it had reached the threshold.
    return bool((smallest >= low) & (largest <= high))


def _within_rails(before: Tensor, spikes: Tensor, threshold: Tensor, neuron: Neuron) -> Tensor:
    """Where a step did not clamp the membranes, bool."""
    low, high = rails(neuron.membrane_bits)
    # A reset to zero is within them, and blocks the gradient by itself.
    after = before if neuron.reset == "zero" else _after(before, spikes, threshold, neuron)
    return (after >= low) & (after <= high)


def _after(before: Tensor, spikes: Tensor, threshold: Tensor, neuron: Neuron) -> Tensor:
    """Membranes after the reset, before the rails."""
    return before - spikes * (threshold if neuron.reset == "subtract" else before)


def integrate_and_fire(
    a: Tensor,
    threshold: Tensor,
    neuron: Neuron,
    *,
    lost: Tensor | None = None,
    every_step: bool = True,
) -> tuple[Tensor, Tensor]:
    """All time steps of a layer, from membranes at 0.

    Args:
        a: summed inputs, float32 integers [T, B, neurons]; receives gradients.
        threshold: positive float32 integers [neurons]; receives gradients when it asks for them.
        neuron: the shared parameters.
        lost: share of a membrane that `neuron.leak` takes in a step, scalar; receives gradients.
        every_step: keep the membranes after each step, or after the last one only.

    Returns:
        (spikes [T, B, neurons], membranes after each step [T, B, neurons], or [1, B, neurons]).
    """
    result = _IntegrateAndFire.apply(a, threshold, lost, neuron, every_step)
    return cast("tuple[Tensor, Tensor]", result)
