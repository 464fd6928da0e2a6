"""Bank balance: of one choice, of a whole rewiring, and of what is stored after training."""

import itertools

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sparse_layer import Sparse
from spikeloom.config import parse_config
from spikeloom.datasets import load_dataset
from spikeloom.encoding import LatencyEncoding
from spikeloom.image import IntegrateLeak, Layer
from spikeloom.packing import pack
from spikeloom.sparsity import (
    Rewirer,
    best_words,
    initialise_masks,
    rebalance,
    swap_slots,
    words_of_rows,
)
from spikeloom.training import to_image, train_network

LANES = 8


def fewest_words(synapses, banks):
    """Sum over rows of ceil(count / banks)."""
    return int(((synapses.sum(dim=0) + banks - 1) // banks).sum())


def balanced(synapses, banks):
    return int(words_of_rows(synapses, banks).sum()) == fewest_words(synapses, banks)


def full(synapses, banks):
    """Whether every row has equally many synapses in each bank."""
    return int(words_of_rows(synapses, banks).sum()) * banks == int(synapses.sum())


def choose(score, count, *, candidates=None, base=None, banks=LANES):
    candidates = torch.ones_like(score, dtype=torch.bool) if candidates is None else candidates
    base = torch.zeros_like(candidates) if base is None else base
    best = torch.where(candidates, score, -torch.inf).reshape(-1).argsort(descending=True)[:count]
    wanted = torch.zeros(score.numel(), dtype=torch.bool)
    wanted[best] = True
    wanted = wanted.reshape(score.shape) & candidates
    return rebalance(wanted, score=score, candidates=candidates, base=base, banks=banks)


@pytest.mark.parametrize(
    ("columns", "banks", "words"),
    [
        pytest.param([[0, 0, 0, 0]], 2, [0], id="empty row"),
        pytest.param([[1, 1, 1, 1]], 2, [2], id="full row"),
        pytest.param([[1, 0, 1, 0]], 2, [2], id="one bank takes all"),
        pytest.param([[1, 0, 0, 1], [0, 0, 1, 0]], 2, [1, 1], id="balanced"),
        pytest.param([[1, 1, 1, 0, 1]], 4, [2], id="banks that do not divide the neurons"),
    ],
)
def test_words_of_rows(columns, banks, words):
    synapses = torch.tensor(columns, dtype=torch.bool).T
    assert words_of_rows(synapses, banks).tolist() == words


@given(
    neurons=st.integers(1, 40),
    fan_in=st.integers(1, 20),
    banks=st.integers(1, 9),
    share=st.floats(0, 1),
    seed=st.integers(0, 999),
)
def test_any_number_of_places_can_be_chosen_balanced(neurons, fan_in, banks, share, seed):
    score = torch.rand((neurons, fan_in), generator=torch.Generator().manual_seed(seed))
    count = round(share * score.numel())
    chosen = choose(score, count, banks=banks)
    assert int(chosen.sum()) == count
    assert balanced(chosen, banks)


@given(
    neurons=st.integers(1, 40),
    fan_in=st.integers(1, 20),
    banks=st.integers(1, 9),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)),
    seed=st.integers(0, 999),
)
def test_pruning_and_regrowth_keep_the_balance(neurons, fan_in, banks, shares, seed):
    generator = torch.Generator().manual_seed(seed)
    score = torch.rand((neurons, fan_in), generator=generator)
    active = choose(score, round(shares[0] * score.numel()), banks=banks)
    kept = choose(score.flip(0), round(shares[1] * int(active.sum())), candidates=active,
                  banks=banks)  # fmt: skip
    assert not (kept & ~active).any()
    # Fewer where what is active leaves a bank empty that the last word would need.
    assert int(kept.sum()) <= round(shares[1] * int(active.sum()))
    assert balanced(kept, banks)
    free = ~active
    wish = torch.rand((neurons, fan_in), generator=generator)
    come = choose(wish, round(shares[2] * int(free.sum())), candidates=free, base=kept, banks=banks)
    assert not (come & active).any()
    assert int(come.sum()) <= round(shares[2] * int(free.sum()))
    assert balanced(kept | come, banks)


