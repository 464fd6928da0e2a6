"""Cores from folders that `spikeloom generate` made, and a person may have changed."""

from __future__ import annotations

from pathlib import Path

from spikeloom.errors import UserError
from spikeloom_cosim import build
from spikeloom_cosim.core import Core
from spikeloom_cosim.shape import CoreShape, LayerShape
from spikeloom_hw.generate import Design, load_design


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
        shape=_shape(design),
        network_sha256=design.network_sha256,
    )


def _shape(design: Design) -> CoreShape:
    return CoreShape(
        address_bits=design.address_bits,
        score_bits=design.score_bits,
        label_bits=design.label_bits,
        layers=tuple(
            LayerShape(
                name=layer.name,
                neurons=layer.neurons,
                lanes=layer.lanes,
                group_bits=layer.group_bits,
                membrane_bits=layer.membrane_bits,
            )
            for layer in design.layers
        ),
    )
