"""Recordings that an equal core leaves, in every mode, of a network of three layers.

They are built from the expectation beat by beat, by plain loops, and share no code with what
compares them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from spikeloom.arithmetic import ShiftLeak
from spikeloom.packing import pack_network
from spikeloom.reference import Run, simulate
from spikeloom_cosim.driver import event_steps
from spikeloom_cosim.expectation import Expectation, expect
from spikeloom_cosim.monitor import Counts, Recording, ScoreBeats, TraceBeats
from spikeloom_cosim.outcome import Outcome
from spikeloom_cosim.pauses import Pauses
from spikeloom_cosim.shape import CoreShape, LayerShape
from spikeloom_cosim.simulation import Mode

from .networks import random_network

SIZES, LANES, OVERLAPPED = (9, 7, 6, 5), (2, 4, 2), (False, True, False)
STEPS = 3
NAMES = tuple(f"layer{number}" for number in range(len(LANES)))
IMAGE = random_network(SIZES, leak=ShiftLeak(shift=2), bias=2, density=0.6, time_steps=STEPS)
PACKED = pack_network(IMAGE, LANES)
# Every layer's last group has room for a neuron that is not there.
SHAPE = CoreShape(
    address_bits=4,
    score_bits=12,
    label_bits=3,
    layers=tuple(
        LayerShape(name=name, neurons=neurons, lanes=lanes, group_bits=3, membrane_bits=10)
        for name, neurons, lanes in zip(NAMES, SIZES[1:], LANES, strict=True)
    ),
)
OUTPUTS = SIZES[-1]
GROUPS = tuple(layer.groups for layer in SHAPE.layers)


def expected_of(samples: int, *, seed: int = 1) -> Expectation:
    """What a core of `IMAGE` does on random events."""
    events = np.random.default_rng(seed).random((samples, STEPS, SIZES[0])) < 0.5
    return expect(IMAGE, simulate(IMAGE, events), PACKED, overlapped=OVERLAPPED)


def perfect(
    expected: Expectation,
    mode: Mode,
    *,
    seed: int = 0,
    steps: Sequence[Sequence[int]] | None = None,
    first: int = 0,
) -> Recording:
    """What an equal core leaves of a run, or of a round of one.

    Args:
        expected: what it does.
        mode: the mode of the run.
        seed: of the run's pauses.
        steps: the addresses of each step, in the order in which they come; in the order that the
            seed gives if not given.
        first: the cycle before the one in which the first event can be offered.
    """
    run, before = _times(expected, mode, seed=seed, steps=steps, first=first)
    samples = expected.samples
    traces = []
    for number, (groups, lanes) in enumerate(zip(GROUPS, LANES, strict=True)):
        beats: list[tuple[int, int, list[bool], list[int]]] = []
        for sample in range(samples):
            for step in range(STEPS):
                spikes = expected.trace.spikes[number][sample, step].tolist()
                membranes = expected.trace.membranes[number][sample, step].tolist()
                spikes += [False] * (groups * lanes - len(spikes))
                membranes += [0] * (groups * lanes - len(membranes))
                shown = int(run.shown[number][sample, step]) + before[sample]
                for group in range(groups):
                    own = slice(group * lanes, (group + 1) * lanes)
                    beats.append((shown + group, group, spikes[own], membranes[own]))
        cycle, group, spikes, membranes = zip(*beats, strict=True)
        traces.append(
            TraceBeats(
                cycle=np.array(cycle),
                group=np.array(group),
                spikes=np.array(spikes),
                membranes=np.array(membranes, dtype=np.int32),
            )
        )
    valid, best, last = [], [], []
    for sample in range(samples):
        for neuron in range(OUTPUTS):
            at = int(run.results[sample]) + before[sample]
            valid.append(at - (OUTPUTS - 1 - neuron))
            best.append(int(expected.trace.predictions[sample]))
            last.append(neuron == OUTPUTS - 1)
    end = valid[-1] + 20
    layers = [
        [*expected.counted[:, number].sum(axis=0), *run.stalls[:, number].sum(axis=0)]
        for number in range(len(LANES))
    ]
    return Recording(
        outcome=Outcome(cycles=end, results=samples, unstable=0, hung=False),
        traces=tuple(traces),
        scores=ScoreBeats(
            valid=np.array(valid),
            taken=np.array(valid) + 1,
            value=expected.trace.scores.ravel().astype(np.int32),
            best=np.array(best),
            last=np.array(last),
        ),
        starts=np.array([int(run.starts[at]) + before[at] for at in range(samples)]),
        counts=Counts(cycles=end + 100, clock=end + 100, layers=np.array(layers)),
        rounds=np.array([first]),
    )


def _times(
    expected: Expectation,
    mode: Mode,
    *,
    seed: int,
    steps: Sequence[Sequence[int]] | None,
    first: int,
) -> tuple[Run, list[int]]:
    """When things happen, and for each sample what its cycles are counted from."""
    assert expected.timing is not None
    samples = expected.samples
    if mode.isolated:
        alone = expected.timing.alone
        before = [first + 5]
        for sample in range(1, samples):
            # The next one comes when the last score is gone.
            before.append(before[-1] + int(alone.results[sample - 1]) + 2)
        return alone, before
    if mode.full_rate:
        return expected.timing.together, [first + 3] * samples
    if steps is None:
        steps = event_steps(expected.trace.events, shuffle=seed if mode.shuffled else None)
    run = expected.at_pace(Pauses(mode, seed), steps, start=first)
    assert run is not None
    return run, [0] * samples


def together(parts: Sequence[Recording]) -> Recording:
    """One recording of rounds that follow each other."""
    return Recording(
        outcome=replace_outcome(parts[-1], results=sum(len(part.starts) for part in parts)),
        traces=tuple(
            TraceBeats(
                **{
                    name: np.concatenate([getattr(part.traces[number], name) for part in parts])
                    for name in ("cycle", "group", "spikes", "membranes")
                }
            )
            for number in range(len(LANES))
        ),
        scores=ScoreBeats(
            **{
                name: np.concatenate([getattr(part.scores, name) for part in parts])
                for name in ("valid", "taken", "value", "best", "last")
            }
        ),
        starts=np.concatenate([part.starts for part in parts]),
        counts=replace(parts[-1].counts, layers=sum(part.counts.layers for part in parts)),
        rounds=np.concatenate([part.rounds for part in parts]),
    )


def replace_outcome(recording: Recording, **changes: object) -> Outcome:
    """The recording's outcome, with changes."""
    known = {name: getattr(recording.outcome, name) for name in Outcome.__struct_fields__}
    return Outcome(**{**known, **changes})


def with_trace(recording: Recording, layer: int, **columns: np.ndarray) -> Recording:
    """The recording with columns of a layer's trace replaced."""
    traces = list(recording.traces)
    traces[layer] = replace(traces[layer], **columns)
    return replace(recording, traces=tuple(traces))


def with_scores(recording: Recording, **columns: np.ndarray) -> Recording:
    """The recording with columns of the scores replaced."""
    return replace(recording, scores=replace(recording.scores, **columns))


def with_counts(recording: Recording, **columns: object) -> Recording:
    """The recording with other counts."""
    return replace(recording, counts=replace(recording.counts, **columns))


def off(column: np.ndarray, *place: int, by: int = 1) -> np.ndarray:
    """The column with one entry changed: flipped if it is a truth."""
    changed = column.copy()
    changed[place] = not changed[place] if changed.dtype == bool else changed[place] + by
    return changed
