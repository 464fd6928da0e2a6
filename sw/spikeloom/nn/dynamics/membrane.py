"""The membrane over time, in torch: the integers of `spikeloom.neurons`, and their gradients.

Membranes, inputs and thresholds are integers held in float32 (exact below 2^24), so the forward
pass computes the very numbers of the reference and of the chip. The backward pass is
back-propagation through time by hand, one fused function a population: autograd would record five
small operations a step. With g(x) a surrogate derivative (`spikeloom.nn.surrogate`):

    ds/du = g((u - threshold) / (width threshold)) / (width threshold)
    dv/du = 1 within the rails, 0 beyond, 0 after a reset to a value
    du/dv = the leak's slope, its rounding passed straight through
    ds/dthreshold = -ds/du, and du/dlost = -v, for those that are learned
    dv/damount = -s, where a spike takes an amount off

No gradient flows through the reset into the spike (Zenke and Vogels, Neural Computation 33(4),
2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast, get_args

import torch
from torch import Tensor

from spikeloom.errors import check_choice
from spikeloom.neurons import Leak, Reset
from spikeloom.neurons.decay import check_leak
from spikeloom.nn.dynamics.decay import leak, leak_slope
from spikeloom.nn.exact import EXACT
from spikeloom.nn.surrogate import SURROGATES, Surrogate

__all__ = ["EXACT", "Neuron", "integrate_and_fire", "leak", "leak_slope", "neuron_step"]


SMALL = 1 << 16
"""Membranes of all steps that fit into a processor's nearer cache with all that is made of them."""


@dataclass(frozen=True, kw_only=True)
class Neuron:
    """What the neurons of a population share.

    Attributes:
        leak: decay of the membrane in a step.
        reset: what a spike does to the membrane.
        spiking: False for a readout, which integrates.
        membrane_bits: signed width of the membrane's rails, 2 ... 20.
        membrane_low: the lower rail, if it is not that of the width.
        surrogate: a name in `SURROGATES`.
        surrogate_width: half width of it, in units of the threshold.
    """

    leak: Leak
    reset: Reset
    spiking: bool
    membrane_bits: int
    membrane_low: int | None = None
    surrogate: str = "triangle"
    surrogate_width: float = 1.0

    def __post_init__(self) -> None:
        check_leak(self.leak)
        check_choice("reset", self.reset, get_args(Reset))
        if not 2 <= self.membrane_bits <= 20:
            raise ValueError(f"membrane_bits must be 2 to 20, not {self.membrane_bits!r}")
        if self.surrogate not in SURROGATES:
            raise ValueError(f"surrogate must be in {list(SURROGATES)}, not {self.surrogate!r}")

    @property
    def rails(self) -> tuple[int, int]:
        """The lowest and the highest membrane."""
        high = (1 << (self.membrane_bits - 1)) - 1
        return (-high - 1 if self.membrane_low is None else self.membrane_low), high

    @property
    def subtracts(self) -> bool:
        """Whether a spike takes an amount off in its own step."""
        return self.spiking and self.reset == "subtract"

    @property
    def sets(self) -> bool:
        """Whether a spike sets the membrane to a value, which blocks its gradient."""
        return self.spiking and self.reset in ("zero", "value")


def neuron_step(
    v: Tensor, a: Tensor, threshold: Tensor, neuron: Neuron
) -> tuple[Tensor, Tensor, Tensor]:
    """One time step of the resets "subtract" and "zero", on float integers.

    Args:
        v: membranes after the step before, [..., neurons].
        a: summed input of this step, [..., neurons].
        threshold: positive, [neurons].
        neuron: what the neurons share.

    Returns:
        (spikes 0 or 1, membranes after the step, u: membranes before reset and rails).
    """
    u = leak(v, neuron.leak) + a
    spikes, after = torch.empty_like(v), torch.empty_like(v)
    _fire_into(spikes, after, u, threshold, threshold, None, neuron)
    return spikes, after, u


