"""What is asked of a data set's loader."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from spikeloom.provenance import DataSource

__all__ = ["DATA_VARIABLE", "Request"]

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
