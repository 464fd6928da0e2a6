"""What an engine was not built for is refused by name; the order, the room and the words."""

from dataclasses import replace

import numpy as np
import pytest

from hw.engine.networks import ROOMY, random_program
from spikeloom.connections import Conv2d, Linear, MaxPool2d, SparseRows, Window
from spikeloom.errors import UserError
from spikeloom.image.graph import Graph
from spikeloom.image.population import Population
from spikeloom.neurons import CubaLif, DecayLeak, Lif, Source
from spikeloom_hw.engine.compiler import compile_graph
from spikeloom_hw.engine.lowering import lower_graph
from spikeloom_hw.engine.memory_plan import Need, place
from spikeloom_hw.engine.params import EngineParams
from spikeloom_hw.engine.program import (
    Instruction,
    Opcode,
    decode_word,
    encode,
    listing,
    pack_settings,
    registers,
    unpack_register,
)


def dense(inputs, outputs, weight=1, **common):
    given = {"name": "w", "source": "in", "target": "out", "source_shape": (inputs,), **common}
    return Linear(
        weights=SparseRows.from_dense(np.full((inputs, outputs), weight, dtype=np.int32)), **given
    )


def two(neuron=None, connection=None, **population):
    """An input and one population."""
    connection = connection or dense(4, 6)
    target = Population(
        name="out",
        shape=connection.target_shape,
        neuron=neuron or Lif(),
        **population,
    )
    source = Population(name="in", shape=connection.source_shape, neuron=Source())
    return Graph(populations=(source, target), connections=(connection,))


def conv(**window):
    return Conv2d.from_dense(
        np.ones((4, 1, 3, 3), dtype=np.int32),
        window=Window(kernel=(3, 3), **window),
        name="w",
        source="in",
        target="out",
        source_shape=(7, 7, 1),
    )


def graph_of_conv(**window):
    """A convolution and a list behind it."""
    graph = two(connection=conv(**window))
    target = graph.populations[-1]
    end = dense(target.neurons, 3, name="e", source="out", target="end", source_shape=target.shape)
    last = Population(name="end", shape=(3,), neuron=Lif())
    return Graph(populations=(*graph.populations, last), connections=(*graph.connections, end))


REFUSED = {
    "weights": (two(connection=dense(4, 6, 100)), {}, "w: its weights take 8 bits and the engine"),
    "row": (two(), {"row_words": 1}, "w: a row takes 2 words and the engine has room for 1"),
    "states": (two(membrane_bits=30), {}, "out: its states take 31 bits and the engine has 28"),
    "currents": (two(CubaLif()), {"currents": False}, "out: the engine has no synaptic currents"),
    "decay": (
        two(Lif(leak=DecayLeak(multiplier=1, fraction_bits=15))),
        {},
        "needs a longer fraction than the engine's 14 bits",
    ),
    "parameter": (
        two(bias=np.arange(6)),
        {"lane_parameters": ("threshold",)},
        "out: bias differs from neuron to neuron",
    ),
    "shift": (two(connection=dense(4, 6, shift=9)), {"most_shift": 8}, "w: it moves weights by up"),
    "stride": (graph_of_conv(stride=(3, 3)), {"strides": (1, 2)}, "w: its window has the"),
    "map readout": (two(connection=conv()), {}, "out: the engine reads out a list of neurons"),
    "weight room": (two(), {"weight_words": 7}, "its weights take 8 words and the engine has 7"),
    "rows": (two(connection=dense(40, 6)), {"pointer_words": 2}, "its rows take 10 pointer words"),
    "banks": (two(), {"state_words": 1}, "the states of its populations take 2 words of a bank"),
    "maps": (two(), {"map_words": 1}, "its spikes take 2 words of maps and the engine has 1"),
    "summaries": (two(), {"summary_words": 1}, "its maps take 2 words of summaries and the"),
    "program": (two(), {"program_words": 40}, "words and the engine has 40: share parameters"),
    "size": (two(connection=dense(4, 1100)), {}, "out: a map of (1100,) is larger than"),
}


