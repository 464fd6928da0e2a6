"""The integer reference of graphs against a run without any product, and by hand."""

import numpy as np
import pytest

from kinds.graphs import random_graph, random_samples
from kinds.naive import naive_run
from spikeloom.connections import Identity, Linear, SparseRows, SumPool2d, Window
from spikeloom.image.graph import Graph
from spikeloom.image.population import Population
from spikeloom.image.topology import InstantCycleError, components
from spikeloom.neurons import CubaLif, DecayLeak, Lif, Relay, ShiftLeak, Source, leak
from spikeloom.reference.graph import simulate_graph

STEPS = 4


@pytest.mark.parametrize("seed", range(60))
def test_a_random_graph_equals_the_naive_run(seed):
    rng = np.random.default_rng(seed)
    graph = random_graph(rng)
    samples = random_samples(rng, graph, samples=2, time_steps=STEPS)
    trace = simulate_graph(graph, samples, STEPS)
    for number, sample in enumerate(samples):
        outputs, states = naive_run(graph, sample, STEPS)
        for population in graph.populations[1:]:
            name = population.name
            assert trace.outputs[name][number].tolist() == outputs[name]
            for place, state in enumerate(population.neuron.states):
                kept = [step[place] for step in states[name]]
                assert trace.states[name][state][number].tolist() == kept


@pytest.mark.parametrize("seed", range(30))
def test_no_state_and_no_sum_leaves_its_width(seed):
    rng = np.random.default_rng(1000 + seed)
    graph = random_graph(rng)
    samples = random_samples(rng, graph, samples=2, time_steps=STEPS)
    trace = simulate_graph(graph, samples, STEPS)
    for population in graph.populations[1:]:
        sent = trace.outputs[population.name]
        assert (sent <= graph.highest[population.name]).all()
        for state, values in trace.states[population.name].items():
            low, high = population.limits[state]
            assert low <= int(values.min()) <= int(values.max()) <= high
            assert graph.state_bits[population.name][state] >= high.bit_length() + 1


def chain(neuron, *, weight=1, inputs=1, **parameters):
    """One input that drives one neuron."""
    return Graph(
        populations=(
            Population(name="input", shape=(inputs,), neuron=Source()),
            Population(name="n", shape=(1,), neuron=neuron, **parameters),
        ),
        connections=(
            Linear(
                name="c",
                source="input",
                target="n",
                source_shape=(inputs,),
                weights=SparseRows.from_dense(np.full((inputs, 1), weight)),
            ),
        ),
    )


def run(graph, events):
    trace = simulate_graph(graph, np.array(events)[None, :, None], len(events))
    return (
        trace.outputs["n"][0, :, 0].tolist(),
        {name: values[0, :, 0].tolist() for name, values in trace.states["n"].items()},
    )


EVENTS = [1, 1, 0, 1, 0, 0]


@pytest.mark.parametrize(
    ("reset", "spikes", "membranes"),
    [
        # Each event brings 6, the threshold is 10.
        ("subtract", [0, 1, 0, 0, 0, 0], [6, 2, 2, 8, 8, 8]),
        ("zero", [0, 1, 0, 0, 0, 0], [6, 0, 0, 6, 6, 6]),
        ("value", [0, 1, 0, 0, 0, 0], [6, -1, -1, 5, 5, 5]),
        # The membrane stays at 12 for a step, and loses 10 in the next.
        ("subtract-late", [0, 1, 0, 0, 0, 0], [6, 12, 2, 8, 8, 8]),
    ],
)
def test_resets_by_hand(reset, spikes, membranes):
    graph = chain(Lif(reset=reset), weight=6, threshold=np.array([10]), reset_value=np.array([-1]))
    assert run(graph, EVENTS) == (spikes, {"membrane": membranes})


def test_an_amount_of_its_own_and_a_lower_limit_by_hand():
    graph = chain(Lif(), weight=6, threshold=np.array([10]), amount=np.array([20]), membrane_low=-5)
    assert run(graph, EVENTS) == ([0, 1, 0, 0, 0, 0], {"membrane": [6, -5, -5, 1, 1, 1]})


def test_a_current_by_hand():
    """The current halves and drives the membrane of the same step, with a drive of 1 beside."""
    neuron = CubaLif(current_leak=ShiftLeak(shift=1))
    graph = chain(neuron, weight=8, threshold=np.array([14]), drive=np.array([1]))
    spikes, states = run(graph, [1, 0, 0, 0])
    assert states["current"] == [8, 4, 2, 1]
    assert spikes == [0, 1, 0, 0]
    assert states["membrane"] == [9, 0, 3, 5]


