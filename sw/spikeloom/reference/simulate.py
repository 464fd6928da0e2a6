"""Runs a NetworkImage on samples, in integers, and keeps every spike and membrane."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spikeloom.arithmetic import Integers
from spikeloom.image import Graph, NetworkImage
from spikeloom.reference.graph import simulate_graph

Values = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Trace:
    """Everything that a network did on S samples in T steps.

    In a chain, population number `n` behind the input is the layer number `n`.

    Attributes:
        events: what went in: bool ``[S, T, inputs]``, or direct values, uint8 ``[S, inputs]``.
        spikes: of each population behind the input ``[S, T, neurons]``: bool, or the integers that
            a relay passes on.
        membranes: of each such population, integers ``[S, T, neurons]``, after the step; of a
            relay, which has none, ``[S, T, 0]``.
        states: of each such population, all that it keeps from step to step, by name.
        operations: int64 ``[S, populations]``, synapses that an event drove into each.
        arrived: int64 ``[S, populations]``, events that reached each.
        scores: int64 ``[S, outputs]``: membranes after the last step, or spike counts.
        predictions: int64 ``[S]``, argmax of the scores; a tie goes to the lowest index.
    """

    events: Values
    spikes: tuple[Values, ...]
    membranes: tuple[Values, ...]
    states: tuple[Mapping[str, Values], ...]
    operations: Integers
    arrived: Integers
    scores: Integers
    predictions: Integers

    def inputs_of(self, layer: int) -> Values:
        """Bool ``[S, T, inputs]``: the events that entered layer number ``layer`` of a chain."""
        return self.events if layer == 0 else self.spikes[layer - 1]


def simulate(image: NetworkImage, events: Values) -> Trace:
    """Runs ``image`` on ``events``.

    Args:
        image: the network.
        events: bool ``[samples, time_steps, inputs]``; direct values are uint8
            ``[samples, inputs]``, the same in every step.

    Raises:
        ValueError: the shape of ``events`` does not fit the image.
    """
    graph = image.graph
    run = simulate_graph(graph, events, image.time_steps)
    driven = graph.populations[1:]
    membranes = tuple(
        run.states[population.name].get("membrane", np.zeros((*events.shape[:1], 0, 0), np.int32))
        for population in driven
    )
    if image.readout == "membrane":
        scores = membranes[-1][:, -1].astype(np.int64)
    else:
        scores = run.outputs[graph.readout.name].sum(axis=1, dtype=np.int64)
    return Trace(
        events=events,
        spikes=tuple(run.outputs[population.name] for population in driven),
        membranes=membranes,
        states=tuple(run.states[population.name] for population in driven),
        operations=_into(graph, run.operations),
        arrived=_into(graph, run.events),
        scores=scores,
        predictions=scores.argmax(axis=1),
    )


def _into(graph: Graph, counts: Mapping[str, Integers]) -> Integers:
    """What connections counted, summed up for each population behind the input."""
    return np.stack(
        [
            np.sum([counts[c.name] for c in graph.incoming[population.name]], axis=0)
            for population in graph.populations[1:]
        ],
        axis=1,
    )
