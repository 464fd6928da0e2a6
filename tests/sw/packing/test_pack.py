"""Packing: nothing is lost, and the cost is what the words really take."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from networks import layers
from spikeloom.image import IntegrateLeak, Layer
from spikeloom.packing import LANES, entropy_bound, pack, packing_cost, unpack

any_lanes = st.integers(1, 12)


@given(layer=layers(), lanes=any_lanes)
def test_round_trip(layer, lanes):
    assert (unpack(pack(layer, lanes)) == layer.dense()).all()


@given(layer=layers(), lanes=any_lanes, bits=st.integers(1, 6))
def test_round_trip_of_every_gap(layer, lanes, bits):
    words = pack(layer, lanes, index_form="gap", index_bits=bits)
    assert (unpack(words) == layer.dense()).all()
    assert words.index.max(initial=0) < 1 << bits


@pytest.mark.parametrize("form", ["absolute", "gap"])
@given(layer=layers(max_inputs=4, max_neurons=9), lanes=st.integers(1, 9))
def test_every_form_takes_every_size(form, layer, lanes):
    words = pack(layer, lanes, index_form=form)
    assert words.index_form == form
    assert (unpack(words) == layer.dense()).all()


@given(layer=layers(), lanes=any_lanes, blocks=st.sampled_from([1, 2, 4, 16]))
def test_round_trip_of_interleaved_blocks(layer, lanes, blocks):
    words = pack(layer, lanes, index_form="absolute", blocks=blocks)
    assert (unpack(words) == layer.dense()).all()
    assert words.index.max(initial=0) < 1 << words.index_bits


@given(layer=layers(), lanes=any_lanes)
def test_the_choice_is_the_cheapest(layer, lanes):
    chosen = pack(layer, lanes)
    others = [
        pack(layer, lanes, index_form="absolute", blocks=blocks) for blocks in (1, 2, 4, 8, 16)
    ]
    others += [pack(layer, lanes, index_form="gap", index_bits=bits) for bits in range(1, 6)]
    assert all(chosen.bits * chosen.words <= other.bits * other.words for other in others)


@given(layer=layers(), lanes=any_lanes, rows=st.sampled_from([1, 2, 4, 8]))
def test_a_pointer_word_serves_many_rows(layer, lanes, rows):
    words = pack(layer, lanes, pointer_rows=rows)
    assert words.pointers == -(-layer.inputs // rows)
    assert (words.count % words.granule == 0).all()
    assert (unpack(words) == layer.dense()).all()


def test_a_row_balanced_over_lanes_and_blocks_fills_its_words():
    # Neuron n is in lane n mod 2 and block n div 2 mod 2: one synapse for each of the four.
    row = np.zeros(16, dtype=int)
    row[[8, 1, 14, 11]] = 1, 2, 3, 4
    words = pack(layer_of(row), 2, index_form="absolute", blocks=2)
    assert words.weight.tolist() == [[1, 2], [3, 4]]
    assert words.index.tolist() == [[2, 0], [3, 2]]
    assert (words.index_bits, words.granule) == (2, 2)


@given(layer=layers(), lanes=any_lanes)
def test_every_field_fits_its_width(layer, lanes):
    words = pack(layer, lanes)
    assert words.index.max(initial=0) < 1 << words.index_bits
    assert words.base[:: words.pointer_rows].max(initial=0) < words.granule << words.base_bits
    assert words.count.max(initial=0) < words.granule << words.count_bits
    assert words.weight.min(initial=0) >= -(1 << words.weight_bits - 1)
    assert words.weight.max(initial=0) < 1 << words.weight_bits - 1


def layer_of(*rows):
    return Layer.from_dense(np.array(rows), name="layer", leak=IntegrateLeak())


@pytest.mark.parametrize(
    ("rows", "lanes", "words", "count"),
    [
        pytest.param([[0, 0, 0, 0]], 2, 0, [0], id="empty row"),
        pytest.param([[1, 1, 1, 1]], 2, 2, [2], id="full row"),
        pytest.param([[1, 0, 1, 0]], 2, 2, [2], id="one bank takes all"),
        pytest.param([[1, 0, 0, 1]], 2, 1, [1], id="balanced"),
        pytest.param([[0, 0], [1, 1]], 1, 2, [0, 2], id="empty row first"),
        pytest.param([[1]], 8, 1, [1], id="more lanes than neurons"),
    ],
)
def test_words_of_a_row(rows, lanes, words, count):
    packed = pack(layer_of(*rows), lanes, index_form="absolute")
    assert packed.words == words
    assert packed.count.tolist() == count


def test_a_long_gap_takes_escapes():
    packed = pack(layer_of([1] + [0] * 8 + [2]), 1, index_form="gap", index_bits=2)
    assert packed.index[:, 0].tolist() == [0, 3, 3, 0]
    assert packed.weight[:, 0].tolist() == [1, 0, 0, 2]


def test_the_entropy_bound_of_known_cases():
    # Half of the places taken, two weights equally often: one bit a place, one bit a synapse.
    layer = layer_of([1, 0, 2, 0], [0, 1, 0, 2])
    assert entropy_bound(layer) == 8 + 4
    assert entropy_bound(layer_of([0, 0])) == 0
    assert entropy_bound(layer_of([3, 3])) == 0


@given(layer=layers(), lanes=any_lanes)
def test_the_cost_is_that_of_the_words(layer, lanes):
    words = pack(layer, lanes)
    cost = packing_cost(layer, words)
    assert cost.bits == words.index.size * words.slot_bits + words.pointers * words.pointer_bits
    assert 0 <= cost.fill <= 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({"lanes": 0}, "lanes must be at least 1, not 0", id="no lanes"),
        pytest.param({"lanes": 1, "index_bits": 2}, "index_bits is 2", id="width without form"),
        pytest.param(
            {"lanes": 1, "index_form": "gap", "index_bits": 0}, "index_bits is 0", id="no width"
        ),
        pytest.param({"lanes": 1, "blocks": 2}, "blocks is 2", id="blocks without form"),
        pytest.param(
            {"lanes": 1, "index_form": "absolute", "blocks": 3}, "blocks is 3", id="three blocks"
        ),
        pytest.param({"lanes": 1, "pointer_rows": 3}, "pointer_rows must be one of", id="rows"),
    ],
)
def test_wrong_arguments_are_shown(arguments, message):
    with pytest.raises(ValueError, match=message):
        pack(layer_of([1]), **arguments)


def test_the_core_s_lanes_are_packable():
    layer = layer_of([1, 2, 3, 4, 5, 6, 7, 1, 2])
    for lanes in LANES:
        assert pack(layer, lanes).words == -(-9 // lanes)
