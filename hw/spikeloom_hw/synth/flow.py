"""The whole way from a design's folder to its bitstream.

::

    core.v, top.v, *.mem ──► yosys ──► top.json ──► nextpnr ──► top.asc     ──► icepack ──► top.bin
                     top.pcf, top.lpf ──────┘   once a seed     top.config  ──► ecppack ──► top.bit

What differs between families is in :mod:`spikeloom_hw.synth.families`. nextpnr may run for several
seeds of its placer, side by side; the fastest result is kept, and the others' clocks are recorded.

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
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from spikeloom.errors import UserError
from spikeloom.files import atomic_directory, write_step
from spikeloom_hw.boards.files import check_top
from spikeloom_hw.generate import DESIGN, Design, load_design
from spikeloom_hw.synth import nextpnr, yosys
from spikeloom_hw.synth.families import Family, family
from spikeloom_hw.synth.nextpnr import Attempt, Placement
from spikeloom_hw.synth.result import SeedResult, Spread, Synthesis
from spikeloom_hw.synth.tools import Tool, ToolError, find_tool, run_tool
from spikeloom_hw.targets import Target

# How far a PLL's clock may be from what was asked for, and nextpnr's rounding to a picosecond.
_PLL_ERROR = 0.006
_ROUNDING = 2e-4


class Track(Protocol):
    """Progress over a number of runs."""

    def advance(self, amount: int = 1, text: str | None = None) -> None:
        """So many more are done."""
        ...


class Progress(Protocol):
    """Who is told how far the flow is: a `spikeloom.cli.console.Console`, for one."""

    def step(self, text: str) -> AbstractContextManager[None]:
        """A step that lasts as long as the context."""
        ...

    def track(self, source: int, text: str, /) -> AbstractContextManager[Track]:
        """Progress over `source` runs, for as long as the context."""
        ...

    def note(self, text: str) -> None:
        """A line for the reader."""
        ...


def synthesize(
    design: Path,
    *,
    target: Target,
    directory: Path,
    seeds: Sequence[int] = (1,),
    jobs: int = 1,
    progress: Progress,
    written: bool = False,
) -> Synthesis:
    """Turn the design in `design` into a bitstream in `directory`.

    Args:
        design: folder with `top.v`, its pins and clocks, and the memory contents.
        target: the board it was made for.
        directory: where the results go; replaced as a whole.
        seeds: of nextpnr's placer, each one once; the fastest result is kept. The same seed and
            tools give the same bitstream.
        jobs: seeds at once.
        progress: is told of each step.
        written: leave the placed and routed netlist as `nextpnr.ROUTED`, too.

    Raises:
        UserError: a file or tool is missing, the design does not fit, or it is too slow.
    """
    check_top(target)
    own = family(target)
    sources = _sources(design, own)
    described = _description(design, target)
    if described:
        target = replace(target, core_clock_mhz=described.clock_mhz)
    tools = {name: find_tool(name) for name in own.tools}
    started = time.perf_counter()
    with atomic_directory(directory) as work:
        for source in sources:
            shutil.copyfile(source, work / source.name)
        try:
            attempts, placement = _run(
                work,
                tools,
                target=target,
                seeds=seeds,
                jobs=jobs,
                progress=progress,
                written=written,
            )
        except ToolError as error:
            raise UserError(f"{error}; see {_keep(work, directory)}") from error
        data = (work / own.bitstream).read_bytes()
        result = Synthesis(
            target=target.name,
            seed=next(each.seed for each in attempts if each.placement is placement),
            fmax_mhz=placement.fmax_mhz,
            constraint_mhz=target.core_clock_mhz,
            fmax_spread_mhz=Spread.of(attempts),
            seeds=tuple(map(SeedResult.of, attempts)),
            utilization=placement.utilization,
            bitstream=directory / own.bitstream,
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


def _sources(design: Path, own: Family) -> Sequence[Path]:
    for name in ("top.v", own.constraints):
        if not (design / name).is_file():
            raise UserError(f"{design} has no {name}; make it with: spikeloom generate")
    sources = (path for pattern in ("*.v", "*.mem") for path in design.glob(pattern))
    return [*sorted(sources), design / own.constraints]


def _description(design: Path, target: Target) -> Design | None:
    """What the design says about itself, if it does; refuses one for another target."""
    if not (design / DESIGN).is_file():
        return None
    described = load_design(design)
    if described.target != target.name:
        raise UserError(
            f"{design} was generated for {described.target}; generate it for {target.name}"
        )
    if lacking := [name for name in described.files if not (design / name).is_file()]:
        raise UserError(f"{design} lacks {lacking[0]}; generate the design again")
    return described


def _run(
    work: Path,
    tools: dict[str, Tool],
    *,
    target: Target,
    seeds: Sequence[int],
    jobs: int,
    progress: Progress,
    written: bool,
) -> tuple[list[Attempt], Placement]:
    """Every attempt, and the placement of the fastest, of which the bitstream is made."""
    own = family(target)
    with progress.step("yosys: logic to cells"):
        yosys.synthesize(tools["yosys"], work, family=own, note=progress.note)
    with progress.step(f"nextpnr: place and route, {_named(seeds, jobs)}"):
        attempts = _place(
            work,
            tools[own.placer],
            target=target,
            seeds=seeds,
            jobs=jobs,
            progress=progress,
            written=written,
        )
    chosen = max(attempts, key=lambda each: each.placement.fmax_mhz if each.placement else 0.0)
    nextpnr.keep(work, attempts, chosen)
    if chosen.placement is None:
        none = f"none of {len(attempts)} seeds was placed and routed: "
        raise ToolError(f"{none if len(attempts) > 1 else ''}{chosen.failure}")
    for attempt in attempts:
        if attempt.failure:
            progress.note(f"seed {attempt.seed}: {attempt.failure}")
    _check_timing(chosen.placement, target, attempts)
    with progress.step(f"{own.packer}: bitstream"):
        arguments = [
            word.format(placed=own.placed, bitstream=own.bitstream) for word in own.packer_arguments
        ]
        log = f"{own.packer}.log"
        run_tool(tools[own.packer], arguments, folder=work, log=log, note=progress.note)
    return attempts, chosen.placement


def _place(
    work: Path,
    tool: Tool,
    *,
    target: Target,
    seeds: Sequence[int],
    jobs: int,
    progress: Progress,
    written: bool,
) -> list[Attempt]:
    with progress.track(len(seeds), "seeds") as track:
        return nextpnr.place_and_route(
            tool,
            work,
            target=target,
            seeds=seeds,
            jobs=jobs,
            note=progress.note,
            ended=lambda _seed: track.advance(),
            written=written,
        )


def _named(seeds: Sequence[int], jobs: int) -> str:
    if len(seeds) == 1:
        return f"seed {seeds[0]}"
    return f"{len(seeds)} seeds, {min(jobs, len(seeds))} at once"


def _check_timing(placement: Placement, target: Target, attempts: Sequence[Attempt]) -> None:
    required, checked = target.core_clock_mhz, placement.constraint_mhz
    if abs(checked / required - 1) > _PLL_ERROR:
        raise ToolError(
            f"nextpnr checked the clock against {checked:.2f} MHz, "
            f"but the design is to run at {required:g} MHz; generate it again"
        )
    # The PLL may make a little more than was asked for.
    if placement.fmax_mhz < max(required, checked * (1 - _ROUNDING)):
        path = placement.critical_path
        where = f" (slowest path: {path.start} to {path.end})" if path else ""
        reached = f"{placement.fmax_mhz:.2f} MHz"
        if len(attempts) > 1:
            reached += f" with the best of {len(attempts)} seeds"
        advice = "try more --seeds" if len(attempts) > 1 else "try several --seeds"
        raise ToolError(
            f"timing is not met on {target.name}: the design reaches {reached} "
            f"and needs {required:g} MHz{where}; {advice} or fewer --lanes"
        )


def _failed(directory: Path) -> Path:
    return directory.with_name(f"{directory.name}.failed")


def _keep(work: Path, directory: Path) -> Path:
    """Copy what a failed run made to a folder of its own."""
    with atomic_directory(_failed(directory)) as kept:
        shutil.copytree(work, kept, dirs_exist_ok=True)
    return _failed(directory)
