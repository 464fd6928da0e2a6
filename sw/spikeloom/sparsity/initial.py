"""How a network begins: the masks it starts from, and the values it may be rewound to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from spikeloom.config import SparsityConfig
from spikeloom.sparsity.balance import best_words, rebalance
from spikeloom.sparsity.layer import SparseLayer
from spikeloom.sparsity.topology import layer_counts, local_scores, random_mask

__all__ = ["InitialValues", "initialise_masks"]


def initialise_masks(
    layers: Sequence[SparseLayer], config: SparsityConfig, generator: torch.Generator
) -> None:
    """Give each layer a random mask of the initial density, balanced if `banks` says so.

    With `full_words` all rows of a hidden layer have equally many words, to within one. With
    `topology` "local" the first layer begins with receptive fields, and its rows as they come.
    """
    shapes = [tuple(layer.weight.shape) for layer in layers]
    counts = layer_counts(shapes, config.initial_density, config.distribution)
    readout = len(layers) - 1
    for i, (layer, shape, count) in enumerate(zip(layers, shapes, counts, strict=True)):
        if config.topology == "local" and i == 0:
            mask = _local_mask(shape, count, config, generator)
            layer.set_mask(mask.to(layer.weight.device))
            continue
        mask = random_mask(shape, count, generator)
        if config.full_words and i != readout:
            mask = best_words(
                torch.rand(mask.flatten(1).shape, generator=generator),
                candidates=torch.ones_like(mask.flatten(1)),
                count=count,
                banks=config.banks,
                blocks=config.blocks,
            ).reshape(shape)
        elif config.banks:
            drawn = mask.flatten(1)
            mask = rebalance(
                drawn,
                score=torch.rand(drawn.shape, generator=generator),
                candidates=torch.ones_like(drawn),
                base=torch.zeros_like(drawn),
                banks=config.banks,
            ).reshape(shape)
        layer.set_mask(mask.to(layer.weight.device))


def _local_mask(
    shape: tuple[int, ...], count: int, config: SparsityConfig, generator: torch.Generator
) -> Tensor:
    score = local_scores(shape, generator, banks=max(1, config.banks))
    everywhere = torch.ones(shape, dtype=torch.bool)
    if config.full_words:
        return best_words(
            score, candidates=everywhere, count=count, banks=config.banks, blocks=config.blocks
        )
    mask = torch.zeros(score.numel(), dtype=torch.bool)
    mask[score.flatten().argsort(descending=True, stable=True)[:count]] = True
    mask = mask.reshape(shape)
    if not config.banks:
        return mask
    nowhere = torch.zeros_like(mask)
    return rebalance(mask, score=score, candidates=everywhere, base=nowhere, banks=config.banks)


class InitialValues:
    """The parameters of layers as they were when this was made, to which training can go back.

    Rewinding: Frankle and Carbin, "The Lottery Ticket Hypothesis", ICLR 2019.
    """

    def __init__(self, layers: Sequence[SparseLayer]) -> None:
        self._layers = tuple(layers)
        self._values = [
            parameter.detach().clone() for layer in layers for parameter in layer.parameters()
        ]

    @torch.no_grad()
    def restore(self, optimizer: torch.optim.Optimizer) -> None:
        """Rewind the parameters within the present masks; the optimiser forgets all of them."""
        parameters = [p for layer in self._layers for p in layer.parameters()]
        for parameter, value in zip(parameters, self._values, strict=True):
            parameter.copy_(value)
            optimizer.state.pop(parameter, None)
        for layer in self._layers:
            layer.weight.mul_(layer.mask)

    def state_dict(self) -> dict[str, Any]:
        """The values."""
        return {"values": list(self._values)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        self._values = [
            value.to(old.device) for value, old in zip(state["values"], self._values, strict=True)
        ]