def test_a_balanced_choice_is_left_alone():
    score = torch.rand((24, 30), generator=torch.Generator().manual_seed(0))
    once = choose(score, 200)
    again = rebalance(
        once,
        score=torch.zeros_like(score),
        candidates=torch.ones_like(once),
        base=torch.zeros_like(once),
        banks=LANES,
    )
    assert torch.equal(once, again)


def test_what_a_full_bank_turns_away_goes_to_the_best_place_beside_it():
    # One row of four neurons in two banks; neurons 0 and 2 are wanted, both of bank 0.
    score = torch.tensor([[9.0], [1.0], [8.0], [2.0]])
    assert choose(score, 2, banks=2).T.tolist() == [[True, False, False, True]]


def words_that_exist(score, candidates, banks):
    """Worth of every full word of every row, the best first."""
    worths = []
    for row in range(score.shape[1]):
        columns = [
            sorted(
                (float(score[n, row]) for n in range(b, len(score), banks) if candidates[n, row]),
                reverse=True,
            )
            for b in range(banks)
        ]
        worths += [sum(word) for word in zip(*columns, strict=False)]
    return sorted(worths, reverse=True)


@given(
    neurons=st.integers(1, 40),
    fan_in=st.integers(1, 20),
    banks=st.integers(1, 9),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    seed=st.integers(0, 999),
)
def test_the_best_words_are_full(neurons, fan_in, banks, shares, seed):
    generator = torch.Generator().manual_seed(seed)
    # Sixteenths add up exactly, and some of them are equal.
    score = torch.randint(0, 64, (neurons, fan_in), generator=generator) / 16
    candidates = torch.rand((neurons, fan_in), generator=generator) < shares[0]
    count = round(shares[1] * score.numel())
    chosen = best_words(score, candidates=candidates, count=count, banks=banks)
    assert not (chosen & ~candidates).any()
    assert full(chosen, banks)
    best = words_that_exist(score, candidates, banks)[: count // banks]
    assert int(chosen.sum()) == len(best) * banks
    assert float(score[chosen].sum()) == sum(best)


def test_a_word_is_worth_its_sum():
    # Two rows of four neurons in two banks, and room for one word: neurons 0, 2 and 1, 3 share.
    score = torch.tensor([[9.0, 1.0, 2.0, 0.0], [6.0, 6.0, 1.0, 7.0]]).T
    everywhere = torch.ones_like(score, dtype=torch.bool)
    chosen = best_words(score, candidates=everywhere, count=3, banks=2)
    assert chosen.T.tolist() == [[False] * 4, [True, False, False, True]]


def prefixes(worth):
    """Words of one row in turn, each no better than the one before it."""
    return list(itertools.accumulate(worth, min))


@given(
    neurons=st.integers(1, 40),
    fan_in=st.integers(1, 12),
    banks=st.integers(1, 5),
    blocks=st.integers(1, 4),
    share=st.floats(0, 1),
    seed=st.integers(0, 999),
)
def test_words_of_blocks_take_turns(neurons, fan_in, banks, blocks, share, seed):
    generator = torch.Generator().manual_seed(seed)
    score = torch.randint(0, 64, (neurons, fan_in), generator=generator) / 16
    everywhere = torch.ones_like(score, dtype=torch.bool)
    count = round(share * score.numel())
    chosen = best_words(score, candidates=everywhere, count=count, banks=banks, blocks=blocks)
    worth = []
    for row in range(fan_in):
        by_block = [
            words_that_exist(
                in_block(score, block, banks, blocks)[:, [row]],
                in_block(everywhere, block, banks, blocks)[:, [row]],
                banks,
            )
            for block in range(blocks)
        ]
        in_turn = itertools.zip_longest(*by_block)
        words = itertools.takewhile(lambda word: word is not None, itertools.chain(*in_turn))
        worth += prefixes(words)
        # Words of the row, by block: in turn from block 0 on, and each of them full.
        counts = [
            in_block(chosen, block, banks, blocks)[:, row].sum().item() for block in range(blocks)
        ]
        total, odd = divmod(sum(counts) // banks, blocks)
        assert counts == [(total + (block < odd)) * banks for block in range(blocks)]
    assert full(chosen, banks)
    assert int(chosen.sum()) == min(count // banks, len(worth)) * banks


def in_block(places, block, banks, blocks):
    """The rows of `places` ([neurons, fan-in]) that lie in a block, in order."""
    address = torch.arange(len(places)) // banks
    return places[address % blocks == block]


def test_blocks_make_one_block_of_one():
    generator = torch.Generator().manual_seed(3)
    score = torch.rand((48, 30), generator=generator)
    everywhere = torch.ones_like(score, dtype=torch.bool)
    plain = best_words(score, candidates=everywhere, count=400, banks=8)
    assert torch.equal(
        plain, best_words(score, candidates=everywhere, count=400, banks=8, blocks=1)
    )
    assert not torch.equal(
        plain, best_words(score, candidates=everywhere, count=400, banks=8, blocks=2)
    )


@given(
    neurons=st.integers(1, 40),
    fan_in=st.integers(1, 20),
    banks=st.integers(1, 9),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)),
    seed=st.integers(0, 999),
)
def test_slots_are_swapped_within_row_and_bank(neurons, fan_in, banks, shares, seed):
    generator = torch.Generator().manual_seed(seed)
    worth, wish, draw = (torch.rand((neurons, fan_in), generator=generator) for _ in range(3))
    mask, candidates = draw < shares[0], draw > 1 - shares[1] * (1 - shares[0])
    count = round(shares[2] * int(mask.sum()))
    new = swap_slots(mask, worth=worth, wish=wish, candidates=candidates, count=count, banks=banks)
    gone, come = mask & ~new, new & ~mask
    assert not (come & ~candidates).any()
    assert int(gone.sum()) == int(come.sum()) <= count
    for bank in range(banks):
        one = slice(bank, None, banks)
        assert torch.equal(mask[one].sum(dim=0), new[one].sum(dim=0))
        for row in range(fan_in):
            # Of each bank the worst went and the best came.
            left, going = (worth[one, row][m[one, row]] for m in (mask & ~gone, gone))
            beside, coming = (wish[one, row][m[one, row]] for m in (candidates & ~come, come))
            assert not len(left) * len(going) or going.max() < left.min()
            assert not len(beside) * len(coming) or coming.min() > beside.max()
    threshold = worth[mask].sort().values[count - 1] if count else -1
    stayed = mask & ~gone & (worth <= threshold)
    for neuron, row in stayed.nonzero().tolist():
        # Only for want of a candidate.
        assert not (candidates & ~come)[neuron % banks :: banks, row].any()


@pytest.mark.parametrize("ratio", ["pq-layer", "pq-neuron", "constant-global"])
@pytest.mark.parametrize("rho", [0.0, 0.4, 1.0])
def test_rewirings_keep_words_full_and_the_density_within_a_word(ratio, rho):
    torch.manual_seed(0)
    layers = [Sparse((64, 50), 1), Sparse((40, 64), 2), Sparse((7, 40), 3)]
    places, banks = 64 * 50 + 40 * 64 + 7 * 40, 16
    config = parse_config(
        f"""
        [network]
        hidden = [64, 40]
        [sparsity]
        density = 0.2
        ratio = "{ratio}"
        rho = {rho}
        banks = {banks}
        full_words = true
        start_epoch = 1
        every_epochs = 1
        stop_epoch = 9
        [training]
        epochs = 10
        """,
        source="test",
    ).sparsity
    generator = torch.Generator().manual_seed(0)
    initialise_masks(layers, config, generator)
    rewirer = Rewirer.from_config(layers, config, epochs=10, generator=generator)
    optimizer = torch.optim.Adam([layer.weight for layer in layers], lr=0.05)
    active = places // 2
    for epoch in range(1, 10):
        for layer in layers:
            assert all(full(layer.mask, banks) for layer in layers[:2])
            layer.weight.grad = torch.randn_like(layer.weight)
        assert active - 2 * banks < sum(int(layer.mask.sum()) for layer in layers) <= active
        rewirer.after_backward()
        optimizer.step()
        rewirer.after_step()
        before = [layer.mask for layer in layers]
        done = rewirer.after_epoch(epoch, optimizer)
        assert done is not None
        active = sum(done.before) - sum(done.pruned) + sum(done.regrown)
        for layer, mask in zip(layers, before, strict=True):
            assert not layer.weight[~layer.mask].any()
            assert not layer.weight[layer.mask & ~mask].any()
    target = 0.2 * places
    assert all(full(layer.mask, banks) for layer in layers[:2])
    assert target - 2 * banks < active
    if rho == 0 and ratio != "pq-neuron":  # which does not come down so far in nine epochs
        assert active <= target
    for _ in range(20):
        for layer in layers:
            layer.weight.grad = torch.randn_like(layer.weight)
        rewirer.after_backward()
        optimizer.step()
        rewirer.after_step()
        assert not any(layer.weight[~layer.mask].any() for layer in layers)


@pytest.mark.parametrize("ratio", ["pq-layer", "pq-neuron", "constant-global"])
@pytest.mark.parametrize("rho", [0.0, 0.4, 1.0])
def test_rewirings_keep_every_row_balanced_and_the_counts_exact(ratio, rho):
    torch.manual_seed(0)
    layers = [Sparse((64, 50), 1), Sparse((40, 64), 2)]
    config = parse_config(
        f"""
        [sparsity]
        density = 0.1
        ratio = "{ratio}"
        rho = {rho}
        banks = {LANES}
        start_epoch = 1
        every_epochs = 1
        stop_epoch = 9
        [training]
        epochs = 10
        """,
        source="test",
    ).sparsity
    generator = torch.Generator().manual_seed(0)
    initialise_masks(layers, config, generator)
    rewirer = Rewirer.from_config(layers, config, epochs=10, generator=generator)
    optimizer = torch.optim.Adam([layer.weight for layer in layers], lr=0.05)
    assert sum(int(layer.mask.sum()) for layer in layers) == 0.5 * (64 * 50 + 40 * 64)
    for epoch in range(1, 10):
        before = [int(layer.mask.sum()) for layer in layers]
        for layer in layers:
            layer.weight.grad = torch.randn_like(layer.weight)
        rewirer.after_backward()
        optimizer.step()
        rewirer.after_step()
        done = rewirer.after_epoch(epoch, optimizer)
        assert done is not None
        for layer, count, gone, come in zip(layers, before, done.pruned, done.regrown, strict=True):
            assert balanced(layer.mask, LANES)
            assert int(layer.mask.sum()) == count - gone + come
        if sum(before) > 0.2 * (64 * 50 + 40 * 64):
            assert list(done.regrown) == [round(rho * gone) for gone in done.pruned]


def layer_of(integers):
    """A layer of integers [neurons, inputs]."""
    return Layer.from_dense(integers.T, name="layer", leak=IntegrateLeak())


def words_and_fewest(layer):
    """Words stored, and sum over rows of ceil(synapses / lanes).

    With absolute indices: gaps may spend words on escapes where that saves bits.
    """
    words = pack(layer, LANES, index_form="absolute").words
    return words, int((-(-np.diff(layer.row_ptr) // LANES)).sum())


@pytest.mark.parametrize(
    ("shape", "density"),
    [
        pytest.param((192, 64), 0.5, id="digits at 50 %"),
        pytest.param((192, 64), 0.2, id="digits at 20 %"),
        pytest.param((640, 784), 0.1, id="mnist at 10 %"),
        pytest.param((640, 784), 0.02, id="mnist at 2 %"),
        pytest.param((10, 640), 0.3, id="more banks than a row has synapses"),
    ],
)
def test_random_layers_fill_their_words_and_save_bits(shape, density):
    generator = torch.Generator().manual_seed(1)
    score = torch.rand(shape, generator=generator)
    count = round(density * score.numel())
    integers = torch.randint(1, 8, shape, generator=generator)
    anywhere = score >= score.reshape(-1).sort(descending=True).values[count - 1]
    spread = choose(score, count)
    assert int(anywhere.sum()) == int(spread.sum()) == count
    layer, unbalanced = (layer_of((integers * m).numpy()) for m in (spread, anywhere))
    words, fewest = words_and_fewest(layer)
    assert words == fewest
    assert words_and_fewest(unbalanced)[0] > 1.03 * fewest
    assert pack(layer, LANES).bits < pack(unbalanced, LANES).bits


@pytest.mark.parametrize(
    "method", ["pq-layer", "pq-neuron", "pq-spike", "rigl", "static", "one-shot", "sap"]
)
def test_trained_networks_fill_their_words(method):
    text = f"""
        [data]
        time_steps = 4
        [network]
        hidden = [64]
        [sparsity]
        banks = {LANES}
        density = 0.15
        start_epoch = 1
        every_epochs = 1
        stop_epoch = 3
        [training]
        epochs = 4
        learning_rate = 0.03
    """
    config = parse_config(text, source="test", method=method)
    digits = load_dataset("digits")
    for epochs in (3, 4):  # up to the last rewiring, and beyond
        training = msgspec.structs.replace(config.training, epochs=epochs)
        run = train_network(msgspec.structs.replace(config, training=training), digits)
        for layer in to_image(run.network, config).layers:
            words, fewest = words_and_fewest(layer)
            assert words <= 1.03 * fewest
    for layer in run.network.layers:
        trained = layer.mask & (layer.weight != 0)
        assert int((layer.integers().weight != 0).sum()) == int(trained.sum())


@pytest.mark.parametrize(("banks", "blocks"), [(8, 1), (16, 1), (8, 2)])
def test_trained_words_are_full(banks, blocks):
    text = f"""
        [data]
        time_steps = 4
        [network]
        hidden = [64]
        [sparsity]
        banks = {banks}
        blocks = {blocks}
        full_words = true
        initial_density = 0.8
        density = 0.15
        ratio = "constant"
        fraction = 0.4
        regrow = "none"
        rho = 0.0
        start_epoch = 1
        every_epochs = 1
        stop_epoch = 6
        [training]
        epochs = 8
        learning_rate = 0.03
    """
    config = parse_config(text, source="test")
    digits = load_dataset("digits")
    run = train_network(config, digits)
    hidden, readout = to_image(run.network, config).layers
    rows = np.diff(hidden.row_ptr)
    assert hidden.synapses == int(run.network.layers[0].mask.sum())
    assert hidden.synapses > 0
    assert not (rows % banks).any()
    # Words that take turns among sixteen banks in two blocks are full, too.
    of_pack = max(blocks, banks // LANES)
    packed = pack(hidden, LANES, index_form="absolute", blocks=of_pack)
    assert packed.words * LANES == hidden.synapses
    assert packed.index_bits == (64 // LANES // of_pack - 1).bit_length()
    assert bool((rows // LANES % 2).any()) == (banks == LANES)
    code = config.data.encoding
    assert isinstance(code, LatencyEncoding)
    unlit = digits.train.images[:].max(axis=0) < code.threshold
    assert unlit.any()
    assert not rows[unlit].any()
    target = 0.15 * sum(layer.mask.numel() for layer in run.network.layers)
    assert target - banks < hidden.synapses + readout.synapses <= target
