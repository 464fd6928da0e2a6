"""The verb ``generate``."""

from collections.abc import Mapping
from pathlib import Path

import click
import msgspec
import numpy as np
import numpy.typing as npt
from rich.console import RenderableType

from spikeloom.cli.console import Console, json_option, network_path, run_folder, table, write_step
from spikeloom.cli.data import data_options
from spikeloom.cli.lanes import lanes_option
from spikeloom.datasets.fitting import DataChoice, fitting_dataset
from spikeloom.encoding import encode
from spikeloom.errors import UserError
from spikeloom.files import check_writable
from spikeloom.image import NetworkImage
from spikeloom.lineage import load_network
from spikeloom.packing import resolve_lanes
from spikeloom_hw.cli.options import encoder_option, loadable_option, output_option, target_option
from spikeloom_hw.embedding.folder import Embedding
from spikeloom_hw.embedding.interface import INTERFACES, Interface
from spikeloom_hw.embedding.vectors import random_events
from spikeloom_hw.estimate import estimate
from spikeloom_hw.generate import Design
from spikeloom_hw.generate import generate as write_design
from spikeloom_hw.targets import TARGETS

SAMPLES = 4
"""That the test bench of a core plays, if nothing is said."""
MOST_SAMPLES = 100_000
"""They are in memory all at once."""


@click.command(epilog="Example: spikeloom generate runs/demo -o runs/core")
@click.argument("network", type=click.Path(path_type=Path))
@target_option("Board or device to generate for.")
@lanes_option
@loadable_option("The host fills the memories, with this network or another within their capacity.")
@encoder_option("The board makes the events: the host sends pixels, or whatever the samples are.")
@click.option(
    "--top",
    type=click.Choice(["board", "core"]),
    default="board",
    show_default=True,
    help="The board's top; or the core alone, with an example, a test bench and FuseSoC's file.",
)
@click.option(
    "--interface",
    type=click.Choice(INTERFACES),
    help="Ports of --top core: valid and ready, or AXI4-Stream.  [default: stream]",
)
@data_options(names="Samples for the test bench of --top core: this data set's.")
@click.option(
    "--samples",
    type=click.IntRange(1, MOST_SAMPLES),
    help=f"How many samples the test bench plays.  [default: {SAMPLES}]",
)
@output_option("Folder to write.  [default: design/<target> or design/core in the run folder]")
@json_option
def generate(
    network: Path,
    target: str,
    lanes: tuple[int, ...],
    loadable: bool,
    encoder: bool,
    top: str,
    interface: Interface | None,
    data: DataChoice,
    samples: int | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Write the network's hardware: Verilog, memory contents and pins.

    NETWORK is an exported file, or a run folder that holds one. The Verilog is plain and readable;
    memory contents lie beside it in hexadecimal.

    With --top core, the folder is for a flow of your own: the module `spikeloom` with the ports you
    ask for, and a test bench that plays random samples, or those of a data set, and expects what
    the integer reference makes of them.
    """
    _check_options(
        top, {"interface": interface, "dataset": data.name, "data": data.source, "samples": samples}
    )
    console = Console(as_json=as_json)
    path = network_path(network)
    image = load_network(path)
    embedding = None
    if top == "core":
        count = samples or SAMPLES
        events = (
            random_events(image, count)
            if not data.given
            else _dataset_events(path, image, data, count)
        )
        embedding = Embedding(interface=interface or "stream", events=events)
    directory = output or run_folder(path) / "design" / (target if top == "board" else top)
    # What -o names gets everything.
    record = output or run_folder(path)
    for place in (directory, record):
        check_writable(place / "generate.json")
    resolved = resolve_lanes(image, lanes)
    with console.step(f"generate for {target}"):
        design = write_design(
            image,
            target=TARGETS[target],
            lanes=resolved,
            directory=directory,
            loadable=loadable,
            embedding=embedding,
            encoder=encoder,
        )
    cost = estimate(
        image, target=TARGETS[target], lanes=resolved, loadable=loadable, encoder=encoder
    )
    document = {"directory": str(directory), **msgspec.to_builtins(design)}
    # The step's record has a schema of its own; the design's stands in design.json.
    step = {key: value for key, value in document.items() if key != "schema"}
    write_step(record, "generate", console.seconds, step)
    console.result(document, _table(design))
    console.note(f"written to {directory}")
    if cost.exceeds:
        console.note(f"it will not fit: {'; '.join(cost.exceeds)}")


def _check_options(top: str, given: Mapping[str, object]) -> None:
    """Refuse what only a core to embed takes."""
    if top == "board":
        for name, value in given.items():
            if value is not None:
                raise UserError(f"--{name} is for the core alone: give --top core as well")


def _dataset_events(
    path: Path, image: NetworkImage, data: DataChoice, count: int
) -> npt.NDArray[np.bool_]:
    """The first ``count`` test samples of a data set, bool ``[count, T, inputs]``.

    Raises:
        UserError: the data set does not fit the network, or is smaller.
    """
    dataset = fitting_dataset(path, image, data)
    test = dataset.test
    if count > len(test):
        raise UserError(
            f"{dataset.name} has {len(test)} test samples: give that many --samples, or less"
        )
    return encode(image.encoding, test.images[:count], image.time_steps)


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
