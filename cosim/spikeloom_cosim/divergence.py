"""A difference between core and reference: where it is, and which of several is the first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import msgspec

Kind = Literal[
    "beat",
    "spike",
    "membrane",
    "score",
    "prediction",
    "cycle",
    "counter",
    "look",
    "protocol",
    "hang",
]
"""What can differ.

| kind       | meaning                                                                       |
| ---------- | ----------------------------------------------------------------------------- |
| beat       | a start, a trace or a score beat is missing, surplus, or not in its turn       |
| spike      | a neuron spiked, or did not                                                   |
| membrane   | a membrane after a step                                                       |
| score      | a value of the readout                                                        |
| prediction | the class                                                                     |
| cycle      | a latency (isolated), or the time of a start, a trace beat or a result        |
| counter    | one of the chip's counters, after all samples                                 |
| look       | what a look into a loaded memory found                                        |
| protocol   | a score changed or vanished while it waited                                   |
| hang       | the run came to no end: events or results are outstanding (got: its results)  |
"""

KINDS: tuple[Kind, ...] = get_args(Kind)


class Divergence(msgspec.Struct, frozen=True, kw_only=True):
    """One difference.

    Attributes:
        kind: what differs.
        mode: the mode of the run.
        sample: position among the samples verified; None if not of one sample.
        step: time step from 0; None after the last one.
        layer: name of the layer.
        counter: name of the chip's counter; None if it is not about one.
        neuron: number in its layer; one beyond the layer's size is the padding of a group.
        got: what the core said; None if nothing.
        expected: what the reference says; None if nothing.
    """

    kind: Kind
    mode: str
    sample: int | None = None
    step: int | None = None
    layer: str | None = None
    counter: str | None = None
    neuron: int | None = None
    got: int | None = None
    expected: int | None = None

    def __str__(self) -> str:
        place = [
            f"{name} {value}"
            for name in ("sample", "step", "layer", "neuron", "counter")
            if (value := getattr(self, name)) is not None
        ]
        where = ", ".join([*place, f"{self.kind} ({self.mode})"])
        return f"{where}: got {_value(self.got)}, expected {_value(self.expected)}"


def _value(value: int | None) -> str:
    return "nothing" if value is None else str(value)


@dataclass(frozen=True, kw_only=True)
class Found:
    """All differences of one kind in one place of comparison: how many, and the first.

    Attributes:
        count: number of differences.
        order: sample, step, layer, neuron: what comes first. A difference of a whole sample
            has the number of steps as its step.
        first: the first of them.
    """

    count: int
    order: tuple[int, int, int, int]
    first: Divergence

    @property
    def rank(self) -> tuple[int, int, int, int, int]:
        """Sorts what is found; at one neuron, the cause before what follows from it."""
        return (*self.order, KINDS.index(self.first.kind))
