"""The packed words of every kind hold its rows, whatever the lanes and the form."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinds.graphs import random_connection, random_window, weights
from spikeloom.connections import CONNECTIONS, Conv2d, SumPool2d, Window
from spikeloom.packing.addressing import ByPhase, ByTap
from spikeloom.packing.bank_map import BankMap
from spikeloom.packing.connection import PackedConnection, pack_connection
from spikeloom.packing.pack import pack
from spikeloom.packing.rows import MatrixRows

PACKED = ("linear", "conv2d", "identity")
LANES = (1, 4, 8, 16)


def test_every_kind_with_weights_is_tried():
    assert {*PACKED, "sum_pool2d", "max_pool2d"} == set(CONNECTIONS)


@pytest.mark.parametrize("lanes", LANES)
@pytest.mark.parametrize("kind", PACKED)
def test_the_words_hold_the_rows(kind, lanes):
    for seed in range(6):
        rng = np.random.default_rng([seed, lanes])
        shape = (int(rng.integers(2, 7)), int(rng.integers(2, 7)), int(rng.integers(1, 5)))
        connection = random_connection(rng, kind, shape)
        packed = pack_connection(connection, lanes)
        for event in range(connection.inputs):
            assert sorted(packed.rows(event)) == sorted(connection.rows(event))


def addressed(connection, addressing, lanes, form):
    banks = BankMap(shape=connection.target_shape, lanes=lanes)
    rows = addressing(connection, banks)
    words = pack(MatrixRows(name="edge", matrix=rows.matrix), lanes, index_form=form)
    return PackedConnection(connection=connection, banks=banks, addressing=rows, words=words)


@pytest.mark.parametrize("form", ["absolute", None])
@pytest.mark.parametrize("addressing", [ByPhase, ByTap])
@pytest.mark.parametrize("seed", range(12))
def test_both_ways_of_addressing_a_kernel(addressing, form, seed):
    """Strides, paddings, dilations and groups, each way by itself."""
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(2, 8)), int(rng.integers(2, 8)), int(rng.integers(1, 4)))
    connection = random_connection(rng, "conv2d", shape)
    packed = addressed(connection, addressing, int(rng.choice(LANES)), form)
    for event in range(connection.inputs):
        assert sorted(packed.rows(event)) == sorted(connection.rows(event))


def test_words_read_are_counted_event_by_event():
    """A 3x3 kernel on a 4x4 map: a corner has 4 taps in the map, an edge 6, the middle 9."""
    connection = Conv2d.from_dense(
        np.ones((8, 1, 3, 3), dtype=int),
        window=Window(kernel=(3, 3), padding=(1, 1, 1, 1)),
        name="edge",
        source="a",
        target="b",
        source_shape=(4, 4, 1),
    )
    by_tap = addressed(connection, ByTap, 8, None).words_read.reshape(4, 4)
    assert by_tap.tolist() == [[4, 6, 6, 4], [6, 9, 9, 6], [6, 9, 9, 6], [4, 6, 6, 4]]
    by_phase = addressed(connection, ByPhase, 8, None).words_read
    assert set(by_phase.tolist()) == {9}


def test_the_cheaper_way_is_taken():
    """Full words by tap skip the border; few synapses fill words by phase alone."""
    window = Window(kernel=(3, 3), padding=(1, 1, 1, 1))
    common = {"window": window, "name": "edge", "source": "a", "target": "b"}
    full = np.ones((8, 2, 3, 3), dtype=int)
    dense = Conv2d.from_dense(full, source_shape=(4, 4, 2), **common)
    assert isinstance(pack_connection(dense, 8).addressing, ByTap)
    spread = np.zeros((8, 2, 3, 3), dtype=int)
    for output in range(8):
        spread[output, :, output // 3, output % 3] = 1
    sparse = Conv2d.from_dense(spread, source_shape=(16, 16, 2), **common)
    packed = pack_connection(sparse, 8)
    assert isinstance(packed.addressing, ByPhase)
    assert packed.words.words == 2


def test_fill_is_the_share_of_slots_that_do_something():
    connection = Conv2d.from_dense(
        np.ones((8, 1, 1, 1), dtype=int),
        window=Window(kernel=(1, 1)),
        name="edge",
        source="a",
        target="b",
        source_shape=(2, 2, 1),
    )
    assert pack_connection(connection, 8).fill == 1.0
    assert pack_connection(connection, 16).fill == 0.5
    silent = replace(connection, weights=replace(connection.weights, **nothing(1)))
    assert pack_connection(silent, 8).fill == 1.0


def nothing(rows):
    return {
        "row_ptr": np.zeros(rows + 1, dtype=np.int32),
        "target": np.zeros(0, dtype=np.int32),
        "weight": np.zeros(0, dtype=np.int32),
    }


def test_kinds_without_weights_are_refused():
    pool = SumPool2d(
        name="edge", source="a", target="b", source_shape=(2, 2, 1), window=Window(kernel=(2, 2))
    )
    with pytest.raises(ValueError, match="edge: sum_pool2d has no weights to pack"):
        pack_connection(pool, 4)


@given(
    shape=st.one_of(
        st.tuples(st.integers(1, 70)),
        st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 20)),
    ),
    lanes=st.sampled_from([1, 2, 4, 8, 16, 32]),
)
def test_banks_and_addresses_name_each_neuron_once(shape, lanes):
    banks = BankMap(shape=shape, lanes=lanes)
    neurons = np.arange(int(np.prod(shape)))
    bank, address = banks.place(neurons)
    assert int(address.max()) < banks.addresses <= 1 << banks.address_bits
    assert (bank == neurons % shape[-1] % lanes).all()
    assert (banks.neuron(bank, address) == neurons).all()
    every = [banks.neuron(b, a) for b in range(lanes) for a in range(banks.addresses)]
    assert sorted(int(n) for n in every if n >= 0) == neurons.tolist()


def test_a_list_lies_as_the_chain_has_it():
    bank, address = BankMap(shape=(20,), lanes=8).place(np.arange(20))
    assert (bank == np.arange(20) % 8).all()
    assert (address == np.arange(20) // 8).all()


def test_a_random_window_fits():
    rng = np.random.default_rng(0)
    kernel = weights(rng, (2, 2, 1, 1), density=1.0)
    assert kernel.any()
    assert min(random_window(rng, (1, 1, 1)).extent((1, 1, 1))) >= 1
