"""One difference in a recording, in every layer, sample, step, group and lane: each is reported."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from spikeloom_cosim.checker import Verdict, check, check_rounds
from spikeloom_cosim.divergence import KINDS, Divergence, Kind
from spikeloom_cosim.driver import event_steps
from spikeloom_cosim.monitor import Recording
from spikeloom_cosim.simulation import ISOLATED, MODES, STREAMING, STRESS, round_seed
from spikeloom_hw.core.counters import LAYER_COUNTS

from .recordings import (
    GROUPS,
    LANES,
    NAMES,
    OUTPUTS,
    SHAPE,
    SIZES,
    STEPS,
    expected_of,
    off,
    perfect,
    replace_outcome,
    together,
    with_counts,
    with_scores,
    with_trace,
)

SAMPLES, SEED = 2, 11
EXPECTED = expected_of(SAMPLES)
LOOKS = np.array([7, 0, 65535, 4])
PERFECT = {
    mode.name: replace(perfect(EXPECTED, mode, seed=SEED), looks=LOOKS.copy()) for mode in MODES
}
TRACED: tuple[tuple[Kind, str, tuple[np.ndarray, ...]], ...] = (
    ("spike", "spikes", EXPECTED.trace.spikes),
    ("membrane", "membranes", EXPECTED.trace.membranes),
)
every_mode = pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)


def verdict_of(recording: Recording, mode) -> Verdict:
    return check(EXPECTED, recording, SHAPE, mode=mode, seed=SEED, looks=LOOKS)


def beats() -> Iterator[tuple[int, int, int, int, int]]:
    """Layer, sample, step, group, and the beat's number in its layer."""
    for layer, groups in enumerate(GROUPS):
        for sample in range(SAMPLES):
            for step in range(STEPS):
                for group in range(groups):
                    yield layer, sample, step, group, (sample * STEPS + step) * groups + group


def only(verdict: Verdict, **counts: int) -> Divergence:
    """The first difference, where nothing differs but so many of some kinds."""
    assert verdict.mismatches == {**dict.fromkeys(KINDS, 0), **counts}
    assert not verdict.equal
    assert verdict.found is not None
    return verdict.found.first


@every_mode
def test_an_equal_core_is_equal(mode):
    verdict = verdict_of(PERFECT[mode.name], mode)
    assert verdict.equal, verdict.found
    assert verdict.mismatches == dict.fromkeys(KINDS, 0)
    assert verdict.found is None


def test_a_seed_that_is_not_given_is_0():
    recording = perfect(EXPECTED, STRESS, seed=0)
    assert check(EXPECTED, recording, SHAPE, mode=STRESS).equal
    assert not check(EXPECTED, recording, SHAPE, mode=STRESS, seed=1).equal
    (rounds, _) = check_rounds([EXPECTED], recording, SHAPE, STRESS)
    assert rounds.equal


def test_every_neuron_s_membrane_and_spike_in_every_step():
    recording = PERFECT["streaming"]
    tried = 0
    for layer, sample, step, group, beat in beats():
        for lane in range(LANES[layer]):
            neuron = group * LANES[layer] + lane
            there = neuron < SIZES[layer + 1]
            for kind, column, of in TRACED:
                seen = getattr(recording.traces[layer], column)
                changed = with_trace(recording, layer, **{column: off(seen, beat, lane)})
                right = int(of[layer][sample, step, neuron]) if there else 0
                got = 1 - right if kind == "spike" else right + 1
                assert only(verdict_of(changed, STREAMING), **{kind: 1}) == Divergence(
                    kind=kind,
                    mode="streaming",
                    sample=sample,
                    step=step,
                    layer=NAMES[layer],
                    neuron=neuron,
                    got=got,
                    expected=right,
                )
                tried += 1
    assert tried == 2 * SAMPLES * STEPS * sum(np.multiply(GROUPS, LANES))


