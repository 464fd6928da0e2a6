"""Equal connection-epochs: how many epochs an arm gets, and what a run has spent.

A connection-epoch is one active connection trained for one epoch; all sums here are in units of
the dense network's connections, so a dense network spends 1 an epoch. Every network of a part gets
the same budget B, at every density d:

- an arm of constant density trains for round(B / d) epochs;
- an arm that compresses spends what compression takes, and the rest at d. What compression takes is
  guessed before (`planned_epochs`) and known once d is reached (`fitting_epochs`). If the plan then
  misses B by more than the tolerance, the run begins anew with the epochs that would have met it.
  This looks at counts of connections only, never at an accuracy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = [
    "TOLERANCE",
    "Timing",
    "connections",
    "fitting_epochs",
    "planned_epochs",
    "timing",
]

TOLERANCE = 0.02
FRACTION_ITERATIVE = 0.2


@dataclass(frozen=True, kw_only=True)
class Timing:
    """When an arm rewires: after `start` epochs and every `every` from then on, up to `stop`.

    A `stop` of 0 stands for three quarters of all epochs.
    """

    start: int
    every: int
    stop: int = 0


def timing(arm: str, budget: int, *, every: int, exchange: int) -> Timing:
    """The schedule of an arm.

    Rivals of constant density rewire every `exchange` epochs; one-shot spends half its budget
    dense; all others rewire every `every` epochs.
    """
    match arm:
        case "one-shot":
            half = max(1, budget // 2)
            return Timing(start=half, every=1, stop=half)
        case "sap":
            return Timing(start=every, every=every)
        case "set" | "rigl" | "esl":
            return Timing(start=exchange, every=exchange)
        case _:
            return Timing(start=max(1, budget // 4), every=every)


def planned_epochs(
    *, budget: float, density: float, initial: float, kept: float, when: Timing
) -> int:
    """Epochs that spend `budget`, if every rewiring leaves the share `kept` of the connections.

    Args:
        budget: in dense epochs.
        density: the final one.
        initial: density at the start, at least `density`.
        kept: density after a rewiring / density before, in [0, 1) where `initial` > `density`.
        when: the arm's schedule.
    """
    spent, epochs, now = 0.0, 0, initial
    length = when.start
    while now > density:
        spent += now * length
        epochs += length
        now, length = max(density, now * kept), when.every
    return fitting_epochs(budget=budget, density=density, spent=spent, epochs=epochs)


def fitting_epochs(*, budget: float, density: float, spent: float, epochs: int) -> int:
    """Epochs of a run that reached `density` after `epochs` and had `spent` so much by then."""
    return epochs + max(1, math.floor((budget - spent) / density + 0.5))


def connections(history: Sequence[Mapping[str, Any]], places: int) -> list[float]:
    """Density in training of each epoch; a record's own density is that after its rewiring.

    Args:
        history: the trainer's records.
        places: connections of the dense network.
    """
    densities = []
    for record in history:
        layers = record["layers"]
        changed = sum(layer["pruned"] - layer["regrown"] for layer in layers)
        densities.append(record["density"] + changed / places)
    return densities
