import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sparse_layer import Sparse
from spikeloom.config import parse_config
from spikeloom.sparsity import (
    GradientTrace,
    Rewirer,
    forget_state,
    initialise_masks,
    prune_and_regrow,
    regrown_counts,
)
from spikeloom.sparsity.ratio import RATIOS
from spikeloom.sparsity.rewiring import exchange_counts, fitted_counts


def naive(weight, mask, score, prune, regrow, rows):
    """One place at a time; rows are scopes, or all is one scope."""
    new = mask.clone()
    scopes = range(len(mask)) if rows else [slice(None)]
    for scope, c, g in zip(scopes, prune, regrow, strict=True):
        old, out = mask[scope].reshape(-1), new[scope].reshape(-1).clone()
        w, s = weight[scope].reshape(-1).abs(), score[scope].reshape(-1)
        for place in sorted((i for i in range(len(old)) if old[i]), key=lambda i: (w[i], i))[:c]:
            out[place] = False
        for place in sorted((i for i in range(len(old)) if not old[i]), key=lambda i: (-s[i], i))[
            :g
        ]:
            out[place] = True
        new[scope] = out.reshape(new[scope].shape)
    return new


@given(
    neurons=st.integers(1, 5),
    fan_in=st.integers(1, 8),
    seed=st.integers(0, 999),
    rows=st.booleans(),
    data=st.data(),
)
def test_equals_the_naive_model(neurons, fan_in, seed, rows, data):
    generator = torch.Generator().manual_seed(seed)
    # Few levels, so that ties happen.
    weight = torch.randint(-3, 4, (neurons, fan_in), generator=generator).float()
    score = torch.randint(0, 4, (neurons, fan_in), generator=generator).float()
    mask = torch.rand((neurons, fan_in), generator=generator) < 0.6
    active = mask.sum(dim=1).tolist() if rows else [int(mask.sum())]
    prune = [data.draw(st.integers(0, most)) for most in active]
    regrow = [data.draw(st.integers(0, 10)) for _ in active]
    new = prune_and_regrow(
        weight, mask, score, prune=torch.tensor(prune), regrow=torch.tensor(regrow)
    )
    assert torch.equal(new, naive(weight, mask, score, prune, regrow, rows))


def test_what_was_just_pruned_stays_out():
    weight = torch.tensor([[0.1, 5.0, 0.0]])
    mask = torch.tensor([[True, True, False]])
    score = torch.tensor([[9.0, 9.0, 1.0]])
    one = torch.tensor([1])
    new = prune_and_regrow(weight, mask, score, prune=one, regrow=one)
    assert new.tolist() == [[False, True, True]]


@pytest.mark.parametrize(
    ("prune", "says"),
    [
        pytest.param([1, 1, 1], "length 1 or 2, not 3", id="scopes"),
        pytest.param([5], "more than the active", id="too many"),
    ],
)
def test_wrong_counts_are_refused(prune, says):
    ones = torch.ones(2, 2)
    counts = torch.tensor(prune)
    with pytest.raises(ValueError, match=says):
        prune_and_regrow(ones, ones.bool(), ones, prune=counts, regrow=counts)


@given(
    pruned=st.lists(st.integers(0, 50), min_size=1, max_size=20),
    rho=st.floats(0, 1),
)
def test_regrown_counts_are_exact_over_scopes(pruned, rho):
    counts = regrown_counts(torch.tensor(pruned), rho)
    assert int(counts.sum()) == round(sum(pruned) * rho)
    assert ((counts >= 0) & (counts <= torch.tensor(pruned))).all()


@pytest.mark.parametrize(
    ("regrow", "room", "wanted"),
    [
        pytest.param([3, 1], [5, 5], [3, 1], id="room"),
        pytest.param([3, 1], [1, 5], [1, 3], id="one is full"),
        pytest.param([4, 0, 0], [1, 4, 2], [1, 2, 1], id="shared by the room left"),
        pytest.param([9, 9], [1, 2], [1, 2], id="all are full"),
        pytest.param([2], [1], [1], id="one scope"),
    ],
)
def test_what_does_not_fit_a_scope_grows_in_others(regrow, room, wanted):
    assert fitted_counts(torch.tensor(regrow), torch.tensor(room)).tolist() == wanted


