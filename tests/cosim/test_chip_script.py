"""What a host sends and receives: its bytes, and what they mean."""

import numpy as np

from spikeloom_cosim.chip.script import WAIT, Layout, read_answers, write_script
from spikeloom_hw.host import protocol

LAYOUT = Layout(outputs=2, counters=3)
IDENTITY = protocol.encode_identity(protocol.Identity(version=2, design_hash=b"abcd"))


def counters(*counts: int) -> bytes:
    return np.array(counts, "<u4").tobytes()


def said(samples: int) -> bytes:
    """An identity and, for each sample, scores of its number and counts that grow."""
    parts = [IDENTITY, counters(5, 0, 0)]
    for number in range(samples):
        parts.append(protocol.encode_answer([number, -number], number % 2))
        parts.append(counters(100 * number, 7 * number, 0xFFFFFFFF))
    return b"".join(parts)


def test_script():
    events = np.zeros((2, 2, 4), dtype=bool)
    events[0, 1, [0, 3]] = True
    script = write_script(events, LAYOUT, loads=[(1, 0, 2, 0xBEEF)])
    waits = [int(word) & ~WAIT for word in script if word & WAIT]
    assert waits == [9, 21, 30, 42, 51, 63]
    parts = np.split(script, np.flatnonzero(script & WAIT) + 1)
    sent = [bytes(part[~(part & WAIT).astype(bool)].astype(np.uint8)) for part in parts]
    assert sent == [
        b"\xff\xff",
        protocol.encode_load([(1, 0, 2, 0xBEEF)]) + b"\x00\xc0",
        b"\x00\x80\x00\x00\x03\x00\x01\x80",
        b"\x00\xc0",
        b"\x00\x80\x01\x80",
        b"\x00\xc0",
        b"",
    ]


def test_answers():
    answers = read_answers(np.frombuffer(said(3), np.uint8), LAYOUT)
    assert answers.identity == IDENTITY
    assert answers.scores.tolist() == [[0, 0], [1, -1], [2, -2]]
    assert answers.labels.tolist() == [0, 1, 0]
    assert answers.counts.tolist() == [
        [5, 0, 0],
        [0, 0, 0xFFFFFFFF],
        [100, 7, 0xFFFFFFFF],
        [200, 14, 0xFFFFFFFF],
    ]
    assert (answers.samples, answers.surplus) == (3, 0)


def test_answers_of_a_chip_that_fell_silent():
    whole = said(3)
    for length in range(len(whole)):
        answers = read_answers(np.frombuffer(whole[:length], np.uint8), LAYOUT)
        assert answers.samples == LAYOUT.samples_in(length) < 3
        assert len(answers.counts) == answers.samples + 1
