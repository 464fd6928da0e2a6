"""A graph run in the plainest way: step by step, event by event, neuron by neuron."""

from collections import defaultdict

import numpy as np

from spikeloom.image.graph import Graph


def naive_drive(connection, values):
    """What the targets receive of `values [inputs]`, as a list of integers."""
    received = [0] * connection.neurons
    for event in np.flatnonzero(values).tolist():
        for target, weight in connection.rows(event):
            part = weight * int(values[event])
            if connection.joins == "max":
                received[target] = max(received[target], part)
            else:
                received[target] += part
    return [value << connection.shift for value in received]


def naive_run(graph: Graph, sample, time_steps):
    """One sample; `(outputs, states)` by population, lists `[T][neurons]`."""
    names = [name for part in graph.components for name in part]
    zero = {p.name: [0] * p.neurons for p in graph.populations}
    before = dict(zero)
    states = {
        p.name: tuple(np.zeros(p.neurons, dtype=np.int64) for _ in p.neuron.states)
        for p in graph.populations
    }
    outputs, kept = defaultdict(list), defaultdict(list)
    for step in range(time_steps):
        now = {graph.source.name: (sample if sample.ndim == 1 else sample[step]).tolist()}
        for name in names:
            population = graph.by_name[name]
            if name != graph.source.name:
                a = np.broadcast_to(population.each(population.bias), population.neurons).copy()
                for connection in graph.incoming[name]:
                    sent = (before if connection.delay else now)[connection.source]
                    a += naive_drive(connection, np.array(sent))
                sent, states[name] = population.neuron.step(states[name], a, population.parameters)
                now[name] = sent.tolist()
            outputs[name].append(now[name])
            kept[name].append([state.tolist() for state in states[name]])
        before = now
    return outputs, kept
