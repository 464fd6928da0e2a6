"""Runs some of the samples in every mode, and compares: what one process does at a time.

Traces of a whole test set would fill the memory; a chunk of it does not, and brings its own
reference and cycle model to the processor that simulates it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeloom_cosim.build import Build
from spikeloom_cosim.checker import Verdict, check
from spikeloom_cosim.core import Core
from spikeloom_cosim.expectation import Expectation
from spikeloom_cosim.measurement import Measurement
from spikeloom_cosim.monitor import Recording
from spikeloom_cosim.simulation import SEEDS, Mode, Round, Watchdog, run_rounds

Model = Callable[[NDArray[np.bool_]], Expectation]
"""What the core must do on events, bool [samples, steps, inputs]."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Chunk:
    """Samples that follow each other.

    Attributes:
        start: number of the first.
        events: bool [samples, steps, inputs].
        seed: of the stress mode's pauses and orders.
    """

    start: int
    events: NDArray[np.bool_]
    seed: int


def chunks_of(events: NDArray[np.bool_], size: int, *, seed: int) -> Iterator[Chunk]:
    """All samples, at most `size` at a time; every chunk has a seed of its own."""
    for number, start in enumerate(range(0, len(events), size)):
        part = events[start : start + size]
        yield Chunk(start=start, events=part, seed=(seed + number) % SEEDS)


@dataclass(frozen=True, kw_only=True)
class ModeResult:
    """One run: its mode, what was found, its length in cycles and in seconds."""

    mode: Mode
    verdict: Verdict
    cycles: int
    seconds: float


@dataclass(frozen=True, kw_only=True, eq=False)
class ChunkResult:
    """What the runs of a chunk found and measured; None for a measurement that lacks results."""

    samples: int
    modes: tuple[ModeResult, ...]
    measurement: Measurement | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Bench:
    """What it takes to run samples, for a process of its own.

    Attributes:
        build: the compiled core.
        core: the core.
        model: what it must do.
        modes: which modes to run.
        threads: modes that run at once.
    """

    build: Build
    core: Core
    model: Model
    modes: Sequence[Mode]
    threads: int

    def __call__(self, chunk: Chunk) -> ChunkResult:
        """Run a chunk.

        Raises:
            SimulationError: the simulator broke down.
        """
        expected = self.model(chunk.events)
        watchdog = Watchdog.of(expected.latency)

        def run(mode: Mode) -> tuple[ModeResult, Recording]:
            return self._run(expected, mode, seed=chunk.seed, watchdog=watchdog, work=work)

        with (
            tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch,
            ThreadPoolExecutor(self.threads) as pool,
        ):
            work = Path(scratch)
            runs = list(pool.map(run, self.modes))
        recordings = [(result.mode, recording) for result, recording in runs]
        return ChunkResult(
            samples=expected.samples,
            modes=tuple(result for result, _ in runs),
            measurement=Measurement.of(expected, self.core.shape, recordings),
        )

    def _run(
        self, expected: Expectation, mode: Mode, *, seed: int, watchdog: Watchdog, work: Path
    ) -> tuple[ModeResult, Recording]:
        started = time.perf_counter()
        recording = run_rounds(
            self.build,
            self.core,
            [Round.of(self.core, expected.trace.events)],
            mode,
            folder=work / mode.name,
            seed=seed,
            watchdog=watchdog,
        )
        verdict = check(
            expected,
            recording,
            self.core.shape,
            mode=mode,
            seed=seed,
        )
        seconds = time.perf_counter() - started
        cycles = recording.outcome.cycles
        return ModeResult(mode=mode, verdict=verdict, cycles=cycles, seconds=seconds), recording
