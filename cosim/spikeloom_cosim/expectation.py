"""What a core must do on a set of samples, according to the integer reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spikeloom.image import NetworkImage
from spikeloom.reference import Trace, cycle_times


@dataclass(frozen=True, kw_only=True, eq=False)
class Expectation:
    """Values and cycles of S samples.

    Attributes:
        trace: every spike, membrane, score and prediction.
        latency: int64 [S], see `spikeloom.reference.Timing`.
        results: int64 [S], see there.
    """

    trace: Trace
    latency: NDArray[np.int64]
    results: NDArray[np.int64]

    @property
    def samples(self) -> int:
        """Number of samples S."""
        return len(self.trace.events)

    def only(self, sample: int) -> Expectation:
        """The expectation of one sample, alone."""
        chosen = slice(sample, sample + 1)
        return Expectation(
            trace=_chosen(self.trace, chosen),
            latency=self.latency[chosen],
            results=self.latency[chosen],
        )

    def until(self, sample: int) -> Expectation:
        """The expectation of all samples up to and with `sample`."""
        chosen = slice(sample + 1)
        return Expectation(
            trace=_chosen(self.trace, chosen),
            latency=self.latency[chosen],
            results=self.results[chosen],
        )


def expect(image: NetworkImage, trace: Trace, lanes: Sequence[int]) -> Expectation:
    """What a core with `lanes` lanes in each layer must do, where `trace` is of `image`."""
    timing = cycle_times(image, trace, lanes)
    return Expectation(trace=trace, latency=timing.latency, results=timing.results)


def _chosen(trace: Trace, samples: slice) -> Trace:
    return replace(
        trace,
        events=trace.events[samples],
        spikes=tuple(spikes[samples] for spikes in trace.spikes),
        membranes=tuple(membranes[samples] for membranes in trace.membranes),
        operations=trace.operations[samples],
        scores=trace.scores[samples],
        predictions=trace.predictions[samples],
    )
