"""What is asked of a data set's loader."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from spikeloom.errors import UserError
from spikeloom.provenance import DataSource, SplitSettings

__all__ = ["DATA_VARIABLE", "Request", "fixed_split"]

DATA_VARIABLE = "SPIKELOOM_DATA"
"""The environment variable that stands for `data_dir`."""


def _from_environment() -> Path | None:
    value = os.environ.get(DATA_VARIABLE)
    return Path(value) if value else None


@dataclass(frozen=True, kw_only=True)
class Request:
    """Which samples, and where to find them.

    Attributes:
        source: which, and how they are divided and prepared.
        time_steps: T, for preparations that make one frame a step.
        data_dir: the folder above the data sets' own; SPIKELOOM_DATA if not given.
        download: fetch what is not here.
    """

    source: DataSource = field(default_factory=DataSource)
    time_steps: int = 1
    data_dir: Path | None = field(default_factory=_from_environment)
    download: bool = False


def fixed_split(request: Request) -> None:
    """Refuse a split of one's own for a data set that is divided once and for all.

    Raises:
        UserError: the request has one.
    """
    if request.source.split != SplitSettings():
        raise UserError(
            f"the data set {request.source.name!r} has a fixed split: leave out [data.split]"
        )
