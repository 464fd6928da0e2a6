"""Loads one network after another into one core, in one simulation, and compares everything."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import UserError
from spikeloom_cosim.build import build_bench
from spikeloom_cosim.campaign.capacity import LoadableCore
from spikeloom_cosim.campaign.draw import draw_core, draw_events, draw_fixed, draw_network
from spikeloom_cosim.checker import check, check_rounds
from spikeloom_cosim.divergence import Divergence
from spikeloom_cosim.driver import load_payloads
from spikeloom_cosim.expectation import Expectation
from spikeloom_cosim.fitting import fit_design
from spikeloom_cosim.loads import scrambled, with_looks
from spikeloom_cosim.simulation import MODES, SEEDS, Mode, Round, Watchdog, run_rounds
from spikeloom_cosim.toolchain import Toolchain
from spikeloom_hw.core.loading import load_sequence
from spikeloom_hw.core.params import CoreParams
from spikeloom_hw.generate import generate
from spikeloom_hw.targets import TARGETS

NO_MEMORY = 3
"""A kind of memory (`spikeloom_hw.core.layouts.MemoryKind`) that no layer has: loads nothing."""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A network that the core got wrong.

    Attributes:
        network: its number in the run; None when the end of the run was wrong, not a network.
        first: the first difference.
    """

    network: int | None
    first: Divergence


class CoreRun(msgspec.Struct, frozen=True, kw_only=True):
    """What one core did with its networks.

    Attributes:
        core_seed: of the core.
        seed: of networks, events and pauses.
        core: what it is, in words.
        mode: how events were offered.
        networks: loaded one after another, without a reset.
        resets: in the middle of a sample, when there are any.
        samples: of all networks.
        neuron_steps: membranes and spikes compared.
        spikes: of all neurons.
        cycles: simulated, without loading.
        beyond: networks drawn that the core had no room for, and refused.
        failures: the networks that differ.
        seconds: compilation, simulation and comparison.
    """

    core_seed: int
    seed: int
    core: str
    mode: str
    networks: int
    resets: int
    samples: int
    neuron_steps: int
    spikes: int
    cycles: int
    beyond: int
    failures: tuple[Failure, ...]
    seconds: float


@dataclass(frozen=True, kw_only=True, eq=False)
class _Case:
    round: Round
    looks: NDArray[np.int64]
    expected: Expectation

    def struck(self, random: np.random.Generator, params: CoreParams) -> tuple[Round, Round]:
        """Struck by a reset in its middle; and after that, whole, without being loaded again."""
        strike = int(random.integers(1, self.expected.results[-1], endpoint=True))
        nothing = load_payloads([(0, NO_MEMORY, 0, 0)], params)
        return replace(self.round, strike=strike), replace(self.round, loads=nothing)


