"""Place and route, and what nextpnr reports of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikeloom_hw.synth.tools import Tool, ToolError, run_tool
from spikeloom_hw.synth.yosys import NETLIST
from spikeloom_hw.targets import Target

LOG = "nextpnr.log"
REPORT = "nextpnr.json"
PLACED = "top.asc"

# nextpnr's cell types in the field's words; the others are of no interest to a reader.
RESOURCES = {
    "ICESTORM_LC": "LC",
    "ICESTORM_RAM": "EBR",
    "ICESTORM_SPRAM": "SPRAM",
    "ICESTORM_DSP": "DSP",
    "SB_IO": "IO",
}
_USE = re.compile(r"Info:\s+(\w+):\s+(\d+)/\s*(\d+)")


@dataclass(frozen=True, kw_only=True)
class Usage:
    """How much of a resource a design takes."""

    used: int
    available: int


@dataclass(frozen=True, kw_only=True)
class CriticalPath:
    """The slowest path between two registers.

    Attributes:
        start: name in the design of the register it leaves.
        end: name of the one it enters.
        delay_ns: in all, setup included.
        logic_ns: in cells.
        routing_ns: in wires.
        through: names on the way, each once.
    """

    start: str
    end: str
    delay_ns: float
    logic_ns: float
    routing_ns: float
    through: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Placement:
    """What nextpnr found.

    Attributes:
        fmax_mhz: the highest frequency of the clock that is nearest to its limit.
        constraint_mhz: the frequency that clock must reach.
        utilization: by resource, in the order of `RESOURCES`.
        critical_path: of that clock; None when it drives no path.
    """

    fmax_mhz: float
    constraint_mhz: float
    utilization: dict[str, Usage]
    critical_path: CriticalPath | None


def place_and_route(
    tool: Tool, folder: Path, *, target: Target, seed: int, note: Callable[[str], None]
) -> Placement:
    """Place and route `folder/top.json` under `folder/top.pcf` into `folder/top.asc`.

    A frequency that is missed is reported, not refused: that is for the caller to judge.

    Raises:
        ToolError: the design does not fit, or nextpnr does not accept it.
    """
    arguments = [
        *(f"--{target.device}", "--package", target.package, "--seed", str(seed)),
        *("--json", NETLIST, "--pcf", "top.pcf", "--asc", PLACED, "--report", REPORT),
        *("--freq", f"{target.core_clock_mhz:g}", "--timing-allow-fail"),
    ]
    try:
        run_tool(tool, arguments, folder=folder, log=LOG, note=note)
    except ToolError as error:
        if overflow := _overflow((folder / LOG).read_text(errors="replace")):
            raise ToolError(f"the design does not fit {target.name}: {overflow}") from error
        raise
    return parse_report(json.loads((folder / REPORT).read_text()))


def _overflow(log: str) -> str:
    """What a design needs too much of, or nothing."""
    used = {name: (int(need), int(room)) for name, need, room in _USE.findall(log)}
    return "; ".join(
        f"{label}: needs {used[name][0]}, the device has {used[name][1]}"
        for name, label in RESOURCES.items()
        if name in used and used[name][0] > used[name][1]
    )


def parse_report(report: Mapping[str, Any]) -> Placement:
    """Read nextpnr's `--report`.

    Raises:
        ToolError: the report has no clock.
    """
    clocks = report["fmax"]
    if not clocks:
        raise ToolError("nextpnr found no clock in the design")
    clock = min(clocks, key=lambda name: clocks[name]["achieved"] / clocks[name]["constraint"])
    edge = f"posedge {clock}"
    paths = [
        path["path"]
        for path in report["critical_paths"]
        if path["from"] == edge and path["to"] == edge
    ]
    return Placement(
        fmax_mhz=round(clocks[clock]["achieved"], 2),
        constraint_mhz=clocks[clock]["constraint"],
        utilization={
            label: Usage(**report["utilization"][name]) for name, label in RESOURCES.items()
        },
        critical_path=_critical_path(paths[0]) if paths else None,
    )


def _critical_path(path: Sequence[Mapping[str, Any]]) -> CriticalPath:
    delay = dict.fromkeys(("clk-to-q", "logic", "routing", "setup"), 0.0)
    for hop in path:
        delay[hop["type"]] = delay.get(hop["type"], 0.0) + hop["delay"]
    names = [design_name(hop["to"]["cell"]) for hop in path]
    total = sum(delay.values())
    return CriticalPath(
        start=names[0],
        end=names[-1],
        delay_ns=round(total, 2),
        logic_ns=round(total - delay["routing"], 2),
        routing_ns=round(delay["routing"], 2),
        through=tuple(dict.fromkeys(name for name in names if name)),
    )


def design_name(cell: str) -> str:
    """A cell's name without what yosys and nextpnr added to the design's own; may be empty."""
    return re.split(r"_SB_|_DFFLC|_LC\b|\$", cell)[0]
