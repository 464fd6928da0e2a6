"""Where data sets' files are, and the one that fits a network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from spikeloom.datasets import Dataset, load_dataset
from spikeloom.encoding import encoding_inputs
from spikeloom.errors import UserError
from spikeloom.image import NetworkImage

F = TypeVar("F", bound=Callable[..., Any])


def data_dir_option(function: F) -> F:
    """Add `--data-dir`; it arrives as the parameter `data_dir: Path | None`."""
    option = click.option(
        "--data-dir",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="SPIKELOOM_DATA",
        help="Folder above the data sets' own, for those read from files.",
    )
    return option(function)


def fitting_dataset(
    path: Path, image: NetworkImage, name: str | None, data_dir: Path | None
) -> Dataset:
    """Data set ``name``, by default the one that the network in ``path`` was trained on.

    Raises:
        UserError: there is no such data set, or the network takes no images of its size.
    """
    dataset = load_dataset(name or image.provenance.dataset, data_dir)
    inputs = encoding_inputs(image.encoding, dataset.pixels, image.time_steps)
    if inputs != image.inputs:
        raise UserError(
            f"{path} has {image.inputs} inputs, but {dataset.name!r} is encoded into {inputs}: "
            "take the data set it was trained on"
        )
    return dataset
