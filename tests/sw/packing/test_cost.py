"""What a packing costs, worked out by hand: every field, and the lanes that it decides."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from networks import random_network
from spikeloom.image import IntegrateLeak, Layer
from spikeloom.packing import pack, packing_cost, propose_lanes
from spikeloom.packing.lanes import LANES, mean_words
from spikeloom.packing.pack import pack_network, slot_addresses


def layer_of(*rows):
    return Layer.from_dense(np.array(rows), name="some", leak=IntegrateLeak())


ROWS = ([1, 0, 0, 0, 0, -3], [0, 0, 0, 0, 0, 0], [2, 2, 2, 0, 0, 0])
"""Three lanes: addresses 0 and 1. Words: row 0 has one (lanes 0 and 2), row 2 one (all lanes)."""


def test_every_field_of_a_cost():
    layer = layer_of(*ROWS)
    words = pack(layer, 3, index_form="absolute", blocks=1, pointer_rows=2)
    assert words.count.tolist() == [1, 0, 1]
    assert words.base.tolist() == [0, 1, 1]
    # A word: 3 slots of an index bit and weights of -3 ... 2. A pointer: where row 0 or 2 begins,
    # and a count of 0 or 1 for each of two rows.
    assert (words.index_bits, words.weight_bits, words.slot_bits, words.word_bits) == (1, 3, 4, 12)
    assert (words.base_bits, words.count_bits, words.pointers, words.pointer_bits) == (1, 1, 2, 3)
    assert words.bits == 2 * 12 + 2 * 3
    cost = packing_cost(layer, words)
    presence = -(5 / 18 * np.log2(5 / 18) + 13 / 18 * np.log2(13 / 18))
    values = -(3 / 5 * np.log2(3 / 5) + 2 * (1 / 5 * np.log2(1 / 5)))
    assert msgspec.to_builtins(cost) == {
        "name": "some",
        "lanes": 3,
        "index_form": "absolute",
        "index_bits": 1,
        "weight_bits": 3,
        "words": 2,
        "word_bits": 12,
        "pointer_bits": 3,
        "bits": 30,
        "entropy_bits": pytest.approx(18 * presence + 5 * values),
        "fill": 5 / 6,
    }


def test_nothing_costs_nothing():
    layer = layer_of([0, 0], [0, 0])
    words = pack(layer, 2)
    cost = packing_cost(layer, words)
    assert (cost.words, cost.fill, cost.entropy_bits) == (0, 0, 0)
    assert cost.bits == words.pointers * words.pointer_bits > 0


@pytest.mark.parametrize(
    ("neurons", "lanes", "groups", "bits"),
    [(1, 1, 1, 1), (8, 8, 1, 1), (9, 8, 2, 1), (16, 8, 2, 1), (17, 8, 3, 2), (33, 8, 5, 3)],
)
def test_groups_of_neurons(neurons, lanes, groups, bits):
    words = pack(layer_of([1] * neurons), lanes)
    assert (words.groups, words.group_bits) == (groups, bits)


@pytest.mark.parametrize(
    ("form", "addresses"),
    [
        pytest.param({"index_form": "absolute", "blocks": 1}, [0, 3, 4], id="absolute"),
        pytest.param({"index_form": "absolute", "blocks": 2}, [0, 3, 4], id="blocks take turns"),
        pytest.param({"index_form": "gap", "index_bits": 2}, [0, 3, 4], id="gaps"),
        pytest.param({"index_form": "gap", "index_bits": 1}, [0, 2, 3, 4], id="an escape"),
    ],
)
def test_addresses_of_slots(form, addresses):
    words = pack(layer_of([0, 0, 0, 0, 0, 0], [5, 0, 0, 6, 7, 0]), 1, **form)
    assert slot_addresses(words)[:, 0].tolist() == addresses
    escaped = len(addresses) - 3
    assert words.weight[:, 0].tolist() == [5, *[0] * escaped, 6, 7]


@pytest.mark.parametrize("granule", [1, 2, 4])
def test_rows_are_padded_to_a_granule_that_is_asked_for(granule):
    layer = layer_of([1, 1, 1, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 0, 0, 0])
    words = pack(layer, 1, index_form="absolute", blocks=1, pointer_rows=1, granule=granule)
    assert words.count.tolist() == [-(-n // granule) * granule for n in (3, 5)]
    assert words.granule == granule
    assert words.base_bits == max(1, int(words.base[1] // granule).bit_length())


def test_without_one_the_granule_is_the_largest_that_pads_nothing():
    layer = layer_of([1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1])
    words = pack(layer, 1, index_form="absolute", blocks=1)
    assert (words.count.tolist(), words.granule) == ([2, 4, 6], 2)


@pytest.mark.parametrize("granule", [0, 3, 6])
def test_a_granule_is_a_power_of_two(granule):
    with pytest.raises(ValueError, match=f"granule must be a power of two, not {granule}"):
        pack(layer_of([1]), 1, granule=granule)


def test_each_layer_has_lanes_of_its_own():
    image = random_network(np.random.default_rng(0), [9, 8, 7])
    packed = pack_network(image, (4, 2))
    assert [(words.lanes, words.inputs) for words in packed] == [(4, 9), (2, 8)]
    with pytest.raises(ValueError, match="zip"):
        pack_network(image, (4,))


def recorded(image, *operations):
    return replace(
        image, provenance=msgspec.structs.replace(image.provenance, operations=operations)
    )


def test_words_read_in_a_mean_sample():
    image = random_network(np.random.default_rng(0), [9, 8, 7])
    packed = pack_network(image, (4, 2))
    # Without a record every row is read once; with one, each synapse brings its share of a row.
    assert mean_words(image, 1, packed[1]) == packed[1].words
    known = recorded(image, 30.0, 11.0)
    for number, operations in enumerate((30.0, 11.0)):
        share = packed[number].words / image.layers[number].synapses
        assert mean_words(known, number, packed[number]) == pytest.approx(operations * share)
    assert mean_words(recorded(image, 30.0), 1, packed[1]) == packed[1].words


def work(image, number, lanes):
    """Words of an average sample, and a cycle for each group of neurons in each step."""
    words = pack(image.layers[number], lanes)
    recorded = image.provenance.operations
    share = words.words / image.layers[number].synapses
    groups = -(-image.layers[number].neurons // lanes)
    return recorded[number] * share + image.time_steps * groups


@pytest.mark.parametrize("busiest", [1, 2, 4, 8, 16, 32])
@pytest.mark.parametrize("seed", range(4))
def test_the_others_get_the_fewest_lanes_with_which_they_keep_pace(busiest, seed):
    random = np.random.default_rng(seed)
    image = random_network(random, [40, 50, 60, 10], density=0.5)
    image = recorded(image, *random.uniform(50, 900, 3))
    proposed = propose_lanes(image, busiest)
    pace = max(work(image, number, busiest) for number in range(3))
    for number, lanes in enumerate(proposed):
        if work(image, number, busiest) == pace:
            assert lanes == busiest
        else:
            keeping = (n for n in LANES if n == busiest or work(image, number, n) <= pace)
            assert lanes == next(keeping)
    assert busiest in proposed
