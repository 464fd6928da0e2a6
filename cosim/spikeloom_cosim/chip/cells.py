"""A netlist of cells as one Verilog text that Verilator can simulate.

::

    top.json ──► restore ──► yosys: write_verilog ──┐
                        models of the cells in it ──┴──► chip.v

What nextpnr writes back is complete but for three things, which `restore` puts in as the device has
them: a pin without a wire is pulled to a level; the ports of a memory are bits with a number; and
the hard wires from a pad to its PLL, and from the PLL to a global clock, are not told.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from spikeloom.errors import UserError

MODELS = Path(__file__).parent / "models" / "ice40.v"
PULLED_UP = frozenset({"CEN", "CLOCK_ENABLE", "RCLKE", "WCLKE"})
"""Pins of a cell that the device pulls up when nothing is connected; all others it pulls down."""

_MODULE = re.compile(r"^module (\w+) ?\(.*?^endmodule$", re.DOTALL | re.MULTILINE)
_BIT = re.compile(r"(\w+)_(\d+)$")
_PLACED = {"ICESTORM_RAM": "SB_RAM40_4K", "ICESTORM_SPRAM": "SB_SPRAM256KA"}
# Memories whose clock is inverted are other cells; no design of ours has one.
_INVERTED = ("NEG_CLK_R", "NEG_CLK_W")


def cell_types(netlist: Mapping[str, Any]) -> set[str]:
    """Types of the cells in the module `top` of a netlist in yosys' JSON."""
    types = {cell["type"] for cell in netlist["modules"]["top"]["cells"].values()}
    return {each for each in types if not each.startswith("$")}


def models(types: Iterable[str], shipped: str) -> str:
    """Verilog models of cells: ours where there is one, else those that yosys ships.

    Args:
        types: the cells.
        shipped: text of yosys' `cells_sim.v`.

    Raises:
        UserError: a cell has no model.
    """
    own = _modules(MODELS.read_text())
    known = {**_modules(shipped), **own}
    if unknown := sorted(set(types) - set(known)):
        raise UserError(
            f"there is no model of the cell {unknown[0]}, so this level cannot simulate the "
            "design; verify it at --level rtl"
        )
    head = shipped[: shipped.index("module ")]
    return "\n".join([head, *(known[name] for name in sorted(set(types)))]) + "\n"


def restore(netlist: Mapping[str, Any], *, clock: str) -> None:
    """Put back, in place, what nextpnr leaves out of the iCE40 netlist that it writes.

    Args:
        netlist: in yosys' JSON.
        clock: the pin of the oscillator.

    Raises:
        UserError: the clock does not come from one PLL on that pin.
    """
    top = netlist["modules"]["top"]
    fresh = _fresh(top)
    _connect_clock(top, clock, next(fresh))
    for cell in top["cells"].values():
        for port, bits in cell["connections"].items():
            if not bits and cell["port_directions"][port] == "input":
                bits.append("1" if port in PULLED_UP else "0")
        if cell["type"] == "ICESTORM_PLL" or cell["type"] in _PLACED:
            _gather(cell, fresh)
        if cell["type"] in _PLACED:
            cell["type"] = _PLACED[cell["type"]]
            inverted = [int(cell["parameters"].pop(name, "0"), 2) for name in _INVERTED]
            if any(inverted):
                raise UserError("a memory with an inverted clock has no model at this level")


def _fresh(top: Mapping[str, Any]) -> Iterator[int]:
    """Numbers of wires that do not exist yet."""
    nets = top["netnames"].values()
    return count(1 + max(bit for net in nets for bit in net["bits"] if isinstance(bit, int)))


def _connect_clock(top: Mapping[str, Any], clock: str, wire: int) -> None:
    cells = top["cells"].values()
    plls = [cell for cell in cells if cell["type"] == "ICESTORM_PLL"]
    buffers = [
        cell
        for cell in cells
        if cell["type"] == "SB_GB" and not cell["connections"]["USER_SIGNAL_TO_GLOBAL_BUFFER"]
    ]
    if len(plls) != 1 or len(buffers) != 1 or plls[0]["connections"]["REFERENCECLK"]:
        raise UserError(
            f"the routed design has {len(plls)} PLLs and {len(buffers)} global clocks from a PLL, "
            "and this level knows one of each"
        )
    pad = top["ports"][clock]["bits"]
    for name, cell in list(top["cells"].items()):
        # The oscillator's pad leads into the PLL and nowhere else.
        if cell["type"] == "SB_IO" and cell["connections"]["PACKAGE_PIN"] == pad:
            if any(bits for port, bits in cell["connections"].items() if port != "PACKAGE_PIN"):
                raise UserError(f"the pad of {clock} leads to more than the PLL")
            del top["cells"][name]
    plls[0]["connections"]["REFERENCECLK"] = list(pad)
    plls[0]["connections"]["PLLOUT_A_GLOBAL"] = [wire]
    buffers[0]["connections"]["USER_SIGNAL_TO_GLOBAL_BUFFER"] = [wire]


def _gather(cell: dict[str, Any], fresh: Iterator[int]) -> None:
    """Join the ports NAME_0, NAME_1 … of a cell to a port NAME; unused outputs get fresh wires."""
    found: dict[str, dict[int, Any]] = defaultdict(dict)
    directions = cell["port_directions"]
    for port in list(cell["connections"]):
        if match := _BIT.match(port):
            bits = cell["connections"].pop(port)
            found[match[1]][int(match[2])] = bits[0] if bits else next(fresh)
            directions[match[1]] = directions.pop(port)
    for name, bits in found.items():
        cell["connections"][name] = [bits[at] for at in range(len(bits))]


def _modules(text: str) -> dict[str, str]:
    return {found[1]: found[0] for found in _MODULE.finditer(text)}


def read_netlist(path: Path) -> dict[str, Any]:
    """A netlist in yosys' JSON."""
    return json.loads(path.read_text())


def instances(verilog: str) -> set[str]:
    """Types of the device's cells that a Verilog text instantiates."""
    return set(re.findall(r"^\s*(SB_\w+)\b", verilog, re.MULTILINE))
