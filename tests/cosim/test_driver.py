"""Samples to events, against plain loops."""

import numpy as np
import pytest

from spikeloom_cosim.driver import EVENTS, LOADS, event_words, write_events, write_loads

from .by_hand import SHAPE, random_events

STEP, LAST, END = 4, 8, 1 << 31


def naive(events):
    words = []
    for sample in events:
        for number, step in enumerate(sample):
            words += [address for address, spikes in enumerate(step) if spikes]
            words.append(STEP | (LAST | END if number == len(sample) - 1 else 0))
    return words


def steps_of(words):
    """Sorted addresses of each step, split at the STEPs."""
    ends = np.flatnonzero(words & STEP)
    return [sorted(part[part < STEP].tolist()) for part in np.split(words, ends + 1)]


@pytest.mark.parametrize("samples", [1, 2, 20])
def test_words(samples):
    events = random_events(samples)
    assert event_words(events, SHAPE).tolist() == naive(events)


def test_one_step():
    events = np.array([[[True, False]], [[False, False]]])
    assert event_words(events, SHAPE).tolist() == naive(events)


def test_shuffle_stays_within_a_step():
    events = random_events(20)
    plain, shuffled = event_words(events, SHAPE), event_words(events, SHAPE, shuffle=3)
    assert steps_of(shuffled) == steps_of(plain)
    assert (shuffled != plain).any()
    assert (shuffled == event_words(events, SHAPE, shuffle=3)).all()


def test_file_is_big_endian(tmp_path):
    write_events(tmp_path, [np.array([1, 0x80000002], dtype=np.uint32)])
    assert (tmp_path / EVENTS).read_bytes() == bytes([0, 0, 0, 1, 0xC0, 0, 0, 2])


def test_every_round_has_its_end(tmp_path):
    write_loads(tmp_path, [np.array([1, 2], dtype=np.uint64), np.array([3], dtype=np.uint64)])
    loads = np.fromfile(tmp_path / LOADS, dtype=">u8").tolist()
    assert loads == [1, 2 | 1 << 63, 3 | 1 << 63]
