"""One run of the study: train within the budget, test once, and say all of it in one record."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from spikeloom.config import Config
from spikeloom.datasets import Dataset, load_dataset
from spikeloom.datasets.split import hold_out
from spikeloom.encoding import encoding_inputs
from spikeloom.image import Layer, NetworkImage
from spikeloom.packing import pack
from spikeloom.training import Trained, checked_image, train_network
from study.budget import TOLERANCE, connections, fitting_epochs
from study.cells import Cell
from study.settings import PARTS, SCHEMA

__all__ = ["load_part", "perform"]

BANKS = 8
MOST_PLANS = 6


class _OutOfBudget(Exception):  # noqa: N818 - a signal to plan again
    """The run would miss its budget; `epochs` would have met it."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs


class _UnreachableError(Exception):
    """No number of epochs lets the arm reach its density within the budget."""


def load_part(part: str, data_dir: Path | None) -> Dataset:
    """A part's data set, its training images cut down to the subset."""
    dataset = load_dataset(_data_name(part), data_dir)
    subset = PARTS[part].subset
    if not subset:
        return dataset
    _, train = hold_out(dataset.train, subset / len(dataset.train))
    return replace(dataset, train=train)


def perform(
    cell: Cell, dataset: Dataset, on_epoch: Callable[[int, int], None] = lambda _done, _of: None
) -> dict[str, Any]:
    """Do a run; `on_epoch` is told the epochs done and those of the present plan.

    An arm that cannot reach its density within the budget leaves a record that says "failed".

    Raises:
        RuntimeError: the density was missed by a run that ended within its budget: a defect.
    """
    started = time.perf_counter()
    plans = [cell.planned_epochs()]
    while True:
        if len(plans) > MOST_PLANS:
            return _failed(cell, f"{cell}: no epochs meet the budget, tried {plans}")
        config = cell.config(plans[-1])
        try:
            trained = _train(cell, config, dataset, on_epoch)
            break
        except _OutOfBudget as miss:
            plans.append(miss.epochs)
        except _UnreachableError as miss:
            return _failed(cell, str(miss))
    places = _places(config, dataset)
    trained_with = connections(trained.history, places)
    spent = sum(trained_with)
    target = int(cell.final_density * places)
    active = round(trained.history[-1]["density"] * places)
    if abs(active - target) > len(config.network.hidden) + 1:
        raise RuntimeError(f"{cell}: ended with {active} connections, not {target}")
    budget = PARTS[cell.part].budget
    image, compared = checked_image(config, trained.network, dataset)
    words, least = _words(image)
    return {
        **_about(cell),
        "plans": plans,
        "epochs": plans[-1],
        "chosen_epoch": trained.epoch,
        "budget": budget,
        "connection_epochs": round(spent, 6),
        "deviation": round(spent / budget - 1, 6),
        "places": places,
        "active": active,
        "synapses": image.synapses,
        "words": words,
        "words_least": least,
        "accuracy": {name: item.evaluation.accuracy for name, item in compared.items()},
        "operations_per_sample": compared["test"].evaluation.operations_per_sample,
        "trace": _trace(trained, trained_with),
        "seconds": round(time.perf_counter() - started, 2),
    }


def _about(cell: Cell) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "key": cell.key(),
        "resolved": cell.resolved(),
        "part": cell.part,
        "arm": cell.arm,
        "density": cell.density,
        "banks": cell.banks,
        "seed": cell.seed,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _failed(cell: Cell, reason: str) -> dict[str, Any]:
    return {**_about(cell), "failed": reason, "seconds": 0.0}


def _train(
    cell: Cell, config: Config, dataset: Dataset, on_epoch: Callable[[int, int], None]
) -> Trained:
    """Train, or stop as soon as it is known that the budget will be missed."""
    places, budget = _places(config, dataset), PARTS[cell.part].budget
    epochs, density = config.training.epochs, cell.final_density
    # Each layer's count is whole by itself.
    reached = density + (len(config.network.hidden) + 1) / places
    spent, settled = 0.0, cell.density >= config.sparsity.initial_density

    def watch(record: dict[str, Any]) -> None:
        nonlocal spent, settled
        spent += connections([record], places)[0]
        on_epoch(record["epoch"], epochs)
        if settled:
            return
        if record["density"] > reached:
            if spent > budget:
                raise _UnreachableError(f"{cell}: the budget is spent above its density")
            return
        settled = True
        wanted = fitting_epochs(budget=budget, density=density, spent=spent, epochs=record["epoch"])
        total = spent + (epochs - record["epoch"]) * density
        if abs(total / budget - 1) > TOLERANCE and wanted != epochs:
            raise _OutOfBudget(wanted)

    trained = train_network(config, dataset, watch)
    if not settled:
        # Rewiring ended before compression did: more epochs make room for it.
        raise _OutOfBudget(2 * epochs)
    return trained


def _trace(trained: Trained, trained_with: list[float]) -> list[list[float]] | None:
    """[density trained with, validation accuracy, each layer's PQ index] of compressing epochs.

    Taken after the epoch's rewiring; None of a run that does not compress.
    """
    history, last = trained.history, trained_with[-1]
    ending = next((i for i, density in enumerate(trained_with) if density <= last + 1e-9), 0)
    if ending < 2:
        return None
    return [
        [
            round(record["density"], 5),
            round(record["accuracy_validation"], 5),
            *(round(layer["pq_index"], 4) for layer in record["layers"]),
        ]
        for record in history[: ending + 1]
    ]


def _places(config: Config, dataset: Dataset) -> int:
    inputs = encoding_inputs(config.data.encoding, dataset.pixels, config.data.time_steps)
    sizes = [inputs, *config.network.hidden, dataset.classes]
    return sum(a * b for a, b in pairwise(sizes))


def _words(image: NetworkImage) -> tuple[int, int]:
    """Synapse words at 8 lanes, absolute indices in one block, and the fewest for such rows."""

    def least(layer: Layer) -> int:
        return int((-(-np.diff(layer.row_ptr) // BANKS)).sum())

    packed = (pack(layer, BANKS, index_form="absolute", blocks=1) for layer in image.layers)
    words = sum(layer.words for layer in packed)
    return words, sum(least(layer) for layer in image.layers)


def _data_name(part: str) -> str:
    return Cell(part=part, arm="dense", density=1.0, seed=0).config().data.name
