"""Whole methods on small layers: densities, rewinding, the stop rule, resumption."""

from itertools import pairwise

import pytest
import torch

from sparse_layer import Sparse
from spikeloom.config import METHODS, parse_config
from spikeloom.sparsity import InitialValues, Rewirer, initialise_masks

SHAPES = [(40, 30), (20, 40)]
PLACES = sum(a * b for a, b in SHAPES)
EPOCHS = 12


class Run:
    """Layers that a method works on, with random gradients and spikes."""

    def __init__(self, method, keys="", *, seed=0):
        text = f"""
            [sparsity]
            start_epoch = 2
            every_epochs = 2
            stop_epoch = 10
            {keys}
            [training]
            epochs = {EPOCHS}
        """
        self.config = parse_config(text, source="test", method=method).sparsity
        self.generator = torch.Generator().manual_seed(seed)
        self.layers = [Sparse(shape, number) for number, shape in enumerate(SHAPES)]
        initialise_masks(self.layers, self.config, self.generator)
        self.rewirer = Rewirer.from_config(
            self.layers, self.config, epochs=EPOCHS, generator=self.generator
        )
        self.optimizer = torch.optim.Adam([layer.weight for layer in self.layers], lr=0.02)

    @property
    def active(self):
        return sum(int(layer.mask.sum()) for layer in self.layers)

    def batch(self, number):
        random = torch.Generator().manual_seed(number)
        spikes = [torch.rand((3, 2, shape[1]), generator=random) < 0.3 for shape in SHAPES]
        self.rewirer.after_forward(spikes)
        for layer in self.layers:
            layer.weight.grad = torch.randn(layer.weight.shape, generator=random)
        self.rewirer.after_backward()
        self.optimizer.step()
        self.rewirer.after_step()

    def epoch(self, number):
        for batch in range(2):
            self.batch(10 * number + batch)
        return self.rewirer.after_epoch(number, self.optimizer)

    def all_epochs(self):
        """What was done after each epoch in which rewiring was due."""
        done = {number: self.epoch(number) for number in range(1, EPOCHS + 1)}
        return {number: rewiring for number, rewiring in done.items() if rewiring is not None}


@pytest.mark.parametrize("method", METHODS)
def test_methods_rewire_when_due_and_never_pass_below_the_density(method):
    run = Run(method, "density = 0.1\nrho = 0.3")
    start = run.config.initial_density
    assert run.active == round(start * PLACES)
    done = run.all_epochs()
    assert list(done) == [2, 4, 6, 8, 10]
    assert run.active >= round(run.config.density * PLACES)
    for layer in run.layers:
        assert (layer.weight[~layer.mask] == 0).all()


@pytest.mark.parametrize("method", ["set", "rigl", "esl"])
def test_constant_density_moves_synapses_and_keeps_their_number(method):
    run = Run(method, "density = 0.1")
    first = [layer.mask.clone() for layer in run.layers]
    for rewiring in run.all_epochs().values():
        assert rewiring.pruned == rewiring.regrown
    assert run.active == round(0.1 * PLACES)
    assert not all(torch.equal(m, la.mask) for m, la in zip(first, run.layers, strict=True))


@pytest.mark.parametrize("method", ["dense", "static"])
def test_some_never_move_a_synapse(method):
    run = Run(method)
    first = [layer.mask.clone() for layer in run.layers]
    run.all_epochs()
    assert all(torch.equal(m, la.mask) for m, la in zip(first, run.layers, strict=True))


def test_one_shot_lands_exactly_at_once_and_stays():
    run = Run("one-shot", "density = 0.1")
    done = run.all_epochs()
    assert sum(done[2].pruned) == PLACES - round(0.1 * PLACES)
    assert all(sum(done[n].pruned + done[n].regrown) == 0 for n in (4, 6, 8, 10))
    assert run.active == round(0.1 * PLACES)


