"""Does the check kill a mutant? Short runs first, longer ones for what survives them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mutants.cores import FIRST_COUNT, Subject
from spikeloom_cosim.build import Build, build_bench
from spikeloom_cosim.checker import check
from spikeloom_cosim.core import Core
from spikeloom_cosim.expectation import Expectation
from spikeloom_cosim.faults.plant import list_mutations, plant_mutations, with_fault
from spikeloom_cosim.fitting import Fitting
from spikeloom_cosim.monitor import Recording
from spikeloom_cosim.simulation import (
    ISOLATED,
    STREAMING,
    STRESS,
    Mode,
    Round,
    Watchdog,
    run_rounds,
)
from spikeloom_cosim.toolchain import Toolchain
from spikeloom_cosim.verilator import SimulationError
from spikeloom_cosim.wake_up import random_wake_up
from spikeloom_hw.core.counters import COUNT_BITS

CLOGGED = Mode(name="clogged", stall=250)
"""Scores are hardly ever taken: every queue fills up, and all wait for the last layer."""


SPARSE = Mode(name="sparse", idle=240, stall=60, shuffled=True)
"""Events come one by one: every pipeline is empty before the next."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run.

    Attributes:
        mode: how events are offered.
        samples: how many.
        seed: of events and pauses.
        network: number among the core's networks; one that has fewer begins again.
        reset_for: cycles of reset before it.
    """

    mode: Mode
    samples: int
    seed: int
    network: int = 0
    reset_for: int = 1

    def network_of(self, subject: Subject) -> int:
        """The number of the network of `subject` that is run."""
        return self.network % len(subject.networks)

    def events(self, subject: Subject) -> NDArray[np.bool_]:
        """What is played to `subject`."""
        return addresses(subject, samples=self.samples, seed=self.seed)

    def options(self) -> dict[str, int | None]:
        """Settings of the simulator."""
        return {**random_wake_up(self.seed), "reset_for": self.reset_for}


RUNS = (
    Run(mode=STREAMING, samples=8, seed=1),
    Run(mode=STRESS, samples=8, seed=2, network=1),
    Run(mode=ISOLATED, samples=8, seed=3, network=2),
    Run(mode=ISOLATED, samples=1, seed=3),
    Run(mode=SPARSE, samples=30, seed=4, network=1, reset_for=2),
    Run(mode=CLOGGED, samples=60, seed=5, network=1),
    Run(mode=STRESS, samples=100, seed=6, network=3),
    Run(mode=STRESS, samples=100, seed=7, network=0),
    Run(mode=STREAMING, samples=200, seed=8, network=2),
    Run(mode=STREAMING, samples=200, seed=9, network=3),
    Run(mode=STRESS, samples=100, seed=13, network=4),
    Run(mode=STREAMING, samples=20, seed=14, network=5),
    Run(mode=SPARSE, samples=200, seed=10, network=2),
    Run(mode=STREAMING, samples=1500, seed=11),
    Run(mode=STRESS, samples=1500, seed=12, network=1),
)
"""In order; the first that reports a difference ends it."""


@dataclass(frozen=True, kw_only=True)
class Death:
    """How a mutant was found: in which run, and as what."""

    run: int
    mode: str
    kind: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Mutants:
    """A compiled core with mutations in it; number n, from 1, is `mutations[n - 1]`.

    Attributes:
        fittings: the sound core with each of the networks.
        cores: the mutated one with each of them.
    """

    subject: Subject
    fittings: list[Fitting]
    cores: list[Core]
    build: Build
    mutations: tuple[str, ...]

    def death(self, number: int) -> Death | None:
        """Run a mutant, 0 for the sound core, until the check reports it; None: it survives."""
        with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
            work = Path(scratch)
            for place, run in enumerate(RUNS):
                network = run.network_of(self.subject)
                core = with_fault(self.cores[network], number, folder=work / f"core{place}")
                expected = self.expected(run)
                try:
                    recording = run_rounds(
                        self.build,
                        core,
                        [Round.of(core, expected.trace.events)],
                        run.mode,
                        folder=work / str(place),
                        seed=run.seed,
                        watchdog=patient(expected),
                        options=run.options(),
                    )
                except SimulationError:
                    return Death(run=place, mode=run.mode.name, kind="simulator")
                verdict = check(
                    expected,
                    from_zero(recording),
                    core.shape,
                    mode=run.mode,
                    seed=run.seed,
                    looks=core.looks,
                )
                if verdict.found is not None:
                    return Death(run=place, mode=run.mode.name, kind=verdict.found.first.kind)
        return None

    @cache  # noqa: B019 -- a subject lives as long as the run
    def expected(self, run: Run) -> Expectation:
        """What the core must do in a run."""
        fitting = self.fittings[run.network_of(self.subject)].with_every_address()
        return fitting.expect(run.events(self.subject))


def mutants(subject: Subject, *, count: int, seed: int, tools: Toolchain, folder: Path) -> Mutants:
    """Choose mutations of a core, plant them all in one, and compile it.

    Args:
        subject: the core.
        count: how many, spread by yosys over modules, wires and kinds of mutation.
        seed: of the choice.
        tools: what compiles.
        folder: made; holds the design.
    """
    fittings = subject.fittings(folder / "design")
    sound = fittings[0].core
    chosen = tuple(list_mutations(sound, count, seed=seed))
    folders = (folder / f"planted{at}" for at in range(len(fittings)))
    if sound.loads is None:
        cores = [_planted(own.core, chosen, next(folders)) for own in fittings]
        if len({own.verilog.read_bytes() for own in cores}) > 1:
            raise ValueError(f"{subject.name}: its networks make different cores")
    else:
        planted = _planted(sound, chosen, next(folders))
        cores = [replace(planted, loads=own.core.loads, looks=own.core.looks) for own in fittings]
    build = build_bench(cores[0].verilog, cores[0].shape, tools=tools, alone=True)
    return Mutants(subject=subject, fittings=fittings, cores=cores, build=build, mutations=chosen)


def _planted(core: Core, mutations: Sequence[str], folder: Path) -> Core:
    return plant_mutations(core, mutations, folder=folder, uninitialised=True)


def addresses(subject: Subject, *, samples: int, seed: int) -> NDArray[np.bool_]:
    """Random events at every address an event can have, those of no input included."""
    wide = replace(subject, sizes=(1 << (subject.sizes[0] - 1).bit_length(), *subject.sizes[1:]))
    return wide.events(samples, seed=seed)


def from_zero(recording: Recording) -> Recording:
    """The recording, as if its counters had begun with zero."""
    counts = recording.counts
    modulus = 1 << COUNT_BITS
    cycles = (counts.cycles - FIRST_COUNT) % modulus
    layers = (counts.layers - FIRST_COUNT) % modulus
    return replace(recording, counts=replace(counts, cycles=cycles, layers=layers))


def patient(expected: Expectation) -> Watchdog:
    """A watchdog that waits for scores that are hardly ever taken."""
    usual = Watchdog.of(expected.latency)
    scores = expected.trace.scores.size
    return Watchdog(patience=usual.patience, limit=usual.limit + 400 * scores)


def short_name(command: str) -> str:
    """A mutation in few words: mode, cell, pin and bit, and the bit that controls it."""
    words = command.split()
    given = dict(zip(words[1::2], words[2::2], strict=False))
    cell = given["-cell"].removeprefix("\\").removeprefix("$flatten\\")
    name = f"{given['-mode']} {cell} {given['-port']}[{given['-portbit']}]"
    return f"{name} by [{given['-ctrlbit']}]" if "-ctrlbit" in given else name
