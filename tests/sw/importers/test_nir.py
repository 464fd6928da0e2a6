"""Reading NIR: what is taken, what is mended with a note, and what is refused in one sentence."""

import time

import numpy as np
import pytest

from nir_files import (
    affine,
    chain,
    conv2d,
    end,
    entry,
    graph,
    linear,
    neurons,
    one_lif,
    pool,
)
from spikeloom.errors import UserError
from spikeloom.importers import from_nir
from spikeloom.importers.nir import read_nir
from spikeloom.importers.nodes import Cell, Convolution


def two_layers(**changes):
    """A graph of 3 inputs, 4 and 2 neurons, with some nodes changed."""
    nodes, edges = chain(
        entry(3),
        affine(np.ones((4, 3)), np.zeros(4)),
        neurons("LIF", 4),
        linear(np.ones((2, 4))),
        neurons("LIF", 2),
        end(2),
    )
    return {**nodes, **changes}, edges


def maps(*nodes):
    return chain(entry(2, 8, 8), *nodes)


def without(node, *fields):
    return {name: value for name, value in node.items() if name not in fields}


def inner(edges, shape=4):
    """A graph within the graph, of a recurrent layer."""
    nodes = {
        "input": entry(shape),
        "lif": neurons("LIF", 4),
        "w_rec": linear(np.ones((4, 4))),
        "output": end(4),
    }
    return graph(nodes, edges)


