"""The least that rewiring needs of a layer."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Integers:
    """What weights quantise to."""

    weight: Tensor
    scale: float | Tensor


class Sparse:
    """Normal weights; integers are multiples of a fixed scale."""

    def __init__(self, shape, seed: int, *, scale: float | Tensor = 0.25) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.weight = torch.nn.Parameter(torch.randn(shape, generator=generator))
        self.mask = torch.ones(shape, dtype=torch.bool)
        self.scale = scale

    def set_mask(self, mask: Tensor) -> None:
        with torch.no_grad():
            self.mask = mask.clone()
            self.weight.mul_(self.mask)

    def integers(self) -> Integers:
        steps = (self.weight.detach() / self.scale).round()
        return Integers(weight=steps.long(), scale=self.scale)

    def parameters(self):
        yield self.weight
