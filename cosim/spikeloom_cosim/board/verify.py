"""Compares a simulated board with the integer reference, through the driver and its serial port."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from spikeloom.host.design import HostDesign
from spikeloom.host.device import Device
from spikeloom.host.failures import NoAnswerError
from spikeloom.host.outcome import Answers, Counters
from spikeloom.host.protocol import Identity, encode_identity
from spikeloom.image import NetworkImage
from spikeloom_cosim.board.line import open_board
from spikeloom_cosim.divergence import Divergence, Kind
from spikeloom_cosim.expectation import COUNTED, Expectation
from spikeloom_cosim.fitting import Fitting
from spikeloom_cosim.toolchain import Toolchain

MODE = "host"
CHUNK = 50
"""Samples that follow each other without a pause; the counters are read after them."""


@dataclass(kw_only=True)
class BoardResult:
    """What was compared, and what differed.

    Attributes:
        samples: that were answered.
        compared: integers compared, of each kind.
        mismatches: how many of them differ, and what else went wrong.
        first: the first difference.
        cycles: that the boards ran.
        frames: requests that the driver sent.
    """

    samples: int = 0
    compared: Counter[str] = field(default_factory=Counter)
    mismatches: Counter[str] = field(default_factory=Counter)
    first: Divergence | None = None
    cycles: int = 0
    frames: int = 0

    def note(self, divergence: Divergence) -> None:
        """One more difference."""
        self.mismatches[divergence.kind] += 1
        if self.first is None or _order(divergence) < _order(self.first):
            self.first = divergence

    def add(self, other: BoardResult) -> None:
        """Take in another result."""
        self.samples += other.samples
        self.compared.update(other.compared)
        self.mismatches.update(other.mismatches)
        self.cycles += other.cycles
        self.frames += other.frames
        if other.first and (self.first is None or _order(other.first) < _order(self.first)):
            self.first = other.first


def _order(divergence: Divergence) -> int:
    return -1 if divergence.sample is None else divergence.sample


@dataclass(frozen=True, kw_only=True, eq=False)
class HostRun:
    """What it takes to run samples on a board.

    Attributes:
        design: folder of the board's design.
        known: what the driver knows of it.
        identity: what the board must say of itself.
        image: the network to run.
        fitting: the same in the board's core.
        tools: what compiles the board.
    """

    design: Path
    known: HostDesign
    identity: Identity
    image: NetworkImage
    fitting: Fitting
    tools: Toolchain

    def __call__(
        self, events: NDArray[np.bool_], first: int, advance: Callable[[int], object]
    ) -> BoardResult:
        """Run `events` bool [S, T, inputs], numbered from `first` on, on a board of their own."""
        result = BoardResult()
        line = open_board(self.design, name="the simulated board", tools=self.tools)
        with Device(line, design=self.known) as device:
            result.compared["protocol"] += 1
            if device.identity != self.identity:
                got, want = (
                    int.from_bytes(encode_identity(each), "big")
                    for each in (device.identity, self.identity)
                )
                result.note(Divergence(kind="protocol", mode=MODE, got=got, expected=want))
            device.load(self.image)
            before = device.counters()
            for at in range(0, len(events), CHUNK):
                own = events[at : at + CHUNK]
                expected = self.fitting.expect(own)
                try:
                    answers = device.spikes(own, advance=advance)
                    after = device.counters()
                except NoAnswerError:
                    result.note(Divergence(kind="hang", mode=MODE, sample=first + at))
                    break
                self._compare_answers(result, expected, answers, first + at)
                self._compare_counts(result, expected, before, after, first + at)
                result.samples += len(own)
                before = after
            result.cycles, result.frames = line.cycles, device.tally.frames
        return result

    def _compare_answers(
        self, result: BoardResult, expected: Expectation, answers: Answers, first: int
    ) -> None:
        trace = expected.trace
        pairs: tuple[tuple[Kind, NDArray[np.int64], NDArray[np.int64]], ...] = (
            ("score", answers.scores, trace.scores[:, : answers.scores.shape[1]]),
            ("prediction", answers.labels, trace.predictions),
        )
        for kind, got, want in pairs:
            result.compared[kind] += got.size
            for place in np.argwhere(got != want):
                at = tuple(int(index) for index in place)
                result.note(
                    Divergence(
                        kind=kind,
                        mode=MODE,
                        sample=first + at[0],
                        neuron=at[1] if kind == "score" else None,
                        got=int(got[at]),
                        expected=int(want[at]),
                    )
                )

    def _compare_counts(
        self,
        result: BoardResult,
        expected: Expectation,
        before: Counters,
        after: Counters,
        first: int,
    ) -> None:
        for layer, own in enumerate(self.fitting.image.layers):
            for at, counter in enumerate(COUNTED):
                name = f"layer{layer}.{counter}"
                got = (after.core[name] - before.core[name]) % (1 << 32)
                want = int(expected.counted[:, layer, at].sum())
                result.compared["counter"] += 1
                if got != want:
                    result.note(
                        Divergence(
                            kind="counter",
                            mode=MODE,
                            sample=first,
                            layer=own.name,
                            counter=counter,
                            got=got,
                            expected=want,
                        )
                    )
        # On a line without noise nothing may get lost.
        for name, got in after.link.items():
            result.compared["counter"] += 1
            if got:
                result.note(
                    Divergence(
                        kind="counter", mode=MODE, sample=first, counter=name, got=got, expected=0
                    )
                )


def verify_board(
    run: HostRun,
    events: NDArray[np.bool_],
    *,
    jobs: int,
    advance: Callable[[int], object] = lambda _samples: None,
) -> BoardResult:
    """Run samples on `jobs` boards, and compare all that the driver says of them.

    Args:
        run: the board and its network.
        events: bool [samples, steps, inputs of the network].
        jobs: boards at once.
        advance: told how many more samples are done.

    Raises:
        UserError: the board does not compile.
        PortError: its simulation broke down.
    """
    size = -(-len(events) // jobs)
    starts = range(0, len(events), size)
    lock = threading.Lock()

    def told(samples: int) -> None:
        with lock:
            advance(samples)

    result = BoardResult()
    with ThreadPoolExecutor(len(starts)) as pool:
        running = [pool.submit(run, events[at : at + size], at, told) for at in starts]
        for each in running:
            result.add(each.result())
    return result


def described(result: BoardResult) -> dict[str, object]:
    """The result in plain values."""
    first = result.first
    return {
        "samples": result.samples,
        "compared": dict(result.compared),
        "first_divergence": None if first is None else msgspec.to_builtins(first),
        "simulated_cycles": result.cycles,
        "frames": result.frames,
    }
