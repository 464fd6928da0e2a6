"""A stop rule: compress until the PQ index turns.

While redundant synapses go, training spreads what is left more evenly and the index falls; once
needed ones go, it rises (Diao et al., ICLR 2023, their hypothesis). So compression has gone far
enough where the index has its lowest value, and a few rewirings later one knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["TurningPoint"]


class TurningPoint:
    """Watches an index from rewiring to rewiring; has turned once its minimum is `patience` old."""

    def __init__(self, patience: int) -> None:
        if patience < 1:
            raise ValueError(f"patience must be at least 1, not {patience!r}")
        self.patience = patience
        self._indices: list[float] = []

    @property
    def turned(self) -> bool:
        """Whether the lowest index lies at least `patience` rewirings back."""
        if not self._indices:
            return False
        lowest = self._indices.index(min(self._indices))
        return len(self._indices) - 1 - lowest >= self.patience

    def observe(self, index: float) -> None:
        """Take the index of the trained network before a rewiring; ignored once turned."""
        if not self.turned:
            self._indices.append(index)

    def state_dict(self) -> dict[str, Any]:
        """The indices so far."""
        return {"indices": list(self._indices)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        self._indices = [float(index) for index in state["indices"]]
