"""Graphs of integers in torch against the integer reference, and the counterparts of all kinds."""

import numpy as np
import pytest
import torch

from kinds.graphs import KINDS, random_connection, random_graph, random_samples
from spikeloom.connections import CONNECTIONS
from spikeloom.neurons import NEURONS, Source
from spikeloom.nn.dynamics import DYNAMICS
from spikeloom.nn.integer_graph import run_integers
from spikeloom.nn.layout import to_list, to_map
from spikeloom.nn.synapses import SYNAPSES
from spikeloom.reference.graph import simulate_graph

STEPS = 4


def test_every_kind_and_model_has_its_counterpart():
    assert set(SYNAPSES) == set(CONNECTIONS)
    assert set(DYNAMICS) == {name for name, model in NEURONS.items() if model is not Source}
    for name, kind in SYNAPSES.items():
        assert kind.__module__.rpartition(".")[2] == CONNECTIONS[name].__module__.rpartition(".")[2]
    for name, model in DYNAMICS.items():
        assert model.__module__.rpartition(".")[2] == NEURONS[name].__module__.rpartition(".")[2]


@pytest.mark.parametrize("kind", KINDS)
def test_sums_are_those_of_the_connection(kind):
    for seed in range(25):
        rng = np.random.default_rng([seed, KINDS.index(kind)])
        shape = [(1, 1, 1), (5, 4, 3), (4, 7, 2), (6, 6, 4)][seed % 4]
        connection = random_connection(rng, kind, shape)
        synapses, weight = SYNAPSES[kind].of(connection)
        assert synapses.target_shape == connection.target_shape
        values = rng.integers(0, 256, (3, connection.inputs))
        x = to_map(torch.from_numpy(values).float(), shape)
        sums = synapses.sums(x, None if weight is None else torch.from_numpy(weight).float())
        received = to_list(sums, synapses.target_shape)
        assert received.long().tolist() == connection.drive(values).tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_weights_go_to_integers_and_back(kind):
    for seed in range(10):
        rng = np.random.default_rng([seed, KINDS.index(kind)])
        connection = random_connection(rng, kind, (5, 4, 4))
        synapses, weight = SYNAPSES[kind].of(connection)
        if weight is not None:
            assert weight.shape == synapses.weight_shape
        common = {"name": "edge", "source": "a", "target": "b"}
        again = synapses.connection(weight, **common)
        assert [list(again.rows(event)) for event in range(again.inputs)] == [
            list(connection.rows(event)) for event in range(connection.inputs)
        ]


@pytest.mark.parametrize("seed", range(150))
def test_a_random_graph_is_the_same_in_torch(seed):
    """Every output, membrane and current of every step; `benchmarks/random_graphs.py` has more."""
    rng = np.random.default_rng(seed)
    graph = random_graph(rng)
    samples = random_samples(rng, graph, samples=2, time_steps=STEPS)
    expected = simulate_graph(graph, samples, STEPS)
    got = run_integers(graph, samples, STEPS)
    for population in graph.populations[1:]:
        name = population.name
        assert np.array_equal(got.outputs[name], expected.outputs[name])
        assert set(got.states[name]) == set(expected.states[name])
        for state, values in expected.states[name].items():
            assert np.array_equal(got.states[name][state], values)
