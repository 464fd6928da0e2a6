"""Runs the populations of a graph in torch, in the order in which they can be computed.

A population that everything it depends on stands before is run for all steps at once: one product
for each connection, one fused call for its neurons. Those of a loop are run step by step. Both
give the numbers of `spikeloom.reference.graph`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic, Protocol, TypeVar

import torch
from torch import Tensor

from spikeloom.connections import Shape
from spikeloom.image.topology import components
from spikeloom.nn.layout import map_shape

__all__ = ["Advance", "Edge", "Execution", "Plan", "States"]

States = Mapping[str, Tensor]
"""The states of a population by name."""


class Edge(Protocol):
    """What the executor needs of a connection."""

    @property
    def name(self) -> str:
        """Unique within the network."""
        ...

    @property
    def source(self) -> str:
        """Name of a population."""
        ...

    @property
    def target(self) -> str:
        """Name of a population."""
        ...

    @property
    def delay(self) -> int:
        """0 or 1 steps."""
        ...


E = TypeVar("E", bound=Edge)

Advance = Callable[[str, Tensor, States | None], tuple[Tensor, dict[str, Tensor]]]
"""Runs a population some steps on: name, sums [T, B, ...], states before them; see `Dynamics.run`,
but that the bias is not in the sums yet."""


@dataclass(frozen=True, kw_only=True)
class Plan(Generic[E]):
    """The order of computation.

    Attributes:
        shapes: of the populations by name; the first is the input.
        edges: the connections.
    """

    shapes: Mapping[str, Shape]
    edges: Sequence[E]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The populations."""
        return tuple(self.shapes)

    @cached_property
    def incoming(self) -> Mapping[str, tuple[E, ...]]:
        """The connections into each population."""
        return {name: tuple(e for e in self.edges if e.target == name) for name in self.names}

    @cached_property
    def parts(self) -> Sequence[tuple[str, ...]]:
        """Populations, sources first and without the input, those of a loop together."""
        found = components(self.names, [(e.source, e.target, e.delay) for e in self.edges])
        return tuple(part for part in found if part != (self.names[0],))

    def loops(self, part: Sequence[str]) -> bool:
        """Whether a part has to be run step by step."""
        return len(part) > 1 or any(e.source == part[0] for e in self.incoming[part[0]])

    @cached_property
    def looped(self) -> frozenset[str]:
        """The populations that are run step by step."""
        return frozenset(name for part in self.parts if self.loops(part) for name in part)


@dataclass(kw_only=True)
class Execution(Generic[E]):
    """One run of a graph.

    Attributes:
        plan: the order.
        steps: T.
        drive: what a connection brings of its source's outputs [N, ...], shift included.
        advance: runs a population.
        dtype: of sums.
        outputs: of the populations so far, [T, B, ...]; of direct values [1, B, ...].
        states: of the populations so far, after each step [T, B, ...].
    """

    plan: Plan[E]
    steps: int
    drive: Callable[[E, Tensor], Tensor]
    advance: Advance
    dtype: torch.dtype = torch.float32
    outputs: dict[str, Tensor] = field(default_factory=dict)
    states: dict[str, dict[str, Tensor]] = field(default_factory=dict)

    def run(self, samples: Tensor) -> None:
        """Run all populations on samples `[T or 1, B, ...]`."""
        self.outputs[self.plan.names[0]] = samples
        for part in self.plan.parts:
            if self.plan.loops(part):
                self._step_by_step(part)
            else:
                self._at_once(part[0])

    def sums(self, edge: E) -> Tensor:
        """What a connection brings in all steps, `[T or 1, B, ...]`."""
        sent = self.outputs[edge.source]
        sums = self.drive(edge, sent.flatten(0, 1)).unflatten(0, sent.shape[:2])
        if not edge.delay:
            return sums
        sums = sums.expand(self.steps, *sums.shape[1:])
        return torch.cat([torch.zeros_like(sums[:1]), sums[:-1]])

    def _at_once(self, name: str) -> None:
        incoming = self.plan.incoming[name]
        a = (
            _total([self.sums(edge) for edge in incoming])
            if incoming
            else self._silence(name)[None]
        )
        a = a.expand(self.steps, *a.shape[1:])
        self.outputs[name], self.states[name] = self.advance(name, a, None)

    def _step_by_step(self, part: Sequence[str]) -> None:
        outside = {
            edge.name: self.sums(edge)
            for name in part
            for edge in self.plan.incoming[name]
            if edge.source not in part
        }
        sent: dict[str, list[Tensor]] = {name: [] for name in part}
        kept: dict[str, list[dict[str, Tensor]]] = {name: [] for name in part}
        for step in range(self.steps):
            for name in part:
                arriving = []
                for edge in self.plan.incoming[name]:
                    known = outside.get(edge.name)
                    if known is not None:
                        arriving.append(known[min(step, len(known) - 1)])
                    elif step >= edge.delay:
                        arriving.append(self.drive(edge, sent[edge.source][step - edge.delay]))
                a = _total(arriving or [self._silence(name)])
                before = kept[name][-1] if step else None
                fired, after = self.advance(name, a[None], before)
                sent[name].append(fired[0])
                kept[name].append({state: values[-1] for state, values in after.items()})
        for name in part:
            self.outputs[name] = torch.stack(sent[name])
            self.states[name] = {
                state: torch.stack([step[state] for step in kept[name]]) for state in kept[name][0]
            }

    def _silence(self, name: str) -> Tensor:
        """The sums of a step in which nothing reaches a population."""
        samples = self.outputs[self.plan.names[0]]
        shape = map_shape(self.plan.shapes[name])
        return torch.zeros(samples.shape[1], *shape, dtype=self.dtype, device=samples.device)


def _total(sums: Sequence[Tensor]) -> Tensor:
    total = sums[0]
    for more in sums[1:]:
        total = total + more
    return total
