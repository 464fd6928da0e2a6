"""Does the check kill a mutant? Short runs first, longer ones for what survives them."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mutants.cores import FIRST_COUNT, Subject
from spikeloom.image import NetworkImage
from spikeloom.packing import SynapseWords
from spikeloom_cosim.build import Build, build_bench
from spikeloom_cosim.checker import check
from spikeloom_cosim.core import Core
from spikeloom_cosim.expectation import Expectation
from spikeloom_cosim.faults.plant import list_mutations, plant_mutations, with_fault
from spikeloom_cosim.fitting import Fitting
from spikeloom_cosim.monitor import Recording
from spikeloom_cosim.simulation import ISOLATED, STREAMING, STRESS, Mode, Watchdog, run_mode
from spikeloom_cosim.toolchain import Toolchain
from spikeloom_cosim.verilator import SimulationError
from spikeloom_hw.core.counters import COUNT_BITS

CLOGGED = Mode(name="clogged", stall=250)
"""Scores are hardly ever taken: every queue fills up, and all wait for the last layer."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run: how, of how many samples, with which seed, and of which of the core's networks."""

    mode: Mode
    samples: int
    seed: int
    network: int = 0


RUNS = (
    Run(mode=STREAMING, samples=8, seed=1),
    Run(mode=STRESS, samples=8, seed=2),
    Run(mode=ISOLATED, samples=8, seed=3),
    Run(mode=ISOLATED, samples=1, seed=3),
    Run(mode=CLOGGED, samples=60, seed=4),
    *(Run(mode=STRESS, samples=100, seed=seed) for seed in (5, 6)),
    Run(mode=STREAMING, samples=200, seed=7, network=1),
    Run(mode=STRESS, samples=200, seed=8, network=2),
    Run(mode=STREAMING, samples=1500, seed=9),
)
"""In order; the first that reports a difference ends it."""

RANDOM_REGISTERS = "verilator+rand+reset+2"


@dataclass(frozen=True, kw_only=True)
class Death:
    """How a mutant was found: in which run, and as what."""

    run: int
    mode: str
    kind: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Mutants:
    """A compiled core with mutations in it; number n, from 1, is `mutations[n - 1]`."""

    subject: Subject
    fittings: list[Fitting]
    core: Core
    build: Build
    mutations: tuple[str, ...]

    def death(self, number: int) -> Death | None:
        """Run a mutant, 0 for the sound core, until the check reports it; None: it survives."""
        with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
            work = Path(scratch)
            core = with_fault(self.core, number, folder=work / "core")
            for place, run in enumerate(RUNS):
                if run.network >= len(self.fittings):
                    continue
                loaded = replace(core, loads=self.fittings[run.network].core.loads)
                expected = self.expected(run)
                try:
                    recording = run_mode(
                        self.build,
                        loaded,
                        expected.trace.events,
                        run.mode,
                        folder=work / str(place),
                        seed=run.seed,
                        watchdog=patient(expected),
                        options={RANDOM_REGISTERS: None, f"verilator+seed+{run.seed}": None},
                    )
                except SimulationError:
                    return Death(run=place, mode=run.mode.name, kind="simulator")
                verdict = check(
                    expected,
                    from_zero(recording),
                    core.shape,
                    mode=run.mode.name,
                    latency=run.mode.isolated,
                    times=run.mode.full_rate,
                )
                if verdict.found is not None:
                    return Death(run=place, mode=run.mode.name, kind=verdict.found.first.kind)
        return None

    @cache  # noqa: B019 -- a subject lives as long as the run
    def expected(self, run: Run) -> Expectation:
        """What the core must do in a run."""
        return expectation(self.fittings[run.network], addresses(self.subject, run))


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
    core = plant_mutations(sound, chosen, folder=folder / "planted", uninitialised=True)
    build = build_bench(core.verilog, core.shape, tools=tools, alone=True)
    return Mutants(subject=subject, fittings=fittings, core=core, build=build, mutations=chosen)


def addresses(subject: Subject, run: Run) -> NDArray[np.bool_]:
    """Random events at every address an event can have, those of no input included."""
    wide = replace(subject, sizes=(1 << (subject.sizes[0] - 1).bit_length(), *subject.sizes[1:]))
    return wide.events(run.samples, seed=run.seed)


def expectation(fitting: Fitting, events: NDArray[np.bool_]) -> Expectation:
    """What a core must do on events some of whose addresses are no input of it.

    They are ignored, and take the time of an empty row: so the reference is given such rows.
    """
    extra = events.shape[2] - fitting.image.inputs
    first, *others = fitting.image.layers
    rows = np.concatenate([first.row_ptr, np.repeat(first.row_ptr[-1:], extra)])
    image: NetworkImage = replace(fitting.image, layers=(replace(first, row_ptr=rows), *others))
    words = fitting.packed[0]
    padded: SynapseWords = replace(
        words,
        inputs=words.inputs + extra,
        count=np.concatenate([words.count, np.zeros(extra, dtype=np.int64)]),
    )
    whole = replace(fitting, image=image, packed=(padded, *fitting.packed[1:]))
    return whole.expect(events)


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
