"""Each kind of connection is what its `rows` say, in every other form."""

import numpy as np
import pytest
import torch

from kinds.graphs import KINDS, random_connection, random_window, weights
from kinds.naive import naive_drive
from spikeloom.connections import CONNECTIONS, Conv2d, Linear, SparseRows

SHAPES = [(1, 1, 1), (5, 4, 3), (4, 7, 2), (6, 6, 4)]


def test_every_kind_is_tried():
    assert set(KINDS) == set(CONNECTIONS)


def cases(kind, *, trials=25):
    for seed in range(trials):
        rng = np.random.default_rng([seed, KINDS.index(kind)])
        shape = SHAPES[seed % len(SHAPES)]
        yield rng, random_connection(rng, kind, shape, shift=seed % 4)


@pytest.mark.parametrize("kind", KINDS)
def test_the_fast_product_is_that_of_the_rows(kind):
    for rng, connection in cases(kind):
        values = rng.integers(0, 256, (3, connection.inputs)) * (
            rng.random((3, connection.inputs)) < 0.4
        )
        expected = [naive_drive(connection, sample) for sample in values]
        assert connection.drive(values).tolist() == expected


@pytest.mark.parametrize("kind", KINDS)
def test_fan_out_counts_the_rows(kind):
    for _, connection in cases(kind):
        counted = [sum(1 for _ in connection.rows(event)) for event in range(connection.inputs)]
        assert connection.fan_out.tolist() == counted


@pytest.mark.parametrize("kind", KINDS)
def test_rows_name_each_target_once(kind):
    for _, connection in cases(kind):
        for event in range(connection.inputs):
            targets = [target for target, _ in connection.rows(event)]
            assert len(set(targets)) == len(targets)
            assert all(0 <= target < connection.neurons for target in targets)


@pytest.mark.parametrize("kind", KINDS)
def test_sums_bound_every_order_of_events_and_are_reached(kind):
    for rng, connection in cases(kind):
        inputs = rng.integers(1, 5, connection.inputs)
        low, high = [0] * connection.neurons, [0] * connection.neurons
        for event, most in enumerate(inputs.tolist()):
            for target, weight in connection.rows(event):
                if connection.joins == "max":
                    high[target] = max(high[target], weight * most)
                else:
                    low[target] += min(0, weight) * most
                    high[target] += max(0, weight) * most
        found_low, found_high = connection.sums(inputs)
        assert found_low.tolist() == low
        assert found_high.tolist() == high


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_gives_back_the_connection(kind):
    for _, connection in cases(kind, trials=8):
        common = {
            field: getattr(connection, field)
            for field in ("name", "source", "target", "source_shape", "delay", "shift", "scale")
        }
        again = CONNECTIONS[kind].from_file(common, connection.settings(), connection.arrays())
        assert again.target_shape == connection.target_shape
        assert [list(again.rows(event)) for event in range(again.inputs)] == [
            list(connection.rows(event)) for event in range(connection.inputs)
        ]


@pytest.mark.parametrize("seed", range(40))
def test_convolution_is_torch_s(seed):
    """Strides, paddings, dilations and groups as torch counts them, channels first there."""
    rng = np.random.default_rng(seed)
    groups = int(rng.choice([1, 2, 3]))
    shape = (int(rng.integers(3, 9)), int(rng.integers(3, 9)), groups * int(rng.integers(1, 3)))
    window = random_window(rng, shape)
    kernel = weights(rng, (groups * 2, shape[2] // groups, *window.kernel))
    connection = Conv2d.from_dense(
        kernel,
        window=window,
        groups=groups,
        name="c",
        source="a",
        target="b",
        source_shape=shape,
    )
    values = rng.integers(0, 3, (2, *shape))
    top, bottom, left, right = window.padding
    padded = np.pad(values, ((0, 0), (top, bottom), (left, right), (0, 0)))
    expected = torch.nn.functional.conv2d(
        torch.from_numpy(padded.transpose(0, 3, 1, 2)).double(),
        torch.from_numpy(kernel).double(),
        stride=window.stride,
        dilation=window.dilation,
        groups=groups,
    )
    received = connection.drive(values.reshape(2, -1)).reshape(2, *connection.target_shape)
    assert received.transpose(0, 3, 1, 2).tolist() == expected.long().tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_no_samples_make_no_sums(kind):
    _, connection = next(cases(kind))
    nothing = np.zeros((0, connection.inputs), dtype=np.int64)
    assert connection.drive(nothing).shape == (0, connection.neurons)


def test_sums_too_large_for_floats_are_refused():
    wide = SparseRows.from_dense(np.full((2, 1), 2**31 - 1))
    connection = Linear(name="c", source="a", target="b", source_shape=(2,), weights=wide)
    values = np.full((1, 2), 2**30)
    with pytest.raises(ValueError, match="53 bits"):
        connection.drive(values)


def test_weights_that_are_no_integers_are_refused():
    with pytest.raises(ValueError, match=r"weight 0\.5 is no integer"):
        SparseRows.from_dense([[0.5, 1.0]])
