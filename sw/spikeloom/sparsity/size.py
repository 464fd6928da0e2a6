"""The bits that a network will be stored in, as what compression is to reach.

A memory is filled by words, not by synapses: what counts is the packed size, exactly as the packer
has it, with padding and pointers. Every active place is taken as a synapse of full width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from torch import Tensor

from spikeloom.arithmetic import IntegrateLeak
from spikeloom.image import Layer
from spikeloom.packing import pack
from spikeloom.sparsity.layer import Layers

__all__ = ["PackedSize"]


class PackedSize:
    """A budget of packed bits.

    Args:
        target: bits of all layers together.
        lanes: slots of a word, one number a layer, or one for all.
        weight_bits: signed width of a weight.
    """

    def __init__(self, target: int, *, lanes: Sequence[int], weight_bits: int) -> None:
        self.target = target
        self._lanes, self._largest = tuple(lanes), (1 << (weight_bits - 1)) - 1

    def bits(self, masks: Sequence[Tensor]) -> int:
        """Bits that masks (bool [neurons, fan-in], one a layer) are packed into."""
        lanes = self._lanes if len(self._lanes) > 1 else self._lanes * len(masks)
        return sum(
            pack(self._layer(mask), own).bits for mask, own in zip(masks, lanes, strict=True)
        )

    def density(self, layers: Layers) -> float:
        """The density that meets the budget, going by the bits that a synapse takes now.

        Pointers stay when synapses go, so this comes down to the budget from above, and one synapse
        fewer each time gets it there. Once there, it is the present density.
        """
        active = sum(int(mask.sum()) for mask in layers.masks)
        places = sum(mask.numel() for mask in layers.masks)
        bits = self.bits(layers.masks)
        if bits <= self.target:
            return active / places
        return max(0, math.floor(active * self.target / bits) - 1) / places

    def _layer(self, mask: Tensor) -> Layer:
        weights = mask.t().cpu().numpy().astype(np.int64) * self._largest
        return Layer.from_dense(weights, name="layer", leak=IntegrateLeak())
