"""Compares a recording with its expectation, in order and in bulk.

A stream that lost a beat is compared beat by beat all the same: from there on nearly everything
differs, and the first difference is where the beat is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, SupportsInt

import numpy as np
from numpy.typing import NDArray

from spikeloom_cosim.divergence import KINDS, Divergence, Found, Kind
from spikeloom_cosim.expectation import COUNTED, Expectation
from spikeloom_cosim.monitor import Recording, ScoreBeats, TraceBeats
from spikeloom_cosim.shape import CoreShape, LayerShape
from spikeloom_cosim.simulation import Mode
from spikeloom_hw.core.counters import COUNT_BITS, LAYER_COUNTS

Place = tuple[int, int | None, int | None, int]
"""Sample, step, layer, neuron; None: not of one step, not of one layer."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a comparison found.

    Attributes:
        mismatches: number of differences of each kind.
        found: the first difference by sample, step, layer, neuron; None if all is equal.
    """

    mismatches: dict[Kind, int]
    found: Found | None

    @property
    def equal(self) -> bool:
        """No difference of any kind."""
        return self.found is None


def check(
    expected: Expectation,
    recording: Recording,
    shape: CoreShape,
    *,
    mode: str,
    latency: bool = False,
    times: bool = False,
) -> Verdict:
    """Compare everything that was recorded.

    Args:
        expected: what the core must have done.
        recording: what it did.
        shape: the core's ports.
        mode: name of the run's mode, for the report.
        latency: compare each sample's latency: the samples were isolated.
        times: compare the time of each result: the samples came at full rate.
    """
    comparison = _Comparison(expected, recording, shape, mode)
    found = [
        *comparison.beats(),
        *comparison.counters(expected.counted.sum(axis=0)),
        *comparison.ending(),
    ]
    if latency:
        found += comparison.cycles(latencies(recording, shape), expected.latency)
    if times:
        found += comparison.cycles(result_times(recording, shape), expected.results)
    return _verdict(found)


def check_rounds(
    expected: Sequence[Expectation], recording: Recording, shape: CoreShape, mode: Mode
) -> tuple[Verdict, ...]:
    """Compare a run of several rounds.

    Args:
        expected: what the core must have done in each round.
        recording: what it did in all of them.
        shape: the core's ports.
        mode: the mode of the run.

    Returns:
        A verdict for each round, and one for the end: the counters, and whether it hung.
    """
    verdicts = []
    for own, part in zip(expected, _rounds(expected, recording, shape), strict=True):
        comparison = _Comparison(own, part, shape, mode.name)
        found = [*comparison.beats()]
        if mode.isolated:
            found += comparison.cycles(latencies(part, shape), own.latency)
        if mode.full_rate:
            found += comparison.cycles(result_times(part, shape), own.results)
        verdicts.append(_verdict(found))
    counted = np.sum([own.counted.sum(axis=0) for own in expected], axis=0)
    ending = _Comparison(expected[-1], recording, shape, mode.name)
    return (*verdicts, _verdict([*ending.counters(counted), *ending.ending()]))


def _rounds(
    expected: Sequence[Expectation], recording: Recording, shape: CoreShape
) -> Iterator[Recording]:
    """What was recorded in each round, if no round lacks a beat; the last has what is too much."""
    samples = np.cumsum([0, *(own.samples for own in expected)]).tolist()
    steps = np.cumsum([0, *(own.samples * own.steps for own in expected)]).tolist()
    for at in range(len(expected)):
        last = at == len(expected) - 1

        def part(bounds: list[int], each: int, at: int = at, last: bool = last) -> slice:
            return slice(bounds[at] * each, None if last else bounds[at + 1] * each)

        yield replace(
            recording,
            traces=tuple(
                beats.part(part(steps, layer.groups))
                for layer, beats in zip(shape.layers, recording.traces, strict=True)
            ),
            scores=recording.scores.part(part(samples, shape.outputs)),
            starts=recording.starts[part(samples, 1)],
        )


def _verdict(found: Sequence[Found]) -> Verdict:
    counts = Counter[Kind]()
    for one in found:
        counts[one.first.kind] += one.count
    return Verdict(
        mismatches={kind: counts[kind] for kind in KINDS},
        found=min(found, key=lambda one: one.rank, default=None),
    )


def latencies(recording: Recording, shape: CoreShape) -> NDArray[np.int64]:
    """Int64 [complete samples]: see `spikeloom.reference.Timing`."""
    offered = recording.scores.valid[shape.outputs - 1 :: shape.outputs]
    complete = min(len(offered), len(recording.starts))
    return offered[:complete] - recording.starts[:complete] + 1


def result_times(recording: Recording, shape: CoreShape) -> NDArray[np.int64]:
    """Int64 [complete samples]: see `spikeloom.reference.Timing`."""
    offered = recording.scores.valid[shape.outputs - 1 :: shape.outputs]
    return offered - recording.starts[:1] + 1 if len(recording.starts) else offered[:0]


class _Comparison:
    """The comparisons, each a generator of what it found."""

    def __init__(
        self, expected: Expectation, recording: Recording, shape: CoreShape, mode: str
    ) -> None:
        self.expected, self.recording, self.shape, self.mode = expected, recording, shape, mode
        self.samples, self.steps = expected.samples, expected.steps

    def beats(self) -> Iterator[Found]:
        trace = self.expected.trace
        for number, (layer, beats) in enumerate(
            zip(self.shape.layers, self.recording.traces, strict=True)
        ):
            spikes, membranes = trace.spikes[number], trace.membranes[number]
            yield from self._layer(number, layer, beats, spikes, membranes)
        yield from self._scores(self.recording.scores)

    def counters(self, counted: NDArray[np.int64]) -> Iterator[Found]:
        """What the events decide is compared; of the rest it is known what it can not exceed.

        Args:
            counted: int64 [layers, `COUNTED`], of all samples.
        """
        counts = self.recording.counts
        yield from self._counter(None, "cycles", counts.cycles, counts.clock)
        modulus = 1 << COUNT_BITS
        expected = counted % modulus
        for number, own in enumerate(counts.layers.tolist()):
            values = dict(zip(LAYER_COUNTS, own, strict=True))
            for name, value in zip(COUNTED, expected[number].tolist(), strict=True):
                yield from self._counter(number, name, values[name], value)
            walks = self.expected.walks[number] if self.expected.walks else None
            if walks is None:
                updating = min(values["updating"], counts.clock - values["words"])
            else:
                updating = (self.samples * walks + values["blocked"]) % modulus
            yield from self._counter(number, "updating", values["updating"], updating)
            blocked = min(values["blocked"], values["updating"])
            yield from self._counter(number, "blocked", values["blocked"], blocked)

    def _counter(self, layer: int | None, name: str, got: int, expected: int) -> Iterator[Found]:
        if got != expected:
            first = Divergence(
                kind="counter",
                mode=self.mode,
                layer=None if layer is None else self.shape.layers[layer].name,
                counter=name,
                got=got,
                expected=expected,
            )
            order = (self.samples, 0, -1 if layer is None else layer, 0)
            yield Found(count=1, order=order, first=first)

    def ending(self) -> Iterator[Found]:
        outcome = self.recording.outcome
        if outcome.unstable:
            first = Divergence(kind="protocol", mode=self.mode, got=outcome.unstable, expected=0)
            yield Found(count=outcome.unstable, order=(self.samples, 0, 0, 0), first=first)
        if outcome.hung:
            first = Divergence(
                kind="hang", mode=self.mode, got=outcome.results, expected=self.samples
            )
            yield Found(count=1, order=(self.samples, 0, 0, 0), first=first)

    def cycles(self, got: NDArray[np.int64], expected: NDArray[np.int64]) -> Iterator[Found]:
        # A sample without a result is a missing beat, and counted as one.
        both = min(len(got), len(expected))
        different = np.flatnonzero(got[:both] != expected[:both])
        if len(different):
            sample = int(different[0])
            yield self._found(
                "cycle", len(different), (sample, None, None, 0), got[sample], expected[sample]
            )

    def _layer(
        self,
        number: int,
        layer: LayerShape,
        beats: TraceBeats,
        spikes: NDArray[np.bool_],
        membranes: NDArray[np.int32],
    ) -> Iterator[Found]:
        groups, lanes = layer.groups, layer.lanes
        total = self.samples * self.steps * groups
        both = min(len(beats), total)

        def place(beat: int, lane: int = 0) -> Place:
            sample_step, group = divmod(beat, groups)
            sample, step = divmod(sample_step, self.steps)
            return sample, step, number, group * lanes + lane

        yield from self._stream(
            beats.group[:both], np.arange(both) % groups, len(beats), total, place
        )
        kinds: tuple[tuple[Kind, NDArray[Any], NDArray[Any]], ...] = (
            ("spike", beats.spikes, spikes),
            ("membrane", beats.membranes, membranes),
        )
        for kind, got, reference in kinds:
            # What no neuron fills must stay silent and zero, like everything else that is known.
            padding = ((0, 0), (0, 0), (0, groups * lanes - layer.neurons))
            expected = np.pad(reference, padding).reshape(total, lanes)
            different = got[:both] != expected[:both]
            if count := int(np.count_nonzero(different)):
                beat, lane = divmod(int(different.argmax()), lanes)
                at = place(beat, lane)
                yield self._found(kind, count, at, got[beat, lane], expected[beat, lane])

    def _scores(self, beats: ScoreBeats) -> Iterator[Found]:
        trace, outputs = self.expected.trace, self.shape.outputs
        total = self.samples * outputs
        both = min(len(beats), total)
        layer = len(self.shape.layers) - 1

        def place(beat: int) -> Place:
            sample, neuron = divmod(beat, outputs)
            return sample, None, layer, neuron

        ends = np.arange(both) % outputs == outputs - 1
        yield from self._stream(beats.last[:both], ends, len(beats), total, place)
        comparisons: tuple[tuple[Kind, NDArray[Any], NDArray[Any], NDArray[Any]], ...] = (
            ("score", beats.value[:both], trace.scores.reshape(-1)[:both], np.arange(both)),
            (
                "prediction",
                beats.best[:both][ends],
                trace.predictions[: ends.sum()],
                np.flatnonzero(ends),
            ),
        )
        for kind, got, expected, beat in comparisons:
            different = np.flatnonzero(got != expected)
            if len(different):
                first = int(different[0])
                at = place(int(beat[first]))
                yield self._found(kind, len(different), at, got[first], expected[first])

    def _stream(
        self,
        got: NDArray[Any],
        expected: NDArray[Any],
        recorded: int,
        total: int,
        place: Callable[[int], Place],
    ) -> Iterator[Found]:
        """Beats out of turn, missing and surplus; `got` and `expected` tell a beat's turn."""
        different = np.flatnonzero(got != expected)
        if len(different):
            first = int(different[0])
            yield self._found("beat", len(different), place(first), got[first], expected[first])
        if recorded < total:
            yield self._found("beat", total - recorded, place(recorded), None, 1)
        if recorded > total:
            yield self._found("beat", recorded - total, place(total), 1, None)

    def _found(
        self,
        kind: Kind,
        count: int,
        at: Place,
        got: SupportsInt | None,
        expected: SupportsInt | None,
    ) -> Found:
        sample, step, layer, neuron = at
        return Found(
            count=count,
            order=(
                sample,
                self.steps if step is None else step,
                len(self.shape.layers) if layer is None else layer,
                neuron,
            ),
            first=Divergence(
                kind=kind,
                mode=self.mode,
                sample=sample,
                step=step,
                layer=None if layer is None else self.shape.layers[layer].name,
                neuron=None if layer is None or kind == "prediction" else neuron,
                got=None if got is None else int(got),
                expected=None if expected is None else int(expected),
            ),
        )
