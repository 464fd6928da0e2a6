import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sparse_layer import Sparse
from spikeloom.config import SparsityConfig
from spikeloom.sparsity import layer_counts, random_mask
from spikeloom.sparsity.initial import initialise_masks
from spikeloom.sparsity.topology import local_scores

SHAPES = [(128, 64), (10, 128)]


@given(
    shapes=st.lists(
        st.lists(st.integers(1, 40), min_size=2, max_size=4).map(tuple), min_size=1, max_size=4
    ),
    density=st.floats(0.001, 1.0),
    distribution=st.sampled_from(["erdos-renyi", "erk", "uniform"]),
)
def test_counts_are_exact_and_fit(shapes, density, distribution):
    places = [torch.Size(shape).numel() for shape in shapes]
    counts = layer_counts(shapes, density, distribution)
    assert sum(counts) == round(density * sum(places))
    assert all(0 <= count <= most for count, most in zip(counts, places, strict=True))


def test_erdos_renyi_is_proportional_to_the_sum_of_sides():
    first, second = layer_counts(SHAPES, 0.1, "erdos-renyi")
    assert first / second == pytest.approx((128 + 64) / (10 + 128), rel=0.01)


CONVOLUTIONS = [(32, 16, 3, 3), (64, 32, 5, 5)]


def test_the_kernel_counts_in_erk_only():
    first, second = layer_counts(CONVOLUTIONS, 0.05, "erk")
    assert first / second == pytest.approx((32 + 16 + 3 + 3) / (64 + 32 + 5 + 5), rel=0.01)
    first, second = layer_counts(CONVOLUTIONS, 0.05, "erdos-renyi")
    assert first / second == pytest.approx((32 + 16) * 9 / ((64 + 32) * 25), rel=0.01)
    assert layer_counts(SHAPES, 0.1, "erk") == layer_counts(SHAPES, 0.1, "erdos-renyi")


def test_a_full_layer_leaves_the_rest_to_others():
    assert layer_counts(SHAPES, 0.5, "erdos-renyi") == [4736 - 1280, 1280]
    assert layer_counts(SHAPES, 1.0, "erdos-renyi") == [8192, 1280]


def test_uniform_is_the_same_density_everywhere():
    assert layer_counts(SHAPES, 0.25, "uniform") == [2048, 320]


@given(rows=st.integers(1, 20), columns=st.integers(1, 20), data=st.data())
def test_masks_have_exactly_the_count(rows, columns, data):
    count = data.draw(st.integers(0, rows * columns))
    mask = random_mask((rows, columns), count, torch.Generator().manual_seed(0))
    assert mask.shape == (rows, columns)
    assert int(mask.sum()) == count


def test_masks_follow_their_seed_and_are_uniform():
    def draw(seed):
        return random_mask((8, 8), 16, torch.Generator().manual_seed(seed))

    assert torch.equal(draw(1), draw(1))
    assert not torch.equal(draw(1), draw(2))
    share = torch.stack([draw(seed) for seed in range(2000)]).double().mean(dim=0)
    assert (share - 0.25).abs().max() < 0.05


@pytest.mark.parametrize("density", [0.0, -0.1, 1.1])
def test_wrong_densities_are_refused(density):
    with pytest.raises(ValueError, match=str(density)):
        layer_counts(SHAPES, density, "uniform")


def test_wrong_counts_are_refused():
    with pytest.raises(ValueError, match="0 to 4, not 5"):
        random_mask((2, 2), 5, torch.Generator())


def test_a_receptive_field_is_a_patch():
    """The best places of a neuron lie closer together than as many anywhere."""
    scores = local_scores((64, 28 * 28), generator(0))
    best = scores.topk(60, dim=1).indices
    row, column = best // 28, best % 28
    assert row.double().std(dim=1).mean() < 4
    assert column.double().std(dim=1).mean() < 4
    assert row.unique().numel() > 20


def test_receptive_fields_repeat_with_their_seed():
    assert torch.equal(local_scores((8, 64), generator(3)), local_scores((8, 64), generator(3)))


def test_receptive_fields_need_a_square():
    with pytest.raises(ValueError, match="inputs must be a square number, not 63"):
        local_scores((8, 63), generator(0))


def generator(seed):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    "options",
    [{}, {"banks": 8}, {"banks": 8, "full_words": True}],
    ids=["free", "balanced", "full words"],
)
def test_a_local_network_has_the_density_asked_for(options):
    config = SparsityConfig(topology="local", initial_density=0.2, **options)
    layers = [Sparse((64, 784), 0), Sparse((10, 64), 1)]
    initialise_masks(layers, config, generator(0))
    counts = [int(layer.mask.sum()) for layer in layers]
    expected = layer_counts([(64, 784), (10, 64)], 0.2, "erdos-renyi")
    assert 0 <= expected[0] - counts[0] < max(1, options.get("banks", 0))
    assert counts[1] == expected[1]
    if options:
        rows = layers[0].mask.T.reshape(784, 8, 8).sum(dim=1)
        assert torch.equal(rows.amax(dim=1), -(-rows.sum(dim=1) // 8))
        if "full_words" in options:
            assert torch.equal(rows.amin(dim=1), rows.amax(dim=1))
    centre = layers[0].mask.reshape(64, 28, 28)[:, 7:21, 7:21].double().mean()
    assert centre > layers[0].mask.double().mean()
