"""The verb `train`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from spikeloom.cli.console import Console, json_option, table, write_step
from spikeloom.cli.data import data_dir_option
from spikeloom.config import load_config
from spikeloom.datasets import load_dataset


@click.command(epilog="Example: spikeloom train examples/digits.toml -o runs/demo")
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The run folder to write.",
)
@click.option("--seed", type=click.IntRange(min=0, max=2**32 - 1), help="Instead of the file's.")
@data_dir_option
@json_option
def train(
    config: Path, output: Path, seed: int | None, data_dir: Path | None, as_json: bool
) -> None:
    """Train a sparse, quantised spiking network.

    CONFIG is a TOML file; the resolved configuration, the history of all epochs and the trained
    weights are left in the run folder. The choice of the epoch is made on validation data; test
    data is not touched. Nothing is written before training has ended.
    """
    from spikeloom.training import check_output, save_run, train_network

    console = Console(as_json=as_json)
    settings = load_config(config)
    if seed is not None:
        training = msgspec.structs.replace(settings.training, seed=seed)
        settings = msgspec.structs.replace(settings, training=training)
    check_output(output)
    with console.step(f"load {settings.data.name}"):
        dataset = load_dataset(settings.data.name, data_dir)
    epochs = settings.training.epochs
    with (
        console.step(f"train {epochs} epochs"),
        console.track(epochs, "epochs") as progress,
    ):
        trained = train_network(
            settings, dataset, lambda epoch: progress.advance(text=_describe(epoch))
        )
    result = save_run(output, settings, trained)
    write_step(output, "train", console.seconds, result)
    console.result(
        {"schema": 1, "run": str(output), **result},
        table(
            f"Trained {output}",
            {
                "accuracy, validation": f"{result['accuracy']['validation']:.2%}",
                "chosen epoch": f"{result['epoch']} of {result['epochs']}",
                "synapses": f"{result['synapses']:,} ({result['density']:.1%} of dense)",
                "rewirings": result["rewirings"],
                "operations a sample": round(result["operations_per_sample"]),
            },
        ),
    )
    console.note(f"next: spikeloom export {output}")


def _describe(epoch: dict[str, Any]) -> str:
    return (
        f"loss {epoch['loss']:.3f}, validation {epoch['accuracy_validation']:.1%}, "
        f"density {epoch['density']:.1%}"
    )
