"""What synthesis says of a design: cells at once, clocks by placing and routing it."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from costs.designs import Design
from spikeloom.files import cache_folder
from spikeloom_hw.core.params import LayerParams
from spikeloom_hw.generate import generate
from spikeloom_hw.synth import nextpnr, yosys
from spikeloom_hw.synth.families import family
from spikeloom_hw.synth.tools import Call, find_tool, run_tools
from spikeloom_hw.targets import Target

__all__ = ["Record", "measure_cells", "measure_clocks"]

_USE = re.compile(r"Info:\s+(\w+):\s+(\d+)/\s*(\d+)")


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A design as synthesis made it.

    Attributes:
        design: its name.
        target: name of the preset.
        layers: the gateware, whole; a design that has another since is to be made again.
        cells: used, by the family's words for them.
        fmax_mhz: by seed of the placer; empty until it was placed and routed.
        failures: of seeds, and why.
        constraint_mhz: what the placer was asked for.
        tools: versions.
        commit: of the gateware.
    """

    design: str
    target: str
    layers: tuple[LayerParams, ...]
    cells: dict[str, int]
    constraint_mhz: float
    tools: dict[str, str]
    commit: str
    fmax_mhz: dict[str, float] = {}
    failures: dict[str, str] = {}

    @property
    def key(self) -> tuple[str, str]:
        """Design and target."""
        return self.design, self.target


def measure_cells(
    design: Design, target: Target, *, commit: str, note: Callable[[str], None]
) -> Record:
    """Synthesise and pack ``design``: its cells, even when the device has too few of them."""
    own = family(target)
    image = design.network()
    folder = _folder(design, target)
    made = generate(
        image, target=target, lanes=design.lanes, directory=folder, loadable=design.loadable
    )
    tools = {name: find_tool(name) for name in own.tools[:2]}
    yosys.synthesize(tools["yosys"], folder, family=own, note=note)
    constraints = (own.constraints_option, own.constraints)
    arguments = (*own.device_options(target), "--json", yosys.NETLIST, *constraints, "--pack-only")
    call = Call(arguments=arguments, log="pack.log")
    errors = run_tools(tools[own.placer], [call], folder=folder, jobs=1, note=note)
    for error in errors:
        if error is not None:
            raise error
    used = {name: int(count) for name, count, _ in _USE.findall((folder / call.log).read_text())}
    return Record(
        design=design.name,
        target=target.name,
        layers=made.parameters,
        cells={label: used.get(name, 0) for name, label in own.resources.items()},
        constraint_mhz=target.core_clock_mhz,
        tools={name: tool.version for name, tool in tools.items()},
        commit=commit,
    )


def measure_clocks(
    record: Record,
    design: Design,
    target: Target,
    *,
    seeds: Sequence[int],
    note: Callable[[str], None],
) -> Record:
    """``record`` with the clock that each of ``seeds`` reaches."""
    own = family(target)
    folder = _folder(design, target)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        work = Path(place)
        for name in (yosys.NETLIST, own.constraints):
            shutil.copyfile(folder / name, work / name)
        attempts = nextpnr.place_and_route(
            find_tool(own.placer), work, target=target, seeds=seeds, jobs=1, note=note
        )
    fmax, failures = dict(record.fmax_mhz), dict(record.failures)
    for attempt in attempts:
        if attempt.placement:
            fmax[str(attempt.seed)] = attempt.placement.fmax_mhz
        else:
            failures[str(attempt.seed)] = attempt.failure or "unknown"
    return msgspec.structs.replace(record, fmax_mhz=fmax, failures=failures)


def _folder(design: Design, target: Target) -> Path:
    return cache_folder("calibration") / f"{design.name}-{target.name}"
