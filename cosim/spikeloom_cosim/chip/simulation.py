"""Compiles the bench of a chip, and runs it on some samples."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from spikeloom_cosim import verilator
from spikeloom_cosim.bench import TOP, render
from spikeloom_cosim.build import Build, build_program
from spikeloom_cosim.chip.level import Chip
from spikeloom_cosim.chip.outcome import OUTCOME, Outcome
from spikeloom_cosim.toolchain import Toolchain
from spikeloom_hw.host.uart import FRAME_BITS

RECEIVED = "received.bin"
_SCRIPT = "script.bin"
_RECORD = 8
_TEMPLATE = "pins.sv.j2"


def build_chip(chip: Chip, *, tools: Toolchain, cache: Path | None = None) -> Build:
    """Compile a chip with its bench, or find it compiled.

    Raises:
        UserError: the chip does not compile, or the cache cannot be written.
    """
    bench = render(
        _TEMPLATE,
        module=chip.module,
        pins=asdict(chip.pins),
        divisor=chip.divisor,
        reset_cycles=chip.reset_cycles,
    )
    return build_program(chip.verilog, bench, tools=tools, cache=cache)


def run_chip(
    build: Build, script: NDArray[np.uint32], *, folder: Path, divisor: int, latency: int
) -> tuple[Outcome, NDArray[np.uint8], int]:
    """Play a script to a chip.

    Args:
        build: the compiled chip.
        script: what the host sends and waits for.
        folder: made for this run.
        divisor: cycles of a bit.
        latency: cycles that the slowest sample takes.

    Returns:
        How it ended, all bytes received, and how many of them had no stop bit.

    Raises:
        SimulationError: the simulator broke down.
    """
    folder.mkdir(parents=True)
    # $fread takes the first byte of a file as the highest one.
    script.astype(">u4").tofile(folder / _SCRIPT)
    patience = 10_000 + 2 * latency + 64 * FRAME_BITS * divisor
    log = folder / "simulation.log"
    verilator.run_program(
        build.folder / TOP, folder=folder, log=log, plusargs={"patience": patience}
    )
    if not (folder / OUTCOME).exists():
        raise verilator.broke_down(log)
    outcome = msgspec.json.decode((folder / OUTCOME).read_bytes(), type=Outcome)
    words = np.fromfile(folder / RECEIVED, dtype="<u4").reshape(-1, 2)[:, 0]
    if len(words) != outcome.received:
        raise verilator.SimulationError(
            f"{outcome.received} bytes were received and {len(words)} recorded"
        )
    return outcome, (words & 0xFF).astype(np.uint8), int((words >> 8).sum())


def received_bytes(folder: Path) -> int:
    """Bytes that a run in `folder` has received so far."""
    try:
        return (folder / RECEIVED).stat().st_size // _RECORD
    except OSError:
        return 0
