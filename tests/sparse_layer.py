"""The least that rewiring needs of a layer."""

from types import SimpleNamespace

import torch


class Sparse:
    """Normal weights; integers are multiples of a fixed scale."""

    def __init__(self, shape, seed, *, scale=0.25):
        generator = torch.Generator().manual_seed(seed)
        self.weight = torch.nn.Parameter(torch.randn(shape, generator=generator))
        self.mask = torch.ones(shape, dtype=torch.bool)
        self.scale = scale

    def set_mask(self, mask):
        with torch.no_grad():
            self.mask = mask.clone()
            self.weight.mul_(self.mask)

    def integers(self):
        return SimpleNamespace(
            weight=(self.weight.detach() / self.scale).round().long(), scale=self.scale
        )

    def parameters(self):
        yield self.weight
