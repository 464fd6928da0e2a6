import pytest
import torch

from spikeloom.sparsity import Layers, PQParameters, capped_counts, pq_index, rewiring_count
from spikeloom.sparsity.ratio import RATIOS

PARAMETERS = PQParameters()


@pytest.fixture
def layers():
    torch.manual_seed(1)
    weights = [torch.randn(6, 40), 100 * torch.randn(3, 40)]
    masks = [torch.rand(6, 40) < 0.5, torch.rand(3, 40) < 0.9]
    return Layers(weights=[w * m for w, m in zip(weights, masks, strict=True)], masks=masks)


def counts_of(name, layers, *, fraction=0.25, shrinkage=0.0):
    return RATIOS[name](PARAMETERS, fraction, shrinkage)(layers)


@pytest.mark.parametrize(
    ("ratio", "length"),
    [
        ("pq-layer", [1, 1]),
        ("pq-neuron", [6, 3]),
        ("pq-global", [1, 1]),
        ("constant", [1, 1]),
        ("constant-global", [1, 1]),
        ("none", [1, 1]),
    ],
)
def test_ratios_prune_by_scope(ratio, length, layers):
    counts = counts_of(ratio, layers)
    assert [len(count) for count in counts] == length
    for count, mask in zip(counts, layers.masks, strict=True):
        active = mask.sum(dim=1) if len(count) > 1 else mask.sum().reshape(1)
        assert count.dtype == torch.int64
        assert ((count >= 0) & (count <= active)).all()


def test_constant_takes_its_fraction_of_each_layer_or_of_all(layers):
    active = [int(mask.sum()) for mask in layers.masks]
    assert [int(c) for c in counts_of("constant", layers)] == [n // 4 for n in active]
    assert sum(int(c) for c in counts_of("constant-global", layers)) == sum(active) // 4
    assert [int(c) for c in counts_of("none", layers)] == [0, 0]


def test_global_scopes_do_not_see_a_layer_s_scale(layers):
    scaled = Layers(weights=[layers.weights[0], layers.weights[1] / 100], masks=layers.masks)
    for ratio in ("pq-global", "constant-global"):
        assert [int(c) for c in counts_of(ratio, layers)] == [
            int(c) for c in counts_of(ratio, scaled)
        ]


def test_shrinkage_runs_from_the_neuron_s_index_to_the_layer_s(layers):
    weight, mask = layers.weights[0], layers.masks[0]
    active = mask.sum(dim=1)
    whole = pq_index(weight.reshape(1, -1), mask.reshape(1, -1), p=0.5, q=1.0)
    own = pq_index(weight, mask, p=0.5, q=1.0)

    def expected(index):
        return rewiring_count(active, index, PARAMETERS).tolist()

    def counts(shrinkage):
        return counts_of("pq-neuron", layers, shrinkage=shrinkage)[0].tolist()

    assert counts(0.0) == expected(own)
    assert counts(1e12) == expected(whole.expand(len(active)))
    assert counts(10.0) == expected((active * own + 10 * whole) / (active + 10))
    assert counts(0.0) != counts(1e12)


@pytest.mark.parametrize(
    ("most", "wanted"),
    [
        pytest.param(100, [[6], [3, 3]], id="room"),
        pytest.param(12, [[6], [3, 3]], id="just enough"),
        pytest.param(8, [[4], [2, 2]], id="in proportion"),
        pytest.param(7, [[3], [2, 2]], id="largest remainders first"),
        pytest.param(0, [[0], [0, 0]], id="none"),
    ],
)
def test_counts_are_capped(most, wanted):
    capped = capped_counts([torch.tensor([6]), torch.tensor([3, 3])], most)
    assert [count.tolist() for count in capped] == wanted
