"""Place and route, and what nextpnr reports of it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikeloom_hw.synth.families import Family, family
from spikeloom_hw.synth.names import DesignNames
from spikeloom_hw.synth.tools import Call, Tool, ToolError, run_tools
from spikeloom_hw.synth.yosys import NETLIST
from spikeloom_hw.targets import Target

LOG = "nextpnr.log"
REPORT = "nextpnr.json"
ROUTED = "routed.json"

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
        start: the register or memory it leaves, in the design's words: ``component: what``.
        end: the one it enters.
        delay_ns: in all, setup included.
        logic_ns: in cells.
        routing_ns: in wires.
        through: what its logic belongs to, each once, without start and end.
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
        utilization: by resource, in the family's order.
        critical_path: of that clock; None when it drives no path.
    """

    fmax_mhz: float
    constraint_mhz: float
    utilization: dict[str, Usage]
    critical_path: CriticalPath | None


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What came of one seed.

    Attributes:
        seed: of the placer.
        placement: what nextpnr found; None when it did not place or route the design.
        failure: why it did not; None when it did.
    """

    seed: int
    placement: Placement | None
    failure: str | None


def place_and_route(
    tool: Tool,
    folder: Path,
    *,
    target: Target,
    seeds: Sequence[int],
    jobs: int,
    note: Callable[[str], None],
    ended: Callable[[int], None] = lambda _: None,
    written: bool = False,
) -> list[Attempt]:
    """Place and route `folder/top.json` under its pins and clocks, once for each seed.

    Each seed's results lie in a folder of its own, until :func:`keep` chooses one. A frequency that
    is missed is reported, not refused: that is for the caller to judge.

    Args:
        tool: nextpnr for the target's family.
        folder: holds the netlist and the constraints.
        target: the device.
        seeds: of the placer, each one once.
        jobs: processes at once.
        note: is told when the tool has to be compiled first.
        ended: is told the seed of each run that has ended.
        written: write the placed and routed netlist, too, as `ROUTED`.
    """
    own = family(target)
    for seed in seeds:
        _place(folder, seed).mkdir()
    calls = [_call(own, folder, target=target, seed=seed, written=written) for seed in seeds]
    errors = run_tools(
        tool, calls, folder=folder, jobs=jobs, note=note, ended=lambda n: ended(seeds[n])
    )
    names = DesignNames.of_netlist(folder / NETLIST)
    return [
        _attempt(_place(folder, seed), seed=seed, target=target, names=names, error=error)
        for seed, error in zip(seeds, errors, strict=True)
    ]


def keep(folder: Path, attempts: Sequence[Attempt], chosen: Attempt) -> None:
    """Leave the results of `chosen` in `folder`, and nothing of the others."""
    for path in _place(folder, chosen.seed).iterdir():
        path.replace(folder / path.name)
    for attempt in attempts:
        shutil.rmtree(_place(folder, attempt.seed))


def _place(folder: Path, seed: int) -> Path:
    return folder / f"seed_{seed}"


def _call(own: Family, folder: Path, *, target: Target, seed: int, written: bool) -> Call:
    place = _place(folder, seed).relative_to(folder)
    arguments = (
        *(*own.device_options(target), "--seed", str(seed)),
        *("--json", NETLIST, own.constraints_option, own.constraints),
        *(own.placed_option, str(place / own.placed), "--report", str(place / REPORT)),
        *("--freq", f"{target.core_clock_mhz:g}", "--timing-allow-fail"),
        *(("--write", str(place / ROUTED)) if written else ()),
    )
    return Call(arguments=arguments, log=str(place / LOG))


def _attempt(
    place: Path, *, seed: int, target: Target, names: DesignNames, error: ToolError | None
) -> Attempt:
    resources = family(target).resources
    if error is None:
        report = json.loads((place / REPORT).read_text())
        placement = parse_report(report, resources, names)
        return Attempt(seed=seed, placement=placement, failure=None)
    overflow = _overflow((place / LOG).read_text(errors="replace"), resources)
    failure = f"the design does not fit {target.name}: {overflow}" if overflow else str(error)
    return Attempt(seed=seed, placement=None, failure=failure)


def _overflow(log: str, resources: Mapping[str, str]) -> str:
    """What a design needs too much of, or nothing."""
    used = {name: (int(need), int(room)) for name, need, room in _USE.findall(log)}
    return "; ".join(
        f"{label}: needs {used[name][0]}, the device has {used[name][1]}"
        for name, label in resources.items()
        if name in used and used[name][0] > used[name][1]
    )


def parse_report(
    report: Mapping[str, Any], resources: Mapping[str, str], names: DesignNames
) -> Placement:
    """Read nextpnr's `--report`.

    Args:
        report: as decoded.
        resources: cell types to be counted, with the field's words for them.
        names: of the design.

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
            label: Usage(**report["utilization"][name]) for name, label in resources.items()
        },
        critical_path=_critical_path(paths[0], names) if paths else None,
    )


def _critical_path(path: Sequence[Mapping[str, Any]], names: DesignNames) -> CriticalPath:
    delay = dict.fromkeys(("clk-to-q", "logic", "routing", "setup"), 0.0)
    for hop in path:
        delay[hop["type"]] = delay.get(hop["type"], 0.0) + hop["delay"]
    start = names.describe(path[0]["from"]["cell"], path[0]["from"]["port"])
    end = names.describe(path[-1]["to"]["cell"], path[-1]["to"]["port"])
    between = dict.fromkeys(names.describe(hop["to"]["cell"], hop["to"]["port"]) for hop in path)
    total = sum(delay.values())
    return CriticalPath(
        start=start,
        end=end,
        delay_ns=round(total, 2),
        logic_ns=round(total - delay["routing"], 2),
        routing_ns=round(delay["routing"], 2),
        through=tuple(name for name in between if name not in ("", start, end)),
    )
