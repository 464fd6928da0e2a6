"""Runs a compiled test bench on samples, in one of three modes.

| mode      | events                                  | scores           | what it is for        |
| --------- | --------------------------------------- | ---------------- | --------------------- |
| isolated  | a sample waits for the last one's result | taken at once    | latency of a sample   |
| streaming | samples back to back                    | taken at once    | throughput, overlap   |
| stress    | random pauses, random order in a step   | taken hesitantly | nothing lost or moved |
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from spikeloom_cosim import play, verilator
from spikeloom_cosim.bench import TOP
from spikeloom_cosim.build import Build
from spikeloom_cosim.core import Core
from spikeloom_cosim.driver import event_words, write_events, write_loads, write_strikes
from spikeloom_cosim.monitor import Recording, read_recording
from spikeloom_cosim.outcome import OUTCOME

WAVES = "waves.vcd"
CHANCES = 256
"""The bench's probabilities count in 256ths."""
SEEDS = 1 << 31
"""Seeds are 0 ... SEEDS - 1."""


def round_seed(seed: int, number: int) -> int:
    """The seed of the order of events in round `number` of a run."""
    return (seed + number) % SEEDS


@dataclass(frozen=True, kw_only=True)
class Mode:
    """How events are offered and scores taken.

    Attributes:
        name: for reports.
        isolated: a sample's first event waits until the last score before it is taken.
        idle: chance of a pause before an event, in 256ths.
        stall: chance that a score is not taken in a cycle, in 256ths.
        shuffled: the spikes of a step come in random order.
    """

    name: str
    isolated: bool = False
    idle: int = 0
    stall: int = 0
    shuffled: bool = False

    @property
    def full_rate(self) -> bool:
        """Neither side ever pauses, so that the time of every result is determined."""
        return not (self.isolated or self.idle or self.stall)


ISOLATED = Mode(name="isolated", isolated=True)
STREAMING = Mode(name="streaming")
STRESS = Mode(name="stress", idle=CHANCES // 3, stall=CHANCES // 2, shuffled=True)
MODES = (ISOLATED, STREAMING, STRESS)


@dataclass(frozen=True, kw_only=True, eq=False)
class Round:
    """Samples that follow each other, and what the core is loaded with before them.

    Attributes:
        events: bool [samples, steps, inputs].
        loads: uint64, payload by payload; None for a core that has its contents from the start.
        strike: cycles before a reset of one cycle, which ends the round; 0: there is none.
    """

    events: NDArray[np.bool_]
    loads: NDArray[np.uint64] | None = None
    strike: int = 0

    @classmethod
    def of(cls, core: Core, events: NDArray[np.bool_]) -> Self:
        """Samples for a core, loaded with its own network."""
        return cls(events=events, loads=core.loads)


@dataclass(frozen=True, kw_only=True)
class Watchdog:
    """When a run without an end is ended.

    Attributes:
        patience: cycles without any transfer.
        limit: cycles of the whole run.
    """

    patience: int
    limit: int

    @classmethod
    def of(cls, latency: NDArray[np.int64]) -> Self:
        """Bounds for samples of these latencies, that no healthy core reaches in any mode."""
        # The longest silence of a core is shorter than a sample; the stress mode adds pauses of
        # some hundred cycles, and makes a run about twice as long.
        patience = 10_000 + 2 * int(latency.max())
        return cls(patience=patience, limit=4 * patience + 16 * int(latency.sum()))


def run_rounds(
    build: Build,
    core: Core,
    rounds: Sequence[Round],
    mode: Mode,
    *,
    folder: Path,
    seed: int,
    watchdog: Watchdog,
    waves_from: int | None = None,
    options: Mapping[str, int | None] | None = None,
) -> Recording:
    """Play samples to a core, in one round or several without a reset between them.

    Args:
        build: the compiled core.
        core: its ports and what fills its memories; its `loads` are those of `Round.of`.
        rounds: at least one.
        mode: how events are offered.
        folder: made for this run; everything it reads and writes is in there.
        seed: of the pauses and the order of events, below `SEEDS`.
        watchdog: ends a run that comes to no end.
        waves_from: sample from which `WAVES` is written; the build must be able to.
        options: more arguments for the simulator, as `+NAME=VALUE`; None is one without a value.

    Returns:
        What was recorded, all rounds in one; the counters are those at the end.

    Raises:
        SimulationError: the simulator broke down.
    """
    folder.mkdir(parents=True)
    for memory in core.memories:
        shutil.copy(memory, folder)
    loads = [own.loads for own in rounds if own.loads is not None]
    if loads:
        write_loads(folder, loads)
    words = [
        event_words(
            own.events, core.shape, shuffle=round_seed(seed, number) if mode.shuffled else None
        )
        for number, own in enumerate(rounds)
    ]
    write_events(folder, words)
    if any(own.strike for own in rounds):
        write_strikes(folder, [own.strike for own in rounds])
    settings: dict[str, int | None] = {
        "rounds": len(rounds),
        "idle": mode.idle,
        "stall": mode.stall,
        "random": seed,
        "patience": watchdog.patience,
        "limit": watchdog.limit,
        **(options or {}),
    }
    if mode.isolated:
        settings["isolated"] = None
    if waves_from is not None:
        settings["waves_from"] = waves_from
    log = folder / "simulation.log"
    if build.alone:
        verilator.run_program(build.folder / TOP, folder=folder, log=log, plusargs=settings)
        return read_recording(folder, core.shape)
    ran, failed = verilator.run_bench(
        build=build.folder,
        top=TOP,
        module=play.__name__,
        folder=folder,
        log=log,
        plusargs=settings,
    )
    if not (folder / OUTCOME).exists():
        raise verilator.broke_down(log)
    recording = read_recording(folder, core.shape)
    outcome = recording.outcome
    if ran != 1 or bool(failed) != bool(outcome.hung or outcome.unstable):
        raise verilator.SimulationError(
            f"the cocotb test reported {failed} of {ran} failed, which its outcome contradicts"
        )
    return recording
