"""Active weights that are synapses: none quantised to 0.

An active weight below half a quantisation step is stored nowhere and does nothing. Where counts
must hold for what is stored (bank balance, budgets of synapses), such a weight is moved out to the
nearest value that quantises to an integer 1 or -1.
"""

from __future__ import annotations

import torch

from spikeloom.sparsity.layer import SparseLayer

__all__ = ["keep_nonzero"]

JUST_ABOVE_HALF = 0.5 * (1 + 2**-8)
"""Of a quantisation step: half of it rounds to 0, and float32 has its own last bits."""


@torch.no_grad()
def keep_nonzero(layer: SparseLayer) -> None:
    """Move active weights that quantise to 0 just beyond half a step, keeping their sign.

    Weights that are exactly 0 have never been trained, and stay.
    """
    weight, integers = layer.weight, layer.integers()
    asleep = layer.mask & (integers.weight.to(weight.device) == 0) & (weight != 0)
    # One scale, or one of each neuron.
    scale = torch.as_tensor(integers.scale, dtype=weight.dtype, device=weight.device)
    scale = scale.reshape(-1, *[1] * (weight.dim() - 1))
    weight.copy_(torch.where(asleep, weight.sign() * scale * JUST_ABOVE_HALF, weight))
