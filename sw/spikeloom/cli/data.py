"""The option that says where data sets' files are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

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
