"""What is simulated at each level, made from a design's folder.

| level     | made by                                            | of                             |
| --------- | -------------------------------------------------- | ------------------------------ |
| netlist   | yosys                                              | the cells of logic synthesis   |
| routed    | yosys, nextpnr `--write`                           | the cells as placed and routed |
| bitstream | yosys, nextpnr, icepack; iceunpack and icebox_vlog | every bit of the bitstream     |

All are the board's top, with its serial port and reset; the PLL passes the bench's clock on.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from spikeloom.errors import UserError
from spikeloom.files import atomic_directory, cache_folder, file_sha256
from spikeloom_cosim.chip import cells
from spikeloom_cosim.chip.icebox import Icebox, find_icebox, reads_back
from spikeloom_hw import synth
from spikeloom_hw.boards.top import reset_timer_bits
from spikeloom_hw.generate import DESIGN, Design, load_design
from spikeloom_hw.host.device import BAUD
from spikeloom_hw.host.uart import uart_divisor
from spikeloom_hw.synth import nextpnr, yosys
from spikeloom_hw.synth.families import Family, family
from spikeloom_hw.synth.flow import Progress, synthesize
from spikeloom_hw.synth.tools import Tool, find_tool, run_tool
from spikeloom_hw.targets import find_target

ChipLevel = Literal["netlist", "routed", "bitstream"]
MODELS = "ice40/cells_sim.v"
RX, TX = "uart_0__rx__io", "uart_0__tx__io"
_CHIP = "chip.v"
_ABOUT = "about.json"
_CODE = (".py", ".v")
_MAKERS = (Path(synth.__file__).parent, Path(__file__).parent)
"""The code that makes chips: when it changes, so may they."""


@dataclass(frozen=True, kw_only=True)
class Pins:
    """The pins that the bench drives and watches, and the others, by name."""

    clock: str
    rx: str
    tx: str
    others: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Chip:
    """A chip as one Verilog text.

    Attributes:
        level: what it was made of.
        verilog: the file.
        module: its top module.
        pins: its pins.
        divisor: cycles of a bit on its serial line.
        reset_cycles: after which it has ended its reset.
        about: sha256 of the bitstream, if there is one, and versions of the tools.
    """

    level: ChipLevel
    verilog: Path
    module: str
    pins: Pins
    divisor: int
    reset_cycles: int
    about: dict[str, object]


def make_chip(
    design: Path,
    level: ChipLevel,
    *,
    seed: int,
    progress: Progress,
    bitstream: Path | None = None,
    cache: Path | None = None,
) -> Chip:
    """The chip of a generated design at a level, or what an earlier call left of it.

    Args:
        design: folder with the board's top.
        level: what to make.
        seed: of nextpnr's placer.
        progress: is told of each step.
        bitstream: read this one back, instead of building one; only at that level.
        cache: where results are kept; None takes `spikeloom.files.cache_folder`.

    Raises:
        UserError: a tool is missing or fails, or the level does not know the device.
    """
    described = load_design(design)
    target = find_target(described.target)
    own = family(target)
    if target.family != "ice40":
        raise UserError(
            f"{target.name} has no cell models at the level {level}, only iCE40 has; "
            "verify it at --level rtl"
        )
    if level == "bitstream" and any(layer.single_port for layer in described.parameters):
        raise UserError(
            "icebox_vlog does not know single-port RAM, in which the weights of this loadable core "
            "lie; verify it at --level routed"
        )
    pins = _pins(design / own.constraints)
    tools = _tools(level, own, built=bitstream is None)
    icebox = find_icebox(progress.note) if level == "bitstream" else None
    about: dict[str, object] = {"tools": {name: tool.version for name, tool in tools.items()}}
    if icebox is not None:
        about["tools"] = {**dict.fromkeys([icebox.name], icebox.version), **_versions(tools)}
    sources = [bitstream, design / own.constraints]
    if bitstream is None:
        sources = [design / name for name in (DESIGN, *described.files)]
    key = _key([level, seed, about, str(own), _identities(tools, icebox)], sources)
    place = (cache_folder("chips") if cache is None else cache) / key
    if not (place / _CHIP).is_file():
        with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
            work = Path(scratch) / "chip"
            bits = _write(design, level, work, own, tools, icebox, pins, seed, bitstream, progress)
            with atomic_directory(place) as kept:
                shutil.copyfile(work / _CHIP, kept / _CHIP)
                (kept / _ABOUT).write_text(json.dumps(bits))
    return Chip(
        level=level,
        verilog=place / _CHIP,
        module="chip" if level == "bitstream" else "top",
        pins=pins,
        divisor=uart_divisor(described.clock_mhz * 1e6, BAUD),
        reset_cycles=1 << reset_timer_bits(described.clock_mhz),
        about={**about, **json.loads((place / _ABOUT).read_text())},
    )


def _key(how: Sequence[object], sources: Sequence[Path]) -> str:
    """A hash of all that decides a chip: how it is made, by which code, and of what."""
    digest = hashlib.sha256(json.dumps(how).encode())
    code = [path for folder in _MAKERS for path in sorted(folder.rglob("*")) if path.is_file()]
    for path in [*(path for path in code if path.suffix in _CODE), *sources]:
        digest.update(f"{path.name}\0{file_sha256(path)}\n".encode())
    return digest.hexdigest()[:24]


def _identities(tools: dict[str, Tool], icebox: Icebox | None) -> list[list[object]]:
    """What tells programs apart that lie on PATH, besides the version that they may not say."""
    programs = [Path(tool.command[0]) for tool in tools.values() if tool.native]
    programs += [icebox.script] if icebox is not None else []
    return [[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in programs]


def _tools(level: ChipLevel, own: Family, *, built: bool) -> dict[str, Tool]:
    names = {
        "netlist": ("yosys",),
        "routed": own.tools,
        "bitstream": (*(own.tools if built else ()), "iceunpack"),
    }
    return {name: find_tool(name) for name in names[level]}


def _versions(tools: dict[str, Tool]) -> dict[str, str]:
    return {name: tool.version for name, tool in tools.items()}


def _pins(constraints: Path) -> Pins:
    """The pins of a board's top, from its constraints."""
    if not constraints.is_file():
        raise UserError(
            f"{constraints.parent} has no {constraints.name}; make it with: spikeloom generate"
        )
    text = constraints.read_text()
    names = re.findall(r"^set_io (\S+)", text, re.MULTILINE)
    clocks = re.findall(r"^set_frequency (\S+)", text, re.MULTILINE)
    if len(clocks) != 1 or not {RX, TX, *clocks} <= set(names):
        raise UserError(f"{constraints} lacks a pin of the clock or the serial line")
    others = tuple(name for name in names if name not in (RX, TX, *clocks))
    return Pins(clock=clocks[0], rx=RX, tx=TX, others=others)


