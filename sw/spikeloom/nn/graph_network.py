"""A graph of populations that is trained; its forward pass is in the integers of the chip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import cast

import torch
from torch import Tensor, nn

from spikeloom.image.graph import Graph
from spikeloom.image.network import Readout
from spikeloom.image.population import Population
from spikeloom.neurons import Leak, Source
from spikeloom.nn.cells import Cells
from spikeloom.nn.exact import EXACT, exact_kernels
from spikeloom.nn.executor import Execution, Plan, States
from spikeloom.nn.layout import map_shape, to_list, to_map
from spikeloom.nn.network import Activity
from spikeloom.nn.projection import Projection, WeightedProjection, shared_unit
from spikeloom.nn.synapses import LinearSynapses

__all__ = ["GraphActivity", "GraphNetwork"]


@dataclass(frozen=True, kw_only=True)
class GraphActivity(Activity):
    """What a graph did on a batch; `spikes` and `membranes` are those of the populations in order.

    Attributes:
        outputs: of each population, [T or 1, B, ...], channels first.
        states: of each population after each step, [T, B, ...] by name.
    """

    outputs: Mapping[str, Tensor]
    states: Mapping[str, Mapping[str, Tensor]]


class GraphNetwork(nn.Module):
    """Populations and the connections between them; the last population is read out.

    Args:
        source: the input.
        cells: the other populations.
        projections: the connections.
        readout: "membrane" or "count".
        time_steps: T.
        dropout: share of a population's neurons that are silenced for a training sample; not in
            loops, and not of the last population.

    Raises:
        ValueError: a population's sums may not be exact in float32.
    """

    def __init__(
        self,
        source: Population,
        cells: Sequence[Cells],
        projections: Sequence[Projection],
        *,
        readout: Readout,
        time_steps: int,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if cells[-1].spiking != (readout == "count"):
            raise ValueError(f"readout {readout!r} does not fit the last population's neurons")
        self.source, self.dropout = source, dropout
        self.readout: Readout = readout
        self.time_steps = time_steps
        self.populations = nn.ModuleList(cells)
        self.projections = nn.ModuleList(projections)
        self.by_name = {own.name: own for own in cells}
        shapes = {source.name: source.shape, **{own.name: own.shape for own in cells}}
        self.plan: Plan[Projection] = Plan(shapes=shapes, edges=tuple(projections))
        for name in self.by_name:
            weighted = self._weighted(name)
            for projection in weighted:
                projection.join(weighted)
        self._check_exact()

    def _weighted(self, name: str) -> list[WeightedProjection]:
        return [e for e in self.plan.incoming[name] if isinstance(e, WeightedProjection)]

    def _check_exact(self) -> None:
        highest = {self.source.name: cast(Source, self.source.neuron).highest}
        for name in (name for part in self.plan.parts for name in part):
            own = self.by_name[name]
            edges = self.plan.incoming[name]
            reach = sum(
                edge.synapses.fan_in * edge.largest * highest.get(edge.source, 1) for edge in edges
            )
            highest[name] = reach if own.relays else 1
            states = 0 if own.relays else 1 << max(own.membrane_bits, own.current_bits)
            if reach + states >= EXACT:
                raise ValueError(
                    f"the sums of {name!r} may reach {reach}: integers are exact below 2^24 only"
                )

    @property
    def layers(self) -> tuple[WeightedProjection, ...]:
        """The connections with weights."""
        return tuple(e for e in self.plan.edges if isinstance(e, WeightedProjection))

    @property
    def sparse_layers(self) -> tuple[WeightedProjection, ...]:
        """Those that structure learning prunes and regrows."""
        return tuple(layer for layer in self.layers if layer.rewired)

    @property
    def inputs(self) -> int:
        """Neurons of the input."""
        return self.source.neurons

    @property
    def classes(self) -> int:
        """Neurons of the readout."""
        return prod(self.plan.shapes[self.plan.names[-1]])

    def unit(self, name: str) -> Tensor | None:
        """The real value of integer 1 of a population's sums; None for a relay."""
        weighted = self._weighted(name)
        return shared_unit(weighted) if weighted else None

    def forward(self, events: Tensor) -> GraphActivity:
        """Run a batch: events bool or float [B, T, inputs], or values uint8 [B, inputs], held."""
        arriving = events.to(self.layers[0].weight.device)
        arriving = arriving[None] if arriving.dim() == 2 else arriving.transpose(0, 1)
        if not self._listed(arriving):
            arriving = arriving.to(torch.float32)
        samples = to_map(arriving, self.source.shape)
        weights = {edge.name: edge.weights() for edge in self.plan.edges}
        units = {name: self.unit(name) for name in self.by_name}

        def advance(
            name: str, sums: Tensor, before: States | None
        ) -> tuple[Tensor, dict[str, Tensor]]:
            every_step = not self.training or name in self.plan.looped
            own = self.by_name[name]
            sent, states = own(sums, units[name], before, every_step=every_step)
            return self._drop(name, sent), states

        execution = Execution(
            plan=self.plan,
            steps=self.time_steps,
            drive=lambda edge, x: edge(x, weights[edge.name]),
            advance=advance,
        )
        if self.training:
            execution.run(samples)
        else:
            with exact_kernels():
                execution.run(samples)
        return self._activity(execution, units)

    def _activity(
        self, execution: Execution[Projection], units: Mapping[str, Tensor | None]
    ) -> GraphActivity:
        *before, last = self.plan.names[1:]
        if self.readout == "membrane":
            scores, unit = execution.states[last]["membrane"][-1], units[last]
            logits = scores if unit is None else scores * unit
        else:
            scores = logits = execution.outputs[last].sum(dim=0)
        spiking = [name for name in before if not self.by_name[name].relays]
        return GraphActivity(
            logits=logits,
            scores=scores,
            spikes=tuple(execution.outputs[name] for name in [*spiking, last]),
            membranes=tuple(execution.states[name]["membrane"] for name in [*spiking, last]),
            outputs=execution.outputs,
            states=execution.states,
        )

    def _listed(self, arriving: Tensor) -> bool:
        """Whether the input's events may be listed, as fully connected places alone can take."""
        return arriving.dtype == torch.bool and all(
            isinstance(edge.synapses, LinearSynapses)
            for edge in self.plan.edges
            if edge.source == self.source.name
        )

    def _drop(self, name: str, sent: Tensor) -> Tensor:
        """In training, silence whole neurons of a sample; the rest are not scaled up."""
        own = self.by_name[name]
        last = name == self.plan.names[-1]
        if not self.training or not self.dropout or own.relays or last or name in self.plan.looped:
            return sent
        return sent * (torch.rand(sent.shape[1:], device=sent.device) >= self.dropout)

    @property
    def leaks(self) -> list[Leak]:
        """The membrane's leak in the target of each sparse layer."""
        return [self.by_name[layer.target].neuron.leak for layer in self.sparse_layers]

    def membranes(self, activity: Activity) -> tuple[Tensor, ...]:
        """Of the target of each sparse layer, after each step of eval mode."""
        states = cast(GraphActivity, activity).states
        return tuple(states[layer.target]["membrane"] for layer in self.sparse_layers)

    def arriving(
        self,
        events: Tensor,  # noqa: ARG002
        activity: Activity,
    ) -> list[Tensor]:
        """What arrived at the weights of each sparse layer: means [1, fan-in]."""
        outputs = cast(GraphActivity, activity).outputs
        return [
            layer.synapses.rates(outputs[layer.source].float())[None]
            for layer in self.sparse_layers
        ]

    def computed(self, activity: Activity) -> list[tuple[Tensor, dict[str, Tensor]]]:
        """Of each population behind the input: outputs, and states by name, of eval mode.

        [B, T, neurons] each, in the order of the integers.
        """
        done = cast(GraphActivity, activity)
        shapes = self.plan.shapes

        def listed(name: str, values: Tensor) -> Tensor:
            return to_list(values, shapes[name]).transpose(0, 1)

        return [
            (
                listed(name, done.outputs[name]),
                {state: listed(name, values) for state, values in done.states[name].items()},
            )
            for name in self.plan.names[1:]
        ]

    @torch.no_grad()
    def cost(
        self,
        events: Tensor,  # noqa: ARG002
        activity: Activity,
    ) -> tuple[list[float], list[float]]:
        """Spikes of each sparse layer's target, and synapses that events drove; of a batch."""
        outputs = cast(GraphActivity, activity).outputs
        spikes, operations = [], []
        for layer in self.sparse_layers:
            sent = set_bits(outputs[layer.source]).double().sum(dim=1)
            repeats = self.time_steps if len(sent) == 1 else 1
            if layer.delay:
                repeats, sent = (repeats - 1, sent) if len(sent) == 1 else (1, sent[:-1])
            total = sent.sum(dim=0) * repeats
            operations.append(float((total * self._fan_out(layer)).sum()))
            spikes.append(float(outputs[layer.target].double().sum()))
        return spikes, operations

    def _fan_out(self, layer: WeightedProjection) -> Tensor:
        """Synapses that an event of each input drives: the slope of sums of ones."""
        ones = (layer.integers().weight != 0).double().to(layer.weight.device)
        shape = map_shape(layer.synapses.source_shape)
        with torch.enable_grad():
            x = torch.zeros(1, *shape, dtype=torch.float64, device=ones.device, requires_grad=True)
            (slope,) = torch.autograd.grad(layer.synapses.sums(x, ones).sum(), x)
        return slope[0]

    @torch.no_grad()
    def graph(self) -> Graph:
        """The network in integers, of eval mode."""
        if self.training:
            raise ValueError("a network in training mode has no integers of its own: call eval()")
        return Graph(
            populations=(
                self.source,
                *(own.population(self.unit(name)) for name, own in self.by_name.items()),
            ),
            connections=tuple(edge.connection() for edge in self.plan.edges),
        )


def set_bits(sent: Tensor) -> Tensor:
    """Events that outputs stand for: a number or a value counts as its set bits."""
    if sent.dtype == torch.bool or not bool((sent > 1).any()):
        return sent
    left, bits = sent.long(), torch.zeros_like(sent)
    while bool(left.any()):
        bits += left & 1
        left >>= 1
    return bits
