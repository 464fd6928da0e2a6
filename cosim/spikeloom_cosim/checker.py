"""Compares a recording with its expectation, in order and in bulk.

A stream that lost a beat is compared beat by beat all the same: from there on nearly everything
differs, and the first difference is where the beat is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, SupportsInt

import numpy as np
from numpy.typing import NDArray

from spikeloom.reference import Run
from spikeloom_cosim.divergence import KINDS, Divergence, Found, Kind
from spikeloom_cosim.driver import event_steps
from spikeloom_cosim.expectation import COUNTED, Expectation
from spikeloom_cosim.monitor import Recording, ScoreBeats, TraceBeats
from spikeloom_cosim.pauses import Pauses
from spikeloom_cosim.shape import CoreShape, LayerShape
from spikeloom_cosim.simulation import Mode, round_seed
from spikeloom_hw.core.counters import COUNT_BITS, LAYER_COUNTS

NEVER = 1 << 40
"""A cycle after all."""

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
    mode: Mode,
    seed: int = 0,
    looks: NDArray[np.int64] | None = None,
) -> Verdict:
    """Compare everything that was recorded.

    Args:
        expected: what the core must have done.
        recording: what it did.
        shape: the core's ports.
        mode: the mode of the run: it decides when things must have happened.
        seed: of the run.
        looks: int64, what was to be found in loaded memories.
    """
    comparison = _Comparison(expected, recording, shape, mode.name)
    pauses = Pauses(mode, seed)
    run, found = _times(comparison, mode, pauses, shuffle=seed, start=0)
    stalls = None if run is None else run.stalls.sum(axis=0)
    counted = expected.counted.sum(axis=0)
    return _verdict(
        [
            *comparison.beats(),
            *comparison.counters(counted, stalls),
            *comparison.looks(looks),
            *comparison.ending(),
            *found,
        ]
    )


def check_rounds(
    expected: Sequence[Expectation | None],
    recording: Recording,
    shape: CoreShape,
    mode: Mode,
    *,
    seed: int = 0,
    looks: NDArray[np.int64] | None = None,
) -> tuple[Verdict, ...]:
    """Compare a run of several rounds.

    Args:
        expected: what the core must have done in each round; None for one that was struck by a
            reset, of which nothing is compared.
        recording: what it did in all of them.
        shape: the core's ports.
        mode: the mode of the run.
        seed: of the run.
        looks: int64, what was to be found in loaded memories, in all rounds.

    Returns:
        A verdict for each round, and one for the end: the counters, what was looked for, and
        whether it hung.
    """
    verdicts = []
    runs: list[Run | None] = []
    pauses = Pauses(mode, seed)
    parts = list(_rounds(len(expected), recording))
    for number, (own, part) in enumerate(zip(expected, parts, strict=True)):
        if own is None:
            verdicts.append(_verdict([]))
            continue
        comparison = _Comparison(own, part, shape, mode.name)
        shuffle, start = round_seed(seed, number), int(part.rounds[0])
        run, found = _times(comparison, mode, pauses, shuffle=shuffle, start=start)
        runs.append(run)
        verdicts.append(_verdict([*comparison.beats(), *found]))
    whole = [own for own in expected if own is not None]
    ending = _Comparison(whole[-1], recording, shape, mode.name)
    counted = stalls = None
    if len(whole) == len(expected):
        counted = np.stack([own.counted.sum(axis=0) for own in whole]).sum(axis=0)
        known = [run.stalls.sum(axis=0) for run in runs if run is not None]
        stalls = np.stack(known).sum(axis=0) if len(known) == len(runs) else None
    last = [*ending.counters(counted, stalls), *ending.looks(looks), *ending.ending()]
    return (*verdicts, _verdict(last))


def _times(
    comparison: _Comparison, mode: Mode, pauses: Pauses, *, shuffle: int, start: int
) -> tuple[Run | None, list[Found]]:
    """When things must have happened, as far as it is known; and what happened at another time."""
    expected, recording, shape = comparison.expected, comparison.recording, comparison.shape
    timing = expected.timing
    if mode.isolated:
        run = timing and timing.alone
        if mode.idle or mode.stall:
            raise ValueError("samples are isolated without pauses")
        found = [*comparison.cycles(latencies(recording, shape), expected.latency)]
        if run is not None:
            found += comparison.moments(run, recording.starts - 1)
        return run, found
    if mode.full_rate:
        run = timing and timing.together
        found = [*comparison.cycles(result_times(recording, shape), expected.results)]
        first = recording.starts[:1] - 1
    else:
        steps = event_steps(expected.trace.events, shuffle=shuffle if mode.shuffled else None)
        run = expected.at_pace(pauses, steps, start=start)
        found = []
        if run is not None:
            found += comparison.cycles(results(recording, shape), run.results)
        first = np.zeros(1, dtype=np.int64)
    if run is not None:
        found += comparison.cycles(recording.starts - first, run.starts)
        found += comparison.moments(run, np.repeat(first, expected.samples))
    return run, found


def _rounds(rounds: int, recording: Recording) -> Iterator[Recording]:
    """What was recorded in each round; of one that never began, nothing."""
    bounds = [*recording.rounds.tolist(), *[NEVER] * rounds]
    for first, end in pairwise(bounds[: rounds + 1]):

        def within(cycles: NDArray[np.int64], first: int = first, end: int = end) -> Any:
            return (cycles >= first) & (cycles < end)

        yield replace(
            recording,
            traces=tuple(beats.part(within(beats.cycle)) for beats in recording.traces),
            scores=recording.scores.part(within(recording.scores.taken)),
            starts=recording.starts[within(recording.starts)],
            rounds=np.array([first]),
        )


def _verdict(found: Sequence[Found]) -> Verdict:
    counts = Counter[Kind]()
    for one in found:
        counts[one.first.kind] += one.count
    return Verdict(
        mismatches={kind: counts[kind] for kind in KINDS},
        found=min(found, key=lambda one: one.rank, default=None),
    )


def results(recording: Recording, shape: CoreShape) -> NDArray[np.int64]:
    """Int64 [complete samples]: the cycle that first offers each last score."""
    return recording.scores.valid[shape.outputs - 1 :: shape.outputs]


def latencies(recording: Recording, shape: CoreShape) -> NDArray[np.int64]:
    """Int64 [complete samples]: see `spikeloom.reference.Timing`."""
    offered = results(recording, shape)
    complete = min(len(offered), len(recording.starts))
    return offered[:complete] - recording.starts[:complete] + 1


def result_times(recording: Recording, shape: CoreShape) -> NDArray[np.int64]:
    """Int64 [complete samples]: see `spikeloom.reference.Timing`."""
    offered = results(recording, shape)
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
        yield from self._starts(len(self.recording.starts))

    def counters(
        self, counted: NDArray[np.int64] | None, stalls: NDArray[np.int64] | None
    ) -> Iterator[Found]:
        """What the chip counted.

        Args:
            counted: int64 [layers, `COUNTED`], of all samples; None: only the cycles are
                compared.
            stalls: int64 [layers, 2], the other counters; None: it is known what they can not
                exceed.
        """
        counts = self.recording.counts
        yield from self._counter(None, "cycles", counts.cycles, counts.clock)
        if counted is None:
            return
        modulus = 1 << COUNT_BITS
        expected = counted % modulus
        for number, own in enumerate(counts.layers.tolist()):
            values = dict(zip(LAYER_COUNTS, own, strict=True))
            for name, value in zip(COUNTED, expected[number].tolist(), strict=True):
                yield from self._counter(number, name, values[name], value)
            if stalls is None:
                updating = min(values["updating"], counts.clock - values["words"])
                blocked = min(values["blocked"], values["updating"])
            else:
                updating, blocked = (stalls[number] % modulus).tolist()
            yield from self._counter(number, "updating", values["updating"], updating)
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

    def looks(self, expected: NDArray[np.int64] | None) -> Iterator[Found]:
        """What looks into loaded memories found."""
        got, wanted = self.recording.looks, np.zeros(0) if expected is None else expected
        both = min(len(got), len(wanted))
        different = np.flatnonzero(got[:both] != wanted[:both])
        count = len(different) + abs(len(got) - len(wanted))
        if count:
            at = int(different[0]) if len(different) else both
            first = Divergence(
                kind="look",
                mode=self.mode,
                got=int(got[at]) if at < len(got) else None,
                expected=int(wanted[at]) if at < len(wanted) else None,
            )
            yield Found(count=count, order=(-1, 0, 0, 0), first=first)

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

    def moments(self, run: Run, first: NDArray[np.int64]) -> Iterator[Found]:
        """The cycle of every trace beat.

        Args:
            run: when they must have been.
            first: int64 [samples], what its cycles are counted from; fewer if samples lack a start.
        """
        samples = min(len(first), self.samples)
        for number, (layer, beats) in enumerate(
            zip(self.shape.layers, self.recording.traces, strict=True)
        ):
            shown = run.shown[number][:samples] + first[:samples, None]
            cycles = (shown[..., None] + np.arange(layer.groups)).reshape(-1)
            both = min(len(cycles), len(beats))
            different = np.flatnonzero(beats.cycle[:both] != cycles[:both])
            if len(different):
                beat = int(different[0])
                sample_step, group = divmod(beat, layer.groups)
                sample, step = divmod(sample_step, self.steps)
                place = sample, step, number, group * layer.lanes
                yield self._found("cycle", len(different), place, beats.cycle[beat], cycles[beat])

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

    def _starts(self, started: int) -> Iterator[Found]:
        """Samples whose first event was never taken, and surplus ones."""
        if count := abs(started - self.samples):
            more = started > self.samples
            got, expected = (1, None) if more else (None, 1)
            at = (min(started, self.samples), 0, None, 0)
            yield self._found("beat", count, at, got, expected)

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
