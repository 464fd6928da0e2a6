"""The rows of the table, and the record of one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from spikeloom.cycle_statistics import CycleStatistics

__all__ = ["BITSTREAMS", "ROWS", "Record", "Row"]

BITSTREAMS = Path(__file__).parents[2] / "bitstreams"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A network on a target.

    Attributes:
        network: a folder of ``bitstreams/``.
        target: name of the preset.
        lanes: of the busiest layer.
        loadable: the host fills the memories.
        build: a folder of ``bitstreams/`` whose bitstream this is, so that its synthesis is known.
    """

    network: str
    target: str
    lanes: int
    loadable: bool = False
    build: str | None = None

    @property
    def key(self) -> str:
        """Names the row's record."""
        memories = "loadable" if self.loadable else "fixed"
        return f"{self.network} {self.target} {self.lanes} {memories}"


ICE40, ECP5 = "icebreaker", "ulx3s-25f"
ROWS = (
    Row(network="digits-icebreaker", target=ICE40, lanes=8, build="digits-icebreaker"),
    Row(network="digits-icebreaker", target=ICE40, lanes=4),
    Row(network="digits-icebreaker", target=ICE40, lanes=1),
    Row(network="digits-icebreaker", target=ECP5, lanes=8),
    Row(network="mnist-20k", target=ICE40, lanes=8, loadable=True, build="mnist-icebreaker"),
    Row(network="mnist-20k", target=ICE40, lanes=4, loadable=True),
    Row(network="mnist-20k", target=ECP5, lanes=16),
    Row(network="mnist-17k", target=ICE40, lanes=8, loadable=True),
    Row(network="mnist-17k", target=ECP5, lanes=16),
    Row(network="mnist-131k", target=ICE40, lanes=8, loadable=True, build="mnist131k-icebreaker"),
    Row(network="mnist-131k", target=ICE40, lanes=4, loadable=True),
    Row(network="fashion-60k", target=ECP5, lanes=16, build="fashion-ulx3s-25f"),
    Row(network="fashion-60k", target=ECP5, lanes=8),
    Row(network="fashion-60k", target=ICE40, lanes=8, loadable=True),
)


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of a row.

    Attributes:
        key: of the row.
        network: name, sha256, data set, accuracy of the test set, synapses, neurons.
        target, lanes, loadable: as built; lanes of each layer.
        bits: stored, and the entropy bound of the synapses.
        cycles: of every test sample, by the cycle model that co-simulation holds to the RTL.
        busiest: the layer that sets the pace: synaptic operations a cycle and lane at full rate.
        estimate: blocks, and cells and clock with their bands, before synthesis.
        counters: of the chip, in co-simulation: each layer's cycles by cause; None when not run.
        synthesis: cells, the clock of each seed, the clock that was met; None when not run.
        commit, tools: of the code, and what it ran on.
    """

    key: str
    network: dict[str, Any]
    target: str
    lanes: tuple[int, ...]
    loadable: bool
    bits: dict[str, float]
    cycles: CycleStatistics
    busiest: dict[str, Any]
    estimate: dict[str, Any]
    commit: str
    counters: dict[str, Any] | None = None
    synthesis: dict[str, Any] | None = None
