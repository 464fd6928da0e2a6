"""When to rewire, how strongly, and what share of the pruned to regrow."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

__all__ = ["Schedule"]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Stage 1 is ordinary training; stage 2 rewires every few epochs.

    Attributes:
        start_epoch: epochs of stage 1.
        every_epochs: epochs from one rewiring to the next.
        stop_epoch: no rewiring after this many epochs.
        density: compression ends here.
        rho: regrown / pruned while compressing.
        decay: of the pruned fraction over stage 2.
    """

    start_epoch: int
    every_epochs: int
    stop_epoch: int
    density: float
    rho: float
    decay: Literal["none", "cosine"] = "none"

    def due(self, epochs_done: int) -> bool:
        """Whether to rewire after `epochs_done` epochs."""
        since = epochs_done - self.start_epoch
        return since >= 0 and since % self.every_epochs == 0 and 0 < epochs_done <= self.stop_epoch

    @property
    def last_due(self) -> int:
        """The last epoch after which rewiring is due; 0 when there is none."""
        if self.stop_epoch < self.start_epoch:
            return 0
        return self.stop_epoch - (self.stop_epoch - self.start_epoch) % self.every_epochs

    def next_due(self, epoch: int) -> int | None:
        """The first epoch from `epoch` on after which rewiring is due, or None."""
        return next((e for e in range(epoch, self.last_due + 1) if self.due(e)), None)

    def strength(self, epochs_done: int) -> float:
        """Factor on the pruned counts, 0 ... 1."""
        if self.decay == "none":
            return 1.0
        span = max(1, self.stop_epoch - self.start_epoch)
        return 0.5 * (1 + math.cos(math.pi * (epochs_done - self.start_epoch) / span))

    def spare(self, *, active: int, places: int) -> int:
        """Synapses that may still go for good before `density` is reached."""
        return max(0, active - self._target(places))

    def regrown_share(self, *, active: int, places: int, pruned: int) -> float:
        """Rho of this rewiring: larger than the schedule's where it would pass below `density`.

        Args:
            active: synapses before, all layers together.
            places: synapses of the dense network.
            pruned: synapses about to be pruned.
        """
        target = self._target(places)
        needed = min(active, target) - (active - pruned)
        # Already at the target: regrow all that is pruned.
        needed = pruned if active <= target else needed
        return min(1.0, max(self.rho, needed / pruned)) if pruned else 1.0

    def _target(self, places: int) -> int:
        return math.floor(self.density * places + 1e-9)
