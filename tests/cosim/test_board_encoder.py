"""A simulated board that encodes: pixels cross the serial line, and every answer is exact."""

from dataclasses import replace

import numpy as np
import pytest

from networks import random_network
from spikeloom.datasets import load_dataset
from spikeloom.encoding import DeltaEncoding, LatencyEncoding, RateEncoding, encode
from spikeloom.errors import UserError
from spikeloom.host import Device
from spikeloom.host.frames import frame_bytes
from spikeloom.reference import simulate
from spikeloom_cosim.board.line import open_simulated
from spikeloom_hw.generate import generate
from spikeloom_hw.source import find
from spikeloom_hw.targets import TARGETS

DIGITS = load_dataset("digits").test.images[:]


def network(encoding, inputs=64):
    drawn = random_network(np.random.default_rng(6), (inputs, 24, 10), density=0.5, time_steps=8)
    return replace(drawn, encoding=encoding)


def made(image, folder, **options):
    generate(
        image, target=TARGETS["icebreaker"], lanes=(8, 1), directory=folder, encoder=True, **options
    )
    return folder


def assert_exact(answers, image, images):
    trace = simulate(image, encode(image.encoding, images, image.time_steps))
    assert answers.scores.tolist() == trace.scores.tolist()
    assert answers.labels.tolist() == trace.predictions.tolist()


def stop(_done):
    raise InterruptedError


def test_the_whole_test_set_as_pixels(tmp_path):
    image = network(LatencyEncoding())
    folder = made(image, tmp_path / "design", loadable=True)
    design = find(folder)
    other = replace(image, encoding=LatencyEncoding(threshold=30))
    with Device(open_simulated(str(folder)), design=design) as device:
        device.load(image)
        answers = device.classify(DIGITS)
        assert_exact(answers, image, DIGITS)
        # One request of 64 values, one for the result, and its answer.
        line = frame_bytes(2 + 64) + frame_bytes(2 + 3) + frame_bytes(3 + 1 + 10 * 4)
        assert answers.timings.line.tolist() == pytest.approx([1e-5 * line] * len(DIGITS))
        # A host that stops in the middle of a sample begins anew.
        with pytest.raises(InterruptedError):
            device.classify(DIGITS, advance=stop)
        assert_exact(device.classify(DIGITS[:20]), image, DIGITS[:20])
        # The board's encoder is not this network's: its host encodes.
        device.load(other)
        assert_exact(device.classify(DIGITS[:20]), other, DIGITS[:20])


@pytest.mark.slow
@pytest.mark.parametrize("encoding", [DeltaEncoding(), LatencyEncoding()], ids=["delta", "latency"])
def test_a_fixed_network_of_either_code(encoding, tmp_path):
    inputs = 16 if isinstance(encoding, DeltaEncoding) else 64
    image = network(encoding, inputs)
    folder = made(image, tmp_path / "design")
    with Device(open_simulated(str(folder)), design=find(folder)) as device:
        device.load(image)
        assert_exact(device.classify(DIGITS), image, DIGITS)


def test_an_encoder_needs_a_board(small_image, tmp_path):
    with pytest.raises(UserError, match="an encoder is part of a board's top"):
        made(small_image, tmp_path / "design", bare=True)


def test_an_encoder_needs_gateware(small_image, tmp_path):
    with pytest.raises(UserError, match="the rate encoding has no gateware"):
        made(replace(small_image, encoding=RateEncoding()), tmp_path / "design")
    assert not (tmp_path / "design").exists()
