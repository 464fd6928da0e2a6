"""The parts put together: ratio, score, regrowth and schedule, applied to a network's layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from spikeloom.config import SparsityConfig
from spikeloom.sparsity.pq_index import PQParameters, pq_index
from spikeloom.sparsity.ratio import PRESETS, Layers, Ratio
from spikeloom.sparsity.regrowth import GradientTrace
from spikeloom.sparsity.rewiring import forget_state, prune_and_regrow, regrown_counts
from spikeloom.sparsity.schedule import Schedule
from spikeloom.sparsity.topology import layer_counts, random_mask

__all__ = ["Rewirer", "Rewiring", "SparseLayer", "initialise_masks"]


class SparseLayer(Protocol):
    """A layer whose weights are masked: what rewiring needs of it."""

    @property
    def weight(self) -> torch.nn.Parameter:
        """Real weights, outputs first."""
        ...

    @property
    def mask(self) -> Tensor:
        """Bool, the shape of `weight`: active synapses."""
        ...

    def set_mask(self, mask: Tensor) -> None:
        """Replace the mask; weights outside it become 0."""
        ...


@dataclass(frozen=True, kw_only=True)
class Rewiring:
    """What one rewiring did, a number a layer: active synapses before, pruned, regrown."""

    before: tuple[int, ...]
    pruned: tuple[int, ...]
    regrown: tuple[int, ...]


def initialise_masks(
    layers: Sequence[SparseLayer], config: SparsityConfig, generator: torch.Generator
) -> None:
    """Give each layer a random mask of the initial density."""
    shapes = [tuple(layer.weight.shape) for layer in layers]
    counts = layer_counts(shapes, config.initial_density, config.distribution)
    for layer, shape, count in zip(layers, shapes, counts, strict=True):
        layer.set_mask(random_mask(shape, count, generator).to(layer.weight.device))


class Rewirer:
    """Keeps pruned weights at zero between rewirings, and rewires when the schedule says so.

    The order of calls in a batch is `after_backward`, optimiser step, `after_step`; after an
    epoch, `after_epoch`.
    """

    def __init__(
        self,
        layers: Sequence[SparseLayer],
        *,
        ratio: Ratio,
        trace: GradientTrace,
        schedule: Schedule,
        parameters: PQParameters,
    ) -> None:
        self.layers = tuple(layers)
        self.schedule = schedule
        self._ratio = ratio
        self._trace = trace
        self._parameters = parameters

    @classmethod
    def from_config(
        cls,
        layers: Sequence[SparseLayer],
        config: SparsityConfig,
        *,
        epochs: int,
        generator: torch.Generator,
    ) -> Rewirer:
        """The combination of parts that a configuration names."""
        parameters = PQParameters(
            p=config.p, q=config.q, eta=config.eta, gamma=config.gamma, beta=config.beta
        )
        return cls(
            layers,
            ratio=PRESETS[config.ratio](parameters, config.fraction),
            trace=GradientTrace(config.regrow, generator),
            schedule=Schedule(
                start_epoch=config.start_epoch,
                every_epochs=config.every_epochs,
                stop_epoch=config.stop_epoch or 3 * epochs // 4,
                density=config.density,
                rho=config.rho,
                decay=config.decay,
            ),
            parameters=parameters,
        )

    def after_backward(self) -> None:
        """Show the dense gradients to the regrowth, then mask them for the optimiser."""
        gradients = [layer.weight.grad for layer in self.layers]
        dense = [gradient for gradient in gradients if gradient is not None]
        if len(dense) != len(gradients):
            raise RuntimeError("a layer has no gradient: call this after backward")
        self._trace.observe([gradient.flatten(1) for gradient in dense])
        for layer, gradient in zip(self.layers, dense, strict=True):
            gradient.mul_(layer.mask)

    @torch.no_grad()
    def after_step(self) -> None:
        """Hold pruned weights at exactly 0, whatever the optimiser's memory did."""
        for layer in self.layers:
            layer.weight.mul_(layer.mask)

    @torch.no_grad()
    def after_epoch(self, epochs_done: int, optimizer: torch.optim.Optimizer) -> Rewiring | None:
        """Rewire if it is due after `epochs_done` epochs; what it did, or None."""
        if not self.schedule.due(epochs_done):
            return None
        weights = [layer.weight.flatten(1) for layer in self.layers]
        masks = [layer.mask.flatten(1) for layer in self.layers]
        strength = self.schedule.strength(epochs_done)
        prune = [
            (count * strength).floor().long()
            for count in self._ratio(Layers(weights=weights, masks=masks))
        ]
        before = [int(mask.sum()) for mask in masks]
        rho = self.schedule.regrown_share(
            active=sum(before),
            places=sum(mask.numel() for mask in masks),
            pruned=sum(int(count.sum()) for count in prune),
        )
        scores = self._trace.scores(weights)
        after = []
        for layer, weight, mask, score, count in zip(
            self.layers, weights, masks, scores, prune, strict=True
        ):
            new = prune_and_regrow(
                weight, mask, score, prune=count, regrow=regrown_counts(count, rho)
            )
            forget_state(optimizer, layer.weight, (new != mask).reshape(layer.weight.shape))
            layer.set_mask(new.reshape(layer.weight.shape))
            after.append(int(new.sum()))
        pruned = [int(count.sum()) for count in prune]
        return Rewiring(
            before=tuple(before),
            pruned=tuple(pruned),
            regrown=tuple(a - b + p for a, b, p in zip(after, before, pruned, strict=True)),
        )

    def indices(self) -> list[float]:
        """PQ index of each layer's active weights."""
        p, q = self._parameters.p, self._parameters.q
        return [
            float(pq_index(layer.weight.reshape(1, -1), layer.mask.reshape(1, -1), p=p, q=q))
            for layer in self.layers
        ]
