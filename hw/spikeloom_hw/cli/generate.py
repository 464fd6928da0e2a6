"""The verb ``generate``."""

from pathlib import Path

import click
import msgspec
from rich.console import RenderableType

from spikeloom.cli.console import Console, json_option, network_path, run_folder, table, write_step
from spikeloom.cli.lanes import lanes_option
from spikeloom.files import check_writable
from spikeloom.image import load_image
from spikeloom.packing import resolve_lanes
from spikeloom_hw.cli.options import loadable_option, output_option, target_option
from spikeloom_hw.estimate import estimate
from spikeloom_hw.generate import Design
from spikeloom_hw.generate import generate as write_design
from spikeloom_hw.targets import TARGETS


@click.command(epilog="Example: spikeloom generate runs/demo -o runs/core")
@click.argument("network", type=click.Path(path_type=Path))
@target_option("Board or device to generate for.")
@lanes_option
@loadable_option("The host fills the memories, with this network or another within their capacity.")
@output_option("Folder to write.  [default: design/<target> beside the network]")
@json_option
def generate(
    network: Path,
    target: str,
    lanes: tuple[int, ...],
    loadable: bool,
    output: Path | None,
    as_json: bool,
) -> None:
    """Write the network's hardware: Verilog, memory contents and pins.

    NETWORK is an exported file, or a run folder that holds one. The Verilog is plain and readable;
    memory contents lie beside it in hexadecimal.
    """
    console = Console(as_json=as_json)
    path = network_path(network)
    image = load_image(path)
    directory = output or run_folder(path) / "design" / target
    for place in (directory, run_folder(path)):
        check_writable(place / "generate.json")
    resolved = resolve_lanes(image, lanes)
    with console.step(f"generate for {target}"):
        design = write_design(
            image,
            target=TARGETS[target],
            lanes=resolved,
            directory=directory,
            loadable=loadable,
        )
    cost = estimate(image, target=TARGETS[target], lanes=resolved, loadable=loadable)
    data = {"directory": str(directory), **msgspec.to_builtins(design)}
    write_step(run_folder(path), "generate", console.seconds, data)
    console.result(data, _table(design))
    console.note(f"written to {directory}")
    if cost.exceeds:
        console.note(f"it will not fit: {'; '.join(cost.exceeds)}")


def _table(design: Design) -> RenderableType:
    rows = [
        (
            layer.name,
            f"{layer.inputs} → {layer.neurons}",
            layer.lanes,
            f"{layer.words} × {layer.word_bits} bits",
            layer.index_form,
            layer.membrane_bits,
        )
        for layer in design.layers
    ]
    columns = ["layer", "neurons", "lanes", "weight memory", "index", "membrane bits"]
    return table("Hardware", rows, columns=columns)
