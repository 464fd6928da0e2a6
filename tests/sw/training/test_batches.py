import msgspec
import numpy as np
import pytest
import torch

from spikeloom.config import parse_config
from spikeloom.encoding import RateEncoding, encode
from spikeloom.training.batches import training_batches


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


@pytest.mark.parametrize("text", ["", "[training]\nshift = 0.5\nzoom = 0.1\nnoise = 30.0"])
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
