"""What a device answers to samples and to a look at its counters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Timings:
    """How long S samples took, in the time of the line.

    Attributes:
        latency: float64 [S], seconds from the first byte of a sample's events to its result. Of
            samples that follow each other it holds the wait for those before.
        line: float64 [S], seconds of that in which the line carries its bytes, to and fro, one
            after the other; the rest is the device, and what is between line and host.
        total: seconds from the first byte to the last result.
        simulated: the line's time is that of a simulation.
    """

    latency: NDArray[np.float64]
    line: NDArray[np.float64]
    total: float
    simulated: bool

    @property
    def samples_per_second(self) -> float:
        """Samples a second, over all."""
        return len(self.latency) / self.total if self.total else 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """What a device says of S samples.

    Attributes:
        labels: int64 [S], the classes.
        scores: int64 [S, outputs], membranes after the last step, or spike counts.
        timings: how long they took.
    """

    labels: NDArray[np.int64]
    scores: NDArray[np.int64]
    timings: Timings


@dataclass(frozen=True, kw_only=True)
class Counters:
    """What a device counted.

    Attributes:
        link: since the design was configured, each staying at 255: frames refused, bytes without a
            stop bit, bytes lost, words ignored.
        core: since then, modulo 2³²: cycles, and what each layer did.
    """

    link: Mapping[str, int]
    core: Mapping[str, int]
