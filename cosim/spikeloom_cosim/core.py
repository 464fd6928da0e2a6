"""The core under test, as files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spikeloom_cosim.shape import CoreShape


@dataclass(frozen=True, kw_only=True)
class Core:
    """A core on disk.

    Attributes:
        verilog: the Verilog of the module `spikeloom_core`, with trace ports.
        memories: the memory files that it reads when it starts.
        shape: its ports.
        network_sha256: of the network it was generated from.
    """

    verilog: Path
    memories: tuple[Path, ...]
    shape: CoreShape
    network_sha256: str

    @property
    def lanes(self) -> tuple[int, ...]:
        """Lanes of each layer."""
        return tuple(layer.lanes for layer in self.shape.layers)
