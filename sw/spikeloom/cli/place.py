"""The verb `place`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from rich.console import RenderableType

from spikeloom.cli.console import Console, json_option, network_path, table, write_step
from spikeloom.cli.data import data_options
from spikeloom.cli.lanes import lanes_option
from spikeloom.datasets.fitting import DataChoice, fitting_dataset
from spikeloom.errors import UserError
from spikeloom.evaluation import mean_spikes
from spikeloom.files import check_writable
from spikeloom.image import Layer, save_image
from spikeloom.image.identity import network_sha256
from spikeloom.image.permutation import permute_hidden
from spikeloom.lineage import load_network
from spikeloom.packing import entropy_bound, pack, resolve_lanes
from spikeloom.packing.placement import place_network

SAMPLES = 5000
"""Of the training set, enough to tell busy rows from quiet ones."""


@click.command(epilog="Example: spikeloom place runs/demo --lanes 8 -o runs/placed.safetensors")
@click.argument("network", type=click.Path(path_type=Path))
@lanes_option
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, max=86400),
    default=20.0,
    show_default=True,
    help="The search ends by then.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the search."
)
@data_options(
    names="Weigh each row by how often this data set's training samples read it; "
    "all rows alike unless given."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The file to write.",
)
@json_option
def place(
    network: Path,
    lanes: tuple[int, ...],
    seconds: float,
    seed: int,
    data: DataChoice,
    output: Path,
    as_json: bool,
) -> None:
    """Reorder hidden neurons so that rows fill the words of the lanes.

    NETWORK is an exported file, or a run folder that holds one. The placed network computes the
    same scores and takes fewer words, each of them a cycle; a layer that would not gain stays as it
    is. Give the same number of lanes to the verbs that follow.
    """
    if math.isnan(seconds):
        raise UserError("--seconds is nan: give a number of seconds, such as 20")
    console = Console(as_json=as_json)
    path = network_path(network)
    image = load_network(path)
    chosen = resolve_lanes(image, lanes)
    check_writable(output)
    activity = name = None
    if data.given:
        dataset = fitting_dataset(path, image, data)
        name = dataset.name
        with console.step(f"measure which rows {dataset.name} reads"):
            few = np.arange(min(SAMPLES, len(dataset.train)))
            activity = mean_spikes(image, dataset.train.take(few))
    with console.step("place neurons"), console.track(100, "placing, %") as track:
        orders = place_network(
            image,
            chosen,
            activity=activity,
            seed=seed,
            seconds=seconds,
            progress=lambda fraction: track.advance(int(100 * fraction) - track.done),
        )
    placed = permute_hidden(image, orders)
    save_image(output, placed)
    result = {
        "network": str(output),
        "network_sha256": network_sha256(placed),
        "placed_from_sha256": network_sha256(image),
        "lanes": list(chosen),
        "seed": seed,
        "dataset": name,
        "layers": [
            {
                "name": before.name,
                "lanes": own,
                "words_bound": before.synapses / own,
                "bits_entropy": round(entropy_bound(before)),
                "before": _cost(before, own, spikes),
                "after": _cost(after, own, None if spikes is None else spikes[rows]),
            }
            for before, after, own, spikes, rows in zip(
                image.layers,
                placed.layers,
                chosen,
                activity or [None] * len(chosen),
                [np.arange(image.inputs), *orders],
                strict=True,
            )
        ],
    }
    write_step(output.parent, "place", console.seconds, result)
    console.result(result, *_tables(result["layers"]))


def _cost(layer: Layer, lanes: int, spikes: NDArray[np.float64] | None) -> dict[str, float]:
    """Words and bits of a layer, and the words that a sample reads where that is known."""
    packed = pack(layer, lanes)
    cost: dict[str, float] = {"words": packed.words, "bits": packed.bits}
    return cost if spikes is None else {**cost, "words_read": float(spikes @ packed.count)}


_TABLES = (
    ("words", "Words", "words_bound", "× synapses / lanes"),
    ("bits", "Bits", "bits_entropy", "× entropy"),
    ("words_read", "Words that a sample reads", None, ""),
)


def _tables(layers: Sequence[dict[str, Any]]) -> Iterator[RenderableType]:
    for key, title, bound, unit in _TABLES:
        if key in layers[0]["before"]:
            rows = [
                _row(layer, layer["before"][key], layer["after"][key], bound) for layer in layers
            ]
            columns = ["layer", "lanes", "before", "after", "change", unit]
            yield table(title, rows, columns=columns if bound else columns[:-1])


def _row(layer: dict[str, Any], before: float, after: float, bound: str | None) -> tuple[Any, ...]:
    change = f"{after / before - 1:+.1%}" if before else "-"
    row = (layer["name"], layer["lanes"], round(before), round(after), change)
    least = layer[bound] if bound else 0
    return (*row, f"{before / least:.2f} → {after / least:.2f}") if least else row
