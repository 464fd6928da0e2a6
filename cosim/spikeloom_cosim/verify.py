"""Compares a core with the integer reference on many samples: values and cycles, in every mode."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from spikeloom_cosim.build import Build, build_bench
from spikeloom_cosim.checker import Verdict, check, latencies, result_times
from spikeloom_cosim.core import Core
from spikeloom_cosim.divergence import KINDS, Divergence
from spikeloom_cosim.drilldown import FAILURE, Replay, replay
from spikeloom_cosim.expectation import Expectation
from spikeloom_cosim.monitor import Recording
from spikeloom_cosim.simulation import MODES, Mode, Watchdog, run_mode
from spikeloom_cosim.toolchain import Toolchain
from spikeloom_cosim.work import LayerWork, layer_work


class BusiestLayer(msgspec.Struct, frozen=True, kw_only=True):
    """The layer that sets the pace: the one with the most cycles of work.

    Attributes:
        name: of the layer.
        sop_per_cycle_per_lane: its own synaptic operations at full rate, by cycle and by its own
            lanes.
    """

    name: str
    sop_per_cycle_per_lane: float


class Cycles(msgspec.Struct, frozen=True, kw_only=True):
    """What the core was measured to take.

    Attributes:
        mean: mean latency: cycles of a sample that has the core for itself, see
            `spikeloom.reference.Timing`.
        max: the longest latency.
        p99: the latency that 99 % of the samples did not exceed.
        interval: mean cycles between results when the samples follow each other at full rate.
        sop_per_cycle_per_lane: synaptic operations at full rate, by cycle and by lane of all
            layers: 1 is a core whose every lane always works.
        busiest_layer: the one that sets the pace, and how full its lanes are.
    """

    mean: float
    max: int
    p99: int
    interval: float
    sop_per_cycle_per_lane: float
    busiest_layer: BusiestLayer


@dataclass(frozen=True, kw_only=True)
class ModeResult:
    """One run: its mode, what was found, its length in cycles and in seconds."""

    mode: Mode
    verdict: Verdict
    cycles: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class CoreResult:
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
    modes: tuple[ModeResult, ...]
    cycles: Cycles | None
    layers: tuple[LayerWork, ...] | None
    build_seconds: float
    seconds: float
    first: Divergence | None = None
    replay: Replay | None = None

    @property
    def mismatches(self) -> Counter[str]:
        """Differences of each kind, over all modes."""
        total = Counter[str]()
        for run in self.modes:
            total.update(run.verdict.mismatches)
        return total

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
                    "name": run.mode.name,
                    "mismatches": sum(run.verdict.mismatches.values()),
                    "cycles": run.cycles,
                    "seconds": round(run.seconds, 3),
                }
                for run in self.modes
            ],
        }


def verify_core(
    core: Core,
    expected: Expectation,
    *,
    tools: Toolchain,
    seed: int,
    failure_folder: Path,
    modes: Sequence[Mode] = MODES,
) -> CoreResult:
    """Run `core` on the samples of `expected` in every mode, and compare everything.

    Args:
        core: the core under test.
        expected: what it must do; the samples' events are in it.
        tools: what compiles the bench.
        seed: of the stress mode's pauses and orders.
        failure_folder: made if the core fails: waves of the first failing sample. One that an
            earlier failure left is removed if it does not.
        modes: which modes to run.

    Raises:
        UserError: the core does not compile.
        SimulationError: the simulator broke down.
    """
    started = time.perf_counter()
    build = build_bench(core.verilog, core.shape, tools=tools)
    watchdog = Watchdog.of(expected.latency)

    def run(mode: Mode) -> tuple[ModeResult, Recording]:
        return _run(build, core, expected, mode, seed=seed, watchdog=watchdog, work=work)

    with (
        tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch,
        ThreadPoolExecutor(min(len(modes), os.cpu_count() or 1)) as pool,
    ):
        work = Path(scratch)
        runs = list(pool.map(run, modes))
    results = tuple(result for result, _ in runs)
    found = [(one.verdict.found, one.mode) for one in results if one.verdict.found is not None]
    first = reproduced = None
    if found:
        # A tie goes to the mode that ran first.
        earliest, mode = min(found, key=lambda pair: pair[0].rank)
        first = earliest.first
        reproduced = replay(
            core,
            expected,
            first,
            mode,
            tools=tools,
            seed=seed,
            watchdog=watchdog,
            folder=failure_folder,
        )
    elif (failure_folder / FAILURE).is_file():
        shutil.rmtree(failure_folder)
    cycles, layers = _measured(core, expected, [(one.mode, recording) for one, recording in runs])
    return CoreResult(
        lanes=core.lanes,
        loaded=core.loads is not None,
        samples=expected.samples,
        modes=results,
        cycles=cycles,
        layers=layers,
        build_seconds=build.seconds,
        seconds=time.perf_counter() - started,
        first=first,
        replay=reproduced,
    )


def _run(
    build: Build,
    core: Core,
    expected: Expectation,
    mode: Mode,
    *,
    seed: int,
    watchdog: Watchdog,
    work: Path,
) -> tuple[ModeResult, Recording]:
    started = time.perf_counter()
    recording = run_mode(
        build,
        core,
        expected.trace.events,
        mode,
        folder=work / mode.name,
        seed=seed,
        watchdog=watchdog,
    )
    verdict = check(
        expected,
        recording,
        core.shape,
        mode=mode.name,
        latency=mode.isolated,
        times=mode.full_rate,
    )
    seconds = time.perf_counter() - started
    cycles = recording.outcome.cycles
    return ModeResult(mode=mode, verdict=verdict, cycles=cycles, seconds=seconds), recording


def _measured(
    core: Core, expected: Expectation, recordings: Sequence[tuple[Mode, Recording]]
) -> tuple[Cycles, tuple[LayerWork, ...]] | tuple[None, None]:
    latency = times = counts = None
    for mode, recording in recordings:
        if mode.isolated:
            latency = latencies(recording, core.shape)
        elif mode.full_rate:
            times, counts = result_times(recording, core.shape), recording.counts
    if latency is None or times is None or counts is None:
        return None, None
    if min(len(latency), len(times)) < expected.samples:
        return None, None
    operations, busiest = expected.trace.operations, core.shape.layers[expected.busiest]
    own = operations[:, expected.busiest].sum()
    cycles = Cycles(
        mean=float(latency.mean()),
        max=int(latency.max()),
        p99=int(np.percentile(latency, 99, method="higher")),
        interval=float(times[-1] / len(times)),
        sop_per_cycle_per_lane=float(operations.sum() / (times[-1] * sum(core.lanes))),
        busiest_layer=BusiestLayer(
            name=busiest.name,
            sop_per_cycle_per_lane=float(own / (times[-1] * busiest.lanes)),
        ),
    )
    return cycles, layer_work(counts, core.shape, int(times[-1]))
