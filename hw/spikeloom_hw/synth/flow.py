"""The whole way from a design's folder to its bitstream.

::

    core.v, top.v, *.mem ──► yosys ──► top.json ──► nextpnr ──► top.asc ──► icepack ──► top.bin
                            top.pcf ────────────────┘

All of it happens in a working folder that appears under its final name only when the bitstream
exists. When a tool fails or a limit is missed, what was made so far, logs first of all, is kept
beside it in `NAME.failed`.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from spikeloom.errors import UserError
from spikeloom.files import atomic_directory, write_step
from spikeloom_hw.boards.files import check_top
from spikeloom_hw.generate import DESIGN, Design, load_design
from spikeloom_hw.synth import nextpnr, yosys
from spikeloom_hw.synth.nextpnr import CriticalPath, Placement, Usage
from spikeloom_hw.synth.tools import Tool, ToolError, find_tool, run_tool
from spikeloom_hw.targets import Target

BITSTREAM = "top.bin"
NEEDED = ("top.v", "top.pcf")


class Progress(Protocol):
    """Who is told how far the flow is: a `spikeloom.cli.console.Console`, for one."""

    def step(self, text: str) -> AbstractContextManager[None]:
        """A step that lasts as long as the context."""
        ...

    def note(self, text: str) -> None:
        """A line for the reader."""
        ...


@dataclass(frozen=True, kw_only=True)
class Synthesis:
    """A bitstream, and what is known of it; the content of `synth.json`.

    Attributes:
        target: name of the preset.
        seed: of nextpnr's placer.
        fmax_mhz: the highest frequency nextpnr vouches for.
        constraint_mhz: the frequency the design runs at.
        utilization: used and available, by resource.
        bitstream: path of the bitstream.
        sha256: of the bitstream.
        tools: version of each tool, by name.
        seconds: of the whole flow.
        critical_path: the slowest path of the core's clock.
        network_sha256: the network in it; None for a design that does not say.
        lanes: of each layer; None for a design that does not say.
    """

    target: str
    seed: int
    fmax_mhz: float
    constraint_mhz: float
    utilization: dict[str, Usage]
    bitstream: Path
    sha256: str
    tools: dict[str, str]
    seconds: float
    critical_path: CriticalPath | None
    network_sha256: str | None
    lanes: list[int] | None

    def document(self) -> dict[str, Any]:
        """Plain values, as `synth.json` holds them."""
        return asdict(self)


def synthesize(
    design: Path, *, target: Target, directory: Path, seed: int = 1, progress: Progress
) -> Synthesis:
    """Turn the design in `design` into a bitstream in `directory`.

    Args:
        design: folder with `top.v`, `top.pcf` and the memory contents.
        target: the board it was made for.
        directory: where the results go; replaced as a whole.
        seed: of nextpnr's placer; the same seed and tools give the same bitstream.
        progress: is told of each step.

    Raises:
        UserError: a file or tool is missing, the design does not fit, or it is too slow.
    """
    check_top(target)
    sources = _sources(design)
    described = _description(design, target)
    tools = {name: find_tool(name) for name in ("yosys", "nextpnr-ice40", "icepack")}
    started = time.perf_counter()
    with atomic_directory(directory) as work:
        for source in sources:
            shutil.copyfile(source, work / source.name)
        try:
            placement = _run(work, tools, target=target, seed=seed, progress=progress)
        except ToolError as error:
            raise UserError(f"{error}; see {_keep(work, directory)}") from error
        data = (work / BITSTREAM).read_bytes()
        result = Synthesis(
            target=target.name,
            seed=seed,
            fmax_mhz=placement.fmax_mhz,
            constraint_mhz=target.core_clock_mhz,
            utilization=placement.utilization,
            bitstream=directory / BITSTREAM,
            sha256=hashlib.sha256(data).hexdigest(),
            tools={name: tool.version for name, tool in tools.items()},
            seconds=round(time.perf_counter() - started, 3),
            critical_path=placement.critical_path,
            network_sha256=described.network_sha256 if described else None,
            lanes=[layer.lanes for layer in described.layers] if described else None,
        )
        write_step(work, "synth", result.seconds, result.document())
    shutil.rmtree(_failed(directory), ignore_errors=True)
    return result


def _sources(design: Path) -> Sequence[Path]:
    for name in NEEDED:
        if not (design / name).is_file():
            raise UserError(f"{design} has no {name}; make it with: spikeloom generate")
    sources = (path for pattern in ("*.v", "*.pcf", "*.mem") for path in design.glob(pattern))
    return sorted(sources)


def _description(design: Path, target: Target) -> Design | None:
    """What the design says about itself, if it does; refuses one for another target."""
    if not (design / DESIGN).is_file():
        return None
    described = load_design(design)
    if described.target != target.name:
        raise UserError(
            f"{design} was generated for {described.target}; generate it for {target.name}"
        )
    return described


def _run(
    work: Path, tools: dict[str, Tool], *, target: Target, seed: int, progress: Progress
) -> Placement:
    with progress.step("yosys: logic to cells"):
        yosys.synthesize(tools["yosys"], work, note=progress.note)
    with progress.step(f"nextpnr: place and route, seed {seed}"):
        placement = nextpnr.place_and_route(
            tools["nextpnr-ice40"], work, target=target, seed=seed, note=progress.note
        )
    _check_timing(placement, target)
    with progress.step("icepack: bitstream"):
        arguments = [nextpnr.PLACED, BITSTREAM]
        run_tool(tools["icepack"], arguments, folder=work, log="icepack.log", note=progress.note)
    return placement


def _check_timing(placement: Placement, target: Target) -> None:
    required = target.core_clock_mhz
    # nextpnr rounds a period to a picosecond.
    if placement.constraint_mhz < required * 0.999:
        raise ToolError(
            f"nextpnr checked the clock against {placement.constraint_mhz:.2f} MHz, "
            f"but {target.name} runs at {required:g} MHz"
        )
    if placement.fmax_mhz < required:
        path = placement.critical_path
        where = f" (slowest path: {path.start} to {path.end})" if path else ""
        raise ToolError(
            f"timing is not met on {target.name}: the design reaches {placement.fmax_mhz:.2f} MHz "
            f"and needs {required:g} MHz{where}; try another --seed or fewer --lanes"
        )


def _failed(directory: Path) -> Path:
    return directory.with_name(f"{directory.name}.failed")


def _keep(work: Path, directory: Path) -> Path:
    """Copy what a failed run made to a folder of its own."""
    with atomic_directory(_failed(directory)) as kept:
        shutil.copytree(work, kept, dirs_exist_ok=True)
    return _failed(directory)