def _fire_into(
    spikes: Tensor,
    after: Tensor,
    u: Tensor,
    threshold: Tensor,
    amount: Tensor,
    reset_value: Tensor | None,
    neuron: Neuron,
) -> None:
    """What a step does once the membranes `u` before reset and rails are known."""
    low, high = neuron.rails
    if not neuron.spiking:
        spikes.zero_()
        torch.clamp(u, low, high, out=after)
        return
    torch.ge(u, threshold, out=spikes)
    match neuron.reset:
        case "subtract":
            torch.addcmul(u, spikes, amount, value=-1, out=after)
            after.clamp_(low, high)
        case "subtract-late":
            torch.clamp(u, low, high, out=after)
        case "zero" | "value":
            torch.addcmul(u, spikes, u, value=-1, out=after)
            if neuron.reset == "value" and reset_value is not None:
                after.addcmul_(spikes, reset_value)
            after.clamp_(low, high)


class _IntegrateAndFire(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        a: Tensor,
        threshold: Tensor,
        _lost: Tensor | None,
        amount: Tensor | None,
        rest: Tensor | None,
        reset_value: Tensor | None,
        neuron: Neuron,
        every_step: bool,
    ) -> tuple[Tensor, Tensor]:
        ctx.set_materialize_grads(False)
        taken = threshold if amount is None else amount
        spikes, before = torch.empty_like(a), torch.empty_like(a)
        membranes = torch.empty_like(a) if every_step else torch.zeros_like(a[:1])
        late = neuron.spiking and neuron.reset == "subtract-late"
        for t in range(len(a)):
            v = rest if t == 0 else membranes[t - 1 if every_step else 0]
            if v is None:
                # Nothing leaks from membranes at 0.
                before[0] = a[0]
            else:
                torch.add(leak(v, neuron.leak), a[t], out=before[t])
                if late:
                    # The threshold lies within the rails, so the membrane tells who has spiked.
                    fired = (v >= threshold).to(a.dtype) if t == 0 else spikes[t - 1]
                    before[t].addcmul_(fired, taken, value=-1)
            after = membranes[t if every_step else 0]
            _fire_into(spikes[t], after, before[t], threshold, taken, reset_value, neuron)
        ctx.neuron = neuron
        ctx.save_for_backward(before, spikes, threshold, taken, rest, reset_value)
        return spikes, membranes

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor | None) -> tuple[Tensor | None, ...]:
        grad_spikes, grad_membranes = grad_outputs
        before, spikes, threshold, taken, rest, reset_value = cast(Any, ctx.saved_tensors)
        neuron = cast(Neuron, ctx.neuron)
        surrogate, slope = SURROGATES[neuron.surrogate], leak_slope(neuron.leak)
        width = neuron.surrogate_width * threshold
        rails_hold = _rails_hold(before, threshold, taken, neuron)
        grad = torch.empty_like(before)
        last = len(before) - 1
        # Step by step, so that what a step needs stays in the processor's cache; all at once
        # where calls take longer than the work.
        small = neuron.spiking and before.numel() <= SMALL
        gains = _gain(before, threshold, width, surrogate) if small else before
        _, for_threshold, for_lost, for_amount, for_rest, *_ = ctx.needs_input_grad
        grad_threshold = torch.zeros_like(threshold) if for_threshold else None
        grad_lost = before.new_zeros(()) if for_lost else None
        grad_amount = torch.zeros_like(taken) if for_amount else None
        for t in reversed(range(len(before))):
            here = grad[t]
            if t < last:
                torch.mul(grad[t + 1], slope, out=here)
            else:
                here.zero_()
            if grad_membranes is not None and (t == last or len(grad_membranes) > 1):
                here.add_(grad_membranes[-1 if t == last else t])
            if not rails_hold:
                here.mul_(_within_rails(before[t], spikes[t], taken, neuron))
            if grad_amount is not None and neuron.subtracts:
                grad_amount.sub_(_summed(here * spikes[t], taken))
            if neuron.sets:
                here.mul_(1 - spikes[t])
            if neuron.spiking and grad_spikes is not None:
                gain = gains[t] if small else _gain(before[t], threshold, width, surrogate)
                here.addcmul_(grad_spikes[t], gain)
                if grad_threshold is not None:
                    grad_threshold.sub_(_summed(grad_spikes[t] * gain, threshold))
            if t == 0 and rest is None:
                continue
            if grad_amount is not None and neuron.spiking and neuron.reset == "subtract-late":
                fired = spikes[t - 1] if t else rest >= threshold
                grad_amount.sub_(_summed(here * fired, taken))
            if grad_lost is not None:
                v = rest
                if t or v is None:
                    v = _state(before, spikes, t - 1, taken, reset_value, neuron)
                grad_lost.sub_((here * v).sum())
        grad_rest = grad[0] * slope if for_rest else None
        return grad, grad_threshold, grad_lost, grad_amount, grad_rest, None, None, None