RECURRENT = [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")]

DEFECTS = {
    "an edge to a missing node": (
        (two_layers()[0], [*two_layers()[1], ("3", "lif9")]),
        "edge 3 → lif9: no node 'lif9'",
    ),
    "an edge within a subgraph to a missing node": (
        two_layers(**{"1": inner([("input", "lif1"), *RECURRENT[1:]])}),
        "in subgraph '1': edge input → lif1: no node 'lif1': did you mean 'lif'?",
    ),
    "an edge twice": (
        (two_layers()[0], [*two_layers()[1], ("0", "1")]),
        "edge 0 → 1 stands there twice",
    ),
    "an inner input of another shape": (
        two_layers(**{"1": inner(RECURRENT, shape=5)}),
        "edge 0 → 1.input: shape (4,) meets (5,)",
    ),
    "a second input": (
        ({**two_layers()[0], "again": entry(3)}, [*two_layers()[1], ("again", "0")]),
        "the graph has 2 inputs ('again', 'input')",
    ),
    "no output": (
        (without(two_layers()[0], "output"), two_layers()[1][:-1]),
        "the graph has 0 outputs",
    ),
    "a node that nothing leads to": (
        ({**two_layers()[0], "lost": neurons("LIF", 2)}, [*two_layers()[1], ("lost", "output")]),
        "node 'lost': nothing leads to it",
    ),
    "a node that leads nowhere": (
        ({**two_layers()[0], "lost": neurons("LIF", 4)}, [*two_layers()[1], ("0", "lost")]),
        "node 'lost': it leads nowhere",
    ),
    "a matrix for another number": (
        two_layers(**{"2": linear(np.ones((2, 5)))}),
        "edge 1 → 2: shape (4,) meets a weight [2, 5], which takes (5,)",
    ),
    "neurons of another number": (
        two_layers(**{"1": neurons("LIF", 5)}),
        "edge 0 → 1: shape (4,) meets neurons of (5,)",
    ),
    "batch and time kept": (
        two_layers(output=end(1, 1, 2)),
        "shape (2,) meets (1, 1, 2): the writer kept batch and time",
    ),
    "a time axis as neurons": (
        two_layers(input=entry(100, 3)),
        "edge input → 0: shape (100, 3) meets a weight [4, 3], which takes (3,)",
    ),
    "fields that differ in shape": (
        two_layers(**{"1": {**neurons("LIF", 4), "tau": np.ones(3)}}),
        "node '1': its fields differ in shape",
    ),
    "a tau of 0": (
        two_layers(**{"1": neurons("LIF", 4, tau=0.0)}),
        "tau is 0: it must be positive",
    ),
    "a threshold that is no number": (
        two_layers(**{"1": neurons("LIF", 4, v_threshold=np.nan)}),
        "v_threshold holds nan",
    ),
    "an infinite weight": (
        two_layers(**{"2": linear(np.full((2, 4), np.inf))}),
        "weight holds inf",
    ),
    "a threshold below the reset": (
        two_layers(**{"1": neurons("LIF", 4, v_reset=2.0)}),
        "v_threshold 1 is not above v_reset 2",
    ),
    "no v_threshold": (
        two_layers(**{"1": without(neurons("LIF", 4), "v_threshold")}),
        "node '1': it has no v_threshold",
    ),
    "a field with another name": (
        two_layers(**{"2": {"type": "Linear", "weights": np.ones((2, 4))}}),
        "it has no weight, did you mean 'weights'?",
    ),
    "an unknown type": (
        two_layers(**{"1": {"type": "MaxPool9d"}}),
        "node '1' is of the type 'MaxPool9d', which is not imported",
    ),
    "no type": (two_layers(**{"1": {"tau": np.ones(4)}}), "node '1' has no type"),
    "a bias for another number": (
        two_layers(**{"0": affine(np.ones((4, 3)), np.zeros(3))}),
        "bias has the shape (3,), weight (4, 3)",
    ),
    "a weight that is no matrix": (
        two_layers(**{"2": linear(np.ones(4))}),
        "weight has the shape (4,)",
    ),
    "a cycle without neurons": (
        (
            {**two_layers()[0], "back": linear(np.ones((4, 4)))},
            [*two_layers()[1], ("0", "back"), ("back", "0")],
        ),
        "back",
    ),
    "a convolution for other channels": (
        maps(conv2d(np.ones((4, 3, 3, 3))), neurons("IF", (4, 6, 6)), end(4, 6, 6)),
        "edge input → 0: shape (2, 8, 8) meets a kernel for 3 × 1 channels",
    ),
    "groups that do not divide": (
        maps(conv2d(np.ones((4, 1, 3, 3)), groups=3), neurons("IF", (4, 6, 6)), end(4, 6, 6)),
        "groups is 3, with 4 outputs",
    ),
    "a window larger than the map": (
        maps(conv2d(np.ones((4, 2, 9, 9))), neurons("IF", (4, 1, 1)), end(4, 1, 1)),
        "is smaller than a window",
    ),
    "a flatten that counts the batch": (
        maps(
            neurons("IF", (2, 8, 8)),
            {"type": "Flatten", "start_dim": 1, "end_dim": -1},
            linear(np.ones((2, 128))),
            neurons("IF", 2),
            end(2),
        ),
        "is flattened from dimension 1 to -1 alone: set start_dim = 0",
    ),
    "same padding with a stride": (
        maps(
            conv2d(np.ones((4, 2, 3, 3)), padding="same", stride=2),
            neurons("IF", (4, 4, 4)),
            end(4, 4, 4),
        ),
        "padding 'same' with stride (2, 2)",
    ),
    "a padding with another word": (
        maps(conv2d(np.ones((4, 2, 3, 3)), padding="full"), neurons("IF", (4, 6, 6)), end(4, 6, 6)),
        "padding is 'full'",
    ),
    "a pooling of no map": (
        two_layers(**{"2": pool("SumPool2d", 2)}),
        "edge 1 → 2: shape (4,) is no map",
    ),
    "two weights without neurons between": (
        maps(
            conv2d(np.ones((4, 2, 3, 3))),
            conv2d(np.ones((4, 4, 3, 3))),
            neurons("IF", (4, 4, 4)),
            end(4, 4, 4),
        ),
        "node '1': it follows the weights of '0' without neurons between",
    ),
    "maximum pooling is no type of NIR": (
        maps(
            neurons("IF", (2, 8, 8)), pool("MaxPool2d", 2), neurons("IF", (2, 4, 4)), end(2, 4, 4)
        ),
        "MaxPool2d",
    ),
    "no neurons before the output": (
        chain(entry(3), linear(np.ones((2, 3))), end(2)),
        "no neurons lie before the output",
    ),
    "maps that are read out": (
        maps(neurons("IF", (2, 8, 8)), end(2, 8, 8)),
        "maps (2, 8, 8) are read out",
    ),
    "a negative delay": (
        two_layers(**{"1": {"type": "Delay", "delay": np.full(4, -1.0)}}),
        "nothing arrives before it is sent",
    ),
    "dt longer than tau": (
        two_layers(**{"1": neurons("LIF", 4, tau=1e-5)}),
        "dt 0.0001 is longer than tau 1e-05",
    ),
    "a delay between steps": (
        chain(
            entry(2),
            {"type": "Delay", "delay": np.full(2, 0.00015)},
            linear(np.ones((2, 2))),
            neurons("LIF", 2),
            end(2),
        ),
        "0.00015 is no whole number of steps of dt 0.0001",
    ),
    "no edges": (({"input": entry(1), "output": end(1)}, []), "it leads nowhere"),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_one_sentence(nir_file, name):
    (nodes, edges), expected = DEFECTS[name]
    path = nir_file(nodes, edges)
    started = time.process_time()
    with pytest.raises(UserError) as error:
        from_nir(path, profile="norse", dt=1e-4)
    sentence = str(error.value)
    assert expected in sentence
    assert str(path) in sentence
    assert "\n" not in sentence
    assert time.process_time() - started < 1


MENDED = {
    "a leading batch of the output": (two_layers(output=end(1, 2)), "leading 1 of (1, 2)"),
    "a leading batch of the input": (two_layers(input=entry(1, 3)), "leading 1 of (1, 3)"),
    "parameters once for all": (
        two_layers(**{"1": neurons("LIF", (), tau=0.01)}),
        "node '1': tau, r, v_leak, v_threshold stands once for all neurons",
    ),
    "parameters with a batch": (
        two_layers(**{"1": neurons("LIF", (1, 4))}),
        "node '1': a leading axis of 1 was taken as the batch",
    ),
    "no w_in": (
        two_layers(**{"1": neurons("CubaLIF", 4, w_in=None)}),
        "node '1': w_in is missing and was taken as 1",
    ),
}


@pytest.mark.parametrize("name", MENDED)
def test_what_is_mended_has_a_note(nir_file, name):
    (nodes, edges), expected = MENDED[name]
    foreign = from_nir(nir_file(nodes, edges), profile="norse", dt=1e-4)
    assert expected in " ".join(foreign.origin.notes)


def test_a_sound_graph_has_no_notes(nir_file):
    assert from_nir(nir_file(*two_layers()), profile="norse", dt=1e-4).origin.notes == ()


def test_v_reset_may_be_missing(nir_file):
    found = read_nir(nir_file(*one_lif())).nodes["1"]
    assert isinstance(found, Cell)
    assert found.parameters["v_reset"].tolist() == [0.0]


def test_inner_graphs_are_spelled_out(nir_file):
    nodes, edges = two_layers(**{"1": inner(RECURRENT)})
    foreign = from_nir(nir_file(nodes, edges), profile="norse", dt=1e-4)
    assert [own.name for own in foreign.floats.populations] == ["input", "n1_lif", "n3"]
    assert {c.name: c.delay for c in foreign.floats.connections} == {
        "n1_lif_to_n1_lif": 1,
        "input_to_n1_lif": 0,
        "n1_lif_to_n3": 0,
    }


def test_conv2d_without_input_shape_and_same_padding(nir_file):
    nodes, edges = maps(
        conv2d(np.ones((4, 2, 4, 3)), padding="same"), neurons("IF", (4, 8, 8)), end(4, 8, 8)
    )
    with pytest.raises(UserError, match="are read out"):
        from_nir(nir_file(nodes, edges), profile="sinabs")
    found = read_nir(nir_file(nodes, edges)).nodes["0"]
    assert isinstance(found, Convolution)
    # Torch puts the odd row of zeros below.
    assert found.padding == (1, 2, 1, 1)
