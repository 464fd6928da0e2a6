"""From the names of cells and nets back to the design's own.

yosys flattens the hierarchy into dotted names and calls a cell after the net that it drives or
feeds, step by step: ``device.core.core.layer_hidden1.bank_3.forwarded_TRELLIS_FF_Q_DI_LUT4_Z`` is
the logic before the register ``forwarded`` of ``layer_hidden1.bank_3``. What was a hierarchy and
what a name is told by the attribute ``hdlname``, which yosys keeps on every name of the source.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import accumulate
from pathlib import Path
from typing import Self

_HDLNAME = re.compile(r'"hdlname": "([^"]+)"')
# Cell types that yosys and nextpnr append, with all that follows them.
_ADDED = re.compile(
    r"_(?:SB_[A-Z0-9]+|TRELLIS_[A-Z]+|LUT4|CCU2C|PFUMX|L6MUX21|DP16KD|DFFLC|LC|RAM|SPRAM|DSP)"
    r"(?=[_$]|$).*|\$.*|\[\d+\]$"
)
# A memory is one of its blocks, by row and column, and perhaps the port of a block.
_BLOCK = re.compile(r"(?P<memory>[\w.]+?)(?:\.\d+){1,3}(?:_(?P<port>[A-Z]+)\w*)?$")
_PORTS = (
    (re.compile(r"DO[AB]?|RDATA|DATAOUT"), "read data"),
    (re.compile(r"DI[AB]?|WDATA|DATAIN"), "write data"),
    (re.compile(r"R?ADDR(ESS)?|AD[AB]?|RAD"), "address"),
    (re.compile(r"WADDR|WAD"), "write address"),
    (re.compile(r"WE[AB]?|WRE|WREN|WCLKE|CE[AB]?|RE|RCLKE|MASKWREN"), "enable"),
)
# The top's own wrapping of the core, of no interest to a reader.
_CORE = "device.core.core"
_DEVICE = "device"


class DesignNames:
    """The components of a flattened design, and the words for what is in them.

    Args:
        paths: of every name in the source: its components from the top, and itself.
    """

    def __init__(self, paths: Iterable[tuple[str, ...]]) -> None:
        self._components = {".".join(path) for own in paths for path in _prefixes(own[:-1])}

    @classmethod
    def of_netlist(cls, netlist: Path) -> Self:
        """Those of yosys' JSON netlist."""
        found = _HDLNAME.findall(netlist.read_text())
        return cls(tuple(name.split(" ")) for name in set(found))

    def describe(self, name: str, port: str = "") -> str:
        """The words for a cell or net: ``component: what``; empty if it is none of the design's.

        Args:
            name: of the cell or net.
            port: of the cell, which tells what a memory does.
        """
        own = _ADDED.sub("", name)
        if not own:
            return ""
        parts = own.split(".")
        known = [path for path in map(".".join, _prefixes(parts)) if path in self._components]
        component = known[-1] if known else ""
        rest = own.removeprefix(component).removeprefix(".")
        return f"{_component(component)}: {_thing(rest, port)}"


def _prefixes(parts: Iterable[str]) -> list[tuple[str, ...]]:
    return list(accumulate(((part,) for part in parts), tuple.__add__))


def _component(path: str) -> str:
    if path == _CORE:
        return "core"
    if path == _DEVICE:
        return "device"
    return path.removeprefix(f"{_CORE}.").removeprefix(f"{_DEVICE}.") or "top"


def _thing(name: str, port: str) -> str:
    if block := _BLOCK.fullmatch(name):
        role = _role(block["port"] or re.sub(r"[\d_\[\]]+$", "", port))
        return f"{block['memory']} {role}".rstrip()
    if not name or re.fullmatch(r"_\d+_", name):
        return "logic"
    return re.sub(r"\[\d+\]$", "", name).replace("__", ".")


def _role(port: str) -> str:
    return next((role for pattern, role in _PORTS if pattern.fullmatch(port)), "")
