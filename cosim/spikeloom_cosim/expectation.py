"""What a core must do on a set of samples, according to the integer reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spikeloom.image import NetworkImage
from spikeloom.packing import SynapseWords
from spikeloom.reference import CycleModel, Pace, Run, Timing, Trace, cycle_times
from spikeloom.reference.cycles import STEP_TO_WALK, update_latency
from spikeloom_hw.core.counters import LAYER_COUNTS

COUNTED = LAYER_COUNTS[:3]
"""The chip's counters whose value the events alone decide."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Expectation:
    """Values and cycles of S samples.

    Attributes:
        trace: every spike, membrane, score and prediction.
        latency: int64 [S], see `spikeloom.reference.Timing`.
        results: int64 [S], see there.
        counted: int64 [S, layers, `COUNTED`], what each layer counts in a sample.
        busy: int64 [layers], cycles in which each layer has work, over all samples.
        timing: the same and more, of every step and layer; None: no more is known.
        clock: tells the cycles at another pace.
    """

    trace: Trace
    latency: NDArray[np.int64]
    results: NDArray[np.int64]
    counted: NDArray[np.int64]
    busy: NDArray[np.int64]
    timing: Timing | None = None
    clock: CycleModel | None = None

    @property
    def samples(self) -> int:
        """Number of samples S."""
        return len(self.trace.events)

    @property
    def steps(self) -> int:
        """Steps of a sample."""
        return self.trace.events.shape[1]

    def at_pace(self, pace: Pace, steps: Sequence[Sequence[int]], *, start: int) -> Run | None:
        """When what happens at another pace of events and scores; see `CycleModel.run`."""
        if self.clock is None:
            return None
        return self.clock.run(self.trace, steps=steps, pace=pace, start=start)

    def only(self, sample: int) -> Expectation:
        """The expectation of one sample, alone."""
        part = self._part(slice(sample, sample + 1))
        timing = part.timing and Timing(alone=part.timing.alone, together=part.timing.alone)
        return replace(part, results=part.latency, timing=timing)

    def until(self, sample: int) -> Expectation:
        """The expectation of all samples up to and with `sample`."""
        return self._part(slice(sample + 1))

    def _part(self, samples: slice) -> Expectation:
        timing = self.timing and Timing(
            alone=self.timing.alone.part(samples), together=self.timing.together.part(samples)
        )
        return replace(
            self,
            trace=_chosen(self.trace, samples),
            latency=self.latency[samples],
            results=self.results[samples],
            counted=self.counted[samples],
            timing=timing,
        )


def expect(
    image: NetworkImage,
    trace: Trace,
    packed: Sequence[SynapseWords],
    *,
    overlapped: Sequence[bool] | None = None,
) -> Expectation:
    """What a core must do; see `spikeloom.reference.cycle_times` for what makes the core."""
    apart = overlapped or [False] * len(packed)
    timing = cycle_times(image, trace, packed, overlapped=apart)
    counted = np.stack([_counted(trace, number, own) for number, own in enumerate(packed)], axis=1)
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
        timing=timing,
        clock=CycleModel(image=image, packed=packed, overlapped=apart),
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
        arrived=trace.arrived[samples],
        scores=trace.scores[samples],
        predictions=trace.predictions[samples],
    )
