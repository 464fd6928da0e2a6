"""Runs the first failing sample once more, with waves, and leaves all that explains the failure."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import msgspec

from spikeloom.files import atomic_directory, atomic_write, to_json
from spikeloom_cosim.build import build_bench
from spikeloom_cosim.checker import check
from spikeloom_cosim.core import Core
from spikeloom_cosim.divergence import Divergence
from spikeloom_cosim.driver import write_loads
from spikeloom_cosim.expectation import Expectation
from spikeloom_cosim.simulation import ISOLATED, WAVES, Mode, Round, Watchdog, run_rounds
from spikeloom_cosim.toolchain import Toolchain

FAILURE = "divergence.json"


@dataclass(frozen=True, kw_only=True)
class Replay:
    """A failure, reproduced.

    Attributes:
        folder: holds the waves, the core, its memories and what it was loaded with, and the
            divergence as JSON.
        waves: the VCD file.
        alone: the sample fails by itself; if not, the waves start where it enters after all the
            samples before it.
    """

    folder: Path
    waves: Path
    alone: bool


def replay(
    core: Core,
    expected: Expectation,
    divergence: Divergence,
    mode: Mode,
    *,
    tools: Toolchain,
    seed: int,
    folder: Path,
    reported: Divergence | None = None,
) -> Replay:
    """Reproduce `divergence` with waves, and keep the result as `folder`.

    Args:
        core: the core that failed.
        expected: of all samples of the failing run.
        divergence: what was found.
        mode: the mode of the failing run.
        tools: what compiles the bench.
        seed: of the failing run.
        folder: made anew.
        reported: the difference as the report names it; None takes `divergence`.
    """
    sample = expected.samples - 1 if divergence.sample is None else divergence.sample
    sample = min(sample, expected.samples - 1)
    build = build_bench(core.verilog, core.shape, tools=tools, waves=True)
    watchdog = Watchdog.of(expected.latency)
    attempts = [
        (expected.only(sample), ISOLATED, 0),
        (expected.until(sample), mode, sample),
    ]
    with atomic_directory(folder) as place:
        alone = True
        for number, (part, how, first) in enumerate(attempts):
            run = place / f"run{number}"
            recording = run_rounds(
                build,
                core,
                [Round.of(core, part.trace.events)],
                how,
                folder=run,
                seed=seed,
                watchdog=watchdog,
                waves_from=first,
            )
            alone = number == 0
            (run / WAVES).replace(place / WAVES)
            shutil.rmtree(run)
            verdict = check(
                part,
                recording,
                core.shape,
                mode=how,
                seed=seed,
            )
            if not verdict.equal:
                break
        for file in (core.verilog, *core.memories):
            shutil.copy(file, place)
        if core.loads is not None:
            write_loads(place, [core.loads])
        atomic_write(place / FAILURE, to_json(msgspec.to_builtins(reported or divergence)))
    return Replay(folder=folder, waves=folder / WAVES, alone=alone)
