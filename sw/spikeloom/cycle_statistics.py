"""Cycles over a whole split, by the cycle model that co-simulation holds to the RTL."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from spikeloom.datasets import Split
from spikeloom.evaluation import encoded_batches
from spikeloom.image import NetworkImage
from spikeloom.packing import SynapseWords
from spikeloom.reference import simulate
from spikeloom.reference.cycles import cycle_times

BATCH = 250


class CycleSpread(msgspec.Struct, frozen=True, kw_only=True):
    """Cycles of a sample: the mean, the least that 99 % do not exceed, and the most."""

    mean: float
    p99: int
    max: int


class CycleStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """What a core takes for the samples of a split.

    Attributes:
        samples: counted.
        latency: of a sample that has the core for itself.
        interval: between results, with samples back to back.
        operations: synaptic operations of each layer in a sample, on average.
    """

    samples: int
    latency: CycleSpread
    interval: CycleSpread
    operations: tuple[float, ...]


def count_cycles(
    image: NetworkImage,
    split: Split,
    packed: Sequence[SynapseWords],
    *,
    overlapped: Sequence[bool] | None = None,
    done: Callable[[int], object] = lambda _: None,
) -> CycleStatistics:
    """The cycles of every sample of `split`, when the layers are packed as `packed`.

    Args:
        image: the network.
        split: of two samples or more.
        packed: each layer's words.
        overlapped: of each layer, whether its sums stand apart from its membranes; none do if
            not given.
        done: is told of each batch how many samples it had.
    """
    latency: list[NDArray[np.int64]] = []
    interval: list[NDArray[np.int64]] = []
    operations = np.zeros(len(image.layers), dtype=np.int64)
    for events, labels in encoded_batches(
        split, encoding=image.encoding, time_steps=image.time_steps, batch_size=BATCH
    ):
        trace = simulate(image, events)
        times = cycle_times(image, trace, packed, overlapped=overlapped)
        latency.append(times.latency)
        interval.append(np.diff(times.results))
        operations += trace.operations.sum(axis=0)
        done(len(labels))
    return CycleStatistics(
        samples=len(split),
        latency=_spread(np.concatenate(latency)),
        interval=_spread(np.concatenate(interval)),
        operations=tuple((operations / len(split)).round(2).tolist()),
    )


def _spread(cycles: NDArray[np.int64]) -> CycleSpread:
    return CycleSpread(
        mean=round(float(cycles.mean()), 2),
        p99=int(np.percentile(cycles, 99, method="inverted_cdf")),
        max=int(cycles.max()),
    )