@every_mode
def test_every_beat_s_turn_and_cycle(mode):
    recording = PERFECT[mode.name]
    for layer, sample, step, group, beat in beats():
        own = recording.traces[layer]
        if mode is STRESS and 1 < beat < len(own) - 2:  # the model of its pauses takes a while
            continue
        turn = with_trace(recording, layer, group=off(own.group, beat))
        late = with_trace(recording, layer, cycle=off(own.cycle, beat))
        place = {
            "mode": mode.name,
            "sample": sample,
            "step": step,
            "layer": NAMES[layer],
            "neuron": group * LANES[layer],
        }
        assert only(verdict_of(turn, mode), beat=1) == Divergence(
            kind="beat", got=group + 1, expected=group, **place
        )
        cycle = int(own.cycle[beat])
        assert only(verdict_of(late, mode), cycle=1) == Divergence(
            kind="cycle", got=cycle + 1, expected=cycle, **place
        )


def test_a_lost_and_a_surplus_beat_of_every_layer():
    recording = PERFECT["streaming"]
    for layer, groups in enumerate(GROUPS):
        own = recording.traces[layer]
        fewer = own.part(slice(0, -1))
        more = own.part(np.array([*range(len(own)), 0]))
        traces = [list(recording.traces) for _ in range(2)]
        traces[0][layer], traces[1][layer] = fewer, more
        lost, surplus = (replace(recording, traces=tuple(each)) for each in traces)
        assert only(verdict_of(lost, STREAMING), beat=1) == Divergence(
            kind="beat",
            mode="streaming",
            sample=SAMPLES - 1,
            step=STEPS - 1,
            layer=NAMES[layer],
            neuron=(groups - 1) * LANES[layer],
            expected=1,
        )
        assert only(verdict_of(surplus, STREAMING), beat=1) == Divergence(
            kind="beat",
            mode="streaming",
            sample=SAMPLES,
            step=0,
            layer=NAMES[layer],
            neuron=0,
            got=1,
        )


@every_mode
def test_every_score_class_and_end_of_a_result(mode):
    recording = PERFECT[mode.name]
    scores = recording.scores
    for sample in range(SAMPLES):
        for neuron in range(OUTPUTS):
            beat = sample * OUTPUTS + neuron
            place = {"mode": mode.name, "sample": sample, "layer": NAMES[-1], "neuron": neuron}
            right = int(EXPECTED.trace.scores[sample, neuron])
            value = with_scores(recording, value=off(scores.value, beat))
            assert only(verdict_of(value, mode), score=1) == Divergence(
                kind="score", got=right + 1, expected=right, **place
            )
            ends = neuron == OUTPUTS - 1
            last = with_scores(recording, last=off(scores.last, beat))
            assert only(verdict_of(last, mode), beat=1) == Divergence(
                kind="beat", got=int(not ends), expected=int(ends), **place
            )
            best = verdict_of(with_scores(recording, best=off(scores.best, beat)), mode)
            if ends:
                label = int(EXPECTED.trace.predictions[sample])
                assert only(best, prediction=1) == Divergence(
                    kind="prediction", got=label + 1, expected=label, **{**place, "neuron": None}
                )
            else:  # of no meaning before the last beat
                assert best.equal


@every_mode
def test_every_time_of_a_result(mode):
    recording = PERFECT[mode.name]
    for sample in range(SAMPLES):
        last = (sample + 1) * OUTPUTS - 1
        for by in (1, -1):
            valid = off(recording.scores.valid, last, by=by)
            found = only(verdict_of(with_scores(recording, valid=valid), mode), cycle=1)
            assert (found.kind, found.sample, found.step, found.layer) == (
                "cycle",
                sample,
                None,
                None,
            )
            assert found.got is not None
            assert found.expected is not None
            assert found.got - found.expected == by
            right = {
                "isolated": EXPECTED.latency,
                "streaming": EXPECTED.results,
                "stress": recording.scores.valid[OUTPUTS - 1 :: OUTPUTS],
            }
            assert found.expected == right[mode.name][sample]


@pytest.mark.parametrize("mode", [STREAMING, STRESS], ids=lambda mode: mode.name)
def test_every_start_that_has_its_cycle(mode):
    """At full rate all is counted from the first start: that one has no cycle of its own."""
    recording = PERFECT[mode.name]
    for sample in range(1 if mode.full_rate else 0, SAMPLES):
        starts = replace(recording, starts=off(recording.starts, sample))
        found = only(verdict_of(starts, mode), cycle=1)
        assert (found.sample, found.step, found.layer) == (sample, None, None)
        assert found.got is not None
        assert found.expected is not None
        assert found.got - found.expected == 1
        counted_from = recording.starts[0] - 1 if mode.full_rate else 0
        assert found.expected == recording.starts[sample] - counted_from