def _write(
    design: Path,
    level: ChipLevel,
    work: Path,
    own: Family,
    tools: dict[str, Tool],
    icebox: Icebox | None,
    pins: Pins,
    seed: int,
    bitstream: Path | None,
    progress: Progress,
) -> dict[str, object]:
    """Make the chip's Verilog in `work`, and tell of the bitstream behind it."""
    if level == "netlist":
        work.mkdir()
        _copy(design, work)
        with progress.step("yosys: logic to cells"):
            yosys.synthesize(tools["yosys"], work, family=own, note=progress.note)
    elif bitstream is None:
        described: Design = load_design(design)
        synthesize(
            design,
            target=find_target(described.target),
            directory=work,
            seeds=(seed,),
            progress=progress,
            written=True,
        )
    else:
        work.mkdir()
        shutil.copyfile(bitstream, work / own.bitstream)
        shutil.copyfile(design / own.constraints, work / own.constraints)
    about: dict[str, object] = {}
    if level != "netlist":
        about["bitstream_sha256"] = file_sha256(work / own.bitstream)
    if icebox is not None:
        with progress.step("icebox_vlog: bits to Verilog"):
            names = (own.bitstream, own.constraints)
            run_tool(tools["iceunpack"], [names[0], "read.asc"], folder=work, log="iceunpack.log")
            text = reads_back(icebox, work, clock=pins.clock, constraints=names[1])
        types = cells.instances(text)
        shipped = yosys.cell_models(find_tool("yosys"), MODELS)
        (work / _CHIP).write_text(cells.models(types, shipped) + text)
        return about
    netlist = cells.read_netlist(work / (yosys.NETLIST if level == "netlist" else nextpnr.ROUTED))
    if level == "routed":
        cells.restore(netlist, clock=pins.clock)
    (work / "restored.json").write_text(json.dumps(netlist))
    with progress.step("yosys: cells to Verilog"):
        yosys.to_verilog(tools["yosys"], work, netlist="restored.json", verilog="cells.v")
    shipped = yosys.cell_models(tools["yosys"], MODELS)
    text = cells.models(cells.cell_types(netlist), shipped) + (work / "cells.v").read_text()
    (work / _CHIP).write_text(text)
    return about


def _copy(design: Path, work: Path) -> None:
    for pattern in ("*.v", "*.mem"):
        for path in design.glob(pattern):
            shutil.copyfile(path, work / path.name)
