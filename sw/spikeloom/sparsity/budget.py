"""How many synapses go at a rewiring, and what share of them comes back."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from spikeloom.sparsity.layer import Layers
from spikeloom.sparsity.pq_index import PQParameters, pq_index
from spikeloom.sparsity.ratio import Ratio
from spikeloom.sparsity.rewiring import capped_counts
from spikeloom.sparsity.schedule import Schedule
from spikeloom.sparsity.score import Score
from spikeloom.sparsity.size import PackedSize
from spikeloom.sparsity.turning import TurningPoint

__all__ = ["Budget", "layer_indices"]


class Budget:
    """Ratio and schedule together, down to a density, a size, or the index's turning point.

    Args:
        ratio: how many to prune.
        index_on: what the ratio is taken of.
        schedule: how strongly, and down to which density.
        parameters: orders of the PQ index.
        turning: ends compression where the index turns; None compresses down to the density.
        readout_density: of the last layer, which loses no more synapses at it.
        size: what to compress down to in place of the schedule's density; nothing is rewired there.
    """

    def __init__(
        self,
        *,
        ratio: Ratio,
        index_on: Score,
        schedule: Schedule,
        parameters: PQParameters,
        turning: TurningPoint | None,
        readout_density: float = 0.0,
        size: PackedSize | None = None,
    ) -> None:
        self._ratio, self._index_on = ratio, index_on
        self._schedule, self._parameters = schedule, parameters
        self._turning = turning
        self._readout_density, self._size = readout_density, size

    def counts(
        self, layers: Layers, epochs_done: int, *, regrows: bool
    ) -> tuple[list[Tensor], float]:
        """Synapses to prune in each scope of each layer, and the share of them to regrow.

        Without regrowth the counts are capped where compression ends; with it the share grows, up
        to 1, at which rewiring goes on at constant density.
        """
        measured = replace(layers, weights=self._index_on(layers))
        strength = self._schedule.strength(epochs_done)
        prune = [(count * strength).floor().long() for count in self._ratio(measured)]
        mask = layers.masks[-1]
        least = math.ceil(self._readout_density * mask.numel())
        prune[-1:] = capped_counts(prune[-1:], max(0, int(mask.sum()) - least))
        goal = self._goal(layers)
        active, places = _sizes(layers)
        if self._size and not goal.spare(active=active, places=places):
            # To move synapses would change their size.
            prune = [torch.zeros_like(count) for count in prune]
        if self._turning:
            self._turning.observe(_mean_index(measured, self._parameters))
        if not regrows:
            return capped_counts(prune, self.spare(layers)), 0.0
        pruned = sum(int(count.sum()) for count in prune)
        rho = goal.regrown_share(active=active, places=places, pruned=pruned)
        return prune, 1.0 if self._turned else rho

    def spare(self, layers: Layers) -> int:
        """Synapses that may still go for good before compression ends."""
        active, places = _sizes(layers)
        return 0 if self._turned else self._goal(layers).spare(active=active, places=places)

    def _goal(self, layers: Layers) -> Schedule:
        """The schedule, with the density that the size stands for now."""
        if self._size is None:
            return self._schedule
        return replace(self._schedule, density=self._size.density(layers))

    @property
    def _turned(self) -> bool:
        return self._turning is not None and self._turning.turned


def layer_indices(layers: Layers, parameters: PQParameters) -> list[float]:
    """PQ index of each layer over its active weights."""
    return [
        float(pq_index(w.reshape(1, -1), mask.reshape(1, -1), p=parameters.p, q=parameters.q))
        for w, mask in zip(layers.weights, layers.masks, strict=True)
    ]


def _mean_index(layers: Layers, parameters: PQParameters) -> float:
    """The layers' mean, weighted by their synapses."""
    active = [int(mask.sum()) for mask in layers.masks]
    indices = layer_indices(layers, parameters)
    return sum(d * index for d, index in zip(active, indices, strict=True)) / max(1, sum(active))


def _sizes(layers: Layers) -> tuple[int, int]:
    """Active synapses and places of all layers."""
    return sum(int(m.sum()) for m in layers.masks), sum(m.numel() for m in layers.masks)