def test_a_start_of_a_sample_alone_decides_its_latency():
    recording = PERFECT["isolated"]
    for sample in range(SAMPLES):
        late = replace(recording, starts=off(recording.starts, sample))
        verdict = verdict_of(late, ISOLATED)
        # Its result, and each of its trace beats.
        assert verdict.mismatches["cycle"] == 1 + STEPS * sum(GROUPS)


def test_a_lost_sample_is_told_by_its_beats():
    recording = PERFECT["streaming"]
    less = replace(
        recording,
        starts=recording.starts[:-1],
        scores=recording.scores.part(slice(0, -OUTPUTS)),
    )
    assert only(verdict_of(less, STREAMING), beat=OUTPUTS + 1) == Divergence(
        kind="beat", mode="streaming", sample=SAMPLES - 1, step=0, expected=1
    )


@every_mode
@pytest.mark.parametrize("kept", range(SAMPLES))
def test_every_start_is_there(mode, kept):
    recording = PERFECT[mode.name]
    less = replace(recording, starts=recording.starts[:kept])
    assert only(verdict_of(less, mode), beat=SAMPLES - kept) == Divergence(
        kind="beat", mode=mode.name, sample=kept, step=0, expected=1
    )


@every_mode
def test_a_start_too_many(mode):
    recording = PERFECT[mode.name]
    more = replace(recording, starts=np.append(recording.starts, 10**6))
    assert only(verdict_of(more, mode), beat=1) == Divergence(
        kind="beat", mode=mode.name, sample=SAMPLES, step=0, got=1
    )


@every_mode
def test_nothing_recorded_is_no_equality(mode):
    nothing = replace(
        PERFECT[mode.name],
        traces=tuple(beats.part(slice(0)) for beats in PERFECT[mode.name].traces),
        scores=PERFECT[mode.name].scores.part(slice(0)),
        starts=np.zeros(0, dtype=np.int64),
    )
    missing = SAMPLES * (1 + STEPS * sum(GROUPS) + OUTPUTS)
    assert verdict_of(nothing, mode).mismatches["beat"] == missing


@every_mode
def test_every_counter_of_every_layer(mode):
    recording = PERFECT[mode.name]
    counts = recording.counts
    for layer, name in enumerate(NAMES):
        for number, counter in enumerate(LAYER_COUNTS):
            wrong = with_counts(recording, layers=off(counts.layers, layer, number))
            right = int(counts.layers[layer, number])
            assert only(verdict_of(wrong, mode), counter=1) == Divergence(
                kind="counter",
                mode=mode.name,
                layer=name,
                counter=counter,
                got=right + 1,
                expected=right,
            )
    late = with_counts(recording, cycles=counts.cycles + 1)
    assert only(verdict_of(late, mode), counter=1) == Divergence(
        kind="counter",
        mode=mode.name,
        counter="cycles",
        got=counts.cycles + 1,
        expected=counts.clock,
    )


def test_counters_run_over():
    """They count modulo 2³²; so does what is expected of them."""
    assert EXPECTED.timing is not None
    often = replace(
        EXPECTED,
        counted=EXPECTED.counted + (1 << 32),
        timing=replace(
            EXPECTED.timing,
            together=replace(
                EXPECTED.timing.together, stalls=EXPECTED.timing.together.stalls + (1 << 32)
            ),
        ),
    )
    assert check(often, PERFECT["streaming"], SHAPE, mode=STREAMING, looks=LOOKS).equal


