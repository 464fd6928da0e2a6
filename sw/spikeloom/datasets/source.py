"""A user's own source: what kind it is of, and its samples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from spikeloom.datasets.collection import Collection, assemble
from spikeloom.datasets.request import Request
from spikeloom.datasets.sources import arrays, audio, images, recordings, table
from spikeloom.datasets.sources.files import first_files
from spikeloom.datasets.split import Dataset
from spikeloom.errors import UserError
from spikeloom.provenance import DataIdentity, Kind

__all__ = ["collect_source", "kind_of", "load_source"]

COLLECT: dict[str, Callable[[Path, Request], Collection]] = {
    "arrays": arrays.collect,
    "images": images.collect,
    "table": table.collect,
    "audio": audio.collect,
    "events": recordings.collect,
}
SUFFIXES: dict[Kind, tuple[str, ...]] = {
    "images": images.SUFFIXES,
    "audio": audio.SUFFIXES,
    "events": recordings.SUFFIXES,
}


def load_source(request: Request, known: DataIdentity | None = None) -> Dataset:
    """The data set in a user's own source; `known` as for `assemble`.

    Raises:
        UserError: there is nothing, or nothing that can be read.
    """
    return assemble(request.source.name, collect_source(request), request, known)


def collect_source(request: Request) -> Collection:
    """The samples of a user's own source, not yet divided or prepared.

    Raises:
        UserError: as `load_source`.
    """
    path = Path(request.source.source)
    if not path.exists():
        raise UserError(f"there is no data source {path}: give a file or a folder that is there")
    kind = request.source.kind
    return COLLECT[kind_of(path) if kind == "auto" else kind](path, request)


def kind_of(path: Path) -> Kind:
    """What kind of source lies there, by the names of its files.

    Raises:
        UserError: it is none that is known.
    """
    if path.is_file():
        suffix = path.suffix.lower()
        if suffix == ".npz":
            return "arrays"
        if suffix in table.SUFFIXES:
            return "table"
        raise UserError(
            f"{path} is no data source that is known: give an .npz file, a table "
            f"({', '.join(table.SUFFIXES)}), or a folder with one folder a class"
        )
    first = next(first_files(path), None)
    if first is None:
        raise UserError(f"{path} has no samples: put each class's files into a folder of its name")
    for kind, suffixes in SUFFIXES.items():
        if first.suffix.lower() in suffixes:
            return kind
    raise UserError(
        f"{first} is no sample that is known: give images ({', '.join(images.SUFFIXES[:3])}, ...), "
        f"sounds ({', '.join(audio.SUFFIXES[:2])}, ...) or event recordings "
        f"({', '.join(recordings.SUFFIXES)})"
    )