def test_iterative_takes_its_fraction_until_it_lands():
    run = Run("iterative", "density = 0.5")
    done = run.all_epochs()
    counts, active = [], PLACES
    for _ in range(5):
        gone = min(int(0.2 * active), active - PLACES // 2)
        active -= gone
        counts.append(gone)
    assert [sum(done[n].pruned) for n in (2, 4, 6, 8, 10)] == counts
    assert run.active == PLACES // 2


def test_sap_goes_back_to_the_initial_weights_and_starts_training_again():
    run = Run("sap", "density = 0.75")
    initial = [layer.weight.detach().clone() for layer in run.layers]
    assert run.rewirer.period(1, EPOCHS) == (0, 2)
    run.epoch(1)
    assert any(not torch.equal(w, la.weight) for w, la in zip(initial, run.layers, strict=True))
    rewiring = run.epoch(2)
    assert rewiring is not None
    assert sum(rewiring.pruned) > 0 == sum(rewiring.regrown)
    for weight, layer in zip(initial, run.layers, strict=True):
        assert torch.equal(layer.weight, weight * layer.mask)
        assert layer.weight not in run.optimizer.state
    assert run.rewirer.period(3, EPOCHS) == (2, 4)
    number = 2
    while run.active > round(0.75 * PLACES):
        number += 1
        run.epoch(number)
    assert number < 10
    # At the density nothing is pruned, and so the last training has all the epochs left.
    assert run.rewirer.period(number + 1, EPOCHS) == (number, EPOCHS)
    trained = [layer.weight.detach().clone() for layer in run.layers]
    assert run.rewirer.after_epoch(10, run.optimizer) is not None
    assert all(torch.equal(w, la.weight) for w, la in zip(trained, run.layers, strict=True))


def test_others_train_for_one_period():
    assert Run("pq-layer").rewirer.period(7, EPOCHS) == (0, EPOCHS)


def test_a_silent_input_s_synapses_go_first_by_their_drive():
    run = Run("pq-spike", "rho = 0.0\ndensity = 0.1")
    silent = 4
    spikes = [torch.ones(1, 1, shape[1]) for shape in SHAPES]
    spikes[0][..., silent] = 0
    with torch.no_grad():
        run.layers[0].weight[:, silent] *= 100
    for layer in run.layers:
        layer.weight.grad = torch.randn_like(layer.weight)
    run.rewirer.after_backward()
    with pytest.raises(RuntimeError, match="observe at least one batch"):
        run.rewirer.after_epoch(2, run.optimizer)
    run.rewirer.after_forward(spikes)
    run.rewirer.after_epoch(2, run.optimizer)
    assert not run.layers[0].mask[:, silent].any()
    assert run.layers[0].mask.any(dim=0).sum() == SHAPES[0][1] - 1


@pytest.mark.parametrize("method", ["pq-layer", "sap", "pq-spike"])
def test_compression_stops_where_the_index_turns(method):
    counts = {}
    for rule in ("density", "turn"):
        run = Run(None, f"method = '{method}'\ndensity = 0.01\nstop_rule = '{rule}'\npatience = 1")
        counts[rule] = []
        # The larger the power, the more unequal: the index dips at the second rewiring.
        for number, power in enumerate((2, 1, 3, 3, 3), 1):
            run.batch(number)
            random = torch.Generator().manual_seed(number)
            with torch.no_grad():
                for layer in run.layers:
                    layer.weight.copy_(torch.rand(layer.weight.shape, generator=random) ** power)
                    layer.weight.mul_(layer.mask)
            run.rewirer.after_epoch(2 * number, run.optimizer)
            counts[rule].append(run.active)
    assert counts["turn"][:2] == counts["density"][:2]
    assert counts["turn"][1:] == [counts["turn"][1]] * 4
    falling = counts["density"]
    assert all(after < before for before, after in pairwise(falling))


@pytest.mark.parametrize("keys", ["", "banks = 8", "regrow = 'random'"], ids=["", "banks", "rand"])
@pytest.mark.parametrize("method", ["pq-layer", "pq-spike", "set", "rigl", "sap"])
def test_a_run_taken_up_again_ends_the_same(method, keys):
    keys = f"density = 0.1\nstop_rule = 'turn'\n{keys}"
    whole, first, second = (Run(None, f"method = '{method}'\n{keys}") for _ in range(3))
    whole.all_epochs()
    for number in range(1, 5):
        first.epoch(number)
    first.batch(50)
    second.rewirer.load_state_dict(first.rewirer.state_dict())
    second.generator.set_state(first.generator.get_state())
    second.optimizer.load_state_dict(first.optimizer.state_dict())
    for new, old in zip(second.layers, first.layers, strict=True):
        with torch.no_grad():
            new.weight.copy_(old.weight)
        new.set_mask(old.mask)
    second.batch(51)
    second.rewirer.after_epoch(5, second.optimizer)
    for number in range(6, EPOCHS + 1):
        second.epoch(number)
    for got, expected in zip(second.layers, whole.layers, strict=True):
        assert torch.equal(got.mask, expected.mask)
        assert torch.equal(got.weight, expected.weight)


def test_initial_values_round_trip():
    layers = [Sparse((3, 2), 1)]
    values = InitialValues(layers)
    state = {"values": [torch.full((3, 2), 7.0)]}
    values.load_state_dict(state)
    values.restore(torch.optim.SGD([layers[0].weight], lr=0.1))
    assert (layers[0].weight == 7).all()
    assert torch.equal(values.state_dict()["values"][0], state["values"][0])


def test_rates_are_those_since_the_last_rewiring():
    """A second rewiring goes by what was seen after the first, as if nothing had been before."""
    keys = "density = 0.1\nrho = 0.0\nregrow = 'none'\ninitial_density = 1.0"
    seen, fresh = Run("pq-spike", keys), Run("pq-spike", keys)
    for number in (1, 2):
        seen.epoch(number)
    # Both stand before the second rewiring with the same weights and masks.
    for ours, theirs in zip(seen.layers, fresh.layers, strict=True):
        assert not ours.mask.all()
        theirs.set_mask(ours.mask)
        with torch.no_grad():
            theirs.weight.copy_(ours.weight)
    random = torch.Generator().manual_seed(8)
    rates = [torch.rand(shape[1], generator=random) for shape in SHAPES]
    spikes = [torch.rand((30, 2, len(own)), generator=random) < own for own in rates]
    for run in (seen, fresh):
        run.rewirer.after_forward(spikes)
        for layer in run.layers:
            layer.weight.grad = torch.ones_like(layer.weight)
        run.rewirer.after_backward()
        assert run.rewirer.after_epoch(4, run.optimizer) is not None
    for ours, theirs in zip(seen.layers, fresh.layers, strict=True):
        assert torch.equal(ours.mask, theirs.mask)


def asleep(run):
    """Active weights that quantise to 0 although they were trained."""
    return sum(
        int((layer.mask & (layer.integers().weight == 0) & (layer.weight != 0)).sum())
        for layer in run.layers
    )


@pytest.mark.parametrize(
    ("keys", "awake"),
    [
        pytest.param("", False, id="plain"),
        pytest.param("nonzero = true", True, id="nonzero"),
        pytest.param("banks = 4", True, id="banks imply it"),
        pytest.param("stop_rule = 'bits'\ntarget_bits = 4000", True, id="bits imply it"),
    ],
)
def test_what_keeps_active_weights_off_zero(keys, awake):
    run = Run("custom", f"density = 0.3\nrho = 0.2\n{keys}")
    for number in range(1, 10):
        run.epoch(number)
    # Until the last rewiring is due, weights may pass through 0.
    assert asleep(run) > 0
    run.epoch(10)
    assert asleep(run) == 0 or not awake
    for number in (11, 12):
        run.epoch(number)
    assert (asleep(run) == 0) == awake
