"""The data sets that have a name: those that are built in, and those that packages add."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType

from spikeloom.datasets.digits import load_digits
from spikeloom.datasets.idx import load_idx_dataset
from spikeloom.datasets.named import load_cifar10, load_n_mnist, load_spoken_digits
from spikeloom.datasets.request import Request
from spikeloom.datasets.source import load_source
from spikeloom.datasets.split import Dataset
from spikeloom.errors import UserError, nearest
from spikeloom.provenance import DataSource

__all__ = ["BUILT_IN", "Loader", "UnknownDatasetError", "known_names", "load", "load_dataset"]

ENTRY_POINTS = "spikeloom.datasets"
"""Group of the entry points through which packages add data sets: a name and a `Loader`."""

Loader = Callable[[Request], Dataset]

FASHION = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat",
    "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip

BUILT_IN: Mapping[str, Loader] = MappingProxyType(
    {
        "digits": load_digits,
        "mnist": partial(load_idx_dataset, "mnist"),
        "fashion-mnist": partial(load_idx_dataset, "fashion-mnist", class_names=FASHION),
        "cifar-10": load_cifar10,
        "spoken-digits": load_spoken_digits,
        "n-mnist": load_n_mnist,
    }
)
"""Loader of each data set that comes with Spikeloom."""


class UnknownDatasetError(UserError):
    """There is no data set of that name."""


def known_names() -> list[str]:
    """Names of all data sets, built in or added by a package."""
    return sorted({*BUILT_IN, *(point.name for point in entry_points(group=ENTRY_POINTS))})


def load_dataset(
    name: str, data_dir: Path | None = None, *, download: bool = False, time_steps: int = 1
) -> Dataset:
    """Load a named data set with its fixed splits.

    Args:
        name: of `known_names`.
        data_dir: folder that holds `<name>/`, for data sets read from files; SPIKELOOM_DATA if not
            given.
        download: fetch the data set, where that is possible, if it is not here.
        time_steps: T, for data sets that are prepared as one frame a step.

    Raises:
        UnknownDatasetError: there is no data set of that name.
        UserError: the data set's files are missing or damaged.
    """
    given = {} if data_dir is None else {"data_dir": data_dir}
    source = DataSource(name=name)
    return load(Request(source=source, time_steps=time_steps, download=download, **given))


def load(request: Request) -> Dataset:
    """Load the samples that are asked for: a source of the user's own, or a data set by name.

    Raises:
        UnknownDatasetError, UserError: as `load_dataset`.
    """
    if request.source.source:
        return load_source(request)
    return _loader(request.source.name)(request)


def _loader(name: str) -> Loader:
    if name in BUILT_IN:
        return BUILT_IN[name]
    for point in entry_points(group=ENTRY_POINTS, name=name):
        return point.load()
    names = known_names()
    hint = nearest(name, names) or f"; choose from {', '.join(names)}"
    raise UnknownDatasetError(f"unknown data set {name!r}{hint}")
