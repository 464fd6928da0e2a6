"""Folders with one folder a class: what images, sounds and recordings have in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.datasets.collection import Collection, labelled, room
from spikeloom.errors import UserError
from spikeloom.preparation import Preparation, prepare, prepared_shape

__all__ = ["PARTS", "Files", "collection_of", "scan"]

PARTS = {
    "train": "train", "training": "train",
    "validation": "validation", "valid": "validation", "val": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
"""Names of folders, in lower case, that say which split is in them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Files:
    """Files with labels, in the order of their paths.

    Attributes:
        root: the folder above them all.
        paths: of each sample.
        labels: the class's name of each.
        parts: of each, or None where the folders do not say.
        groups: of each, or None.
    """

    root: Path
    paths: Sequence[Path]
    labels: Sequence[str]
    parts: Sequence[str] | None = None
    groups: Sequence[str] | None = None


def scan(root: Path, suffixes: Sequence[str], *, groups: str = "") -> Files:
    """Find the samples below a folder: `CLASS/file`, or `train/CLASS/file` and so on.

    Hidden files, and files that lie beside the classes' folders, are left alone.

    Args:
        root: the folder.
        suffixes: of a sample's file, in lower case.
        groups: a regular expression whose one group is a sample's group.

    Raises:
        UserError: there is no sample, or something that is none, or something lies elsewhere.
    """
    if not root.is_dir():
        raise UserError(f"{root} is no folder: give the folder above one folder a class")
    above = {path: PARTS[path.name.lower()] for path in _folders(root) if _is_part(path)}
    paths: list[Path] = []
    labels: list[str] = []
    parts: list[str] = []
    for place, part in (above or {root: ""}).items():
        for folder in _folders(place):
            own = _samples(folder, root, suffixes)
            paths += own
            labels += [folder.name] * len(own)
            parts += [part] * len(own)
    if not paths:
        raise UserError(
            f"{root} has no folder with samples: put each class's files into a folder of its name"
        )
    return Files(
        root=root,
        paths=paths,
        labels=labels,
        parts=parts if above else None,
        groups=_grouped(root, paths, groups) if groups else None,
    )


def _is_part(path: Path) -> bool:
    return path.name.lower() in PARTS


def _folders(path: Path) -> list[Path]:
    return sorted(own for own in path.iterdir() if own.is_dir() and not own.name.startswith("."))


def _samples(folder: Path, root: Path, suffixes: Sequence[str]) -> list[Path]:
    own = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    if not own:
        raise UserError(f"{folder} is empty: put samples of its class there, or remove it")
    seen: dict[str, Path] = {}
    for path in own:
        if not path.resolve().is_relative_to(root.resolve()):
            raise UserError(
                f"{path} leads out of {root}, to {path.resolve()}: put the file itself there"
            )
        if path.suffix.lower() not in suffixes or path.is_dir():
            raise UserError(
                f"{path} is not one of {', '.join(suffixes)}: leave samples of one kind alone in "
                "their class's folder"
            )
        if (other := seen.setdefault(path.stem.lower(), path)) != path:
            raise UserError(
                f"{other} and {path.name} have one name: rename or remove one of the two"
            )
    return own


def _grouped(root: Path, paths: Sequence[Path], pattern: str) -> list[str]:
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise UserError(
            f"[data.split] groups is no regular expression ({error}): {pattern!r}"
        ) from None
    if expression.groups != 1:
        raise UserError(
            f"[data.split] groups has {expression.groups} groups in round brackets, not one: "
            f"{pattern!r}"
        )
    found = []
    for path in paths:
        match = expression.search(path.relative_to(root).as_posix())
        if match is None or match[1] is None:
            raise UserError(f"[data.split] groups {pattern!r} finds no group in {path}")
        found.append(match[1])
    return found


def collection_of(
    files: Files,
    read: Callable[[Path], Any],
    fit: Callable[[NDArray[np.int64]], Preparation],
) -> Collection:
    """Files as a collection; `read` gives the raw sample of one."""
    labels, names = labelled(files.labels)

    def prepared(preparation: Preparation) -> NDArray[np.uint8]:
        shape = prepared_shape(preparation, ())
        values = room((len(files.paths), *shape))
        for row, path in enumerate(files.paths):
            raw = read(path)
            try:
                values[row] = prepare(preparation, [raw]).reshape(shape)
            except UserError as error:
                raise UserError(f"{path}: {error}") from None
        return values

    return Collection(
        place=files.root,
        labels=labels,
        class_names=names,
        fit=fit,
        prepared=prepared,
        parts=None if files.parts is None else np.array(files.parts),
        groups=None if files.groups is None else np.array(files.groups),
    )


def first_files(root: Path) -> Iterator[Path]:
    """Files below a folder, hidden ones left out, to tell what kind it is of."""
    for path in sorted(root.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from first_files(path)
        elif path.parent != root or not any(own.is_dir() for own in root.iterdir()):
            yield path
