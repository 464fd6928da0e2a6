"""Spoken digits of a speaker that was not heard: each speaker is left out in turn.

Validation, which chooses the epoch, is another speaker; the one who is left out is tested once.

    python benchmarks/spoken_digits.py --data-dir DATA
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cache
from pathlib import Path

import click
import msgspec
import numpy as np

from spikeloom.config import load_config
from spikeloom.datasets import Request
from spikeloom.datasets.collection import assemble
from spikeloom.datasets.named import collect_spoken_digits
from spikeloom.stamp import stamp, write_result
from spikeloom.training import checked_image, train_network

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "examples" / "spoken-digits-speakers.toml"
RESULT = ROOT / "benchmarks" / "results" / "spoken-digits.json"
PACKAGES = ("torch", "numpy", "scipy", "soundfile")


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path), required=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), default=RESULT, show_default=True)
def main(data_dir: Path, output: Path) -> None:
    """Train six networks, one for each speaker left out, and write what they reach."""
    origin = stamp(*PACKAGES)
    config = load_config(CONFIG)
    first = Request(
        source=config.data.samples, time_steps=config.data.time_steps, data_dir=data_dir
    )
    found = collect_spoken_digits(first)
    # Decoded and prepared once for all.
    collection = replace(found, prepared=cache(found.prepared))
    assert collection.groups is not None
    records = []
    for speaker in sorted(set(collection.groups.tolist())):
        started = time.perf_counter()
        split = msgspec.structs.replace(config.data.split, test_groups=[speaker])
        data = msgspec.structs.replace(config.data, split=split)
        own = msgspec.structs.replace(config, data=data)
        dataset = assemble("spoken-digits", collection, replace(first, source=own.data.samples))
        trained = train_network(own, dataset)
        image, compared = checked_image(own, trained.network, dataset)
        heard = collection.groups[dataset.validation.index]
        records.append(
            {
                "left_out": speaker,
                "validated_on": sorted(set(heard.tolist())),
                "samples": list(dataset.identity.samples),
                "accuracy": {n: own.evaluation.accuracy for n, own in compared.items()},
                "synapses": image.synapses,
                "spike_mismatches": sum(own.spike_mismatches for own in compared.values()),
                "seconds": round(time.perf_counter() - started, 1),
            }
        )
        click.echo(f"{speaker}: {records[-1]['accuracy']}", err=True)
    reached = np.array([record["accuracy"]["test"] for record in records])
    document = {
        "config": CONFIG.name,
        "speakers": records,
        "mean": float(reached.mean()),
        "lowest": float(reached.min()),
        "highest": float(reached.max()),
    }
    write_result(output, document, origin)
    click.echo(f"mean over left-out speakers: {reached.mean():.2%}")


if __name__ == "__main__":
    main()
