"""The verb `export`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import msgspec

from spikeloom.cli.console import NETWORK_FILE, Console, json_option, table, write_step
from spikeloom.cli.data import data_options
from spikeloom.datasets import load
from spikeloom.datasets.fitting import DataChoice, check_same, named_source
from spikeloom.evaluation import silence
from spikeloom.files import check_writable, file_sha256
from spikeloom.image import save_image
from spikeloom.image.identity import network_sha256
from spikeloom.runfolder import CHECKPOINT_FILE, RESTART


@click.command(epilog="Example: spikeloom export runs/demo")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"The file to write; RUN/{NETWORK_FILE} unless given.",
)
@data_options(names=None)
@json_option
def export(run: Path, output: Path | None, data: DataChoice, as_json: bool) -> None:
    """Turn a trained network into integers, after proving that nothing changes.

    RUN is a folder that `spikeloom train` has made. Every spike, membrane and prediction of torch
    is compared with the integer reference on all validation and test samples; a difference is an
    error, and then nothing is written.
    """
    from spikeloom.training import checked_image, load_checkpoint

    console = Console(as_json=as_json)
    checkpoint = load_checkpoint(run / CHECKPOINT_FILE)
    checkpoint_sha256 = file_sha256(run / CHECKPOINT_FILE)
    config = checkpoint.config
    path = output or run / NETWORK_FILE
    check_writable(path)
    with console.step(f"load {config.data.name}"):
        source = named_source(config.data.samples, data)
        dataset = load(data.request(source, config.data.time_steps))
    check_same(checkpoint.data, dataset, owner=str(run), fix=RESTART)
    with console.step("compare torch with the integer reference"):
        image, compared = checked_image(config, checkpoint.network, dataset)
    provenance = msgspec.structs.replace(image.provenance, checkpoint_sha256=checkpoint_sha256)
    image = replace(image, provenance=provenance)
    save_image(path, image)
    test = compared["test"].evaluation
    result: dict[str, Any] = {
        "network": str(path),
        "network_sha256": network_sha256(image),
        "checkpoint_sha256": checkpoint_sha256,
        "dataset": dataset.name,
        "accuracy": {name: item.evaluation.accuracy for name, item in compared.items()},
        "synapses": image.synapses,
        "density": image.density,
        "weight_bits": image.weight_bits,
        "time_steps": image.time_steps,
        "events_per_sample": list(test.events_per_sample),
        "operations_per_sample": test.operations_per_sample,
        "silent": test.silent(image),
        "torch_vs_reference": {
            name: sum(getattr(item, name) for item in compared.values())
            for name in (
                "samples",
                "spike_mismatches",
                "membrane_mismatches",
                "prediction_mismatches",
            )
        },
    }
    write_step(path.parent, "export", console.seconds, result)
    proof = result["torch_vs_reference"]
    console.result(
        result,
        table(
            f"Exported {path}",
            {
                "accuracy, validation": f"{result['accuracy']['validation']:.2%}",
                "accuracy, test": f"{result['accuracy']['test']:.2%}",
                "synapses": f"{image.synapses:,} ({image.density:.1%} of dense)",
                "weight bits": image.weight_bits,
                "operations a sample": round(test.operations_per_sample),
                "torch = reference": f"{proof['samples']:,} samples, "
                f"{proof['spike_mismatches']} spikes and {proof['membrane_mismatches']} "
                "membranes differ",
            },
        ),
    )
    for name in result["silent"]:
        console.note(f"{silence(name)}, in the whole test split")
