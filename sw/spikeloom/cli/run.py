"""The verb `run`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast, get_args

import click
import numpy as np
from rich.console import RenderableType

from spikeloom.cli.console import Console, json_option, network_path, table
from spikeloom.cli.data import data_options
from spikeloom.cli.port import design_option, port_option, simulated_place
from spikeloom.cli.samples import SampleCount
from spikeloom.datasets import Split, SplitName
from spikeloom.datasets.fitting import DataChoice, fitting_dataset
from spikeloom.errors import UserError
from spikeloom.evaluation import encoded_batches, wilson_interval
from spikeloom.host.design import find_design
from spikeloom.host.device import Device
from spikeloom.host.outcome import Answers, Timings
from spikeloom.image import NetworkImage
from spikeloom.image.identity import network_sha256
from spikeloom.lineage import load_network
from spikeloom.reference import simulate

EXIT_MISMATCH = 1
ALONE = 20
"""Samples that are sent alone, to measure what one takes."""
_OPERATIONS = ".operations"


@click.command(
    epilog="Example: spikeloom run --port sim:bitstreams/digits-icebreaker --samples 200"
)
@click.argument("network", type=click.Path(path_type=Path), required=False)
@port_option
@design_option(default="what is simulated, or NETWORK")
@click.option(
    "--split",
    type=click.Choice(get_args(SplitName)),
    default="test",
    show_default=True,
    help="Which samples.",
)
@click.option(
    "--samples", type=SampleCount(), default="all", show_default=True, help="How many samples."
)
@data_options()
@json_option
@click.pass_context
def run(
    context: click.Context,
    network: Path | None,
    port: str,
    design: Path | None,
    split: str,
    samples: int | None,
    data: DataChoice,
    as_json: bool,
) -> None:
    """Classify on a board, or on one that is simulated, and compare with the integer reference.

    NETWORK is an exported file, or a folder that holds one; a board with loadable memories is
    loaded with it. By default it is the one that lies with the design. Ends with code 1 when a
    score, a class or a count differs from the integer reference.
    """
    console = Console(as_json=as_json)
    place = design or simulated_place(port) or network
    if place is None:
        raise UserError(
            f"nothing says what {port} runs; name the network, or --design with the folder that "
            "the board was flashed with"
        )
    known = find_design(place)
    if known.network is None and network is None:
        raise UserError(f"{known.source} has no network in it; name the one to run")
    path = network_path(network or place)
    image = load_network(path)
    dataset = fitting_dataset(path, image, data)
    chosen = _first(dataset.split(cast(SplitName, split)), samples, dataset.name)
    with console.step(f"open {port}"):
        device = Device.open(port, design=known)
    with device:
        loaded = device.chunks_to_load(image)
        if loaded:
            with (
                console.step(f"load {path} and read it back"),
                console.track(loaded, "chunks") as track,
            ):
                device.load(image, advance=track.advance)
        else:
            device.load(image)
        with console.step(f"{min(ALONE, len(chosen))} samples alone"):
            alone = device.classify(chosen.images[:ALONE], alone=True)
        with (
            console.step(f"{len(chosen)} samples of {dataset.name} {split}"),
            console.track(len(chosen), "samples") as track,
        ):
            before = device.counters()
            answers = device.classify(chosen.images[:], advance=track.advance)
            after = device.counters()
        tally, identity = device.tally, device.identity
    with console.step("the same by the integer reference"):
        differing, operations = _compare(image, chosen, answers, alone)
    counted = _counted(before.core, after.core)
    split = "all" if dataset.undivided else split
    correct = int((answers.labels == chosen.labels).sum())
    low, high = wilson_interval(correct, len(chosen))
    result: dict[str, Any] = {
        "port": port,
        "simulated": answers.timings.simulated,
        "board": known.board,
        "design_hash": identity.design_hash.hex(),
        "network": str(path),
        "network_sha256": network_sha256(image),
        "dataset": dataset.name,
        "split": split,
        "class_names": list(dataset.class_names),
        "samples": len(chosen),
        "correct": correct,
        "accuracy": correct / len(chosen),
        "interval_95": [low, high],
        "scores_compared": answers.scores.size + alone.scores.size,
        "differing_samples": differing,
        "operations": operations,
        "operations_counted": counted,
        "exact": not differing and operations == counted,
        "latency_ms": _latency(alone.timings),
        "samples_per_second": answers.timings.samples_per_second,
        "operations_per_second": operations / answers.timings.total,
        "chunks_loaded": loaded,
        "link": {**vars(tally), **after.link},
    }
    console.result(result, *_tables(result))
    if not result["exact"]:
        context.exit(EXIT_MISMATCH)


def _first(split: Split, count: int | None, name: str) -> Split:
    if count is not None and count > len(split):
        raise UserError(
            f"{name} has {len(split)} samples there, not {count}; give a smaller --samples, or all"
        )
    return split.take(np.arange(len(split) if count is None else count))


def _compare(
    image: NetworkImage, split: Split, answers: Answers, alone: Answers
) -> tuple[int, int]:
    """Samples that differ from the integer reference, and its synaptic operations."""
    wrong = np.zeros(len(split), dtype=bool)
    operations = done = 0
    for events, labels in encoded_batches(
        split, encoding=image.encoding, time_steps=image.time_steps
    ):
        trace = simulate(image, events)
        own = slice(done, done + len(labels))
        for said in (answers, alone):
            scores, classes = said.scores[own], said.labels[own]
            differs = (scores != trace.scores[: len(scores)]).any(axis=1)
            differs |= classes != trace.predictions[: len(classes)]
            wrong[done : done + len(differs)] |= differs
        operations += int(trace.operations.sum())
        done += len(labels)
    return int(wrong.sum()), operations


def _counted(before: Mapping[str, int], after: Mapping[str, int]) -> int:
    """Synaptic operations that the device counted in between."""
    names = [name for name in after if name.endswith(_OPERATIONS)]
    return sum((after[name] - before[name]) % (1 << 32) for name in names)


def _latency(timings: Timings) -> dict[str, float]:
    latency, line = 1e3 * timings.latency, 1e3 * timings.line
    return {
        "samples": len(latency),
        "mean": float(latency.mean()),
        "median": float(np.median(latency)),
        "p99": float(np.percentile(latency, 99)),
        "max": float(latency.max()),
        "link": float(line.mean()),
        "chip": float((latency - line).mean()),
    }


def _tables(result: Mapping[str, Any]) -> list[RenderableType]:
    latency, link = result["latency_ms"], result["link"]
    low, high = result["interval_95"]
    exact = "every score, class and count equals it"
    differs = (
        f"{result['differing_samples']} samples differ; {result['operations_counted']:,} "
        f"operations were counted, of {result['operations']:,}"
    )
    # Behind a real port are also the USB adapter and the system, which the line does not know.
    rest = "of that the chip" if result["simulated"] else "of that chip, USB and system"
    return [
        table(
            f"{result['network']} on {result['board']}, {result['port']}",
            {
                "accuracy": f"{result['accuracy']:.2%} ({result['correct']} of "
                f"{result['samples']} {result['dataset']} {result['split']} samples)",
                "95 % interval": f"{low:.2%} to {high:.2%}",
                "integer reference": exact if result["exact"] else differs,
                "latency, alone": f"{latency['mean']:.3f} ms (median {latency['median']:.3f}, "
                f"p99 {latency['p99']:.3f}, max {latency['max']:.3f})",
                "of that the link": f"{latency['link']:.3f} ms",
                rest: f"{latency['chip']:.3f} ms",
                "samples a second": round(result["samples_per_second"], 1),
                "operations a second": round(result["operations_per_second"]),
                "frames": f"{link['frames']:,}, {link['repeated']:,} of them sent again",
            },
        )
    ]
