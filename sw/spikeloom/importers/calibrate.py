"""Widths of states that samples need, with room to spare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from spikeloom.image.widths import signed_bits
from spikeloom.importers.quantise import IntegerNetwork
from spikeloom.reference.graph import simulate_graph

ROOM = 1
"""Bits beyond what was seen: twice the range."""


def state_bits(
    network: IntegerNetwork, batches: Iterable[npt.NDArray[np.integer | np.bool_]]
) -> Mapping[str, Mapping[str, int]]:
    """The width of each state, by population and state, for samples `[S, T, inputs]`."""
    seen: dict[str, dict[str, tuple[int, int]]] = {}
    for batch in batches:
        trace = simulate_graph(network.graph, batch, batch.shape[1])
        for name, states in trace.states.items():
            for state, values in states.items():
                low, high = seen.setdefault(name, {}).get(state, (0, 0))
                seen[name][state] = min(low, int(values.min())), max(high, int(values.max()))
    return {
        name: {state: _width(network, name, state, *ends) for state, ends in states.items()}
        for name, states in seen.items()
    }


def _width(network: IntegerNetwork, name: str, state: str, low: int, high: int) -> int:
    population = network.graph.by_name[name]
    if state == "membrane":
        # Before a spike the membrane passes the threshold, which states after the step do not show.
        largest = int(population.threshold.max()) if population.spiking else 0
        high = max(high, 2 * largest)
        low = min(low, population.membrane_low or 0)
    return min(signed_bits(low, high) + ROOM, network.widths.state_bits)