@pytest.mark.parametrize(
    ("counter", "value", "equal"),
    [
        pytest.param("updating", lambda counts, words: counts.clock - words, True, id="all idle"),
        pytest.param("updating", lambda counts, words: counts.clock - words + 1, False, id="more"),
        pytest.param("blocked", lambda counts, words: 40, True, id="always blocked"),
        pytest.param("blocked", lambda counts, words: 41, False, id="blocked more than updating"),
    ],
)
@pytest.mark.parametrize("layer", range(len(NAMES)))
def test_stalls_have_bounds_where_their_times_are_unknown(counter, value, equal, layer):
    unknown = replace(EXPECTED, timing=None, clock=None)
    recording = PERFECT["stress"]
    layers = recording.counts.layers.copy()
    layers[:, LAYER_COUNTS.index("updating")] = 40
    layers[:, LAYER_COUNTS.index("blocked")] = 0
    words = layers[layer, LAYER_COUNTS.index("words")]
    layers[layer, LAYER_COUNTS.index(counter)] = value(recording.counts, int(words))
    verdict = check(unknown, with_counts(recording, layers=layers), SHAPE, mode=STRESS, looks=LOOKS)
    assert verdict.equal is equal
    if not equal:
        found = only(verdict, counter=1)
        assert (found.layer, found.counter) == (NAMES[layer], counter)


def test_every_chunk_that_is_read_back():
    recording = PERFECT["streaming"]
    for at, right in enumerate(LOOKS.tolist()):
        wrong = replace(recording, looks=off(LOOKS, at))
        assert only(verdict_of(wrong, STREAMING), look=1) == Divergence(
            kind="look", mode="streaming", got=right + 1, expected=right
        )
    fewer, more = (
        replace(recording, looks=LOOKS[:-2]),
        replace(recording, looks=np.append(LOOKS, 5)),
    )
    assert only(verdict_of(fewer, STREAMING), look=2) == Divergence(
        kind="look", mode="streaming", expected=65535
    )
    assert only(verdict_of(more, STREAMING), look=1) == Divergence(
        kind="look", mode="streaming", got=5
    )
    both = replace(recording, looks=off(LOOKS, 1)[:-1])
    found = only(verdict_of(both, STREAMING), look=2)
    assert (found.got, found.expected) == (1, 0)


def test_looks_that_nobody_asked_for():
    verdict = check(EXPECTED, PERFECT["streaming"], SHAPE, mode=STREAMING)
    assert verdict.mismatches["look"] == len(LOOKS)


@every_mode
def test_how_a_run_ended(mode):
    recording = PERFECT[mode.name]
    unstable = replace(recording, outcome=replace_outcome(recording, unstable=3))
    assert only(verdict_of(unstable, mode), protocol=3) == Divergence(
        kind="protocol", mode=mode.name, got=3, expected=0
    )
    hung = replace(recording, outcome=replace_outcome(recording, hung=True, results=1))
    assert only(verdict_of(hung, mode), hang=1) == Divergence(
        kind="hang", mode=mode.name, got=1, expected=SAMPLES
    )


def test_samples_are_alone_without_pauses():
    with pytest.raises(ValueError, match="samples are isolated without pauses"):
        verdict_of(PERFECT["isolated"], replace(ISOLATED, idle=1))
    with pytest.raises(ValueError, match="samples are isolated without pauses"):
        verdict_of(PERFECT["isolated"], replace(ISOLATED, stall=1))


def wrong_at(recording, *, layer, beat, column="membranes"):
    own = getattr(recording.traces[layer], column)
    return with_trace(recording, layer, **{column: off(own, beat, 0)})


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        pytest.param(
            [(0, 1, 0, 0, "membranes"), (2, 0, 2, 0, "membranes")],
            {"sample": 0, "layer": "layer2"},
            id="the earlier sample, though in a later layer and step",
        ),
        pytest.param(
            [(0, 0, 1, 0, "membranes"), (2, 0, 0, 0, "membranes")],
            {"step": 0, "layer": "layer2"},
            id="the earlier step, though in a later layer",
        ),
        pytest.param(
            [(2, 0, 0, 0, "spikes"), (1, 0, 0, 1, "membranes")],
            {"layer": "layer1", "kind": "membrane"},
            id="the earlier layer, though a later neuron and kind",
        ),
        pytest.param(
            [(0, 0, 0, 1, "spikes"), (0, 0, 0, 0, "membranes")],
            {"neuron": 0, "kind": "membrane"},
            id="the earlier neuron, though a later kind",
        ),
        pytest.param(
            [(0, 0, 0, 0, "membranes"), (0, 0, 0, 0, "spikes")],
            {"kind": "spike"},
            id="the cause before what follows",
        ),
    ],
)
def test_what_is_told_first(changes, first):
    recording = PERFECT["streaming"]
    for layer, sample, step, group, column in changes:
        beat = (sample * STEPS + step) * GROUPS[layer] + group
        recording = wrong_at(recording, layer=layer, beat=beat, column=column)
    verdict = verdict_of(recording, STREAMING)
    assert sum(verdict.mismatches.values()) == 2
    assert verdict.found is not None
    found = verdict.found.first
    assert {name: getattr(found, name) for name in first} == first