@pytest.mark.parametrize(
    ("rounding", "left"),
    [
        # A share of 1/4 of 7, 6, 2, 1, -1, -2, -6, -7.
        ("floor", [6, 5, 2, 1, 0, -1, -4, -5]),
        ("nearest", [5, 4, 1, 1, -1, -2, -5, -5]),
        ("toward-zero", [5, 4, 1, 0, 0, -1, -4, -5]),
    ],
)
def test_roundings_by_hand(rounding, left):
    v = np.array([7, 6, 2, 1, -1, -2, -6, -7])
    assert leak(v, ShiftLeak(shift=2, rounding=rounding)).tolist() == left
    decay = DecayLeak(multiplier=1, fraction_bits=2, rounding=rounding)
    assert leak(v, decay).tolist() == left
    assert leak(v, DecayLeak(multiplier=4, fraction_bits=4, rounding=rounding)).tolist() == left


def test_a_relay_passes_numbers_on_within_the_step():
    """Four spikes in a window, times a weight of 3, shifted by 1: 24."""
    graph = Graph(
        populations=(
            Population(name="input", shape=(2, 2, 1), neuron=Source()),
            Population(name="pool", shape=(1, 1, 1), neuron=Relay()),
            Population(name="n", shape=(1,), neuron=Lif(), spiking=False),
        ),
        connections=(
            SumPool2d(
                name="a",
                source="input",
                target="pool",
                source_shape=(2, 2, 1),
                window=Window(kernel=(2, 2), stride=(2, 2)),
            ),
            Linear(
                name="b",
                source="pool",
                target="n",
                source_shape=(1, 1, 1),
                shift=1,
                weights=SparseRows.from_dense([[3]]),
            ),
        ),
    )
    trace = simulate_graph(graph, np.ones((1, 1, 4), dtype=bool), 1)
    assert trace.outputs["pool"].tolist() == [[[4]]]
    assert trace.states["n"]["membrane"].tolist() == [[[24]]]
    assert graph.highest["pool"].tolist() == [4]
    assert graph.sum_range["n"] == (0, 24)
    # 4 is one set bit, so one event for the weight behind it.
    assert {name: n.tolist() for name, n in trace.operations.items()} == {"a": [4], "b": [1]}


def test_a_delayed_connection_sees_nothing_in_step_0_and_drops_the_last_step():
    graph = chain(Lif(), weight=1, threshold=np.array([100]))
    edge = graph.connections[0]
    late = Linear(**{**vars(edge), "delay": 1})
    delayed = Graph(populations=graph.populations, connections=(late,))
    assert run(delayed, [1, 1, 0, 1])[1] == {"membrane": [0, 1, 2, 2]}
    trace = simulate_graph(delayed, np.ones((1, 4, 1), dtype=bool), 4)
    assert trace.operations["c"].tolist() == [3]


def test_direct_values_stand_for_the_same_events_in_every_step():
    rng = np.random.default_rng(5)
    graph = random_graph(rng, direct=True)
    held = random_samples(rng, graph, samples=3)
    every_step = np.repeat(held[:, None], STEPS, axis=1)
    a, b = (simulate_graph(graph, samples, STEPS) for samples in (held, every_step))
    for population in graph.populations[1:]:
        assert (a.outputs[population.name] == b.outputs[population.name]).all()


def test_no_samples_make_an_empty_trace():
    graph = random_graph(np.random.default_rng(2), direct=False)
    nothing = np.zeros((0, STEPS, graph.source.neurons), dtype=bool)
    trace = simulate_graph(graph, nothing, STEPS)
    assert all(len(sent) == 0 for sent in trace.outputs.values())


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros((1, 3, 1), dtype=int), r"samples are \(1, 3, 1\)"),
        (np.full((1, 4, 1), 2), "samples must be 0 to 1, not 2 to 2"),
        (np.full((1, 4, 1), -1), "samples must be 0 to 1, not -1 to -1"),
    ],
)
def test_samples_that_do_not_fit_are_refused(samples, message):
    with pytest.raises(ValueError, match=message):
        simulate_graph(chain(Lif()), samples, 4)


def test_the_order_of_computation():
    """Loops stay together; what stands before and behind them does not."""
    edges = [("in", "a", 0), ("a", "b", 0), ("b", "a", 1), ("b", "c", 0), ("in", "c", 1)]
    assert components(["in", "c", "b", "a"], edges) == (("in",), ("a", "b"), ("c",))


def test_a_loop_without_delay_is_refused_by_its_names():
    with pytest.raises(InstantCycleError, match=r"a → b → a|b → a → b"):
        components(["a", "b"], [("a", "b", 0), ("b", "a", 0)])


def test_a_population_that_drives_itself_is_a_loop():
    graph = chain(Lif(), weight=4, threshold=np.array([4]))
    back = Identity(
        name="r",
        source="n",
        target="n",
        source_shape=(1,),
        delay=1,
        weight=np.array([3], dtype=np.int32),
    )
    looped = Graph(populations=graph.populations, connections=(*graph.connections, back))
    spikes, states = run(looped, [1, 0, 0, 0])
    assert spikes == [1, 0, 0, 0]
    assert states["membrane"] == [0, 3, 3, 3]
