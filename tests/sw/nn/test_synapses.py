"""Sums over listed events against the dense product: integers by equality."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import linear

from spikeloom.nn.synapses import EventList, synaptic_sums
from spikeloom.nn.synapses import events as listing


def drawn(seed, steps, samples, inputs, share):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand((steps, samples, inputs), generator=generator) < share


@pytest.fixture
def listed(monkeypatch):
    """Counts how often the events are listed."""
    calls = []
    make = EventList.of
    monkeypatch.setattr(EventList, "of", lambda matrix: calls.append(1) or make(matrix))
    return calls


@settings(max_examples=60)
@given(
    seed=st.integers(0, 999),
    steps=st.integers(1, 4),
    samples=st.integers(1, 4),
    inputs=st.integers(1, 40),
    share=st.floats(0, 0.25),
)
def test_sums_of_integers_equal_the_dense_product(seed, steps, samples, inputs, share):
    events = drawn(seed, steps, samples, inputs, share)
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randint(-7, 8, (64, inputs), generator=generator).float()
    assert torch.equal(synaptic_sums(events, weight), linear(events.float(), weight))


@settings(max_examples=60)
@given(seed=st.integers(0, 999), rows=st.integers(1, 9), inputs=st.integers(1, 30))
def test_the_list_holds_every_event_once_in_both_orders(seed, rows, inputs):
    matrix = drawn(seed, 1, rows, inputs, 0.4)[0]
    events = EventList.of(matrix)
    for starts, members, length in (
        (events.row_start, events.address, rows),
        (events.address_start, events.row, inputs),
    ):
        bags = torch.tensor_split(members, starts[1:])
        assert len(bags) == length
        across = matrix if length == rows and members is events.address else matrix.t()
        for bag, line in zip(bags, across, strict=True):
            assert bag.tolist() == line.nonzero().flatten().tolist()


@pytest.mark.parametrize(
    "view",
    [
        pytest.param(lambda events: events, id="steps first"),
        pytest.param(lambda events: events.transpose(0, 1).contiguous().transpose(0, 1), id="view"),
    ],
)
@pytest.mark.parametrize("dtype", [torch.bool, torch.float32])
def test_gradients_equal_those_of_the_dense_product(listed, view, dtype):
    events = view(drawn(3, 4, 8, 50, 0.1).to(dtype))
    weight = torch.randint(-7, 8, (80, 50), generator=torch.Generator().manual_seed(1)).double()
    pull = torch.randn((4, 8, 80), generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    gradients = []
    for product in (synaptic_sums, lambda e, w: linear(e.to(w.dtype), w)):
        leaf = weight.clone().requires_grad_()
        (product(events, leaf) * pull).sum().backward()
        gradients.append(leaf.grad)
    assert listed == [1]
    assert gradients[0].is_contiguous()
    assert torch.allclose(gradients[0], gradients[1], atol=1e-12)
    # An input without events moves no weight, and all others do.
    silent = ~events.bool().any(dim=0).any(dim=0)
    assert torch.equal((gradients[0] == 0).all(dim=0), silent)


@pytest.mark.parametrize(
    ("neurons", "share", "lists"),
    [
        pytest.param(listing.FEWEST_NEURONS, 0.1, True, id="few events"),
        pytest.param(listing.FEWEST_NEURONS, 0.6, False, id="many events"),
        pytest.param(listing.FEWEST_NEURONS - 1, 0.1, False, id="few neurons"),
        pytest.param(listing.FEWEST_NEURONS, 0.0, True, id="no events"),
    ],
)
def test_events_are_listed_where_that_is_less_work(listed, neurons, share, lists):
    events = drawn(5, 3, 4, 60, share)
    weight = torch.ones(neurons, 60)
    assert torch.equal(synaptic_sums(events, weight), linear(events.float(), weight))
    assert bool(listed) == lists


def test_spikes_that_ask_for_gradients_receive_them():
    spikes = drawn(6, 3, 4, 60, 0.1).float().requires_grad_()
    weight = torch.randn((70, 60), generator=torch.Generator().manual_seed(0))
    synaptic_sums(spikes, weight).sum().backward()
    assert spikes.grad is not None
    assert torch.allclose(spikes.grad[0, 0], weight.sum(dim=0), atol=1e-5)
