"""What others published, or what their code does in simulation: each figure with its source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["PEERS", "SOURCES"]

SOURCES = {
    "spiker+": "Carpegna et al., Spiker+, arXiv:2401.01141; 780 µs is its latency for an image",
    "fan": "Fan and Levy, arXiv:2507.07284; 0.52 ms is its speed, at 100 MHz",
    "windhager": "Windhager et al., arXiv:2505.11252; about 0.29 ms is its inference time",
    "syntzulu": "Leone et al., IEEE TCAS-I 72(2), 2025, doi:10.1109/TCSI.2024.3450966",
    "syntzulu tools": "SYNtzulu's RTL through yosys 0.70 and nextpnr 0.11: measured by us, script "
    "not published",
    "syntzulu rtl": "SYNtzulu's RTL in simulation: measured by us, script not published",
    "odin": "Frenkel et al., IEEE TBioCAS 13(1), 2019, doi:10.1109/TBCAS.2018.2880425",
    "odin rtl": "ODIN's RTL in simulation: measured by us, script not published",
    "catalyst rtl": "Catalyst N1's RTL in simulation: measured by us, script not published",
}
"""Where a figure comes from; the page numbers them in this order."""


def _peer(name: str, **cells: tuple[str, str]) -> Mapping[str, Any]:
    """A row: for each column that is known, the text of its cell and a key of `SOURCES`."""
    return {"name": name, "cells": {column: list(cell) for column, cell in cells.items()}}


PEERS = (
    _peer(
        "Spiker+",
        network=("784-128-10, dense", "spiker+"),
        accuracy=("93.85 %", "spiker+"),
        device=("Xilinx FPGA", "spiker+"),
        cells=("7,612 logic cells", "spiker+"),
        memory=("18 BRAM", "spiker+"),
        latency=("780", "spiker+"),
        power=("180 mW", "spiker+"),
    ),
    _peer(
        "Fan and Levy",
        network=("MNIST, fully connected or any-to-any", "fan"),
        device=("Artix-7", "fan"),
        cells=("6,358 LUT", "fan"),
        memory=("40.5 BRAM", "fan"),
        latency=("520", "fan"),
    ),
    _peer(
        "Windhager et al.",
        network=("MNIST, feed-forward LIF", "windhager"),
        accuracy=("> 99 %", "windhager"),
        device=("Xilinx UltraScale+", "windhager"),
        latency=("290", "windhager"),
    ),
    _peer(
        "SYNtzulu",
        network=("dense, inputs in groups of four", "syntzulu"),
        device=("iCE40UP5K", "syntzulu"),
        cells=("3,486 LC at 26 MHz", "syntzulu tools"),
        operations=("8 at most, 1.7 to 2.6 useful", "syntzulu rtl"),
        bits=("27", "syntzulu rtl"),
    ),
    _peer(
        "ODIN",
        network=("dense", "odin"),
        operations=("0.50 (2.0 cycles each)", "odin rtl"),
    ),
    _peer(
        "Catalyst N1",
        operations=("0.17 (6.0 cycles each)", "catalyst rtl"),
    ),
)
