from dataclasses import replace

import numpy as np
import pytest

from spikeloom.datasets import load_dataset
from spikeloom.encoding import RateEncoding, encode
from spikeloom.evaluation import (
    Evaluation,
    encoded_batches,
    evaluate_split,
    mean_spikes,
    wilson_interval,
)
from spikeloom.reference import simulate


def test_sums_equal_those_of_one_simulation(small_image):
    split = load_dataset("digits").test
    done = evaluate_split(small_image, split)
    trace = simulate(small_image, encode(small_image.encoding, split.images[:], 8))
    assert done.samples == len(split)
    assert done.correct == (trace.predictions == split.labels).sum()
    assert done.events == (trace.events.sum(), trace.spikes[0].sum())
    assert done.operations == tuple(trace.operations.sum(axis=0))
    assert done.accuracy == done.correct / len(split)
    assert done.operations_per_sample == trace.operations.sum() / len(split)
    assert done.events_per_sample == tuple(n / len(split) for n in done.events)


def test_batches_are_the_split_in_order(small_image):
    split = load_dataset("digits").test
    parts = list(encoded_batches(split, encoding=small_image.encoding, time_steps=8, batch_size=50))
    assert [len(labels) for _, labels in parts] == [50] * 7 + [len(split) - 350]
    assert np.array_equal(np.concatenate([labels for _, labels in parts]), split.labels)
    whole = encode(small_image.encoding, split.images[:], 8)
    assert np.array_equal(np.concatenate([events for events, _ in parts]), whole)


@pytest.mark.parametrize("batch_size", [1, 7, 40, 100])
def test_a_random_code_is_keyed_by_the_place_in_the_split(batch_size):
    """Whatever the batches: two samples that look alike do not get the same noise."""
    split = load_dataset("digits").test.take(np.zeros(40, dtype=np.int64))
    code = RateEncoding(seed=3)
    parts = encoded_batches(split, encoding=code, time_steps=4, batch_size=batch_size)
    events = np.concatenate([own for own, _ in parts])
    assert np.array_equal(events, encode(code, split.images[:], 4))
    assert len(np.unique(events.reshape(40, -1), axis=0)) == 40


def test_a_random_code_is_evaluated_as_one_batch_would_be(small_image):
    image = replace(small_image, encoding=RateEncoding(seed=3))
    split = load_dataset("digits").train.take(np.arange(1030))
    trace = simulate(image, encode(image.encoding, split.images[:], image.time_steps))
    done = evaluate_split(image, split)
    assert done.correct == (trace.predictions == split.labels).sum()
    assert done.events == (trace.events.sum(), trace.spikes[0].sum())


def test_mean_spikes_are_those_of_each_input_of_each_layer(small_image):
    split = load_dataset("digits").test.take(np.arange(30))
    trace = simulate(small_image, encode(small_image.encoding, split.images[:], 8))
    means = mean_spikes(small_image, split)
    assert [len(own) for own in means] == [64, 12]
    assert np.allclose(means[0], trace.events.sum(axis=(0, 1)) / 30)
    assert np.allclose(means[1], trace.spikes[0].sum(axis=(0, 1)) / 30)


def test_of_no_samples_nothing_is_divided():
    nothing = Evaluation(
        samples=0, correct=0, events=(0,), operations=(0,), confusion=(), sent=(0,)
    )
    assert (nothing.accuracy, nothing.events_per_sample) == (0, (0,))
    assert nothing.operations_per_sample == 0
    single = Evaluation(
        samples=1, correct=1, events=(6,), operations=(9, 2), confusion=(), sent=(6, 0)
    )
    assert (single.accuracy, single.events_per_sample) == (1, (6,))
    assert single.operations_per_sample == 11


@pytest.mark.parametrize(
    ("correct", "samples", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
        pytest.param(81, 263, 0.2553, 0.3662, id="81 of 263"),
        pytest.param(15, 148, 0.0624, 0.1605, id="15 of 148"),
        pytest.param(0, 20, 0.0, 0.1611, id="none"),
        pytest.param(1, 29, 0.0061, 0.1718, id="1 of 29"),
        pytest.param(20, 20, 0.8389, 1.0, id="all"),
    ],
)
def test_wilson_interval(correct, samples, low, high):
    assert wilson_interval(correct, samples) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("correct", "samples"), [(1, 0), (5, 4), (-1, 4)])
def test_impossible_proportions_are_refused(correct, samples):
    with pytest.raises(ValueError, match=f"not {correct} of {samples}"):
        wilson_interval(correct, samples)