def test_what_is_of_a_whole_sample_comes_after_its_steps():
    recording = PERFECT["streaming"]
    score = with_scores(recording, value=off(recording.scores.value, 0))
    counted = with_counts(score, layers=off(score.counts.layers, 0, 0))
    hung = replace(counted, outcome=replace_outcome(counted, hung=True))
    valid = with_scores(hung, valid=off(hung.scores.valid, OUTPUTS - 1))
    step = wrong_at(valid, layer=2, beat=(STEPS - 1) * GROUPS[2])
    looked = replace(step, looks=off(LOOKS, 0))
    told = [verdict_of(each, STREAMING).found for each in (hung, score, valid, step, looked)]
    assert [found and found.first.kind for found in told] == [
        "score",
        "score",
        "score",
        "membrane",
        "look",
    ]
    counted = with_counts(
        recording, cycles=recording.counts.cycles + 1, layers=off(recording.counts.layers, 0, 0)
    )
    found = verdict_of(counted, STREAMING).found
    assert found is not None
    assert found.first.counter == "cycles"
    two = with_counts(recording, layers=off(off(recording.counts.layers, 2, 0), 1, 4))
    found = verdict_of(two, STREAMING).found
    assert found is not None
    assert (found.first.layer, found.first.counter) == ("layer1", "blocked")


ROUNDS = (2, 1, 3)
PARTS = tuple(expected_of(samples, seed=20 + number) for number, samples in enumerate(ROUNDS))


def rounds_of(mode, *, struck: int | None = None) -> list[Recording]:
    """What an equal core leaves in each round; of one that is struck, what it did until then."""
    parts, first = [], 0
    for number, own in enumerate(PARTS):
        shuffle = round_seed(SEED, number) if mode.shuffled else None
        steps = event_steps(own.trace.events, shuffle=shuffle)
        part = perfect(own, mode, seed=SEED, steps=steps, first=first)
        if number == struck:
            part = replace(
                part,
                traces=tuple(beats.part(slice(0, -1)) for beats in part.traces),
                scores=part.scores.part(slice(0, 1)),
            )
        parts.append(part)
        # What comes before the next one is offered: its loads.
        first = int(max(part.scores.taken.max(), *(own.cycle.max() for own in part.traces))) + 9
    return parts


def verdicts_of(parts, mode, *, struck: int | None = None, looks=LOOKS, **changes):
    recording = replace(together(parts), looks=LOOKS, **changes)
    expected = [None if number == struck else own for number, own in enumerate(PARTS)]
    *rounds, ending = check_rounds(expected, recording, SHAPE, mode, seed=SEED, looks=looks)
    return rounds, ending


@every_mode
@pytest.mark.parametrize("struck", [None, 0, 1])
def test_rounds_of_an_equal_core_are_equal(mode, struck):
    parts = rounds_of(mode, struck=struck)
    rounds, ending = verdicts_of(parts, mode, struck=struck)
    assert [verdict.found for verdict in rounds] == [None] * len(PARTS)
    assert all(verdict.mismatches == dict.fromkeys(KINDS, 0) for verdict in rounds)
    assert ending.equal, ending.found


def one_difference(part: Recording, kind: str) -> Recording:
    """A round's recording with one difference, in its last sample."""
    if kind in ("spike", "membrane"):
        column = {"spike": "spikes", "membrane": "membranes"}[kind]
        own = getattr(part.traces[1], column)
        return with_trace(part, 1, **{column: off(own, len(own) - 1, 0)})
    if kind == "beat":
        return with_scores(part, last=off(part.scores.last, -2))
    if kind == "score":
        return with_scores(part, value=off(part.scores.value, -1))
    if kind == "prediction":
        return with_scores(part, best=off(part.scores.best, -1))
    if kind == "cycle":
        return with_scores(part, valid=off(part.scores.valid, -1))
    raise ValueError(kind)


