"""The index against its definition, SAP's six properties, and the values of known distributions."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spikeloom.sparsity import PQParameters, pq_index, retained_bound, rewiring_count

ORDERS = [pytest.param(0.5, 1.0, id="p=0.5 q=1"), pytest.param(1.0, 2.0, id="p=1 q=2")]
VECTORS = arrays(np.float64, st.integers(2, 12), elements=st.floats(0.01, 100))


def index(values, p=0.5, q=1.0):
    row = torch.as_tensor(np.asarray(values), dtype=torch.float64)[None]
    return float(pq_index(row, torch.ones_like(row, dtype=torch.bool), p=p, q=q))


def by_definition(values, p, q):
    """SAP's form, with norms."""
    w = np.abs(np.asarray(values, dtype=np.float64))
    norm = {s: np.sum(w**s) ** (1 / s) for s in (p, q)}
    return 1 - len(w) ** (1 / q - 1 / p) * norm[p] / norm[q]


@pytest.mark.parametrize(("p", "q"), ORDERS)
@given(w=VECTORS)
def test_equals_the_definition(p, q, w):
    assert index(w, p, q) == pytest.approx(by_definition(w, p, q), abs=1e-12)


@pytest.mark.parametrize(("p", "q"), ORDERS)
@given(size=st.integers(1, 50), value=st.floats(1e-30, 1e30), sign=st.booleans())
def test_equal_magnitudes_give_exactly_zero(p, q, size, value, sign):
    w = np.full(size, value)
    w[::2] *= -1 if sign else 1
    assert index(w, p, q) == 0.0


