"""Loads one network after another into one core, in one simulation, and compares everything."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from spikeloom.errors import UserError
from spikeloom.image import NetworkImage
from spikeloom_cosim.build import build_bench
from spikeloom_cosim.campaign.capacity import LoadableCore
from spikeloom_cosim.campaign.draw import draw_core, draw_events, draw_network
from spikeloom_cosim.checker import check_rounds
from spikeloom_cosim.divergence import Divergence
from spikeloom_cosim.expectation import Expectation
from spikeloom_cosim.simulation import SEEDS, Mode, Round, Watchdog, run_rounds
from spikeloom_cosim.toolchain import Toolchain
from spikeloom_hw.generate import generate
from spikeloom_hw.targets import TARGETS


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
    samples: int
    neuron_steps: int
    spikes: int
    cycles: int
    beyond: int
    failures: tuple[Failure, ...]
    seconds: float


@dataclass(frozen=True, kw_only=True, eq=False)
class _Case:
    image: NetworkImage
    round: Round
    expected: Expectation


def run_core(
    mode: Mode,
    *,
    core_seed: int,
    seed: int,
    networks: int,
    samples: int,
    tools: Toolchain,
    cycles: int | None = None,
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
        latency = np.concatenate([case.expected.latency for case in cases])
        recording = run_rounds(
            build_bench(core.core.verilog, core.core.shape, tools=tools),
            core.core,
            [case.round for case in cases],
            mode,
            folder=Path(scratch) / "run",
            seed=seed % SEEDS,
            watchdog=Watchdog.of(latency),
        )
    expected = [case.expected for case in cases]
    *verdicts, ending = check_rounds(expected, recording, core.core.shape, mode)
    failures = [
        Failure(network=number, first=verdict.found.first)
        for number, verdict in enumerate(verdicts)
        if verdict.found is not None
    ]
    if ending.found is not None:
        failures.append(Failure(network=None, first=ending.found.first))
    traces = [own.trace for own in expected]
    return CoreRun(
        core_seed=core_seed,
        seed=seed,
        core=_in_words(core, drawn.target),
        mode=mode.name,
        networks=len(cases),
        samples=sum(own.samples for own in expected),
        neuron_steps=sum(spikes.size for trace in traces for spikes in trace.spikes),
        spikes=sum(int(spikes.sum()) for trace in traces for spikes in trace.spikes),
        cycles=recording.outcome.cycles,
        beyond=beyond,
        failures=tuple(failures),
        seconds=round(time.perf_counter() - started, 3),
    )


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
        events = draw_events(random, samples, image.time_steps, core.addresses)
        try:
            loads = core.loads(image)
        except UserError:
            beyond += 1
            continue
        expected = core.expect(image, events)
        spent += int(expected.results[-1])
        cases.append(_Case(image=image, round=Round(events=events, loads=loads), expected=expected))
    return cases, beyond


def seeds_of(seed: int, count: int) -> list[int]:
    """Seeds, as different as one seed of 0 ... `SEEDS` - 1 allows."""
    return np.random.default_rng(seed).integers(0, SEEDS, count).tolist()


def _in_words(core: LoadableCore, target: str) -> str:
    def layer_words() -> Iterator[str]:
        for layer in core.params.layers:
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
    names = ("networks", "samples", "neuron_steps", "spikes", "cycles", "beyond")
    return {
        "cores": len({run.core_seed for run in runs}),
        **{name: sum(getattr(run, name) for run in runs) for name in names},
        "failures": sum(len(run.failures) for run in runs),
    }
