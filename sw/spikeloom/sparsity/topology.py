"""Where synapses are at the start: random graphs with an exact number of edges."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt, prod
from typing import Literal

import torch
from torch import Tensor

__all__ = ["Distribution", "layer_counts", "local_scores", "random_mask"]

Distribution = Literal["erdos-renyi", "erk", "uniform"]


def layer_counts(
    shapes: Sequence[tuple[int, ...]], density: float, distribution: Distribution
) -> list[int]:
    """Synapses of each layer.

    "uniform" gives each layer the same density. "erdos-renyi" makes a layer's density proportional
    to (inputs + outputs) / (inputs * outputs) (Mocanu et al., Nature Communications 9, 2018), with
    channels in place of neurons for a convolution; "erk", the Erdős–Rényi kernel, counts the
    kernel's sides like them (Evci et al., ICML 2020). So small layers stay denser; a layer that
    would exceed 1 is dense and the rest share what is left.

    Args:
        shapes: of each layer's weight tensor.
        density: synapses / places over all layers, 0 < density <= 1.
        distribution: how to share them.

    Returns:
        Counts that sum to round(density * places) exactly, each at most its layer's places.

    Raises:
        ValueError: `density` is out of range.
    """
    if not 0 < density <= 1:
        raise ValueError(f"density must lie in (0, 1], not {density!r}")
    places = [prod(shape) for shape in shapes]
    total = round(density * sum(places))
    if distribution == "uniform":
        return _share(total, [float(n) for n in places], places)
    if distribution == "erk":
        # density_l = epsilon * sum(shape) / prod(shape), so that count_l = epsilon * sum(shape)
        return _share(total, [float(sum(shape)) for shape in shapes], places)
    return _share(total, [float(sum(shape[:2]) * prod(shape[2:])) for shape in shapes], places)


def random_mask(shape: tuple[int, ...], count: int, generator: torch.Generator) -> Tensor:
    """A bool tensor with exactly `count` True, uniform over all such masks: the graph G(n, m).

    Raises:
        ValueError: `count` does not fit.
    """
    places = prod(shape)
    if not 0 <= count <= places:
        raise ValueError(f"count must be 0 to {places}, not {count!r}")
    mask = torch.zeros(places, dtype=torch.bool)
    mask[torch.randperm(places, generator=generator)[:count]] = True
    return mask.reshape(shape)


def local_scores(shape: tuple[int, ...], generator: torch.Generator, *, banks: int = 1) -> Tensor:
    """How near each input lies to a neuron's receptive field; the best places make a local mask.

    Inputs are the pixels of a square image. Centres lie all over the image but its edge; sizes are
    log-normal, and noise roughens the borders. The `banks` neurons that share an address have
    centres near each other, so that a pixel near them finds a place in every bank: words fill
    themselves. Networks with receptive fields know from the start that near pixels belong together
    (McDonnell et al., PLoS ONE 10(8), 2015).

    Args:
        shape: neurons and inputs, a square number.
        generator: draws centres, sizes and noise.
        banks: neuron n lives in bank n mod banks.

    Returns:
        Float [neurons, inputs], larger is nearer.

    Raises:
        ValueError: the inputs are no square number.
    """
    neurons, inputs = shape
    side = isqrt(inputs)
    if side * side != inputs:
        raise ValueError(f"inputs must be a square number, not {inputs!r}")
    addresses = -(-neurons // banks)
    # Additive recurrence with the plastic number: any number of points, evenly spread.
    spread = torch.arange(1, addresses + 1)[:, None] * torch.tensor([0.7548776662, 0.5698402910])
    spread = (spread + torch.rand(1, 2, generator=generator)) % 1.0
    jitter = (torch.rand(neurons, 2, generator=generator) - 0.5) / addresses**0.5
    edge = side / 7
    centre = edge + (side - 2 * edge) * (spread.repeat_interleave(banks, 0)[:neurons] + jitter)
    size = torch.exp(0.5 * torch.randn(neurons, 1, generator=generator))
    pixel = torch.arange(inputs)
    row, column = pixel // side, pixel % side
    distance = (row - centre[:, :1]) ** 2 + (column - centre[:, 1:]) ** 2
    return 4 * torch.rand(shape, generator=generator) - distance / size


def _share(total: int, weights: list[float], limits: list[int]) -> list[int]:
    """Integers proportional to `weights` that sum to `total`, none above its limit."""
    full: set[int] = set()
    while True:
        free = [i for i in range(len(limits)) if i not in full]
        left = total - sum(limits[i] for i in full)
        unit = left / sum(weights[i] for i in free) if free else 0.0
        over = {i for i in free if weights[i] * unit > limits[i]}
        if not over:
            break
        full |= over
    exact = [float(limits[i]) if i in full else weights[i] * unit for i in range(len(limits))]
    counts = [int(value) for value in exact]
    by_remainder = sorted(free, key=lambda i: exact[i] - counts[i], reverse=True)
    for i in by_remainder[: total - sum(counts)]:
        counts[i] += 1
    return counts