@pytest.mark.parametrize(("p", "q"), ORDERS)
@given(size=st.integers(1, 1000))
def test_one_hot_gives_the_maximum(p, q, size):
    w = np.zeros(size)
    w[size // 2] = -3.0
    assert index(w, p, q) == pytest.approx(1 - size ** (1 / q - 1 / p), abs=1e-12)


@pytest.mark.parametrize(("p", "q"), ORDERS)
@given(w=VECTORS, share=st.floats(0.01, 0.49))
def test_robin_hood_taking_from_the_rich_lowers_it(p, q, w, share):
    rich, poor = int(w.argmax()), int(w.argmin())
    assume(w[rich] > 1.01 * w[poor])
    given_away = share * (w[rich] - w[poor])
    after = w.copy()
    after[rich] -= given_away
    after[poor] += given_away
    assert index(after, p, q) < index(w, p, q)


@pytest.mark.parametrize(("p", "q"), ORDERS)
@given(w=VECTORS, factor=st.floats(1e-6, 1e6))
def test_scaling_changes_nothing(p, q, w, factor):
    assert index(factor * w, p, q) == pytest.approx(index(w, p, q), abs=1e-12)


@pytest.mark.parametrize(("p", "q"), ORDERS)
@given(w=VECTORS, raised=st.floats(0.1, 100))
def test_rising_tide_lowers_it(p, q, w, raised):
    assume(w.max() > 1.01 * w.min())
    assert index(w + raised, p, q) < index(w, p, q)


@pytest.mark.parametrize(("p", "q"), ORDERS)
@given(w=VECTORS, copies=st.integers(2, 5))
def test_cloning_changes_nothing(p, q, w, copies):
    assert index(np.tile(w, copies), p, q) == pytest.approx(index(w, p, q), abs=1e-12)


@pytest.mark.parametrize(("p", "q"), ORDERS)
@given(w=VECTORS, more=st.floats(0.5, 10))
def test_bill_gates_growing_richer_raises_it(p, q, w, more):
    # Beyond some wealth every further gain counts; SAP's beta is that wealth.
    richest = int(w.argmax())
    rich = w.copy()
    rich[richest] = 10 * w.sum()
    richer = rich.copy()
    richer[richest] *= 1 + more
    assert index(richer, p, q) > index(rich, p, q)


@pytest.mark.parametrize(("p", "q"), ORDERS)
@given(w=VECTORS)
def test_babies_a_zero_appended_raises_it(p, q, w):
    assert index([*w, 0.0], p, q) > index(w, p, q)


@pytest.mark.parametrize(
    ("draw", "p", "q", "wanted", "fraction"),
    [
        pytest.param("normal", 0.5, 1.0, 0.153, 0.154, id="gaussian"),
        pytest.param("laplace", 0.5, 1.0, 0.215, 0.216, id="laplace"),
        pytest.param("uniform", 0.5, 1.0, 0.111, 0.113, id="uniform"),
        pytest.param("normal", 1.0, 2.0, None, 0.365, id="gaussian at (1, 2)"),
    ],
)
def test_reference_values(draw, p, q, wanted, fraction):
    random = np.random.default_rng(0)
    w = {
        "normal": random.normal,
        "laplace": random.laplace,
        "uniform": lambda size: random.uniform(-1, 1, size),
    }[draw](size=1_000_000)
    value = index(w, p, q)
    if wanted is not None:
        assert value == pytest.approx(wanted, abs=0.003)
    count = torch.tensor([len(w)])
    rewired = rewiring_count(
        count, torch.tensor([value], dtype=torch.float64), PQParameters(p=p, q=q, eta=0.001)
    )
    assert float(rewired) / len(w) == pytest.approx(fraction, abs=0.003)


@pytest.mark.parametrize(("p", "q"), ORDERS)
@pytest.mark.parametrize("draw", ["normal", "laplace", "uniform", "lognormal"])
@pytest.mark.parametrize("size", [1, 2, 7, 300])
def test_the_bound_holds_for_every_number_retained(p, q, draw, size):
    """SAP's theorem: who keeps the r largest and loses at most eta of them in sum |w|^p, has r
    at or above the bound."""
    w = np.abs(getattr(np.random.default_rng(size), draw)(size=size))
    powers = np.sort(w**p)[::-1]
    tolerated = np.maximum(0, powers.sum() / np.cumsum(powers) - 1)
    count, value = torch.tensor([size]), torch.tensor([index(w, p, q)], dtype=torch.float64)
    for r, eta in enumerate(tolerated, 1):
        assert r >= float(retained_bound(count, value, p=p, q=q, eta=float(eta))) - 1e-9


@pytest.mark.parametrize(
    ("p", "q", "retained"),
    [
        pytest.param(0.5, 1.0, lambda i, eta: (1 - i) / (1 + eta) ** 2, id="p=0.5 q=1"),
        pytest.param(1.0, 2.0, lambda i, eta: (1 - i) ** 2 / (1 + eta) ** 2, id="p=1 q=2"),
    ],
)
def test_the_bound_in_closed_form(p, q, retained):
    indices = torch.linspace(0, 0.95, 20, dtype=torch.float64)
    count = torch.full((20,), 1000)
    for eta in (0.0, 0.001, 0.3):
        bound = retained_bound(count, indices, p=p, q=q, eta=eta) / 1000
        assert torch.allclose(bound, retained(indices, eta), rtol=1e-12)


def test_counts_are_floored_scaled_and_capped():
    count = torch.tensor([10, 10, 10, 0])
    value = torch.tensor([0.29, 0.99, 0.0, 0.0], dtype=torch.float64)
    assert rewiring_count(count, value, PQParameters(eta=0.0)).tolist() == [2, 9, 0, 0]
    assert rewiring_count(count, value, PQParameters(eta=0.0, gamma=2.0)).tolist() == [5, 9, 0, 0]
    assert rewiring_count(count, value, PQParameters(eta=0.0, beta=0.25)).tolist() == [2, 2, 0, 0]


def test_rows_are_scopes_and_inactive_places_do_not_count():
    rows = torch.tensor([[3.0, -3.0, 9.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [5.0, 1.0, 1.0]])
    active = torch.tensor([[1, 1, 0], [1, 1, 1], [1, 1, 1], [0, 0, 0]], dtype=torch.bool)
    values = pq_index(rows, active, p=0.5, q=1.0)
    assert values.dtype == torch.float64
    assert values.tolist() == pytest.approx([0.0, 1 - 1 / 3, 0.0, 0.0])


def test_a_convolution_is_rows_of_output_channels():
    weight = torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(weight, dtype=torch.bool)
    values = pq_index(weight.flatten(1), mask.flatten(1), p=1.0, q=2.0)
    assert values.tolist() == pytest.approx(
        [by_definition(w.ravel(), 1, 2) for w in weight.numpy()]
    )


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        pytest.param({"p": 1.0, "q": 1.0}, "q=1.0", id="p = q"),
        pytest.param({"p": -1.0}, "p=-1.0", id="negative p"),
        pytest.param({"eta": -0.1}, "-0.1", id="eta"),
        pytest.param({"gamma": 0.0}, "0.0", id="gamma"),
        pytest.param({"beta": 1.0}, "1.0", id="beta"),
    ],
)
def test_wrong_parameters_are_refused(parameters, says):
    with pytest.raises(ValueError, match=says):
        PQParameters(**parameters)
