import msgspec
import numpy as np
import pytest
import torch

from spikeloom.config import parse_config
from spikeloom.encoding import RateEncoding, encode
from spikeloom.training.batches import shift_images, training_batches

IMAGE = np.array([[0, 0, 0], [0, 200, 100], [0, 0, 0]], dtype=np.uint8).reshape(1, 9)


@pytest.mark.parametrize(
    ("down", "right", "wanted"),
    [
        pytest.param(0.0, 0.0, [[0, 0, 0], [0, 200, 100], [0, 0, 0]], id="not at all"),
        pytest.param(1.0, 0.0, [[0, 0, 0], [0, 0, 0], [0, 200, 100]], id="down"),
        pytest.param(0.0, -1.0, [[0, 0, 0], [200, 100, 0], [0, 0, 0]], id="left"),
        pytest.param(0.0, 1.0, [[0, 0, 0], [0, 0, 200], [0, 0, 0]], id="off the edge"),
        pytest.param(-0.5, 0.0, [[0, 100, 50], [0, 100, 50], [0, 0, 0]], id="half up"),
        pytest.param(0.0, 0.25, [[0, 0, 0], [0, 150, 125], [0, 0, 0]], id="a quarter right"),
        pytest.param(-3.0, 0.0, [[0] * 3] * 3, id="out of sight"),
    ],
)
def test_images_move_by_fractions_of_a_pixel(down, right, wanted):
    moved = shift_images(IMAGE, (3, 3), np.array([down]), np.array([right]))
    assert moved.dtype == np.uint8
    assert moved.reshape(3, 3).tolist() == wanted


def test_each_image_moves_by_its_own():
    images = np.concatenate([IMAGE, IMAGE])
    both = shift_images(images, (3, 3), np.array([1.0, -1.0]), np.array([0.5, 0.0]))
    for i, (down, right) in enumerate([(1.0, 0.5), (-1.0, 0.0)]):
        alone = shift_images(IMAGE, (3, 3), np.array([down]), np.array([right]))
        assert np.array_equal(both[i], alone[0])


def epoch(digits, text="", number=1, **data):
    config = parse_config(text, source="x")
    settings = msgspec.structs.replace(config.data, **data)
    return list(training_batches(digits, settings, config.training, epoch=number))


def test_an_epoch_is_every_sample_once(digits):
    batches = epoch(digits)
    events = torch.cat([events for events, _ in batches])
    labels = torch.cat([labels for _, labels in batches])
    whole = encode(parse_config("", source="x").data.encoding, digits.train.images, 8)
    assert len(batches) == 18
    assert sorted(map(bytes, events.numpy())) == sorted(map(bytes, whole))
    assert torch.bincount(labels).tolist() == np.bincount(digits.train.labels).tolist()


@pytest.mark.parametrize("text", ["", "[training]\nshift = 0.5\nnoise = 30.0"])
def test_an_epoch_repeats_exactly_and_differs_from_the_next(digits, text):
    first, again, other = (epoch(digits, text, number) for number in (1, 1, 2))
    for (a, la), (b, lb) in zip(first, again, strict=True):
        assert torch.equal(a, b)
        assert torch.equal(la, lb)
    assert not torch.equal(first[0][1], other[0][1])


def test_noise_leaves_black_paper_alone(digits):
    batches = epoch(
        digits, "[training]\nnoise = 100.0\n[data.encoding]\nkind='latency'\nthreshold=1"
    )
    seen = torch.cat([events for events, _ in batches]).any(dim=1).any(dim=0).numpy()
    assert not seen[(digits.train.images == 0).all(axis=0)].any()


def test_a_random_code_is_drawn_anew_each_epoch(digits):
    code = RateEncoding(seed=1, gain=128)
    sums = [
        sum(int(events.sum()) for events, _ in epoch(digits, number=n, encoding=code))
        for n in (1, 2)
    ]
    assert sums[0] != sums[1]
