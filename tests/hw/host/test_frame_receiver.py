"""Frames with the right checksum come through whole; nothing else does."""

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spikeloom.host.frames import CONTENTS_BYTES, FRAME_BYTES, FrameReader, frame
from spikeloom.host.protocol import PAYLOAD_BYTES, REQUEST_BYTES, WINDOW, Status
from spikeloom_hw.host.frame_receiver import FrameReceiver

from .conversation import simulate

LONGEST = PAYLOAD_BYTES + REQUEST_BYTES


def receive(line, *, pauses=(0,), taken_after=0, gap=0, settled=False):
    """What a receiver makes of `line`: frames, refusals, and how many.

    `settled` waits after a frame until it is read, two cycles a byte and a few to begin.
    """
    dut = FrameReceiver()
    frames, refused, count = [], [], []

    async def host(ctx):
        begun = 0
        for byte in line:
            ctx.set(dut.bytes.payload, byte)
            ctx.set(dut.bytes.valid, 1)
            await ctx.tick()
            begun += 1
            reading = 2 * begun + 4 if settled and byte == 0 else 0
            if byte == 0:
                begun = 0
            if gap or reading:
                ctx.set(dut.bytes.valid, 0)
                await ctx.tick().repeat(gap + reading)
        ctx.set(dut.bytes.valid, 0)
        await ctx.tick().repeat(4 * FRAME_BYTES * (1 + max(pauses)) + taken_after)
        count.append(ctx.get(dut.refusals))

    async def core(ctx):
        begun = bytearray()
        wait = taken_after
        number = 0
        port = dut.frames
        async for _, _, valid, ready, beat in ctx.tick().sample(
            port.valid, port.ready, port.payload
        ):
            if valid and ready:
                begun.append(beat.data)
                if beat.last:
                    frames.append(bytes(begun))
                    begun.clear()
                wait = pauses[number % len(pauses)]
                number += 1
            ctx.set(port.ready, wait == 0)
            wait = max(0, wait - 1)

    async def listen(ctx):
        ctx.set(dut.refused.ready, 1)
        async for _, _, valid, status in ctx.tick().sample(dut.refused.valid, dut.refused.payload):
            if valid:
                refused.append(Status(status))

    simulate(dut, host, background=(core, listen))
    return frames, refused, count[0]


CONTENTS = [
    pytest.param(b"ab", id="shortest"),
    pytest.param(bytes(LONGEST), id="longest, zeros"),
    pytest.param(bytes([1 + n % 255 for n in range(LONGEST)]), id="longest, no zero"),
    pytest.param(bytes(range(200)), id="one zero"),
]


@pytest.mark.parametrize("contents", CONTENTS)
@pytest.mark.parametrize("pauses", [(0,), (0, 2, 5)])
def test_contents_come_through(contents, pauses):
    line = b"\0" + frame(contents)
    assert receive(line, pauses=pauses) == ([contents], [], 0)


def test_a_frame_waits_while_another_is_read():
    sent = [b"first one", b"second\0"]
    line = b"".join(map(frame, sent))
    assert receive(line, taken_after=100) == (sent, [], 0)


def test_a_third_frame_is_dropped_and_said_to_be():
    sent = [b"first one", b"second\0", b"third"]
    line = b"".join(map(frame, sent))
    assert receive(line, taken_after=100) == (sent[:2], [Status.OVERRUN], 1)


def test_the_line_is_clear_again_after_a_dropped_frame():
    sent = [b"first one", b"second\0", b"third", b"fourth"]
    line = b"".join(map(frame, sent[:3])) + bytes(60) + frame(sent[3])
    assert receive(line, taken_after=40, gap=0) == ([*sent[:2], sent[3]], [Status.OVERRUN], 1)


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(frame(b"abc")[:-1] + b"x\0", id="a byte too many"),
        pytest.param(frame(b"abc")[:-2] + b"\0", id="a byte too few"),
        pytest.param(frame(b"a"), id="too short to be a request"),
        pytest.param(b"\x01\0", id="nothing but a block"),
        pytest.param(bytes([200] * 1000) + b"\0", id="no end in sight"),
        pytest.param(frame(bytes(LONGEST + 1)), id="a byte longer than allowed"),
        pytest.param(b"\xff" * 254 + b"\0", id="a block of 254"),
    ],
)
def test_what_is_broken_is_refused_and_the_next_one_taken(broken):
    assert receive(broken + frame(b"good")) == ([b"good"], [Status.CORRUPT], 1)
    if len(broken) < FRAME_BYTES:
        assert FrameReader().feed(frame(b"a")) == [b"a"]


def test_each_flipped_byte_is_refused():
    contents = bytes([3, 2, 0, 0, 17, 0, 0, 128, 1, 128])
    line = frame(contents)
    rng = random.Random(1)
    damaged = []
    for at in range(len(line) - 1):
        wrong = bytearray(line)
        wrong[at] ^= rng.randrange(1, 256)
        damaged.append(bytes(wrong))
    frames, refused, count = receive(b"".join(one + bytes(4) for one in damaged) + line, gap=1)
    assert frames == [contents]
    # A byte that became zero makes two broken frames of one.
    assert len(refused) == count >= len(damaged)


LINES = st.lists(
    st.one_of(
        st.binary(min_size=2, max_size=LONGEST).map(frame),
        st.binary(max_size=40),
    ),
    max_size=6,
).map(lambda parts: b"\0".join(parts) + b"\0")
"""Frames, and what is none, with a zero or two between one and the next."""


def by_the_host(line):
    """The frames of `line` that the host's reader finds and a receiver takes."""
    return [contents for contents in FrameReader().feed(line) if 2 <= len(contents) <= LONGEST]


@settings(max_examples=30)
@given(LINES)
@example(frame(bytes(15)) + b"\0" + frame(bytes(2)) + b"\0" + frame(bytes(2)))
def test_receiver_and_host_agree_on_any_line(line):
    found = by_the_host(line)
    frames, refused, count = receive(line, settled=True)
    assert frames == found
    others = [one for one in line.split(b"\0") if one]
    assert refused == [Status.CORRUPT] * count
    assert count == len(others) - len(found)


@settings(max_examples=30)
@given(LINES)
@example(frame(bytes(15)) + b"\0" + frame(bytes(2)) + b"\0" + frame(bytes(2)))
def test_whoever_does_not_wait_is_told_of_each_frame_that_was_dropped(line):
    found = by_the_host(line)
    frames, refused, _ = receive(line)
    dropped = refused.count(Status.OVERRUN)
    assert len(frames) + dropped == len(found)
    assert frames[:WINDOW] == found[:WINDOW]
    assert is_subsequence(frames, found)


def is_subsequence(some, of):
    """Whether all of `some` stand in `of`, in this order."""
    rest = iter(of)
    return all(one in rest for one in some)


def test_contents_fit_the_frame():
    assert len(frame(bytes(CONTENTS_BYTES))) == FRAME_BYTES
    with pytest.raises(ValueError, match=f"up to {CONTENTS_BYTES} bytes"):
        frame(bytes(CONTENTS_BYTES + 1))
