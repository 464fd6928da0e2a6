"""Reads an HDF5 file into plain values, within limits, and opens nothing that could be code.

Groups become dictionaries, numbers arrays, texts strings. Soft and external links, objects,
compound types, references, and data that lie in other files are refused: no importer needs them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from spikeloom.errors import UserError
from spikeloom.files import what_lies_there

MAGIC = b"\x89HDF\r\n\x1a\n"
LARGEST_FILE = 1 << 29
LARGEST_ARRAYS = 1 << 27
"""Bytes of all arrays together, as they are in memory."""
MOST_OBJECTS = 100_000
DEEPEST = 16
FILTERS = {"gzip", "lzf", None}

Tree = dict[str, Any]


class _Reader:
    """Counts what has been read, so that no file makes it read without end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bytes = 0
        self.objects = 0

    def refuse(self, place: str, what: str, fix: str) -> UserError:
        return UserError(f"{self.path}: {place or '/'}: {what}: {fix}")

    def group(self, group: Any, place: str, depth: int) -> Tree:
        import h5py

        if depth > DEEPEST:
            raise self.refuse(place, f"groups within groups, {depth} deep", "flatten the graph")
        found: Tree = {}
        for name in group:
            inner = f"{place}/{name}"
            self.objects += 1
            if self.objects > MOST_OBJECTS:
                raise self.refuse(place, f"more than {MOST_OBJECTS:,} objects", "split the file")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise self.refuse(inner, "a link to elsewhere", "write the data into the file")
            member = group[name]
            if isinstance(member, h5py.Group):
                found[name] = self.group(member, inner, depth + 1)
            elif isinstance(member, h5py.Dataset):
                found[name] = self.dataset(member, inner)
            else:
                raise self.refuse(inner, "a type without data", "write arrays and texts alone")
        return found

    def dataset(self, dataset: Any, place: str) -> Any:
        import h5py

        if dataset.is_virtual or dataset.external:
            raise self.refuse(place, "its data lie in another file", "write them into this one")
        if dataset.compression not in FILTERS or dataset.shape is None:
            raise self.refuse(place, "no plain array", "write it without filters")
        text = h5py.check_string_dtype(dataset.dtype)
        if text is None and dataset.dtype.kind not in "fiub":
            raise self.refuse(
                place, f"its values are {dataset.dtype}", "write numbers or texts, never objects"
            )
        # What a damaged header claims is counted before anything is read.
        self.bytes += dataset.size * max(8, dataset.dtype.itemsize)
        if self.bytes > LARGEST_ARRAYS:
            raise self.refuse(
                place, f"arrays of more than {LARGEST_ARRAYS >> 20} MiB", "split the network"
            )
        if text is None:
            return np.asarray(dataset[()])
        values = np.asarray(dataset[()], dtype=object)
        decoded = [_text(value) for value in values.reshape(-1)]
        return decoded[0] if dataset.shape == () else np.array(decoded).reshape(values.shape)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def read_hdf5(path: Path) -> Tree:
    """What a file holds.

    Raises:
        UserError: it is missing, no HDF5 file, damaged, or holds what is not taken.
    """
    if not path.is_file():
        raise UserError(f"there is no file {path}; give the path of a network's file")
    size = path.stat().st_size
    with path.open("rb") as file:
        magic = file.read(len(MAGIC))
    if magic != MAGIC:
        what = what_lies_there(path)
        raise UserError(
            f"{path}: not an HDF5 file{f', but {what}' if what else ''}: write the network with "
            "nir.write"
        )
    if size > LARGEST_FILE:
        raise UserError(
            f"{path}: {size >> 20} MiB: a network's file has at most {LARGEST_FILE >> 20} MiB"
        )
    import h5py

    reader = _Reader(path)
    try:
        with h5py.File(path, "r") as file:
            return reader.group(file, "", 0)
    except UserError:
        raise
    except Exception as error:  # h5py raises whatever fits the damage that its library met
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{path}: a damaged HDF5 file ({reason}): write it again") from None
