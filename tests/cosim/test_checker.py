"""Every kind of difference, planted in a recording that was equal."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from spikeloom_cosim.checker import check
from spikeloom_cosim.divergence import KINDS, Divergence
from spikeloom_cosim.expectation import Expectation
from spikeloom_cosim.monitor import Counts, Recording, ScoreBeats, TraceBeats
from spikeloom_cosim.outcome import Outcome
from spikeloom_cosim.simulation import ISOLATED, MODES, STREAMING, STRESS
from spikeloom_hw.core.counters import LAYER_COUNTS

from .by_hand import SHAPE, expectation, random_events

HERE = replace(ISOLATED, name="here")
SAMPLES, STEPS, GROUPS, LANES, OUTPUTS = 6, 5, 2, 2, 3


def perfect(expected: Expectation) -> Recording:
    """What an equal core leaves, built by plain loops."""
    spikes, membranes, groups = [], [], []
    for sample in range(SAMPLES):
        for step in range(STEPS):
            for group in range(GROUPS):
                neurons = [group * LANES + lane for lane in range(LANES)]
                groups.append(group)
                for rows, source, missing in (
                    (spikes, expected.trace.spikes[0], False),
                    (membranes, expected.trace.membranes[0], 0),
                ):
                    rows.append(
                        [source[sample, step, n] if n < OUTPUTS else missing for n in neurons]
                    )
    starts = np.concatenate([[0], expected.results[:-1] + 1]) + 7
    valid = (starts + expected.latency - 1)[:, None] - np.arange(OUTPUTS)[::-1]
    last = np.tile(np.arange(OUTPUTS) == OUTPUTS - 1, SAMPLES)
    return Recording(
        outcome=Outcome(cycles=1000, results=SAMPLES, unstable=0, hung=False),
        traces=(
            TraceBeats(
                cycle=np.arange(len(groups)),
                group=np.array(groups),
                spikes=np.array(spikes),
                membranes=np.array(membranes, dtype=np.int32),
            ),
        ),
        scores=ScoreBeats(
            valid=valid.ravel(),
            taken=valid.ravel(),
            value=expected.trace.scores.ravel().astype(np.int32),
            best=np.repeat(expected.trace.predictions, OUTPUTS),
            last=last,
        ),
        starts=starts,
        counts=Counts(
            cycles=1300,
            clock=1300,
            layers=np.array([[*expected.counted.sum(axis=(0, 1)), 2 * SAMPLES * STEPS, 0]]),
        ),
    )


def beat_of(sample: int, step: int, group: int) -> int:
    return (sample * STEPS + step) * GROUPS + group


def with_trace(recording: Recording, **columns: np.ndarray) -> Recording:
    return replace(recording, traces=(replace(recording.traces[0], **columns),))


def with_scores(recording: Recording, **columns: np.ndarray) -> Recording:
    return replace(recording, scores=replace(recording.scores, **columns))


def cut(beats, chosen):
    """Trace or score beats, reordered or shortened."""
    return replace(beats, **{name: column[chosen] for name, column in vars(beats).items()})


def flip_spike(recording):
    spikes = recording.traces[0].spikes.copy()
    spikes[beat_of(3, 2, 0), 1] ^= True
    return with_trace(recording, spikes=spikes)


def padding_spike(recording):
    spikes = recording.traces[0].spikes.copy()
    spikes[beat_of(1, 4, 1), 1] = True
    return with_trace(recording, spikes=spikes)


def membranes_off(recording):
    membranes = recording.traces[0].membranes.copy()
    membranes[beat_of(4, 1, 1), 0] += 1
    membranes[beat_of(2, 3, 0), 0] -= 2
    return with_trace(recording, membranes=membranes)


def spike_and_membrane(recording):
    membranes = recording.traces[0].membranes.copy()
    membranes[beat_of(3, 2, 0), 1] += 4
    return with_trace(flip_spike(recording), membranes=membranes)


def lost_beat(recording):
    keep = np.arange(len(recording.traces[0])) != beat_of(5, 4, 1)
    return replace(recording, traces=(cut(recording.traces[0], keep),))


def surplus_beat(recording):
    twice = [*range(len(recording.traces[0])), 0]
    return replace(recording, traces=(cut(recording.traces[0], twice),))


def swapped_groups(recording):
    order = np.arange(len(recording.traces[0]))
    at = beat_of(2, 0, 0)
    order[[at, at + 1]] = order[[at + 1, at]]
    group = recording.traces[0].group[order]
    return with_trace(recording, group=group)


def no_beats(recording):
    return replace(recording, traces=(cut(recording.traces[0], slice(0)),))


def score_off(recording):
    value = recording.scores.value.copy()
    value[2 * OUTPUTS + 1] += 1
    return with_scores(recording, value=value)


def class_off(recording):
    best = recording.scores.best.copy()
    best[5 * OUTPUTS - 1] ^= 1
    return with_scores(recording, best=best)


def class_off_early(recording):
    """`best` of a beat before the last is of no meaning."""
    best = recording.scores.best.copy()
    best[5 * OUTPUTS] ^= 1
    return with_scores(recording, best=best)


def last_flag_early(recording):
    last = recording.scores.last.copy()
    last[OUTPUTS] = True
    return with_scores(recording, last=last)


def lost_result(recording):
    return replace(recording, scores=cut(recording.scores, slice(0, -OUTPUTS)))


def surplus_score(recording):
    return replace(recording, scores=cut(recording.scores, [*range(SAMPLES * OUTPUTS), 0]))


def late_result(recording):
    valid = recording.scores.valid.copy()
    valid[4 * OUTPUTS - 1] += 1
    return with_scores(recording, valid=valid)


def miscounted(layer, counter, by):
    """The counter of a layer (None: the cycles) is off."""

    def plant(recording):
        counts = recording.counts
        if layer is None:
            return replace(recording, counts=replace(counts, cycles=counts.cycles + by))
        layers = counts.layers.copy()
        layers[layer, LAYER_COUNTS.index(counter)] += by
        return replace(recording, counts=replace(counts, layers=layers))

    return plant


def unstable(recording):
    return replace(recording, outcome=replace_outcome(recording, unstable=2))


def hung(recording):
    return replace(recording, outcome=replace_outcome(recording, hung=True, results=5))


def replace_outcome(recording, **changes):
    return msgspec.structs.replace(recording.outcome, **changes)


@pytest.fixture(scope="module")
def expected() -> Expectation:
    return expectation(random_events(SAMPLES))


def at(kind, got, expected, **place):
    return {"kind": kind, "got": got, "expected": expected, **place}


CASES = [
    pytest.param(
        flip_spike,
        {"spike": 1},
        {"kind": "spike", "sample": 3, "step": 2, "layer": "only", "neuron": 1},
        id="spike",
    ),
    pytest.param(
        padding_spike,
        {"spike": 1},
        at("spike", 1, 0, sample=1, step=4, layer="only", neuron=3),
        id="spike of a neuron that is not there",
    ),
    pytest.param(
        membranes_off,
        {"membrane": 2},
        {"kind": "membrane", "sample": 2, "step": 3, "layer": "only", "neuron": 0},
        id="two membranes, the earlier sample first",
    ),
    pytest.param(
        spike_and_membrane,
        {"spike": 1, "membrane": 1},
        {"kind": "spike", "sample": 3, "step": 2, "neuron": 1},
        id="the spike before the membrane of the same neuron",
    ),
    pytest.param(
        lost_beat,
        {"beat": 1},
        at("beat", None, 1, sample=5, step=4, layer="only", neuron=2),
        id="trace beat missing",
    ),
    pytest.param(
        surplus_beat,
        {"beat": 1},
        at("beat", 1, None, sample=6, step=0, layer="only", neuron=0),
        id="trace beat surplus",
    ),
    pytest.param(
        swapped_groups,
        {"beat": 2},
        at("beat", 1, 0, sample=2, step=0, layer="only", neuron=0),
        id="groups out of turn",
    ),
    pytest.param(
        no_beats,
        {"beat": SAMPLES * STEPS * GROUPS},
        at("beat", None, 1, sample=0, step=0, layer="only", neuron=0),
        id="no trace at all",
    ),
    pytest.param(
        score_off,
        {"score": 1},
        {"kind": "score", "sample": 2, "step": None, "layer": "only", "neuron": 1},
        id="score",
    ),
    pytest.param(
        class_off,
        {"prediction": 1},
        {"kind": "prediction", "sample": 4, "step": None, "neuron": None},
        id="prediction",
    ),
    pytest.param(class_off_early, {}, None, id="class before the last beat"),
    pytest.param(
        last_flag_early,
        {"beat": 1},
        at("beat", 1, 0, sample=1, step=None, layer="only", neuron=0),
        id="result ends early",
    ),
    pytest.param(
        lost_result,
        {"beat": OUTPUTS},
        at("beat", None, 1, sample=5, step=None, layer="only", neuron=0),
        id="result missing",
    ),
    pytest.param(
        surplus_score,
        {"beat": 1},
        at("beat", 1, None, sample=6, step=None, layer="only", neuron=0),
        id="score surplus",
    ),
    pytest.param(
        late_result,
        {"cycle": 1},
        {"kind": "cycle", "sample": 3, "step": None, "layer": None, "neuron": None},
        id="result a cycle late",
    ),
    pytest.param(
        miscounted(None, "cycles", 1),
        {"counter": 1},
        at("counter", 1301, 1300, sample=None, layer=None, counter="cycles"),
        id="cycles miscounted",
    ),
    *(
        pytest.param(
            miscounted(0, counter, by),
            {"counter": 1},
            {"kind": "counter", "sample": None, "layer": "only", "counter": counter},
            id=f"{counter} miscounted",
        )
        for counter, by in (
            ("events", 1),
            ("words", -1),
            ("operations", 1),
            ("updating", 1300),
            ("blocked", 61),
        )
    ),
    pytest.param(unstable, {"protocol": 2}, {"kind": "protocol", "got": 2}, id="score changes"),
    pytest.param(hung, {"hang": 1}, at("hang", 5, SAMPLES, sample=None), id="hang"),
]


@pytest.mark.parametrize(("plant", "counts", "first"), CASES)
def test_difference(expected, plant, counts, first):
    verdict = check(expected, plant(perfect(expected)), SHAPE, mode=HERE)
    assert verdict.mismatches == {**dict.fromkeys(KINDS, 0), **counts}
    if first is None:
        assert verdict.equal
    else:
        assert verdict.found is not None
        found = verdict.found.first
        assert {name: getattr(found, name) for name in first} == first
        assert found.mode == "here"
        assert (found.got, found.expected) != (None, None)


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
def test_equal(expected, mode):
    verdict = check(expected, perfect(expected), SHAPE, mode=mode)
    assert verdict.equal
    assert not any(verdict.mismatches.values())


def test_times_of_results_are_compared_at_full_rate(expected):
    verdict = check(expected, late_result(perfect(expected)), SHAPE, mode=STREAMING)
    assert verdict.mismatches["cycle"] == 1


def test_times_are_compared_only_where_they_are_known(expected):
    assert check(expected, late_result(perfect(expected)), SHAPE, mode=STRESS).equal


def test_sentence():
    divergence = Divergence(
        kind="membrane", mode="stress", sample=3, step=0, layer="hidden", neuron=7, got=-4
    )
    assert str(divergence) == (
        "sample 3, step 0, layer hidden, neuron 7, membrane (stress): got -4, expected nothing"
    )
