"""Reads an HDF5 file into plain values, within limits, and opens nothing that could be code.

Groups become dictionaries, numbers arrays, texts strings. Soft and external links, objects,
compound types, references, and data that lie in other files are refused: no importer needs them.

The library that reads HDF5 hangs or crashes on some damaged files. So it reads in a process of its
own (`hdf5_child`), with limits of time and memory, and a file that breaks it is a damaged one.
"""

from __future__ import annotations

import importlib.util
import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from spikeloom.errors import UserError
from spikeloom.files import what_lies_there

CHILD = Path(__file__).with_name("hdf5_child.py")
MAGIC = b"\x89HDF\r\n\x1a\n"
LARGEST_FILE = 1 << 29
SECONDS = 60
"""Of the reading process, by the clock; its own limit is one of processor time."""

Tree = dict[str, Any]


def read_hdf5(path: Path) -> Tree:
    """What a file holds.

    Raises:
        UserError: it is missing, no HDF5 file, damaged, or holds what is not taken.
        ModuleNotFoundError: h5py is not installed.
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
    if importlib.util.find_spec("h5py") is None:
        raise ModuleNotFoundError("No module named 'h5py'", name="h5py")
    document, arrays = _answer(path, _run(path))
    if "refused" in document:
        raise UserError(f"{path}: {document['refused']}")
    if "damaged" in document:
        raise _damaged(path, document["damaged"])
    return _tree(document["tree"], _Arrays(arrays))


def _run(path: Path) -> bytes:
    """What the reading process says."""
    # One thread: the threads of a linear algebra library would count as memory.
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(CHILD), str(path.resolve())],
            capture_output=True,
            timeout=SECONDS,
            env={**os.environ, **threads},
        )
    except subprocess.TimeoutExpired:
        raise _damaged(path, f"it took more than {SECONDS} s to read") from None
    if done.returncode < 0:
        raise _damaged(path, f"it broke its reader, by signal {-done.returncode}")
    if done.returncode:
        told = done.stderr.decode(errors="replace").strip().splitlines()
        raise _damaged(path, told[-1] if told else "its reader failed")
    return done.stdout


def _damaged(path: Path, reason: str) -> UserError:
    return UserError(f"{path}: a damaged HDF5 file ({reason}): write it again")


def _answer(path: Path, answer: bytes) -> tuple[dict[str, Any], memoryview]:
    """The document of an answer, and the bytes of its arrays."""
    if len(answer) < 8:
        raise _damaged(path, "its reader said nothing")
    (length,) = struct.unpack_from("<Q", answer)
    return json.loads(answer[8 : 8 + length]), memoryview(answer)[8 + length :]


class _Arrays:
    """Hands out the bytes of arrays one after another."""

    def __init__(self, data: memoryview) -> None:
        self._data, self._at = data, 0

    def take(self, count: int) -> memoryview:
        self._at += count
        return self._data[self._at - count : self._at]


def _tree(document: dict[str, Any], arrays: _Arrays) -> Tree:
    found: Tree = {}
    for name, own in document.items():
        if "group" in own:
            found[name] = _tree(own["group"], arrays)
        elif "texts" in own:
            texts = np.array(own["texts"], dtype=object).reshape(own["shape"])
            found[name] = texts.item() if texts.shape == () else texts
        else:
            values = np.frombuffer(arrays.take(own["bytes"]), dtype=own["dtype"])
            found[name] = values.reshape(own["shape"]).copy()
    return found
