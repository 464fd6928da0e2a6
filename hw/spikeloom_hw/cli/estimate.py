"""The verb ``estimate``."""

from pathlib import Path

import click
import msgspec
from rich.console import RenderableType

from spikeloom.cli.console import Console, json_option, network_path, run_folder, table, write_step
from spikeloom.cli.lanes import lanes_option
from spikeloom.image import load_image
from spikeloom.image.file import image_sha256
from spikeloom.packing import resolve_lanes
from spikeloom_hw.cli.options import output_option, target_option
from spikeloom_hw.estimate import Estimate
from spikeloom_hw.estimate import estimate as estimate_cost
from spikeloom_hw.targets import TARGETS, Target


@click.command(epilog="Example: spikeloom estimate runs/demo --target icebreaker --lanes 8")
@click.argument("network", type=click.Path(path_type=Path))
@target_option("Board or device to estimate for.")
@lanes_option
@output_option("Folder for estimate.json.  [default: the network's folder]")
@json_option
def estimate(
    network: Path, target: str, lanes: tuple[int, ...], output: Path | None, as_json: bool
) -> None:
    """Tell what a network costs on a device, at once, without synthesis.

    NETWORK is an exported file, or a run folder that holds one. Bits, words and block RAMs are
    exact. Cycles are those of an average sample, from the activity recorded at export.
    """
    console = Console(as_json=as_json)
    path = network_path(network)
    image = load_image(path)
    device = TARGETS[target]
    found = estimate_cost(image, target=device, lanes=resolve_lanes(image, lanes))
    data = {"network_sha256": image_sha256(image), **msgspec.to_builtins(found)}
    write_step(output or run_folder(path), "estimate", console.seconds, data)
    console.result(data, *_tables(found, device))


def _tables(found: Estimate, device: Target) -> list[RenderableType]:
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
        (memory.name, f"{memory.depth} × {memory.width}", memory.blocks)
        for memory in found.memories
    ]
    verdict = "yes" if found.fits else "no: " + "; ".join(found.exceeds)
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
        table("Memories", memories, columns=["memory", "words × bits", f"{block} blocks"]),
        table(
            "Estimate",
            {
                "bits stored": found.bits_stored,
                f"{block} blocks": f"{found.blocks} of {found.blocks_available}",
                "cycles between samples, about": round(found.interval_cycles),
                f"µs at {device.core_clock_mhz:g} MHz": round(found.interval_microseconds, 1),
                "fits": verdict,
            },
        ),
    ]
