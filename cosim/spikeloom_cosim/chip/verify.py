"""Compares a chip with the integer reference on many samples, over its serial pins."""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from spikeloom.host import protocol
from spikeloom_cosim.build import Build
from spikeloom_cosim.chip.checker import Verdict, check
from spikeloom_cosim.chip.level import Chip
from spikeloom_cosim.chip.script import Conversation, converse, read_answers, write_script
from spikeloom_cosim.chip.simulation import build_chip, received_bytes, run_chip
from spikeloom_cosim.divergence import Divergence
from spikeloom_cosim.fitting import Fitting
from spikeloom_cosim.toolchain import Toolchain
from spikeloom_hw.core.loading import Load

CHUNK = 100
"""Samples that follow each other in one simulation; of a loaded chip, more."""

_LOOK_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class ChipResult:
    """Everything about one chip.

    Attributes:
        samples: number of samples.
        compared: integers compared, of each kind.
        mismatches: how many of them differ, and what else went wrong.
        first: the first difference.
        cycles: simulated, over all samples.
        build_seconds: compilation of the bench, near 0 when it was cached.
        seconds: all of it.
    """

    samples: int
    compared: Counter[str]
    mismatches: Counter[str]
    first: Divergence | None
    cycles: int
    build_seconds: float
    seconds: float


@dataclass(frozen=True, kw_only=True, eq=False)
class _Run:
    """What it takes to run some of the samples."""

    build: Build
    chip: Chip
    fitting: Fitting
    identity: protocol.Identity
    loads: Sequence[Load] | None

    def conversation(self, events: NDArray[np.bool_]) -> Conversation:
        """What is said for some of the samples."""
        return converse(
            events,
            outputs=self.identity.outputs,
            counters=self.identity.counters,
            loads=self.loads,
        )

    def __call__(self, events: NDArray[np.bool_], folder: Path) -> tuple[Verdict, int]:
        expected = self.fitting.expect(events)
        conversation = self.conversation(events)
        latency = int(expected.latency.max())
        outcome, received, broken = run_chip(
            self.build,
            write_script(conversation),
            folder=folder,
            divisor=self.chip.divisor,
            latency=latency,
        )
        names = [layer.name for layer in self.fitting.image.layers]
        verdict = check(
            expected,
            read_answers(received, conversation, broken=broken),
            names=names,
            identity=self.identity,
            hung=outcome.hung,
        )
        return verdict, outcome.cycles


def verify_chip(
    chip: Chip,
    fitting: Fitting,
    events: NDArray[np.bool_],
    *,
    identity: protocol.Identity,
    tools: Toolchain,
    loads: Sequence[Load] | None = None,
    jobs: int | None = None,
    advance: Callable[[int], object] = lambda _samples: None,
) -> ChipResult:
    """Run `chip` on samples, and compare all that it says.

    Args:
        chip: the chip under test.
        fitting: its core, and the network in it.
        events: bool [samples, steps, inputs of the network].
        identity: what the chip must say of itself.
        tools: what compiles the bench.
        loads: what fills its memories first; None for a chip that has its contents.
        jobs: simulations at once; None takes one a processor.
        advance: told how many more samples are done.

    Raises:
        UserError: the chip does not compile.
        SimulationError: the simulator broke down.
    """
    started = time.perf_counter()
    jobs = jobs or os.cpu_count() or 1
    build = build_chip(chip, tools=tools)
    run = _Run(build=build, chip=chip, fitting=fitting, identity=identity, loads=loads)
    share = -(-len(events) // jobs)
    size = share if loads is not None else min(CHUNK, share)
    starts = range(0, len(events), size)
    with (
        tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch,
        ThreadPoolExecutor(min(jobs, len(starts))) as pool,
    ):
        folders = [Path(scratch) / str(start) for start in starts]
        conversations = [run.conversation(events[start : start + size]) for start in starts]
        running = [
            pool.submit(run, events[start : start + size], folder)
            for start, folder in zip(starts, folders, strict=True)
        ]
        told, waiting = 0, set(running)
        try:
            while waiting:
                _, waiting = wait(waiting, timeout=_LOOK_SECONDS, return_when=FIRST_COMPLETED)
                done = sum(
                    conversation.samples_in(received_bytes(folder))
                    for conversation, folder in zip(conversations, folders, strict=True)
                )
                advance(done - told)
                told = done
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        results = [each.result() for each in running]
    compared, mismatches = Counter[str](), Counter[str]()
    for verdict, _ in results:
        compared.update(verdict.compared)
        mismatches.update(verdict.mismatches)
    return ChipResult(
        samples=len(events),
        compared=compared,
        mismatches=mismatches,
        first=_first([verdict for verdict, _ in results], starts),
        cycles=sum(cycles for _, cycles in results),
        build_seconds=build.seconds,
        seconds=time.perf_counter() - started,
    )


def _first(verdicts: Sequence[Verdict], starts: Sequence[int]) -> Divergence | None:
    """The first difference of all, with the sample's number among all samples."""
    for verdict, start in zip(verdicts, starts, strict=True):
        if (found := verdict.first) is not None:
            if found.sample is None:
                return found
            return msgspec.structs.replace(found, sample=start + found.sample)
    return None
