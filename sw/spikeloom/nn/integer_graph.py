"""A graph of integers in torch: what `spikeloom.reference.graph` computes, from the same arrays.

It shares synapses, dynamics and executor with the networks that are trained, so holding it to the
reference holds them to it, for every kind, model, reset, rounding and granularity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from spikeloom.connections import Connection
from spikeloom.connections.base import EXACT_FLOAT32, EXACT_FLOAT64
from spikeloom.image.graph import Graph
from spikeloom.image.population import Population
from spikeloom.neurons import DecayLeak, Integers
from spikeloom.nn.dynamics import Settings, Values, dynamics_of
from spikeloom.nn.exact import exact_kernels
from spikeloom.nn.executor import Execution, Plan, States
from spikeloom.nn.layout import to_list, to_map
from spikeloom.nn.synapses import SYNAPSES, Synapses

__all__ = ["IntegerTrace", "run_integers"]


@dataclass(frozen=True, kw_only=True)
class IntegerTrace:
    """What a graph did, as `spikeloom.reference.graph.GraphTrace` has it.

    Attributes:
        outputs: of each population, `[S, T or 1, neurons]`.
        states: of each population with states, `[S, T, neurons]` after each step, by name.
    """

    outputs: dict[str, npt.NDArray[np.floating]]
    states: dict[str, dict[str, npt.NDArray[np.floating]]]


@torch.no_grad()
def run_integers(graph: Graph, samples: npt.NDArray[np.generic], time_steps: int) -> IntegerTrace:
    """Run `graph` on samples `[S, T, inputs]`, or `[S, inputs]` for values that are held.

    Raises:
        ValueError: the graph's integers are not exact in floats.
    """
    dtype = exact_dtype(graph)
    drives = {edge.name: _Drive.of(edge, dtype) for edge in graph.connections}
    cells = {
        population.name: _Cells(population=population, dtype=dtype)
        for population in graph.populations[1:]
    }

    def advance(name: str, a: Tensor, before: States | None) -> tuple[Tensor, dict[str, Tensor]]:
        return cells[name](a, before)

    execution = Execution(
        plan=Plan(
            shapes={population.name: population.shape for population in graph.populations},
            edges=graph.connections,
        ),
        steps=time_steps,
        drive=lambda edge, x: drives[edge.name](x),
        advance=advance,
        dtype=dtype,
    )
    given = torch.from_numpy(np.ascontiguousarray(samples)).to(dtype)
    given = given[None] if given.dim() == 2 else given.transpose(0, 1)
    with exact_kernels():
        execution.run(to_map(given, graph.source.shape))

    def listed(name: str, values: Tensor) -> npt.NDArray[np.floating]:
        return to_list(values, graph.by_name[name].shape).transpose(0, 1).numpy()

    return IntegerTrace(
        outputs={name: listed(name, sent) for name, sent in execution.outputs.items()},
        states={
            name: {state: listed(name, values) for state, values in states.items()}
            for name, states in execution.states.items()
        },
    )


def exact_dtype(graph: Graph) -> torch.dtype:
    """The narrowest float type in which every sum and state of `graph` is exact.

    Raises:
        ValueError: there is none.
    """
    reach = 0
    for population in graph.populations[1:]:
        widths = graph.state_bits.get(population.name, {})
        low, high = graph.sum_range[population.name]
        reach = max(reach, -low, high, *(1 << bits for bits in widths.values()))
        if any(bits + _decay_bits(population) > 53 for bits in widths.values()):
            raise ValueError(f"{population.name}: a decay's product is not exact in 53 bits")
    if reach < EXACT_FLOAT32:
        return torch.float32
    if reach < EXACT_FLOAT64:
        return torch.float64
    raise ValueError(f"sums of {reach} are not exact in 53 bits")


def _decay_bits(population: Population) -> int:
    neuron = population.neuron
    leaks = [getattr(neuron, name, None) for name in ("leak", "current_leak")]
    return max((leak.fraction_bits for leak in leaks if isinstance(leak, DecayLeak)), default=0)


@dataclass(frozen=True, kw_only=True)
class _Drive:
    """A connection with its weights as floats."""

    synapses: Synapses
    weight: Tensor | None
    shift: int

    @classmethod
    def of(cls, connection: Connection, dtype: torch.dtype) -> _Drive:
        synapses, weight = SYNAPSES[connection.kind].of(connection)
        given = None if weight is None else torch.from_numpy(weight).to(dtype)
        return cls(synapses=synapses, weight=given, shift=connection.shift)

    def __call__(self, x: Tensor) -> Tensor:
        return self.synapses.sums(x, self.weight) * float(1 << self.shift)


@dataclass(frozen=True, kw_only=True)
class _Cells:
    """A population with its parameters as floats."""

    population: Population
    dtype: torch.dtype

    def __call__(self, a: Tensor, before: States | None) -> tuple[Tensor, dict[str, Tensor]]:
        own = self.population
        parameters = own.parameters
        dynamics = dynamics_of(own.neuron, Settings(spiking=own.spiking, limits=parameters.limits))
        values = Values(
            threshold=self._map(parameters.threshold),
            amount=self._map(parameters.amount),
            drive=self._map(parameters.drive),
            reset_value=self._map(parameters.reset_value),
        )
        return dynamics.run(a + self._map(own.each(own.bias)), values, before)

    def _map(self, values: Integers) -> Tensor:
        return to_map(
            torch.from_numpy(np.broadcast_to(values, self.population.neurons).copy()),
            self.population.shape,
        ).to(self.dtype)
