"""What an event reads from the memories, against what its connection says: every kind."""

import numpy as np
import pytest

from hw.engine.networks import ROOMY
from kinds.graphs import random_connection
from spikeloom.connections import Connection, Conv2d, Window
from spikeloom.image.graph import Graph
from spikeloom.image.population import Population
from spikeloom.neurons import Lif, Source
from spikeloom_hw.engine.compiler import compile_graph
from spikeloom_hw.engine.lowering import Lowered
from spikeloom_hw.engine.model import Machine
from spikeloom_hw.engine.program import listing

KINDS = ("linear", "conv2d", "sum_pool2d", "identity")


def alone(connection: Connection) -> Lowered:
    """A graph of one connection, and a list behind it to be read out."""
    source = Population(name="a", shape=connection.source_shape, neuron=Source())
    target = Population(name="b", shape=connection.target_shape, neuron=Lif())
    onward = random_connection(
        np.random.default_rng(0), "linear", target.shape, name="on", source="b", target="c"
    )
    end = Population(name="c", shape=onward.target_shape, neuron=Lif())
    return Lowered(
        graph=Graph(populations=(source, target, end), connections=(connection, onward)),
        time_steps=1,
    )


def driven(connection: Connection) -> dict[int, list[tuple[int, int]]]:
    """Targets and weights of each input, found in the memories of the engine."""
    program = compile_graph(alone(connection), ROOMY)
    # The settings of the first scan stand where it does.
    text = listing(ROOMY, program.program)
    scan = next(int(line.split()[0]) for line in text if line.split()[1] == "SCAN")
    stopped = Machine(ROOMY, program.program[:scan], program.pointers, program.weights)
    stopped.run([[]])
    source, target = program.placements["a"], program.placements["b"]
    neurons = np.arange(connection.neurons)
    state, bank = target.state(neurons)
    at = dict(zip(zip(bank.tolist(), state.tolist(), strict=True), neurons.tolist(), strict=True))
    found = {}
    first_word, first_summary = stopped.setting["map.base"], stopped.setting["map_summary.base"]
    word, lane = source.word(np.arange(connection.inputs))
    summary, bit = source.summary(np.arange(connection.inputs))
    for event in range(connection.inputs):
        stopped.maps[first_word + int(word[event])] = 1 << int(lane[event])
        stopped.summaries = [0] * len(stopped.summaries)
        stopped.summaries[first_summary + int(summary[event])] = 1 << int(bit[event])
        synapses = []
        for spike in stopped.events():
            for read in stopped.reads(spike):
                addresses, lanes, weights, _ = stopped._row_synapses(read.row)
                for address, own, weight in zip(addresses, lanes, weights, strict=True):
                    place = int(read.base + address) - target.first_state
                    neuron = at.get((int(own), place))
                    if read.mask >> int(own) & 1 and neuron is not None:
                        synapses.append((neuron, int(weight)))
        found[event] = sorted(synapses)
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(6))
def test_rows_are_those_of_the_connection(kind, seed):
    rng = np.random.default_rng(seed)
    shape = tuple(int(own) for own in rng.integers(3, 7, 3))
    connection = random_connection(rng, kind, shape)
    expected = {event: sorted(connection.rows(event)) for event in range(connection.inputs)}
    assert driven(connection) == expected


@pytest.mark.parametrize("form", ["taps", "lines"])
def test_both_forms_of_a_kernel_are_its_rows(form, monkeypatch):
    from spikeloom_hw.engine import compiler

    ways = compiler.connection_rows

    def only(*arguments):
        return [own for own in ways(*arguments) if own.form in (form, "list")]

    monkeypatch.setattr(compiler, "connection_rows", only)
    rng = np.random.default_rng(3)
    kernel = rng.integers(-3, 4, (8, 3, 3, 3)) * (rng.random((8, 3, 3, 3)) < 0.4)
    connection = Conv2d.from_dense(
        kernel,
        window=Window(kernel=(3, 3), padding=(1, 1, 1, 1)),
        name="edge",
        source="a",
        target="b",
        source_shape=(5, 6, 3),
    )
    expected = {event: sorted(connection.rows(event)) for event in range(connection.inputs)}
    assert driven(connection) == expected


def test_a_list_drives_a_list_word_by_word():
    rng = np.random.default_rng(1)
    connection = random_connection(rng, "identity", (11,))
    expected = {event: sorted(connection.rows(event)) for event in range(connection.inputs)}
    assert driven(connection) == expected
