"""Cores from folders that `spikeloom generate` made, and a person may have changed."""

from __future__ import annotations

from pathlib import Path

from spikeloom.errors import UserError
from spikeloom_cosim import build
from spikeloom_cosim.core import Core
from spikeloom_cosim.shape import CoreShape
from spikeloom_hw.generate import load_design


def load_core(folder: Path) -> Core:
    """The core in a folder made by `spikeloom generate`.

    Raises:
        UserError: a file is missing or damaged.
    """
    design = load_design(folder)
    verilog = folder / build.CORE
    missing = [name for name in design.files if not (folder / name).is_file()]
    if missing:
        raise UserError(f"{folder} lacks {missing[0]}; generate the design again")
    return Core(
        verilog=verilog,
        memories=tuple(sorted(folder.glob("*.mem"))),
        shape=CoreShape.of(design),
        network_sha256=design.network_sha256,
    )
