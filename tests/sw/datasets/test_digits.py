import numpy as np
import pytest

from spikeloom.datasets import known_names, load_dataset
from spikeloom.datasets.split import hold_out
from spikeloom.errors import UserError


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits")


def test_splits_are_disjoint_and_complete(digits):
    parts = [digits.train.index, digits.validation.index, digits.test.index]
    assert sorted(np.concatenate(parts).tolist()) == list(range(1797))
    assert [len(part) for part in parts] == [1151, 287, 359]


def test_splits_are_stratified(digits):
    whole = np.bincount(
        np.concatenate([digits.train.labels, digits.validation.labels, digits.test.labels])
    )
    assert np.abs(np.bincount(digits.test.labels) - 0.2 * whole).max() <= 0.5


def test_images_fill_the_byte(digits):
    images = digits.train.images
    assert images.dtype == np.uint8
    assert images.shape == (len(digits.train), digits.pixels) == (len(digits.train), 64)
    assert (images.min(), images.max()) == (0, 255)
    assert len(np.unique(images)) == 17


def test_splits_are_the_same_at_every_load(digits):
    again = load_dataset("digits")
    assert np.array_equal(again.test.index, digits.test.index)
    assert np.array_equal(again.validation.images[:], digits.validation.images[:])
    # The first of them, written down: the test split must never move.
    assert digits.test.index[:8].tolist() == [17, 20, 24, 30, 43, 62, 69, 73]


def test_hold_out_is_a_stratified_partition(digits):
    rest, held = hold_out(digits.test, 0.5, seed=5)
    assert sorted([*rest.index, *held.index]) == sorted(digits.test.index)
    assert (len(rest), len(held)) == (179, 180)
    assert not np.array_equal(held.index, hold_out(digits.test, 0.5, seed=6)[1].index)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        pytest.param("digit", "unknown data set 'digit', did you mean 'digits'?", id="near"),
        pytest.param("zzz", f"choose from {', '.join(known_names())}", id="like no other"),
    ],
)
def test_unknown_data_set(name, says):
    with pytest.raises(UserError) as refusal:
        load_dataset(name)
    assert says in str(refusal.value)
