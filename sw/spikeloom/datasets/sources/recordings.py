"""A folder of event recordings, one folder a class."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.datasets.collection import Collection
from spikeloom.datasets.request import Request
from spikeloom.datasets.sources.files import Files, collection_of, scan
from spikeloom.errors import UserError
from spikeloom.preparation import Binning

__all__ = ["SUFFIXES", "collect", "collect_files", "read_recording"]

SUFFIXES = (".bin", ".npy")
RECORD = 5
"""Bytes of an event in N-MNIST's files."""
EVENT = np.dtype([("x", np.int64), ("y", np.int64), ("t", np.int64), ("p", np.int64)])


def collect(root: Path, request: Request) -> Collection:
    """The recordings below a folder: `.bin` as N-MNIST has them, or `.npy` with t, x, y, p.

    Raises:
        UserError: there are none, one cannot be read, or the sensor's size is not given.
    """
    return collect_files(scan(root, SUFFIXES, groups=request.source.split.groups), request)


def collect_files(files: Files, request: Request) -> Collection:
    """Recordings in files; as `collect`."""
    settings = request.source.events
    if len(settings.sensor) != 2:
        raise UserError(
            f"{files.root}: the size of the sensor is not known: set [data.events] sensor = "
            "[height, width]"
        )
    height, width = settings.sensor

    def fit(_rows: NDArray[np.int64]) -> Binning:
        return Binning(
            height=height,
            width=width,
            steps=request.time_steps,
            shrink=settings.shrink,
            polarities=2 if settings.polarity else 1,
            window_us=settings.window_us,
        )

    return collection_of(files, read_recording, fit)


def read_recording(path: Path) -> NDArray[Any]:
    """The events of a recording: a structured array with the fields t, x, y, p.

    Raises:
        UserError: the file is damaged.
    """
    return _read_array(path) if path.suffix.lower() == ".npy" else _read_records(path)


def _read_records(path: Path) -> NDArray[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tonic.io import read_mnist_file  # optional, and slow to import

    size = path.stat().st_size
    if size == 0 or size % RECORD:
        raise UserError(
            f"{path} has {size} bytes, not {RECORD} for each event: put the original file there"
        )
    return read_mnist_file(str(path), EVENT)


def _read_array(path: Path) -> NDArray[Any]:
    try:
        # A header that claims more than the file has is refused by mapping it.
        events = np.load(path, mmap_mode="r", allow_pickle=False)
        if not isinstance(events, np.ndarray) or events.ndim != 1:
            raise ValueError("it is not one list of events")
        return events
    except (OSError, ValueError, EOFError) as error:
        reason = " ".join(str(error).split())
        raise UserError(
            f"{path} is no array of events ({reason}): save one with t, x, y, p"
        ) from None
