"""Compares a core with the integer reference on many samples: values and cycles, in every mode."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from spikeloom.results import Result
from spikeloom_cosim.build import build_bench
from spikeloom_cosim.chunk import Bench, Chunk, ChunkResult, Model, chunks_of
from spikeloom_cosim.core import Core
from spikeloom_cosim.divergence import KINDS, Divergence, Found
from spikeloom_cosim.drilldown import FAILURE, Replay, replay
from spikeloom_cosim.measurement import Cycles, Measurement
from spikeloom_cosim.simulation import MODES, Mode
from spikeloom_cosim.toolchain import Toolchain
from spikeloom_cosim.work import LayerWork

CHUNK = 500
"""Samples that follow each other in one simulation."""


@dataclass(frozen=True, kw_only=True)
class ModeTotal:
    """One mode, over all samples: mismatches of each kind, cycles, and seconds of its runs."""

    name: str
    mismatches: Counter[str]
    cycles: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class CoreResult(Result):
    """Everything about one core.

    Attributes:
        lanes: of each layer.
        loaded: the network was loaded into a core that runs any within its capacity.
        samples: number of samples.
        modes: the runs.
        cycles: what was measured; None when a run lacks results.
        layers: what each layer did at full rate, by the chip's counters; None when a run lacks
            results.
        build_seconds: compilation of the bench, near 0 when it was cached.
        seconds: all of it.
        first: the first difference of all modes.
        replay: what reproduces it.
    """

    lanes: tuple[int, ...]
    loaded: bool
    samples: int
    modes: tuple[ModeTotal, ...]
    cycles: Cycles | None
    layers: tuple[LayerWork, ...] | None
    build_seconds: float
    seconds: float
    first: Divergence | None = None
    replay: Replay | None = None

    @property
    def mismatches(self) -> Counter[str]:
        """Differences of each kind, over all modes."""
        return sum((run.mismatches for run in self.modes), Counter[str]())

    @property
    def exact(self) -> bool:
        """Whether nothing differs."""
        return self.first is None

    def document(self) -> dict[str, Any]:
        """The result as plain values, for JSON."""
        counts = self.mismatches
        return {
            "lanes": list(self.lanes),
            "loaded": self.loaded,
            "samples": self.samples,
            **{f"{kind}_mismatches": counts[kind] for kind in KINDS},
            "first_divergence": None if self.first is None else msgspec.to_builtins(self.first),
            "waves": None if self.replay is None else str(self.replay.waves),
            "cycles": None if self.cycles is None else msgspec.to_builtins(self.cycles),
            "layers": None if self.layers is None else msgspec.to_builtins(self.layers),
            "seconds": round(self.seconds, 3),
            "build_seconds": round(self.build_seconds, 3),
            "modes": [
                {
                    "name": run.name,
                    "mismatches": run.mismatches.total(),
                    "cycles": run.cycles,
                    "seconds": round(run.seconds, 3),
                }
                for run in self.modes
            ],
        }


def verify_core(
    core: Core,
    events: NDArray[np.bool_],
    model: Model,
    *,
    tools: Toolchain,
    seed: int,
    failure_folder: Path,
    modes: Sequence[Mode] = MODES,
    jobs: int | None = None,
    chunk: int = CHUNK,
    advance: Callable[[int], object] = lambda _samples: None,
) -> CoreResult:
    """Run `core` on samples in every mode, and compare everything.

    Args:
        core: the core under test.
        events: bool [samples, steps, inputs].
        model: what the core must do on them; goes to other processes.
        tools: what compiles the bench.
        seed: of the stress mode's pauses and orders.
        failure_folder: made if the core fails: waves of the first failing sample. One that an
            earlier failure left is removed if it does not.
        modes: which modes to run.
        jobs: simulations at once; None takes one a processor.
        chunk: samples that follow each other in one simulation.
        advance: told how many more samples are done.

    Raises:
        UserError: the core does not compile.
        SimulationError: the simulator broke down.
    """
    started = time.perf_counter()
    jobs = jobs or os.cpu_count() or 1
    build = build_bench(core.verilog, core.shape, tools=tools)
    chunks = list(chunks_of(events, chunk, seed=seed))
    processes = min(jobs, len(chunks))
    threads = min(len(modes), max(1, jobs // processes))
    bench = Bench(build=build, core=core, model=model, modes=modes, threads=threads)
    results: list[ChunkResult] = []
    with _mapped(bench, chunks, processes=processes) as running:
        for result in running:
            results.append(result)
            advance(result.samples)
    first = reproduced = None
    failed = next((at for at, result in enumerate(results) if _earliest(result)), None)
    if failed is not None:
        found, mode = _earliest(results[failed])[0]
        first = _in_all(found.first, chunks[failed])
        reproduced = replay(
            core,
            model(chunks[failed].events),
            found.first,
            mode,
            tools=tools,
            seed=chunks[failed].seed,
            folder=failure_folder,
            reported=first,
        )
    elif (failure_folder / FAILURE).is_file():
        shutil.rmtree(failure_folder)
    measurement = Measurement.together(result.measurement for result in results)
    return CoreResult(
        lanes=core.lanes,
        loaded=core.loads is not None,
        samples=len(events),
        modes=tuple(_total(results, number) for number in range(len(modes))),
        cycles=None if measurement is None else measurement.summary(core.shape),
        layers=None if measurement is None else measurement.layers(core.shape),
        build_seconds=build.seconds,
        seconds=time.perf_counter() - started,
        first=first,
        replay=reproduced,
    )


@contextmanager
def _mapped(
    bench: Bench, chunks: list[Chunk], *, processes: int
) -> Iterator[Iterator[ChunkResult]]:
    if processes == 1:
        yield map(bench, chunks)
        return
    # A process that starts afresh shares no lock with the threads of this one.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        try:
            yield pool.map(bench, chunks)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _earliest(result: ChunkResult) -> list[tuple[Found, Mode]]:
    """What each mode found first, the earliest first; a tie goes to the mode that ran first."""
    found = [(run.verdict.found, run.mode) for run in result.modes if run.verdict.found is not None]
    return sorted(found, key=lambda pair: pair[0].rank)


def _in_all(found: Divergence, chunk: Chunk) -> Divergence:
    """A difference found in a chunk, with the sample's number among all."""
    if found.sample is None:
        return found
    return msgspec.structs.replace(found, sample=chunk.start + found.sample)


def _total(results: Sequence[ChunkResult], number: int) -> ModeTotal:
    runs = [result.modes[number] for result in results]
    mismatches = Counter[str]()
    for run in runs:
        mismatches.update(run.verdict.mismatches)
    return ModeTotal(
        name=runs[0].mode.name,
        mismatches=mismatches,
        cycles=sum(run.cycles for run in runs),
        seconds=sum(run.seconds for run in runs),
    )
