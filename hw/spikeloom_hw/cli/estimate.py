"""The verb ``estimate``."""

from pathlib import Path

import click
import msgspec
import numpy as np
from rich.console import RenderableType

from spikeloom.cli.console import Console, json_option, network_path, run_folder, table, write_step
from spikeloom.cli.data import data_options
from spikeloom.cli.lanes import lanes_option
from spikeloom.cycle_statistics import CycleStatistics
from spikeloom.datasets import Split
from spikeloom.datasets.fitting import DataChoice, fitting_dataset
from spikeloom.errors import UserError
from spikeloom.image.identity import network_sha256
from spikeloom.lineage import load_network
from spikeloom.packing import resolve_lanes
from spikeloom_hw.cli.options import encoder_option, loadable_option, output_option, target_option
from spikeloom_hw.cycles import core_cycles
from spikeloom_hw.estimate import Estimate, advice
from spikeloom_hw.estimate import estimate as estimate_cost
from spikeloom_hw.targets import TARGETS, Target

LEAST_SAMPLES = 2
"""Between two results there is an interval."""


@click.command(epilog="Example: spikeloom estimate runs/demo --target icebreaker --lanes 8")
@click.argument("network", type=click.Path(path_type=Path))
@target_option("Board or device to estimate for.")
@lanes_option
@loadable_option("Estimate a core whose memories the host fills.")
@encoder_option("Estimate a board that makes the events itself.")
@click.option(
    "--samples",
    type=click.IntRange(min=LEAST_SAMPLES),
    help="How many of them.  [default: all]",
)
@data_options(names="Count the cycles of this data set's test samples.")
@output_option("Folder for estimate.json.  [default: the run folder]")
@json_option
def estimate(
    network: Path,
    target: str,
    lanes: tuple[int, ...],
    loadable: bool,
    encoder: bool,
    samples: int | None,
    data: DataChoice,
    output: Path | None,
    as_json: bool,
) -> None:
    """Tell what a network costs on a device, at once, without synthesis.

    NETWORK is an exported file, or a run folder that holds one. Bits, words and block RAMs are
    exact; logic cells and clock come with the error of the model that tells them. Cycles are those
    of an average sample, from the activity recorded at export; with --dataset they are counted,
    sample by sample, and exact.
    """
    if samples is not None and not data.given:
        raise UserError("--samples counts the cycles of a data set: name it with --dataset")
    console = Console(as_json=as_json)
    path = network_path(network)
    image = load_network(path)
    device = TARGETS[target]
    resolved = resolve_lanes(image, lanes)
    found = estimate_cost(image, target=device, lanes=resolved, loadable=loadable, encoder=encoder)
    cycles = None
    if data.given:
        dataset = fitting_dataset(path, image, data)
        split = _first(dataset.test, samples, dataset.name)
        with console.track(len(split), "samples") as track:
            cycles = core_cycles(
                image,
                split,
                target=device,
                lanes=resolved,
                loadable=loadable,
                done=track.advance,
            )
    document = {
        "network_sha256": network_sha256(image),
        **msgspec.to_builtins(found),
        "cycles": msgspec.to_builtins(cycles),
    }
    write_step(output or run_folder(path), "estimate", console.seconds, document)
    console.result(document, *_tables(found, device, cycles))


def _first(split: Split, count: int | None, name: str) -> Split:
    """The first ``count`` samples of ``split``, or all.

    Raises:
        UserError: there are fewer.
    """
    if count is not None and count > len(split):
        raise UserError(f"{name} has {len(split)} test samples: give that many --samples, or less")
    return split.take(np.arange(len(split) if count is None else count))


def _tables(
    found: Estimate, device: Target, cycles: CycleStatistics | None
) -> list[RenderableType]:
    packing = [
        (
            cost.name,
            cost.lanes,
            f"{cost.words} × {cost.word_bits}",
            f"{cost.index_form}, {cost.index_bits} bits",
            cost.bits,
            f"{cost.bits / max(1.0, cost.entropy_bits):.2f}",
            f"{cost.fill:.0%}",
            round(activity.events, 1),
            round(activity.busy_cycles),
        )
        for cost, activity in zip(found.layers, found.activity, strict=True)
    ]
    memories = [
        (memory.name, f"{memory.depth} × {memory.width}", memory.kind, memory.blocks)
        for memory in found.memories
    ]
    verdict = "yes" if found.fits else f"no: {'; '.join(found.exceeds)}; {advice(found)}"
    block = device.block_name
    return [
        table(
            f"Packing for {device.board}",
            packing,
            columns=[
                "layer",
                "lanes",
                "words × bits",
                "index",
                "bits",
                "× entropy",
                "full",
                "events",
                "cycles",
            ],
        ),
        table("Memories", memories, columns=["memory", "words × bits", "kind", "blocks"]),
        table(
            "Estimate",
            {
                "bits stored": found.bits_stored,
                f"{block} blocks": f"{found.blocks} of {found.blocks_available}",
                **_single_ports(found),
                f"{device.cell_name}, about": (
                    f"{found.cells.median:.0f} ({found.cells.low:.0f} to {found.cells.high:.0f}) "
                    f"of {found.cells_available}"
                ),
                "MHz, about": (
                    f"{found.clock_mhz.median:.0f} "
                    f"({found.clock_mhz.low:.0f} to {found.clock_mhz.high:.0f})"
                ),
                **_cycles(found, device, cycles),
                "fits": verdict,
            },
        ),
    ]


def _single_ports(found: Estimate) -> dict[str, object]:
    if not found.single_ports_available:
        return {}
    return {"single-port RAMs": f"{found.single_ports} of {found.single_ports_available}"}


def _cycles(found: Estimate, device: Target, counted: CycleStatistics | None) -> dict[str, object]:
    clock = f"µs at {device.core_clock_mhz:g} MHz"
    if counted is None:
        return {
            "cycles between samples, about": round(found.interval_cycles),
            clock: round(found.interval_microseconds, 1),
        }
    return {
        f"cycles of a sample alone, {counted.samples:,} counted": (
            f"{counted.latency.mean:.1f} (99 %: {counted.latency.p99}, most: {counted.latency.max})"
        ),
        "cycles between samples": (
            f"{counted.interval.mean:.1f} "
            f"(99 %: {counted.interval.p99}, most: {counted.interval.max})"
        ),
        clock: round(counted.interval.mean / device.core_clock_mhz, 1),
    }
