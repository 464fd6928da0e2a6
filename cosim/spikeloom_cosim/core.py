"""The core under test, as files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeloom_cosim.shape import CoreShape


@dataclass(frozen=True, kw_only=True, eq=False)
class Core:
    """A core on disk.

    Attributes:
        verilog: the Verilog of the module `spikeloom_core`, with trace ports.
        memories: the memory files that it reads when it starts.
        shape: its ports.
        network_sha256: of the network it was generated from.
        loads: uint64, what fills its memories before the first sample, payload by payload; None
            for a core that has its contents from the start.
        looks: int64, what the looks among the loads must find; None: there are none.
    """

    verilog: Path
    memories: tuple[Path, ...]
    shape: CoreShape
    network_sha256: str
    loads: NDArray[np.uint64] | None = None
    looks: NDArray[np.int64] | None = None

    @property
    def lanes(self) -> tuple[int, ...]:
        """Lanes of each layer."""
        return tuple(layer.lanes for layer in self.shape.layers)
