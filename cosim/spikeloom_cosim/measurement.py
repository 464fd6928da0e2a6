"""The cycles that a core was measured to take."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from spikeloom_cosim.checker import latencies, result_times
from spikeloom_cosim.expectation import Expectation
from spikeloom_cosim.monitor import Recording
from spikeloom_cosim.shape import CoreShape
from spikeloom_cosim.simulation import Mode
from spikeloom_cosim.work import LayerWork, layer_work


class BusiestLayer(msgspec.Struct, frozen=True, kw_only=True):
    """The layer that sets the pace: the one with the most cycles of work.

    Attributes:
        name: of the layer.
        sop_per_cycle_per_lane: its own synaptic operations at full rate, by cycle and by its own
            lanes.
    """

    name: str
    sop_per_cycle_per_lane: float


class Cycles(msgspec.Struct, frozen=True, kw_only=True):
    """What the core was measured to take.

    Attributes:
        mean: mean latency: cycles of a sample that has the core for itself, see
            `spikeloom.reference.Timing`.
        max: the longest latency.
        p99: the latency that 99 % of the samples did not exceed.
        interval: mean cycles between results when the samples follow each other at full rate.
        sop_per_cycle_per_lane: synaptic operations at full rate, by cycle and by lane of all
            layers: 1 is a core whose every lane always works.
        busiest_layer: the one that sets the pace, and how full its lanes are.
    """

    mean: float
    max: int
    p99: int
    interval: float
    sop_per_cycle_per_lane: float
    busiest_layer: BusiestLayer


@dataclass(frozen=True, kw_only=True, eq=False)
class Measurement:
    """What the runs of some samples recorded.

    Attributes:
        latency: int64 [samples], isolated.
        cycles: streaming, from the first event to the last result.
        counts: int64 [layers, counters], streaming, by the chip.
        busy: int64 [layers], see `Expectation`.
    """

    latency: NDArray[np.int64]
    cycles: int
    counts: NDArray[np.int64]
    busy: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        expected: Expectation,
        shape: CoreShape,
        recordings: Iterable[tuple[Mode, Recording]],
    ) -> Self | None:
        """What the recordings of all modes tell; None when one lacks results."""
        latency = times = counts = None
        for mode, recording in recordings:
            if mode.isolated:
                latency = latencies(recording, shape)
            elif mode.full_rate:
                times, counts = result_times(recording, shape), recording.counts.layers
        if latency is None or times is None or counts is None:
            return None
        if min(len(latency), len(times)) < expected.samples:
            return None
        return cls(latency=latency, cycles=int(times[-1]), counts=counts, busy=expected.busy)

    @classmethod
    def together(cls, parts: Iterable[Self | None]) -> Self | None:
        """The measurements of parts of the samples as one; None when one is missing."""
        known: list[Self] = []
        for part in parts:
            if part is None:
                return None
            known.append(part)
        return cls(
            latency=np.concatenate([part.latency for part in known]),
            cycles=sum(part.cycles for part in known),
            counts=sum((part.counts for part in known[1:]), known[0].counts),
            busy=sum((part.busy for part in known[1:]), known[0].busy),
        )

    def layers(self, shape: CoreShape) -> tuple[LayerWork, ...]:
        """What each layer did."""
        return layer_work(self.counts, shape, self.cycles)

    def summary(self, shape: CoreShape) -> Cycles:
        """The figures of the report."""
        work = self.layers(shape)
        busiest = work[int(np.argmax(self.busy))]
        operations, lanes = sum(own.operations for own in work), sum(own.lanes for own in work)
        return Cycles(
            mean=float(self.latency.mean()),
            max=int(self.latency.max()),
            p99=int(np.percentile(self.latency, 99, method="higher")),
            interval=self.cycles / len(self.latency),
            sop_per_cycle_per_lane=operations / (self.cycles * lanes),
            busiest_layer=BusiestLayer(
                name=busiest.name, sop_per_cycle_per_lane=busiest.sop_per_cycle_per_lane
            ),
        )
