"""A synaptic current over time, in torch: what `spikeloom.neurons.cuba_lif` calls `i`."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor

from spikeloom.neurons import Leak
from spikeloom.nn.dynamics.decay import leak, leak_slope

__all__ = ["currents"]


class _Currents(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, a: Tensor, rest: Tensor | None, spec: Leak, limits: tuple[int, int]
    ) -> Tensor:
        before, after = torch.empty_like(a), torch.empty_like(a)
        for t in range(len(a)):
            i = rest if t == 0 else after[t - 1]
            if i is None:
                before[0] = a[0]
            else:
                torch.add(leak(i, spec), a[t], out=before[t])
            torch.clamp(before[t], *limits, out=after[t])
        ctx.slope = leak_slope(spec)
        smallest, largest = torch.aminmax(before)
        held = bool((smallest >= limits[0]) & (largest <= limits[1]))
        ctx.save_for_backward(None if held else (before == after))
        return after

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        (grad_after,) = grad_outputs
        (inside,) = ctx.saved_tensors
        grad = torch.empty_like(grad_after)
        last = len(grad) - 1
        for t in reversed(range(len(grad))):
            here = grad[t]
            if t < last:
                torch.add(grad_after[t], grad[t + 1], alpha=ctx.slope, out=here)
            else:
                here.copy_(grad_after[t])
            if inside is not None:
                here.mul_(inside[t])
        grad_rest = grad[0] * ctx.slope if ctx.needs_input_grad[1] else None
        return grad, grad_rest, None, None


def currents(
    a: Tensor, spec: Leak, limits: tuple[int, int], *, rest: Tensor | None = None
) -> Tensor:
    """Currents that sum what arrives, decay, and are clamped once a step.

    Args:
        a: summed inputs, float integers [T, B, ...]; receives gradients.
        spec: what a step leaves of a current; its rounding is passed straight through.
        limits: lowest and highest current; no gradient passes where a step has clamped.
        rest: currents before the first step [B, ...], 0 unless given; receives gradients.

    Returns:
        Currents after each step, [T, B, ...].
    """
    return cast(Tensor, _Currents.apply(a, rest, spec, limits))
