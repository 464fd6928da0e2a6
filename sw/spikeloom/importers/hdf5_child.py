"""Reads an HDF5 file in a process of its own: `python hdf5_child.py FILE`.

The library behind h5py is large, and damaged files make it hang or crash. Here that costs a
process. What has been read goes to the standard output: the length of a JSON document, the
document, and the bytes of all arrays. Nothing of Spikeloom is imported, so that it starts at once.
"""

from __future__ import annotations

import contextlib
import json
import resource
import struct
import sys
from typing import Any

import h5py
import numpy as np

LARGEST_ARRAYS = 1 << 27
"""Bytes of all arrays together, as they are in memory."""
MOST_OBJECTS = 100_000
DEEPEST = 16
FILTERS = {"gzip", "lzf", None}
MEMORY, PROCESSOR_SECONDS = 1 << 30, 2

Tree = dict[str, Any]


class RefusedError(Exception):
    """What is not taken: place, what it is, and the fix."""


def refused(place: str, what: str, fix: str) -> RefusedError:
    """The error about one place of the file."""
    return RefusedError(f"{place or '/'}: {what}: {fix}")


class Reader:
    """Counts what has been read, so that no file makes it read without end.

    Attributes:
        blobs: bytes of each array, in the order of the document.
    """

    def __init__(self) -> None:
        self.bytes = 0
        self.objects = 0
        self.blobs: list[bytes] = []

    def group(self, group: Any, place: str, depth: int) -> Tree:
        """A group as a dictionary.

        Raises:
            RefusedError: it holds what is not taken.
        """
        if depth > DEEPEST:
            raise refused(place, f"groups within groups, {depth} deep", "flatten the graph")
        found: Tree = {}
        for name in group:
            inner = f"{place}/{name}"
            self.objects += 1
            if self.objects > MOST_OBJECTS:
                raise refused(place, f"more than {MOST_OBJECTS:,} objects", "split the file")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise refused(inner, "a link to elsewhere", "write the data into the file")
            member = group[name]
            if isinstance(member, h5py.Group):
                found[name] = {"group": self.group(member, inner, depth + 1)}
            elif isinstance(member, h5py.Dataset):
                found[name] = self.dataset(member, inner)
            else:
                raise refused(inner, "a type without data", "write arrays and texts alone")
        return found

    def dataset(self, dataset: Any, place: str) -> Tree:
        """An array of numbers, or texts.

        Raises:
            RefusedError: it is neither, or too large.
        """
        if dataset.is_virtual or dataset.external:
            raise refused(place, "its data lie in another file", "write them into this one")
        if dataset.compression not in FILTERS or dataset.shape is None:
            raise refused(place, "no plain array", "write it without filters")
        text = h5py.check_string_dtype(dataset.dtype)
        if text is None and dataset.dtype.kind not in "fiub":
            raise refused(
                place, f"its values are {dataset.dtype}", "write numbers or texts, never objects"
            )
        # What a damaged header claims is counted before anything is read.
        self.bytes += dataset.size * max(8, dataset.dtype.itemsize)
        if self.bytes > LARGEST_ARRAYS:
            raise refused(
                place, f"arrays of more than {LARGEST_ARRAYS >> 20} MiB", "split the network"
            )
        shape = list(dataset.shape)
        if text is not None:
            values = np.asarray(dataset[()], dtype=object)
            return {"shape": shape, "texts": [_text(value) for value in values.reshape(-1)]}
        values = np.asarray(dataset[()])
        plain = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
        self.blobs.append(plain.tobytes())
        return {"shape": shape, "dtype": plain.dtype.str, "bytes": len(self.blobs[-1])}


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def read(path: str) -> tuple[Tree, list[bytes]]:
    """What a file holds, as a document and the bytes of its arrays."""
    reader = Reader()
    try:
        with h5py.File(path, "r") as file:
            document = {"tree": reader.group(file, "", 0)}
    except RefusedError as error:
        return {"refused": str(error)}, []
    except Exception as error:  # h5py raises whatever fits the damage that its library met
        reason = " ".join(str(error).split()) or type(error).__name__
        return {"damaged": reason}, []
    return document, reader.blobs


def answer(path: str) -> bytes:
    """What is written about a file."""
    document, blobs = read(path)
    text = json.dumps(document).encode()
    return struct.pack("<Q", len(text)) + text + b"".join(blobs)


def main() -> None:
    """Read the file that is named, and write what it holds."""
    for limit, value in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, PROCESSOR_SECONDS),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(limit, (value, value))
    sys.stdout.buffer.write(answer(sys.argv[1]))


if __name__ == "__main__":
    main()