@pytest.mark.parametrize(("graph", "params", "sentence"), REFUSED.values(), ids=REFUSED)
def test_refused_by_name(graph, params, sentence):
    with pytest.raises(UserError) as error:
        compile_graph(lower_graph(graph, 2), replace(ROOMY, **params), order="layers")
    assert sentence in str(error.value)


def test_maximum_pooling_of_numbers_is_refused():
    pool = MaxPool2d(
        name="p",
        source="in",
        target="out",
        source_shape=(4, 4, 1),
        window=Window(kernel=(2, 2), stride=(2, 2)),
    )
    graph = Graph(
        populations=(
            Population(name="in", shape=(4, 4, 1), neuron=Source(highest=255)),
            Population(name="out", shape=(2, 2, 1), neuron=Lif()),
        ),
        connections=(pool,),
    )
    with pytest.raises(UserError, match="p: the engine has maximum pooling of spikes, and in"):
        lower_graph(graph, 2)


def test_steps_are_taken_where_layers_do_not_fit():
    graph = lower_graph(two(), 8)
    assert compile_graph(graph, ROOMY).order == "layers"
    assert compile_graph(graph, replace(ROOMY, map_words=4)).order == "steps"


def test_settings_stand_before_the_loop_that_they_do_not_change_in():
    program = compile_graph(lower_graph(two(), 8), ROOMY, order="layers")
    text = list(listing(program.params, program.program))
    body = [line.split()[1] for line in text]
    last = len(body) - 1 - body[::-1].index("LOOP")
    assert body[last : last + 3] == ["LOOP", "SCAN", "SKIP_BEFORE_LAST"]
    assert body[-5:] == ["SWEEP", "STEP", "SET", "OUTPUT", "END"]


def test_every_register_comes_back_and_fits_a_word():
    for params in (ROOMY, EngineParams(lanes=8), EngineParams(lanes=32)):
        for register, fields in registers(params).items():
            assert sum(fields.values()) <= params.program_bits
            wanted = {f"{register}.{name}": (1 << bits) - 1 for name, bits in fields.items()}
            packed = pack_settings(params, wanted)
            assert unpack_register(params, register, packed[register]) == wanted


def test_a_field_that_is_too_narrow_is_named():
    with pytest.raises(OverflowError, match=r"taps.y is 16: it has 4 bits"):
        pack_settings(ROOMY, {"taps.y": 16})


def test_words_of_instructions_come_back():
    words = encode([Instruction(Opcode.SET, 3, 77), Instruction(Opcode.SKIP_FIRST, 2)])
    assert words == [1 << 12 | 3, 77, 4 << 12 | 2]
    assert decode_word(words[2]) == (Opcode.SKIP_FIRST, 2)
    assert decode_word(15 << 12) == (Opcode.END, 0)


@pytest.mark.parametrize("first", [0, 3])
def test_needs_that_overlap_in_time_lie_apart(first):
    needs = [Need("a", 4, 0, 1), Need("b", 3, 1, 2), Need("c", 4, 2 + first, 2 + first)]
    places, words = place(needs)
    assert places["a"] == 0
    assert places["b"] == 4
    assert places["c"] == 0
    assert words == 7


def test_both_orders_have_the_same_rows():
    made = [random_program(2, order=order) for order in ("layers", "steps")]
    first, second = (own[0] for own in made if own is not None)
    assert first.weights == second.weights
    assert first.pointers == second.pointers
    assert first.program != second.program


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"lanes": 3}, "lanes must be one of"),
        ({"state_words": 500}, "state_words must be a power of two, not 500"),
        ({"row_words": 64}, "row_words must be a power of two less one, not 64"),
        ({"strides": (2,)}, "strides must be 1 and any of 2, 3, 4"),
    ],
)
def test_wrong_parameters(change, text):
    with pytest.raises(ValueError, match=text):
        replace(ROOMY, **change)
