"""The options that say which samples a verb takes."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from spikeloom.datasets.fitting import DataChoice
from spikeloom.datasets.request import DATA_VARIABLE
from spikeloom.errors import UserError

__all__ = ["data_dir_option", "data_options"]

data_dir_option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    envvar=DATA_VARIABLE,
    help="Folder above the data sets' own, for those read from files.",
)
"""Add `--data-dir`; it arrives as `data_dir: Path | None`."""


def data_options(
    *, names: str | None = "Name of the data set; the network's own unless given."
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add `--data`, `--data-dir`, `--download` and `--dataset`, as one `data: DataChoice`.

    Args:
        names: help of `--dataset`; None leaves it out, where a run says which data are its own.
    """
    options = [
        click.option(
            "--data",
            "source",
            type=click.Path(path_type=Path),
            help="Samples of your own: an .npz file, a table, or a folder with one folder a class.",
        ),
        data_dir_option,
        click.option(
            "--download",
            is_flag=True,
            help="Fetch the data set, where that is possible, if it is not here.",
        ),
    ]
    if names is not None:
        options.insert(0, click.option("--dataset", "name", help=names))

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def collected(
            *arguments: Any,
            source: Path | None,
            data_dir: Path | None,
            download: bool,
            name: str | None = None,
            **more: Any,
        ) -> Any:
            if name is not None and source is not None:
                raise UserError("--dataset and --data both name the samples: leave out one")
            choice = DataChoice(name=name, source=source, data_dir=data_dir, download=download)
            return function(*arguments, data=choice, **more)

        for option in reversed(options):
            collected = option(collected)
        return collected

    return decorate