@every_mode
@pytest.mark.parametrize("kind", ["spike", "membrane", "beat", "score", "prediction", "cycle"])
def test_a_difference_is_told_of_its_round_alone(mode, kind):
    for number in range(len(PARTS)):
        parts = rounds_of(mode)
        parts[number] = one_difference(parts[number], kind)
        rounds, ending = verdicts_of(parts, mode)
        assert only(rounds[number], **{kind: 1}).sample == ROUNDS[number] - 1
        others = [verdict for at, verdict in enumerate(rounds) if at != number]
        assert all(verdict.equal for verdict in (*others, ending))


@pytest.mark.parametrize("unknown", range(len(PARTS)))
def test_stalls_of_rounds_have_bounds_where_one_s_times_are_unknown(unknown):
    parts = rounds_of(STREAMING)
    expected = [
        replace(own, timing=None, clock=None) if number == unknown else own
        for number, own in enumerate(PARTS)
    ]
    counts = together(parts).counts
    updating, blocked = counts.layers[0, -2:].tolist()
    assert blocked < updating
    for by, equal in ((0, True), (updating - blocked, True), (updating - blocked + 1, False)):
        layers = off(counts.layers, 0, LAYER_COUNTS.index("blocked"), by=by)
        recording = replace(together(parts), counts=replace(counts, layers=layers))
        *rounds, ending = check_rounds(expected, recording, SHAPE, STREAMING, seed=SEED)
        assert all(verdict.equal for verdict in rounds)
        assert ending.equal is equal


def test_nothing_is_compared_of_a_round_that_is_struck():
    parts = rounds_of(STREAMING, struck=1)
    parts[1] = one_difference(parts[1], "membrane")
    rounds, ending = verdicts_of(parts, STREAMING, struck=1)
    assert all(verdict.equal for verdict in (*rounds, ending))


def test_a_round_that_never_began_lacks_everything():
    parts = rounds_of(STREAMING)[:-1]
    rounds, _ = verdicts_of(parts, STREAMING)
    missing = ROUNDS[-1] * (1 + STEPS * sum(GROUPS) + OUTPUTS)
    assert [verdict.mismatches["beat"] for verdict in rounds] == [0, 0, missing]


@every_mode
def test_the_end_of_rounds_has_every_counter(mode):
    parts = rounds_of(mode)
    counts = together(parts).counts
    for layer, name in enumerate(NAMES):
        for number, counter in enumerate(LAYER_COUNTS):
            wrong = replace(counts, layers=off(counts.layers, layer, number))
            rounds, ending = verdicts_of(parts, mode, counts=wrong)
            found = only(ending, counter=1)
            assert (found.layer, found.counter) == (name, counter)
            assert all(verdict.equal for verdict in rounds)
    wrong = replace(counts, cycles=counts.cycles + 1)
    assert only(verdicts_of(parts, mode, counts=wrong)[1], counter=1).counter == "cycles"


def test_after_a_reset_only_the_cycles_are_counted_for_sure():
    parts = rounds_of(STREAMING, struck=0)
    counts = together(parts).counts
    layers = replace(counts, layers=off(counts.layers, 0, 0))
    assert verdicts_of(parts, STREAMING, struck=0, counts=layers)[1].equal
    cycles = replace(counts, cycles=counts.cycles + 1)
    _, ending = verdicts_of(parts, STREAMING, struck=0, counts=cycles)
    assert only(ending, counter=1).counter == "cycles"


def test_what_was_read_back_in_rounds_is_compared():
    parts = rounds_of(STREAMING)
    for at in range(len(LOOKS)):
        rounds, ending = verdicts_of(parts, STREAMING, looks=off(LOOKS, at))
        assert only(ending, look=1).expected == LOOKS[at] + 1
        assert all(verdict.equal for verdict in rounds)


def test_how_rounds_ended():
    parts = rounds_of(STREAMING)
    recording = together(parts)
    unstable = verdicts_of(parts, STREAMING, outcome=replace_outcome(recording, unstable=2))[1]
    assert only(unstable, protocol=2).got == 2
    hung = verdicts_of(parts, STREAMING, outcome=replace_outcome(recording, hung=True))[1]
    assert only(hung, hang=1).got == sum(ROUNDS)