def run_core(
    mode: Mode,
    *,
    core_seed: int,
    seed: int,
    networks: int,
    samples: int,
    tools: Toolchain,
    cycles: int | None = None,
    resets: bool = False,
) -> CoreRun:
    """Draw a core, and networks for it; run them all, and compare.

    Args:
        mode: how events are offered.
        core_seed: draws the core.
        seed: draws networks, events and pauses.
        networks: how many to load; with `cycles`, the most.
        samples: of each network.
        tools: what compiles the bench.
        cycles: enough networks for about so many cycles.
        resets: each network is struck by a reset in the middle of a sample first, and compared
            after that.

    Raises:
        SimulationError: the simulator broke down.
    """
    started = time.perf_counter()
    random = np.random.default_rng(seed)
    drawn = draw_core(np.random.default_rng(core_seed))
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        design = Path(scratch) / "design"
        generate(
            drawn.image,
            target=TARGETS[drawn.target],
            lanes=drawn.lanes,
            directory=design,
            bare=True,
            loadable=True,
        )
        core = LoadableCore.of(design)
        cases, beyond = _cases(random, core, networks=networks, samples=samples, cycles=cycles)
        rounds = [case.round for case in cases]
        expected: list[Expectation | None] = [case.expected for case in cases]
        if resets:
            pairs = [case.struck(random, core.params) for case in cases]
            rounds = [own for pair in pairs for own in pair]
            expected = [own for case in cases for own in (None, case.expected)]
        latency = np.concatenate([case.expected.latency for case in cases])
        recording = run_rounds(
            build_bench(core.core.verilog, core.core.shape, tools=tools),
            core.core,
            rounds,
            mode,
            folder=Path(scratch) / "run",
            seed=seed % SEEDS,
            watchdog=Watchdog.of(np.tile(latency, 2) if resets else latency),
        )
    *verdicts, ending = check_rounds(
        expected,
        recording,
        core.core.shape,
        mode,
        seed=seed % SEEDS,
        looks=np.concatenate([case.looks for case in cases]),
    )
    failures = [
        Failure(network=number // (len(rounds) // len(cases)), first=verdict.found.first)
        for number, verdict in enumerate(verdicts)
        if verdict.found is not None
    ]
    if ending.found is not None:
        failures.append(Failure(network=None, first=ending.found.first))
    return CoreRun(
        core_seed=core_seed,
        seed=seed,
        core=_in_words(core.params, drawn.target),
        mode=mode.name,
        networks=len(cases),
        resets=len(rounds) - len(cases),
        **_sums([case.expected for case in cases]),
        cycles=recording.outcome.cycles,
        beyond=beyond,
        failures=tuple(failures),
        seconds=round(time.perf_counter() - started, 3),
    )


def run_fixed(*, seed: int, samples: int, tools: Toolchain) -> list[CoreRun]:
    """Draw a network with a threshold and a bias for each neuron; run its core in every mode.

    Args:
        seed: draws network, events and pauses.
        samples: in each mode.
        tools: what compiles the bench.

    Raises:
        SimulationError: the simulator broke down.
    """
    random = np.random.default_rng(seed)
    drawn = draw_fixed(random)
    runs = []
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        design = Path(scratch) / "design"
        generate(
            drawn.image,
            target=TARGETS[drawn.target],
            lanes=drawn.lanes,
            directory=design,
            bare=True,
        )
        fitting = fit_design(design, drawn.image, network=design).with_every_address()
        core = fitting.core
        steps, addresses = drawn.image.time_steps, core.shape.addresses
        for mode in MODES:
            started = time.perf_counter()
            expected = fitting.expect(draw_events(random, samples, steps, addresses))
            recording = run_rounds(
                build_bench(core.verilog, core.shape, tools=tools),
                core,
                [Round.of(core, expected.trace.events)],
                mode,
                folder=Path(scratch) / mode.name,
                seed=seed % SEEDS,
                watchdog=Watchdog.of(expected.latency),
            )
            verdict = check(expected, recording, core.shape, mode=mode, seed=seed % SEEDS)
            failures = () if verdict.found is None else (verdict.found.first,)
            runs.append(
                CoreRun(
                    core_seed=seed,
                    seed=seed,
                    core=_in_words(fitting.params, drawn.target),
                    mode=mode.name,
                    networks=1,
                    resets=0,
                    beyond=0,
                    **_sums([expected]),
                    cycles=recording.outcome.cycles,
                    failures=tuple(Failure(network=0, first=first) for first in failures),
                    seconds=round(time.perf_counter() - started, 3),
                )
            )
    return runs


def _sums(expected: Sequence[Expectation]) -> dict[str, int]:
    spikes = [own for each in expected for own in each.trace.spikes]
    return {
        "samples": sum(own.samples for own in expected),
        "neuron_steps": sum(own.size for own in spikes),
        "spikes": sum(int(own.sum()) for own in spikes),
    }


def _cases(
    random: np.random.Generator,
    core: LoadableCore,
    *,
    networks: int,
    samples: int,
    cycles: int | None,
) -> tuple[list[_Case], int]:
    cases: list[_Case] = []
    beyond = spent = 0
    while len(cases) < networks and (cycles is None or spent < cycles):
        image = draw_network(random, core.params)
        events = draw_events(random, samples, image.time_steps, core.core.shape.addresses)
        try:
            fitting = core.fit(image)
        except UserError:
            beyond += 1
            continue
        expected = fitting.expect(events)
        spent += int(expected.results[-1])
        sequence = scrambled(load_sequence(image, core.params), core.params, random)
        loads, looks = with_looks(sequence, core.params, random)
        cases.append(_Case(round=Round(events=events, loads=loads), looks=looks, expected=expected))
    return cases, beyond


def seeds_of(seed: int, count: int) -> list[int]:
    """Seeds, as different as one seed of 0 ... `SEEDS` - 1 allows."""
    return np.random.default_rng(seed).integers(0, SEEDS, count).tolist()


def _in_words(core: CoreParams, target: str) -> str:
    def layer_words() -> Iterator[str]:
        for layer in core.layers:
            words = [
                f"{layer.inputs}-{layer.neurons}",
                f"{layer.lanes} lanes",
                f"{layer.weight_bits} bits",
                type(layer.leak).__name__,
                layer.reset,
                f"{layer.index_form} index",
            ]
            yield " ".join(words)

    return f"{target}: {', '.join(layer_words())}"


def total(runs: Sequence[CoreRun]) -> dict[str, int]:
    """Sums over runs, by the names of their attributes."""
    names = ("networks", "resets", "samples", "neuron_steps", "spikes", "cycles", "beyond")
    return {
        "cores": len({run.core_seed for run in runs}),
        **{name: sum(getattr(run, name) for run in runs) for name in names},
        "failures": sum(len(run.failures) for run in runs),
    }
