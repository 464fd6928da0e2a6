"""The comparison at the pins: it passes what is equal, and finds whatever is not."""

from dataclasses import fields, replace

import numpy as np
import pytest

from spikeloom.arithmetic import ShiftLeak
from spikeloom.host.protocol import Identity, encode_identity
from spikeloom.packing import pack_network
from spikeloom.reference import simulate
from spikeloom_cosim.chip.checker import Verdict, check
from spikeloom_cosim.chip.script import Answers
from spikeloom_cosim.divergence import Divergence
from spikeloom_cosim.expectation import COUNTED, Expectation, expect
from spikeloom_hw.core.counters import LAYER_COUNTS

from .networks import random_network

IDENTITY = Identity(
    loadable=False,
    takes_frames=False,
    design_hash=b"abcdefgh",
    inputs=12,
    outputs=3,
    layers=2,
    counters=11,
    clock_hz=30_000_000,
)
NAMES = ("layer0", "layer1")
SAMPLES = 4


@pytest.fixture(scope="module")
def expected() -> Expectation:
    image = random_network((12, 6, 3), leak=ShiftLeak(shift=3))
    events = np.random.default_rng(1).random((SAMPLES, image.time_steps, 12)) < 0.4
    return expect(image, simulate(image, events), pack_network(image, (2, 1)))


@pytest.fixture
def right(expected) -> Answers:
    """What a healthy chip says; its counters have run over."""
    counts = np.zeros((SAMPLES + 1, 1 + 2 * len(LAYER_COUNTS)), dtype=np.int64)
    layers = counts[:, 1:].reshape(SAMPLES + 1, 2, len(LAYER_COUNTS))
    layers[1:, :, : len(COUNTED)] = expected.counted.cumsum(axis=0)
    return Answers(
        identity=IDENTITY,
        scores=expected.trace.scores.astype(np.int64),
        labels=expected.trace.predictions.astype(np.int64),
        counts=counts,
        surplus=0,
        broken=0,
    )


def verdict(expected: Expectation, answers: Answers, *, hung: bool = False) -> Verdict:
    return check(expected, answers, names=NAMES, identity=IDENTITY, hung=hung)


def test_equal(expected, right):
    found = verdict(expected, right)
    assert found.first is None
    assert not found.mismatches
    assert found.compared == {
        "protocol": 1,
        "score": SAMPLES * 3,
        "prediction": SAMPLES,
        "counter": (SAMPLES + 1) * 2 * len(COUNTED),
    }


def changed(array: np.ndarray, *place: int) -> np.ndarray:
    result = array.copy()
    result[place] += 1
    return result


@pytest.mark.parametrize("sample", range(SAMPLES))
def test_every_score_and_class(expected, right, sample):
    for neuron in range(3):
        found = verdict(expected, replace(right, scores=changed(right.scores, sample, neuron)))
        assert found.mismatches == {"score": 1}
        assert found.first is not None
        assert (found.first.kind, found.first.sample, found.first.neuron) == (
            "score",
            sample,
            neuron,
        )
        assert found.first.got == int(expected.trace.scores[sample, neuron]) + 1
    found = verdict(expected, replace(right, labels=changed(right.labels, sample)))
    assert found.mismatches == {"prediction": 1}
    label = int(expected.trace.predictions[sample])
    assert found.first == Divergence(
        kind="prediction", mode="pins", sample=sample, got=label + 1, expected=label
    )


def test_every_counter(expected, right):
    for layer in range(2):
        for at, counter in enumerate(COUNTED):
            column = 1 + layer * len(LAYER_COUNTS) + at
            for number in range(1, SAMPLES + 1):
                wrong = replace(right, counts=changed(right.counts, number, column))
                found = verdict(expected, wrong)
                # Too many in one sample, and too few in the next.
                assert found.mismatches == {"counter": 2 if number < SAMPLES else 1}
                counted = int(expected.counted[number - 1, layer, at])
                assert found.first == Divergence(
                    kind="counter",
                    mode="pins",
                    sample=number - 1,
                    layer=NAMES[layer],
                    counter=counter,
                    got=counted + 1,
                    expected=counted,
                )


def test_a_count_before_the_first_sample(expected, right):
    found = verdict(expected, replace(right, counts=right.counts + 1))
    assert found.mismatches == {"counter": 2 * len(COUNTED)}
    assert found.first is not None
    assert found.first.sample is None


def test_counters_run_over(expected, right):
    counts = right.counts.copy()
    counts[1:, 1:] += 1 << 32
    assert verdict(expected, replace(right, counts=counts)).first is None


def test_silence_and_noise(expected, right):
    less = replace(right, scores=right.scores[:2], labels=right.labels[:2], counts=right.counts[:3])
    assert verdict(expected, less, hung=True).mismatches == {"hang": 1}
    silent = verdict(expected, less)
    assert silent.mismatches == {"hang": 1}
    assert silent.first == Divergence(kind="hang", mode="pins", sample=2, got=2, expected=SAMPLES)
    assert silent.compared["score"] == 2 * 3
    assert verdict(expected, right, hung=True).mismatches == {"hang": 1}
    for changes, got in (({"surplus": 1}, 1), ({"broken": 2}, 2)):
        found = verdict(expected, replace(right, **changes))
        assert found.mismatches == {"protocol": 1}
        assert found.first == Divergence(kind="protocol", mode="pins", got=got, expected=0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", IDENTITY.version + 1),
        ("loadable", True),
        ("takes_frames", True),
        ("design_hash", b"abcdefgi"),
        ("inputs", 13),
        ("outputs", 4),
        ("layers", 3),
        ("counters", 12),
        ("clock_hz", 30_000_001),
    ],
)
def test_every_field_of_the_identity(expected, right, field, value):
    other = replace(IDENTITY, **{field: value})
    found = verdict(expected, replace(right, identity=other))
    assert found.mismatches == {"protocol": 1}
    assert found.first is not None
    got, want = (int.from_bytes(encode_identity(each), "big") for each in (other, IDENTITY))
    assert got != want
    assert (found.first.sample, found.first.got, found.first.expected) == (None, got, want)


def test_every_field_of_the_identity_is_tried():
    (mark,) = test_every_field_of_the_identity.pytestmark  # pyright: ignore[reportFunctionMemberAccess]
    assert {field for field, _ in mark.args[1]} == {field.name for field in fields(Identity)}


def test_a_chip_that_does_not_say_who_it_is(expected, right):
    found = verdict(expected, replace(right, identity=None))
    assert found.mismatches == {"protocol": 1}
    assert found.first is not None
    assert found.first.got is None


def test_what_is_told_first(expected, right):
    scores = changed(changed(right.scores, 1, 2), 3, 0)
    wrong = replace(right, scores=scores, labels=changed(right.labels, 1))
    found = verdict(expected, wrong)
    assert found.mismatches == {"score": 2, "prediction": 1}
    assert found.first is not None
    assert (found.first.sample, found.first.kind) == (1, "score")
    before = verdict(expected, replace(wrong, broken=1))
    assert before.first is not None
    assert before.first.kind == "protocol"
