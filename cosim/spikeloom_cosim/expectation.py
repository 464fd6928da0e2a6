"""What a core must do on a set of samples, according to the integer reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spikeloom.image import NetworkImage
from spikeloom.packing import SynapseWords
from spikeloom.reference import Trace, cycle_times
from spikeloom.reference.cycles import STEP_TO_WALK, update_latency
from spikeloom_hw.core.counters import LAYER_COUNTS

COUNTED = LAYER_COUNTS[:3]
"""The chip's counters whose value the events alone decide."""
UNCOUNTED = 2
"""Cycles from a step's end to the first that counts as updating: the STEP is on its way."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Expectation:
    """Values and cycles of S samples.

    Attributes:
        trace: every spike, membrane, score and prediction.
        latency: int64 [S], see `spikeloom.reference.Timing`.
        results: int64 [S], see there.
        counted: int64 [S, layers, `COUNTED`], what each layer counts in a sample.
        busy: int64 [layers], cycles in which each layer has work, over all samples.
        walks: cycles that each layer counts as updating in a sample, waits aside; None for one
            whose updates hide behind rows. Empty: nothing is known.
    """

    trace: Trace
    latency: NDArray[np.int64]
    results: NDArray[np.int64]
    counted: NDArray[np.int64]
    busy: NDArray[np.int64]
    walks: tuple[int | None, ...] = ()

    @property
    def samples(self) -> int:
        """Number of samples S."""
        return len(self.trace.events)

    @property
    def steps(self) -> int:
        """Steps of a sample."""
        return self.trace.events.shape[1]

    def only(self, sample: int) -> Expectation:
        """The expectation of one sample, alone."""
        chosen = slice(sample, sample + 1)
        return Expectation(
            trace=_chosen(self.trace, chosen),
            latency=self.latency[chosen],
            results=self.latency[chosen],
            counted=self.counted[chosen],
            busy=self.busy,
            walks=self.walks,
        )

    def until(self, sample: int) -> Expectation:
        """The expectation of all samples up to and with `sample`."""
        chosen = slice(sample + 1)
        return Expectation(
            trace=_chosen(self.trace, chosen),
            latency=self.latency[chosen],
            results=self.results[chosen],
            counted=self.counted[chosen],
            busy=self.busy,
            walks=self.walks,
        )


def expect(
    image: NetworkImage,
    trace: Trace,
    packed: Sequence[SynapseWords],
    *,
    overlapped: Sequence[bool] | None = None,
) -> Expectation:
    """What a core must do; see `spikeloom.reference.cycle_times` for what makes the core."""
    timing = cycle_times(image, trace, packed, overlapped=overlapped)
    counted = np.stack([_counted(trace, number, own) for number, own in enumerate(packed)], axis=1)
    apart = overlapped or [False] * len(packed)
    busy = [
        _busy(image, trace, number, own, overlapped=apart[number])
        for number, own in enumerate(packed)
    ]
    return Expectation(
        trace=trace,
        latency=timing.latency,
        results=timing.results,
        counted=counted,
        busy=np.array(busy, dtype=np.int64),
        walks=tuple(
            None if apart[number] else image.time_steps * (_walk(image, number, own) - UNCOUNTED)
            for number, own in enumerate(packed)
        ),
    )


def _counted(trace: Trace, number: int, words: SynapseWords) -> NDArray[np.int64]:
    events = trace.inputs_of(number).sum(axis=1, dtype=np.int64)
    return np.stack([events.sum(axis=1), events @ words.count, trace.operations[:, number]], axis=1)


def _busy(
    image: NetworkImage, trace: Trace, number: int, words: SynapseWords, *, overlapped: bool
) -> int:
    """Cycles in which a layer reads words or updates neurons, over all samples."""
    samples, steps = trace.events.shape[:2]
    events = trace.inputs_of(number).sum(axis=(0, 1))
    reads = int(events @ words.count)
    walks = samples * steps * _walk(image, number, words)
    return max(reads, walks) if overlapped else reads + walks


def _walk(image: NetworkImage, number: int, words: SynapseWords) -> int:
    """Cycles from a step's end to the next row."""
    return STEP_TO_WALK + words.groups + update_latency(image.layers[number].leak) - 4


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
