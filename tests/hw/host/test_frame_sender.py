"""Whatever is sent can be read again, byte for byte as the host would write it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeloom.host.frames import CONTENTS_BYTES, frame
from spikeloom_hw.host.frame_sender import FrameSender
from streams import consumer, producer, run_scenario


def send(frames, pauses=(0,)):
    dut = FrameSender()
    beats = [
        {"data": byte, "last": at == len(contents) - 1}
        for contents in frames
        for at, byte in enumerate(contents)
    ]
    expected = b"".join(map(frame, frames))
    taken = []
    run_scenario(
        dut,
        producer(dut.contents, beats, pauses),
        consumer(dut.bytes, taken, len(expected), pauses),
    )
    assert bytes(taken) == expected


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param([b"\0"], id="a zero"),
        pytest.param([b"abc", b"de", b"f"], id="three"),
        pytest.param([bytes(CONTENTS_BYTES), b"x"], id="longest, zeros"),
        pytest.param([bytes([1 + n % 255 for n in range(CONTENTS_BYTES)])], id="longest, no zero"),
    ],
)
@pytest.mark.parametrize("pauses", [(0,), (1, 0, 4)])
def test_frames(frames, pauses):
    send(frames, pauses)


@settings(max_examples=25)
@given(st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=4))
def test_any_frames(frames):
    send(frames)
