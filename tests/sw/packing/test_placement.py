"""Neurons placed in banks: fewer words, never more, and the fewest where that can be counted."""

import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from networks import layers, random_network
from spikeloom.arithmetic import IntegrateLeak
from spikeloom.image import Layer
from spikeloom.image.permutation import permute_hidden
from spikeloom.packing import pack
from spikeloom.packing.placement import fullest_bank, place, place_network


def layer_of(present):
    return Layer.from_dense(np.asarray(present, dtype=np.int64), name="x", leak=IntegrateLeak())


def placed(layer, order):
    return layer_of(layer.dense()[:, order] != 0)


@given(layer=layers(), banks=st.integers(1, 9))
def test_the_fullest_bank_is_counted(layer, banks):
    present = layer.dense() != 0
    counts = [present[:, bank::banks].sum(axis=1) for bank in range(banks)]
    assert np.array_equal(fullest_bank(layer, banks), np.max(counts, axis=0))


@settings(max_examples=40, deadline=None)
@given(layer=layers(), banks=st.integers(1, 9), seed=st.integers(0, 9))
def test_never_worse_and_ascending_in_each_bank(layer, banks, seed):
    order = place(layer, banks, seed=seed, seconds=0.05)
    assert np.array_equal(np.sort(order), np.arange(layer.neurons))
    for bank in range(banks):
        assert np.all(np.diff(order[bank::banks]) > 0)
    before, after = fullest_bank(layer, banks), fullest_bank(placed(layer, order), banks)
    assert after.sum() <= before.sum()
    if after.sum() == before.sum():
        assert np.array_equal(order, np.arange(layer.neurons))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), lanes=st.sampled_from([1, 2, 4, 8]))
def test_a_network_never_takes_more_words(seed, lanes):
    rng = np.random.default_rng(seed)
    image = random_network(rng, [30, 24, 17, 5], density=rng.choice([0.1, 0.4, 0.9]))
    every = [lanes, lanes, 1]
    permuted = permute_hidden(image, place_network(image, every, seconds=0.1))
    before, after = (
        sum(pack(layer, own).words for layer, own in zip(each.layers, every, strict=True))
        for each in (image, permuted)
    )
    assert after <= before


@pytest.mark.parametrize("neurons", [64, 61], ids=["full groups", "a partial group"])
def test_a_bad_placement_is_mended(neurons):
    """Neurons with the same inputs share a bank, so that a row's synapses meet in one bank."""
    rng = np.random.default_rng(0)
    kinds = rng.random((40, 8)) < 0.3
    layer = layer_of(kinds[:, np.arange(neurons) % 8])
    bound = -(-layer.fan_out // 8)
    assert fullest_bank(layer, 8).sum() > 2 * bound.sum()
    found = fullest_bank(placed(layer, place(layer, 8, seconds=5)), 8)
    assert found.sum() <= 1.1 * bound.sum()
    if neurons == 64:
        assert np.array_equal(found, bound)


@pytest.mark.parametrize("activity", [None, "some"], ids=["all rows alike", "by activity"])
@pytest.mark.parametrize("seed", range(4))
def test_the_best_of_all_where_all_can_be_counted(seed, activity):
    rng = np.random.default_rng(seed)
    layer = layer_of(rng.random((12, 8)) < 0.5)
    means = np.ones(12) if activity is None else rng.choice([1, 3, 5], 12)
    halves = (
        np.array([first, [n for n in range(8) if n not in first]]).T.ravel()
        for first in itertools.combinations(range(8), 4)
    )
    best = min(means @ fullest_bank(placed(layer, order), 2) for order in halves)
    order = place(layer, 2, activity=None if activity is None else means)
    assert means @ fullest_bank(placed(layer, order), 2) == best


def test_busy_rows_are_served_first():
    rng = np.random.default_rng(5)
    layer = layer_of(rng.random((200, 32)) < 0.4)
    means = np.where(np.arange(200) < 10, 1.0, 0.0)
    order = place(layer, 4, activity=means, seconds=10)
    bound = -(-layer.fan_out // 4)
    found = fullest_bank(placed(layer, order), 4)
    alike = fullest_bank(placed(layer, place(layer, 4, seconds=10)), 4)
    assert (found - bound)[:10].sum() < (alike - bound)[:10].sum()
    assert found.sum() >= alike.sum()


def test_the_same_seed_gives_the_same_order():
    layer = layer_of(np.random.default_rng(1).random((50, 48)) < 0.3)
    first, again, other = (place(layer, 4, seed=seed, seconds=60) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_ends_in_time_and_is_better_even_then():
    layer = layer_of(np.random.default_rng(1).random((300, 512)) < 0.2)
    began = time.monotonic()
    order = place(layer, 8, seconds=1.0)
    assert time.monotonic() - began < 5
    assert fullest_bank(placed(layer, order), 8).sum() < fullest_bank(layer, 8).sum()
    assert np.array_equal(place(layer, 8, seconds=0), np.arange(512))


def test_progress_rises_to_the_end():
    image = random_network(np.random.default_rng(2), [30, 24, 24, 5], density=0.4)
    told = []
    place_network(image, [4, 4, 1], seconds=0.4, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_layer_that_would_not_gain_keeps_its_order():
    image = random_network(np.random.default_rng(2), [30, 24, 5], density=1.0)
    (order,) = place_network(image, [4, 1])
    assert np.array_equal(order, np.arange(24))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({"banks": 0}, "banks must be at least 1, not 0", id="no bank"),
        pytest.param({"banks": 2, "activity": [1.0]}, "activity must be 3 numbers", id="too few"),
        pytest.param({"banks": 2, "activity": [1, -1, 1]}, "0 or more", id="negative"),
        pytest.param({"banks": 2, "activity": [1, np.nan, 1]}, "0 or more", id="no number"),
    ],
)
def test_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        place(layer_of(np.ones((3, 4))), **arguments)