def rewirer(
    layers,
    *,
    ratio="constant",
    regrow="momentum",
    rho=0.4,
    density=0.1,
    fraction=0.3,
    readout_density=0.0,
):
    config = parse_config(
        f"""
        [sparsity]
        initial_density = 0.5
        density = {density}
        readout_density = {readout_density}
        ratio = "{ratio}"
        regrow = "{regrow}"
        rho = {rho}
        fraction = {fraction}
        start_epoch = 1
        every_epochs = 1
        stop_epoch = 1000
        [training]
        epochs = 1000
        """,
        source="test",
    ).sparsity
    generator = torch.Generator().manual_seed(3)
    initialise_masks(layers, config, generator)
    return Rewirer.from_config(layers, config, epochs=1000, generator=generator)


def step(made, layers, optimizer):
    for layer in layers:
        layer.weight.grad = torch.randn_like(layer.weight)
    made.after_backward()
    optimizer.step()
    made.after_step()


@pytest.mark.parametrize("rho", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("regrow", ["momentum", "gradient", "random", "none"])
@pytest.mark.parametrize("ratio", [name for name in RATIOS if name != "none"])
def test_density_falls_by_one_minus_c_times_one_minus_rho(ratio, regrow, rho):
    torch.manual_seed(0)
    layers = [Sparse((60, 50), 1), Sparse((20, 60), 2)]
    made = rewirer(layers, ratio=ratio, regrow=regrow, rho=rho)
    rho = 0.0 if regrow == "none" else rho
    optimizer = torch.optim.AdamW([layer.weight for layer in layers], lr=0.01)
    for epoch in range(1, 4):
        step(made, layers, optimizer)
        before = [int(layer.mask.sum()) for layer in layers]
        done = made.after_epoch(epoch, optimizer)
        assert done is not None
        assert done.before == tuple(before)
        assert sum(done.pruned) > 0
        for layer, d, c in zip(layers, before, done.pruned, strict=True):
            assert int(layer.mask.sum()) == d - c + round(rho * c)


def test_density_stops_at_the_target_and_rewiring_goes_on():
    torch.manual_seed(0)
    layers = [Sparse((60, 50), 1), Sparse((20, 60), 2)]
    made = rewirer(layers, rho=0.0, density=0.2)
    optimizer = torch.optim.SGD([layer.weight for layer in layers], lr=0.1)
    counts, last = [], None
    for epoch in range(1, 12):
        step(made, layers, optimizer)
        last = made.after_epoch(epoch, optimizer)
        counts.append(sum(int(layer.mask.sum()) for layer in layers))
    target = 0.2 * (60 * 50 + 20 * 60)
    assert counts[-1] == pytest.approx(target, abs=2)
    assert counts[-1] == counts[-3]
    assert last is not None
    assert last.pruned == last.regrown != (0, 0)


@pytest.mark.parametrize("ratio", ["pq-layer", "constant", "constant-global"])
def test_the_readout_keeps_its_density_while_the_rest_is_compressed(ratio):
    torch.manual_seed(0)
    layers = [Sparse((60, 50), 1), Sparse((20, 60), 2)]
    made = rewirer(layers, ratio=ratio, regrow="none", density=0.2, readout_density=0.4)
    optimizer = torch.optim.SGD([layer.weight for layer in layers], lr=0.1)
    for epoch in range(1, 60):
        step(made, layers, optimizer)
        made.after_epoch(epoch, optimizer)
    readout = 0.4 * 20 * 60
    assert int(layers[1].mask.sum()) == readout
    assert int(layers[0].mask.sum()) == 0.2 * (60 * 50 + 20 * 60) - readout


def test_regrown_weights_start_at_zero_without_memory():
    torch.manual_seed(0)
    layers = [Sparse((30, 30), 1)]
    made = rewirer(layers)
    optimizer = torch.optim.AdamW([layers[0].weight], lr=0.01)
    step(made, layers, optimizer)
    before = layers[0].mask.clone()
    made.after_epoch(1, optimizer)
    came, went = layers[0].mask & ~before, before & ~layers[0].mask
    assert came.any()
    assert went.any()
    for places in (came, went):
        assert (layers[0].weight[places] == 0).all()
        for name in ("exp_avg", "exp_avg_sq"):
            assert (optimizer.state[layers[0].weight][name][places] == 0).all()


@settings(deadline=None, max_examples=4)
@given(kind=st.sampled_from(["adamw", "sgd"]), decay=st.sampled_from([0.0, 0.1]))
def test_pruned_weights_stay_exactly_zero_through_a_thousand_steps(kind, decay):
    torch.manual_seed(0)
    layers = [Sparse((12, 9), 1)]
    made = rewirer(layers)
    weight = layers[0].weight
    optimizer = (
        torch.optim.AdamW([weight], lr=0.01, weight_decay=decay)
        if kind == "adamw"
        else torch.optim.SGD([weight], lr=0.01, momentum=0.9, weight_decay=decay)
    )
    step(made, layers, optimizer)
    made.after_epoch(1, optimizer)
    mask = layers[0].mask.clone()
    for _ in range(1000):
        step(made, layers, optimizer)
        assert (weight[~mask] == 0).all()
    assert (weight[mask] != 0).all()


def test_forgetting_spares_the_rest():
    weight = torch.nn.Parameter(torch.ones(4))
    optimizer = torch.optim.Adam([weight])
    weight.grad = torch.ones(4)
    optimizer.step()
    forget_state(optimizer, weight, torch.tensor([True, False, False, True]))
    state = optimizer.state[weight]
    assert (state["exp_avg"] != 0).tolist() == [False, True, True, False]
    assert float(state["step"]) == 1


def test_momentum_accumulates_and_gradient_forgets():
    generator = torch.Generator()
    momentum, gradient = (GradientTrace(k, generator) for k in ("momentum", "gradient"))
    for trace in (momentum, gradient):
        trace.observe([torch.tensor([[1.0, -2.0]])])
        trace.observe([torch.tensor([[0.0, 1.0]])])
    like = [torch.zeros(1, 2)]
    assert momentum.scores(like)[0].tolist() == [[pytest.approx(0.9), pytest.approx(0.8)]]
    assert gradient.scores(like)[0].tolist() == [[0.0, 1.0]]


def test_gradients_are_needed_before_regrowth():
    with pytest.raises(RuntimeError, match="observe at least one batch"):
        GradientTrace("momentum", torch.Generator()).scores([torch.zeros(1, 1)])
    layers = [Sparse((3, 3), 1)]
    with pytest.raises(RuntimeError, match="call this after backward"):
        rewirer(layers).after_backward()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda layer, mask: layer.set_mask(mask), id="replaced"),
        pytest.param(lambda layer, mask: layer.mask.copy_(mask), id="written in place"),
    ],
)
def test_a_changed_mask_holds_from_the_next_step_on(change):
    layer = Sparse((6, 9), seed=0)
    rewirer = Rewirer.from_config(
        [layer], parse_config("", source="x").sparsity, epochs=4, generator=torch.Generator()
    )
    generator = torch.Generator().manual_seed(1)
    for _ in range(3):
        mask = torch.rand((6, 9), generator=generator) < 0.5
        change(layer, mask)
        with torch.no_grad():
            layer.weight.add_(torch.randn((6, 9), generator=generator))
        layer.weight.grad = torch.ones(6, 9)
        rewirer.after_backward()
        rewirer.after_step()
        assert torch.equal(layer.weight != 0, mask)
        assert torch.equal(layer.weight.grad != 0, mask)


@pytest.mark.parametrize(
    ("rho", "room", "pruned", "regrown"),
    [
        pytest.param(1.0, 0, 0, 0, id="full layer at constant density"),
        pytest.param(1.0, 4, 4, 4, id="little room"),
        pytest.param(1.0, 50, 30, 30, id="room enough"),
        pytest.param(0.3, 0, 21, 0, id="full layer while compressing"),
        pytest.param(0.3, 50, 30, 9, id="room enough while compressing"),
    ],
)
def test_a_layer_without_room_prunes_fewer(rho, room, pruned, regrown):
    gone, come = exchange_counts(torch.tensor([30]), rho, torch.tensor([room]))
    assert (int(gone), int(come)) == (pruned, regrown)
