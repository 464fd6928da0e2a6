"""What a host sends and receives: its bytes, and what they mean."""

from itertools import pairwise

import numpy as np
import pytest

from spikeloom.host import protocol
from spikeloom.host.frames import FrameReader, frame
from spikeloom.host.protocol import Answer, Command, Identity, Result, Status
from spikeloom_cosim.chip.script import WAIT, converse, read_answers, write_script

SAMPLES, STEPS, INPUTS, OUTPUTS, COUNTERS = 3, 2, 4, 70, 3
LOADS = [(1, 0, 2, 0xBEEF), (1, 0, 3, 0xF00D), (1, 2, 0, 9)]
IDENTITY = Identity(
    loadable=True,
    takes_frames=False,
    design_hash=b"abcdefgh",
    inputs=INPUTS,
    outputs=OUTPUTS,
    layers=2,
    counters=COUNTERS,
    clock_hz=30_000_000,
)
EVENTS = np.zeros((SAMPLES, STEPS, INPUTS), dtype=bool)
EVENTS[0, 1, [0, 3]] = True


@pytest.fixture
def conversation():
    return converse(EVENTS, outputs=OUTPUTS, counters=COUNTERS, loads=LOADS)


def scores(sample):
    return tuple(sample * 100 + output for output in range(OUTPUTS))


def counts(number):
    return (5 * number, 7 * number, 0xFFFFFFFF)


def said(conversation, *, status=Status.OK):
    """What a healthy device answers to each exchange, frame by frame."""
    reader, sample, counted = FrameReader(), 0, 0
    for exchange in conversation.exchanges:
        sequence, command = exchange.request[:2]
        match Command(command):
            case Command.RESET:
                payload = protocol.encode_identity(IDENTITY)
            case Command.READ:
                payload = np.array([0xBEEF, 0xF00D], "<u2").tobytes()
            case Command.RESULT:
                _, first, more = exchange.request[2:]
                own = scores(sample)[first : first + more + 1]
                payload = bytes([sample]) + np.array(own, "<i4").tobytes()
            case Command.COUNTERS:
                payload = bytes(4) + np.array(counts(counted), "<u4").tobytes()
                sample, counted = max(0, counted), counted + 1
            case _:
                payload = b""
        answer = Answer(sequence=sequence, payload=payload, next=0, status=status)
        yield frame(protocol.encode_answer(answer))
    assert reader.refused == 0


def read(data, conversation):
    return read_answers(np.frombuffer(data, np.uint8), conversation)


def test_script(conversation):
    script = write_script(conversation)
    waits = [int(word) & ~WAIT for word in script if word & WAIT]
    received = np.cumsum([len(part) for part in said(conversation)])
    # The first two go at once, each other one when all but one before it are answered.
    assert waits == [*received[: len(waits) - 1].tolist(), received[-1]]
    assert len(waits) == len(received) - 2 + 1
    sent = bytes(int(word) for word in script if not word & WAIT)
    requests = FrameReader().feed(sent)
    assert requests == [exchange.request for exchange in conversation.exchanges]
    ordered = [r[0] for r in requests if r[1] in (*protocol.ORDERED, Command.RESET)]
    assert all(later == (earlier + 1) % 256 for earlier, later in pairwise(ordered))
    assert [Command(request[1]).name for request in requests[:5]] == [
        *("RESET", "LOAD", "LOAD", "READ", "COUNTERS")
    ]
    words = protocol.encode_events([[], [0, 3]])
    assert requests[5][2:] == b"".join(words)


def test_answers(conversation):
    answers = read(b"".join(said(conversation)), conversation)
    assert answers.identity == IDENTITY
    assert answers.scores.tolist() == [list(scores(sample)) for sample in range(SAMPLES)]
    assert answers.labels.tolist() == [0, 1, 2]
    assert answers.counts.tolist() == [list(counts(number)) for number in range(SAMPLES + 1)]
    assert (answers.samples, answers.surplus, answers.broken) == (SAMPLES, 0, 0)


def test_answers_of_a_chip_that_fell_silent(conversation):
    parts = list(said(conversation))
    for kept in range(len(parts)):
        data = b"".join(parts[:kept])
        answers = read(data, conversation)
        assert answers.samples == conversation.samples_in(len(data)) < SAMPLES
        assert len(answers.counts) == answers.samples + 1
        assert answers.broken == 0


@pytest.mark.parametrize("at", range(5))
def test_an_answer_that_is_damaged_is_told(conversation, at):
    parts = list(said(conversation))
    damaged = bytearray(parts[at])
    damaged[2] ^= 4
    assert read(b"".join([*parts[:at], bytes(damaged), *parts[at + 1 :]]), conversation).broken


def test_refusals_and_wrong_read_backs_are_told(conversation):
    refused = read(b"".join(said(conversation, status=Status.MALFORMED)), conversation)
    assert (refused.samples, refused.broken) == (0, 1)
    other = converse(EVENTS, outputs=OUTPUTS, counters=COUNTERS, loads=[(1, 0, 2, 1), LOADS[1]])
    assert read(b"".join(said(other)), other).broken == 1


def test_results_are_results():
    payload = bytes([3]) + np.array([-1, 5], "<i4").tobytes()
    assert protocol.decode_result(payload) == Result(label=3, scores=(-1, 5))
