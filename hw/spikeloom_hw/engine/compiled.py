"""A network as the memories of an engine hold it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from spikeloom_hw.engine.lowering import Lowered
from spikeloom_hw.engine.params import EngineParams
from spikeloom_hw.engine.placement import Placement
from spikeloom_hw.engine.rows import ConnectionRows

Order = Literal["layers", "steps"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Sweep:
    """An update of a population in the order in which they happen.

    Attributes:
        population: its name.
        step: time step.
    """

    population: str
    step: int


@dataclass(frozen=True, kw_only=True, eq=False)
class EngineProgram:
    """A network, ready to be loaded into an engine.

    Attributes:
        params: of the engine.
        lowered: the graph that it computes.
        order: of its parts.
        parts: names of the populations behind the source that are computed together, in order.
        placements: of each population.
        planes: bits of what each population sends.
        rows: of each connection.
        held: populations whose sums are those of the first step.
        program: words of the program memory.
        pointers: words of the pointer memory.
        weights: words of the weight memory.
        labels: what the instructions that work do so on, by the word that they stand in.
        room: words in use of each capacity, by its name in `EngineParams`.
    """

    params: EngineParams
    lowered: Lowered
    order: Order
    parts: tuple[tuple[str, ...], ...]
    placements: dict[str, Placement]
    planes: dict[str, int]
    rows: dict[str, ConnectionRows]
    held: frozenset[str]
    program: list[int]
    pointers: list[int]
    weights: list[int]
    labels: dict[int, str]
    room: dict[str, int]

    @property
    def static(self) -> bool:
        """Whether the input is the same in every step."""
        return self.planes[self.lowered.graph.source.name] > 1

    @cached_property
    def sweeps(self) -> list[Sweep]:
        """Updates in the order in which they happen."""
        return [
            Sweep(population=name, step=step)
            for part in self.parts
            for step in range(self.lowered.time_steps)
            for name in part
        ]

    def memory(self, name: str) -> list[int]:
        """The words of one of `EngineParams.memories`."""
        return {"program": self.program, "pointers": self.pointers, "weights": self.weights}[name]
