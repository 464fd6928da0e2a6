"""The test bench's words, by hand and by the reference."""

import numpy as np
import pytest

from spikeloom.reference import simulate
from spikeloom_hw.embedding.interface import Ports, whole_bytes
from spikeloom_hw.embedding.vectors import make_vectors, random_events

PORTS = Ports(address=6, value=11, label=4)


@pytest.mark.parametrize(("bits", "wide"), [(1, 8), (8, 8), (9, 16), (16, 16), (17, 24)])
def test_whole_bytes(bits, wide):
    assert whole_bytes(bits) == wide


@pytest.mark.parametrize(
    ("ports", "event", "score"),
    [
        pytest.param(PORTS, 8, 24, id="room to spare"),
        pytest.param(Ports(address=7, value=8, label=8), 8, 16, id="full"),
        pytest.param(Ports(address=8, value=9, label=9), 16, 32, id="one bit too many"),
    ],
)
def test_data_are_whole_bytes(ports, event, score):
    assert (ports.event_data, ports.score_data) == (event, score)


def test_words_of_a_sample(small_image):
    events = np.zeros((1, small_image.time_steps, small_image.inputs), dtype=np.bool_)
    events[0, 0, [3, 60]] = True
    events[0, 1, 7] = True
    made = make_vectors(small_image, events, PORTS)
    ends = [1 << 6] * (small_image.time_steps - 1) + [3 << 6]
    assert made.events == (3, 60, ends[0], 7, *ends[1:])
    trace = simulate(small_image, events)
    values = [word - ((word & 1 << 10) << 1) for word in (w & 0x7FF for w in made.scores)]
    assert values == trace.scores[0].tolist()
    assert {word >> 11 for word in made.scores} == {int(trace.predictions[0])}
    files = made.files()
    assert files["events.mem"].split()[:2] == ["03", "3c"]
    assert [int(word, 16) for word in files["scores.mem"].split()] == list(made.scores)
    assert {len(word) for word in files["scores.mem"].split()} == {4}


def test_random_samples_are_the_same_everywhere(small_image):
    events = random_events(small_image, 3)
    assert events.shape == (3, small_image.time_steps, small_image.inputs)
    assert (events == random_events(small_image, 3)).all()
    assert (events[:2] == random_events(small_image, 2)).all()
    assert 0.05 < events.mean() < 0.15
