"""The verb `evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast, get_args

import click

from spikeloom.cli.console import Console, json_option, network_path, table
from spikeloom.cli.data import data_options
from spikeloom.datasets import SplitName
from spikeloom.datasets.fitting import DataChoice, fitting_dataset
from spikeloom.evaluation import evaluate_split, silence, wilson_interval
from spikeloom.lineage import load_network


@click.command(epilog="Example: spikeloom evaluate runs/demo/network.safetensors --dataset digits")
@click.argument("network", type=click.Path(path_type=Path))
@click.option(
    "--split",
    type=click.Choice(get_args(SplitName)),
    default="test",
    show_default=True,
    help="Which samples.",
)
@data_options()
@json_option
def evaluate(network: Path, split: str, data: DataChoice, as_json: bool) -> None:
    """Measure the accuracy of an exported network by the integer reference.

    NETWORK is an exported file, or a run folder that holds one. Torch is not needed.
    """
    console = Console(as_json=as_json)
    path = network_path(network)
    image = load_network(path)
    dataset = fitting_dataset(path, image, data)
    with console.step(f"run {dataset.name} {split} through the integer reference"):
        done = evaluate_split(image, dataset.split(cast(SplitName, split)))
    split = "all" if dataset.undivided else split
    low, high = wilson_interval(done.correct, done.samples)
    result: dict[str, Any] = {
        "network": str(path),
        "dataset": dataset.name,
        "split": split,
        "samples": done.samples,
        "correct": done.correct,
        "accuracy": done.accuracy,
        "interval_95": [low, high],
        "events_per_sample": list(done.events_per_sample),
        "operations_per_sample": done.operations_per_sample,
        "silent": done.silent(image),
        "class_names": list(dataset.class_names),
        "confusion": done.confusion,
    }
    console.result(
        result,
        table(
            f"{path} on {dataset.name}, {split}",
            {
                "accuracy": f"{done.accuracy:.2%} ({done.correct} of {done.samples})",
                "95 % interval": f"{low:.2%} to {high:.2%}",
                "events a sample": ", ".join(f"{n:.1f}" for n in done.events_per_sample),
                "operations a sample": round(done.operations_per_sample),
            },
        ),
    )
    for name in result["silent"]:
        console.note(f"{silence(name)}, in the whole {split} split")
