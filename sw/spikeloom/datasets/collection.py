"""Samples as they lie in a source, and how they become a `Dataset`."""

from __future__ import annotations

import math
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.datasets.request import Request
from spikeloom.datasets.rows import Rows
from spikeloom.datasets.split import Dataset, Split, held_out_rows
from spikeloom.errors import UserError
from spikeloom.preparation import Preparation, prepared_shape
from spikeloom.provenance import DataIdentity, SplitSettings

__all__ = ["Collection", "assemble", "labelled", "room"]

IN_MEMORY = 1 << 28
"""Bytes of prepared samples that are kept in memory; more go to a temporary file."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Collection:
    """Labelled samples that have not been prepared or divided yet, N of them.

    Attributes:
        place: the file or folder they are from.
        labels: int64 [N].
        class_names: of the labels.
        parts: str [N] of "train", "validation", "test", or None where the source does not say.
        groups: str [N] of what must not be divided, or None.
        shape: of a raw sample, where it has one.
        fit: the preparation, read off the samples at int64 [n] rows, those that train.
        prepared: all samples, prepared: uint8 [N, ...], which need not be in memory.
    """

    place: Path
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    fit: Callable[[NDArray[np.int64]], Preparation]
    prepared: Callable[[Preparation], NDArray[np.uint8]]
    parts: NDArray[np.str_] | None = None
    groups: NDArray[np.str_] | None = None
    shape: tuple[int, ...] = ()


def labelled(names: Sequence[Any] | NDArray[Any]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Labels [N] and class names of a name for each sample; numbers in their own order."""
    present, labels = np.unique(np.asarray(names), return_inverse=True)
    if present.dtype.kind == "U" and all(re.fullmatch(r"-?\d+", name) for name in present):
        order = np.argsort(present.astype(np.int64), kind="stable")
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        present, labels = present[order], rank[labels]
    return labels.astype(np.int64), tuple(str(name) for name in present.tolist())


def room(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """An empty uint8 array; a large one lies in a temporary file that goes with the process."""
    if math.prod(shape) <= IN_MEMORY:
        return np.empty(shape, dtype=np.uint8)
    with tempfile.TemporaryFile(prefix="spikeloom-") as file:
        return np.memmap(file, dtype=np.uint8, mode="w+", shape=shape)


def assemble(
    name: str, collection: Collection, request: Request, known: DataIdentity | None = None
) -> Dataset:
    """Divide and prepare samples.

    Args:
        name: of the data set.
        collection: the samples.
        request: how they are divided.
        known: of a network: its classes and its preparation are taken.

    Raises:
        UserError: they cannot be divided or prepared so.
    """
    class_names = collection.class_names if known is None else known.class_names
    labels = _labels(collection, class_names)
    parts = _divide(collection, request.source.split)
    rows = {part: np.flatnonzero(parts == part) for part in ("train", "validation", "test")}
    preparation = collection.fit(rows["train"]) if known is None else known.preparation
    values = collection.prepared(preparation)
    splits = {
        part: Split(images=Rows(values, own), labels=labels[own], index=own)
        for part, own in rows.items()
    }
    return Dataset(
        name=name,
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
        shape=prepared_shape(preparation, collection.shape),
        class_names=class_names,
        preparation=preparation,
        source=request.source,
        place=str(collection.place),
        divided=collection.parts is not None,
    )


def _labels(collection: Collection, class_names: tuple[str, ...]) -> NDArray[np.int64]:
    """The labels, as positions in `class_names`."""
    if collection.class_names == class_names:
        return collection.labels
    places = {name: place for place, name in enumerate(class_names)}
    for name in collection.class_names:
        if name not in places:
            raise UserError(
                f"{collection.place} has the class {name!r}, which the network does not know: its "
                f"classes are {', '.join(class_names)}"
            )
    return np.array([places[name] for name in collection.class_names])[collection.labels]


def _divide(collection: Collection, settings: SplitSettings) -> NDArray[np.str_]:
    """The part of each sample."""
    count = len(collection.labels)
    parts = np.full(count, "train", dtype="<U10")
    if collection.parts is not None:
        parts[:] = collection.parts
    if settings.test_groups:
        groups = _groups(collection)
        absent = sorted(set(settings.test_groups) - set(groups.tolist()))
        if absent:
            raise UserError(
                f"{collection.place} has no group {absent[0]!r}: its groups are "
                f"{', '.join(sorted(set(groups.tolist())))}"
            )
        parts[parts == "test"] = "train"
        parts[np.isin(groups, settings.test_groups)] = "test"
    elif not (parts == "test").any():
        _cut(collection, parts, "test", settings.test, settings)
    if not (parts == "validation").any():
        _cut(collection, parts, "validation", settings.validation, settings)
    return parts


def _groups(collection: Collection) -> NDArray[np.str_]:
    if collection.groups is None:
        raise UserError(
            f"{collection.place}: test_groups names groups, and nothing says which sample is in "
            "which: set [data.split] groups"
        )
    return collection.groups


def _cut(
    collection: Collection,
    parts: NDArray[np.str_],
    part: str,
    share: float,
    settings: SplitSettings,
) -> None:
    """Move a share of the training samples to another part: stratified, and by whole groups."""
    if not share:
        raise UserError(
            f"{collection.place} has no {part} samples: set [data.split] {part} to the share that "
            "is to be cut off"
        )
    rows = np.flatnonzero(parts == "train")
    labels = collection.labels[rows]
    if collection.groups is None or not (settings.groups or settings.test_groups):
        held = held_out_rows(labels, share, seed=settings.seed)
    else:
        held = _held_out_groups(collection, rows, share, settings.seed)
    parts[rows[held]] = part


def _held_out_groups(
    collection: Collection, rows: NDArray[np.int64], share: float, seed: int
) -> NDArray[np.bool_]:
    """Whole groups, about a share of the samples, their classes as even as that allows."""
    from sklearn.model_selection import StratifiedGroupKFold  # slow to import

    groups = _groups(collection)[rows]
    folds = round(1 / share)
    if len(set(groups.tolist())) < max(2, folds):
        raise UserError(
            f"{collection.place} has {len(set(groups.tolist()))} groups to divide, too few to cut "
            f"off a share of {share:g}: set a larger share, or name test_groups"
        )
    cut = StratifiedGroupKFold(n_splits=max(2, folds), shuffle=True, random_state=seed)
    _, chosen = next(cut.split(np.zeros(len(rows)), collection.labels[rows], groups))
    held = np.zeros(len(rows), dtype=np.bool_)
    held[chosen] = True
    return held