def _gain(before: Tensor, threshold: Tensor, width: Tensor, surrogate: Surrogate) -> Tensor:
    """The surrogate of ds/du."""
    return surrogate((before - threshold).div_(width)).div_(width)


def _summed(values: Tensor, like: Tensor) -> Tensor:
    """The sum over samples and over all places that share an element of `like`."""
    return values.sum(dim=0).sum_to_size(like.shape)


def _rails_hold(before: Tensor, threshold: Tensor, taken: Tensor, neuron: Neuron) -> bool:
    """Whether no membrane can have met the rails: the common case, told by two numbers."""
    low, high = neuron.rails
    smallest, largest = torch.aminmax(before)
    within = bool((smallest >= low) & (largest <= high))
    # A spike that takes off no more than the threshold lowers a membrane to 0 at the least.
    return within and (taken is threshold or bool((taken <= threshold).all()))


def _within_rails(before: Tensor, spikes: Tensor, taken: Tensor, neuron: Neuron) -> Tensor:
    """Where a step did not clamp the membranes, bool."""
    low, high = neuron.rails
    # A reset to a value is within them, and blocks the gradient by itself.
    after = before - spikes * taken if neuron.subtracts else before
    return (after >= low) & (after <= high)


def _state(
    before: Tensor,
    spikes: Tensor,
    step: int,
    taken: Tensor,
    reset_value: Tensor | None,
    neuron: Neuron,
) -> Tensor:
    """Membranes after a step, from those before its reset."""
    u, fired = before[step], spikes[step]
    if neuron.subtracts:
        u = u - fired * taken
    elif neuron.sets:
        u = u - fired * u
        if reset_value is not None and neuron.reset == "value":
            u = u + fired * reset_value
    return u.clamp(*neuron.rails)


def integrate_and_fire(
    a: Tensor,
    threshold: Tensor,
    neuron: Neuron,
    *,
    lost: Tensor | None = None,
    amount: Tensor | None = None,
    rest: Tensor | None = None,
    reset_value: Tensor | None = None,
    every_step: bool = True,
) -> tuple[Tensor, Tensor]:
    """All time steps of a population.

    Parameters are float integers that broadcast over a step of a sample.

    Args:
        a: summed inputs, float integers [T, B, ...]; receives gradients.
        threshold: positive; receives gradients when it asks for them.
        neuron: what the neurons share.
        lost: share of a membrane that `neuron.leak` takes in a step, scalar; receives gradients.
        amount: what a spike takes off, the threshold unless given; receives gradients.
        rest: membranes before the first step [B, ...], 0 unless given; receives gradients.
        reset_value: for the reset "value", 0 unless given.
        every_step: keep the membranes after each step, or after the last one only.

    Returns:
        (spikes [T, B, ...], membranes after each step [T, B, ...], or [1, B, ...]).
    """
    result = _IntegrateAndFire.apply(
        a, threshold, lost, amount, rest, reset_value, neuron, every_step
    )
    return cast("tuple[Tensor, Tensor]", result)
