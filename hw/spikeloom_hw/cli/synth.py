"""The verb ``synth``."""

import tempfile
from pathlib import Path

import click
from rich.console import RenderableType

from spikeloom.cli.console import Console, json_option, network_path, run_folder, table, write_step
from spikeloom.cli.lanes import lanes_option
from spikeloom.errors import UserError
from spikeloom.files import check_writable
from spikeloom.image import load_image
from spikeloom.packing import resolve_lanes
from spikeloom_hw.boards.files import check_top
from spikeloom_hw.cli.options import output_option, target_option
from spikeloom_hw.design_check import check_design, check_memories
from spikeloom_hw.estimate import check_fits
from spikeloom_hw.generate import generate, load_design
from spikeloom_hw.synth.flow import Synthesis, synthesize
from spikeloom_hw.targets import TARGETS, Target


@click.command(epilog="Example: spikeloom synth runs/demo --target icebreaker --lanes 8")
@click.argument("network", type=click.Path(path_type=Path), required=False)
@target_option("Board to build for.")
@lanes_option
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Seed of the placer; another one may be faster or slower.",
)
@click.option(
    "--design",
    type=click.Path(path_type=Path),
    help="Folder made by generate, instead of generating from NETWORK.",
)
@output_option("Folder to write.  [default: synth/<target> beside the network]")
@json_option
def synth(
    network: Path | None,
    target: str,
    lanes: tuple[int, ...],
    seed: int,
    design: Path | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Build the bitstream: yosys, nextpnr, icepack; with area, speed and the slowest path.

    NETWORK is an exported file, or a run folder that holds one. A design that does not fit, or
    misses its clock, is refused with the figures, and the tools' logs are kept.
    """
    console = Console(as_json=as_json)
    preset = TARGETS[target]
    check_top(preset)
    directory = _output(network, preset, design, output)
    check_writable(directory / "synth.json")
    if design is not None:
        if network is None:
            described = load_design(design)
        else:
            path = network_path(network)
            described = check_design(design, image=load_image(path), network=path)
        check_memories(design, described)
        result = synthesize(design, target=preset, directory=directory, seed=seed, progress=console)
    else:
        assert network is not None
        image = load_image(network_path(network))
        resolved = resolve_lanes(image, lanes)
        check_fits(image, target=preset, lanes=resolved)
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "design"
            with console.step(f"generate for {target}"):
                generate(image, target=preset, lanes=resolved, directory=folder)
            result = synthesize(
                folder, target=preset, directory=directory, seed=seed, progress=console
            )
    data = result.document()
    if network is not None and output is None:
        write_step(run_folder(network_path(network)), "synth", console.seconds, data)
    console.result({"schema": 1, **data}, *_tables(result))
    console.note(f"bitstream: {result.bitstream}")


def _output(network: Path | None, target: Target, design: Path | None, output: Path | None) -> Path:
    """Where the results go; refuses when that can not be told."""
    if network is None and design is None:
        raise UserError("nothing to synthesise: give a network, or a design with --design")
    if output is not None:
        return output
    if network is None:
        raise UserError("give an output folder with -o: without a network there is no run folder")
    return run_folder(network_path(network)) / "synth" / target.name


def _tables(result: Synthesis) -> list[RenderableType]:
    rows = [
        (name, usage.used, usage.available, f"{usage.used / usage.available:.0%}")
        for name, usage in result.utilization.items()
    ]
    figures: dict[str, object] = {
        "target": result.target,
        "clock": f"{result.constraint_mhz:g} MHz required, {result.fmax_mhz:.2f} MHz reached",
        "seed": result.seed,
    }
    if path := result.critical_path:
        figures["slowest path"] = (
            f"{path.start} → {path.end}, {path.delay_ns:.1f} ns "
            f"({path.logic_ns:.1f} in cells, {path.routing_ns:.1f} in wires)"
        )
    return [
        table("Bitstream", {**figures, "sha256": result.sha256}),
        table("Utilisation", rows, columns=["", "used", "of", ""]),
    ]
