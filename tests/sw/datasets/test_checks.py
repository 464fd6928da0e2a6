"""Data that cannot be trained on, or of which a user should know something."""

from dataclasses import replace

import numpy as np
import pytest

from spikeloom.datasets import Dataset, Split
from spikeloom.datasets.checks import check_inputs, check_splits, remarks
from spikeloom.datasets.fitting import check_same
from spikeloom.datasets.split import digit_names, hold_out
from spikeloom.encoding import LatencyEncoding, MultiThresholdEncoding
from spikeloom.errors import UserError


def split(labels, value=200):
    count = len(labels)
    return Split(
        images=np.full((count, 6), value, dtype=np.uint8),
        labels=np.array(labels, dtype=np.int64),
        index=np.arange(count),
    )


def dataset(train=(0, 1, 2), validation=(0, 1), test=(0, 1, 2), value=200):
    return Dataset(
        name="six",
        train=split(train, value),
        validation=split(validation, value),
        test=split(test, value),
        shape=(2, 3),
        class_names=digit_names(3),
    )


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        pytest.param({"train": ()}, "no training sample", id="nothing to learn from"),
        pytest.param({"validation": ()}, "no validation sample", id="nothing to choose by"),
        pytest.param({"test": ()}, "no test sample", id="nothing to test with"),
        pytest.param({"train": (1, 1)}, "all of one class, '1'", id="one class"),
    ],
)
def test_splits_that_are_refused(parts, says):
    check_splits(dataset())
    with pytest.raises(UserError, match=says):
        check_splits(dataset(**parts))


def test_every_class_with_two_samples_gives_one():
    rest, held = hold_out(split([0, 0, 1, 1, 1, 1, 2]), 0.05)
    assert held.labels.tolist() == [0, 1]
    assert sorted(rest.labels.tolist()) == [0, 1, 1, 1, 2]


def test_nothing_is_held_out_for_nothing():
    assert len(hold_out(split([0, 0, 1, 1]), 0.0)[1]) == 0


def test_a_class_without_training_samples_is_said():
    assert list(remarks(dataset())) == []
    (said,) = remarks(dataset(train=(0, 2)))
    assert "no training sample is of the class '1'" in said


def test_images_of_zeros_and_ones_are_said():
    (said,) = remarks(dataset(value=1))
    assert "multiply them by 255" in said


@pytest.mark.parametrize(
    ("encoding", "value", "says"),
    [
        (LatencyEncoding(), 63, "values are 0 to 63, and the latency encoding needs 64 or more"),
        (MultiThresholdEncoding(levels=1), 127, "the multithreshold encoding needs more"),
    ],
)
def test_data_without_an_input_event_are_refused(encoding, value, says):
    check_inputs(dataset(value=value + 1), encoding, 4)
    with pytest.raises(UserError, match=says):
        check_inputs(dataset(value=value), encoding, 4)


def other(**changes):
    return replace(dataset(), **changes)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param(dataset(value=201), "as many, with other values", id="values"),
        pytest.param(dataset(train=(0, 2, 1)), "as many, with other values", id="labels"),
        pytest.param(dataset(train=(0, 1)), r"had \[3, 2, 3\] .*now \[2, 2, 3\]", id="fewer"),
        pytest.param(other(shape=(3, 2)), r"was \[2, 3\], now \[3, 2\]", id="shape"),
        pytest.param(
            other(class_names=("a", "b", "c")), "were '0', '1', '2', now 'a', 'b', 'c'", id="names"
        ),
    ],
)
def test_other_data_are_refused_by_what_differs(data, says):
    check_same(None, data, owner="old", fix="nothing")
    check_same(dataset().identity, other(place="elsewhere"), owner="run", fix="nothing")
    with pytest.raises(UserError, match=says):
        check_same(dataset().identity, data, owner="run", fix="begin anew")
