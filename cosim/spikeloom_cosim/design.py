"""Cores from folders that `spikeloom generate` made, and a person may have changed."""

from __future__ import annotations

import re
from pathlib import Path

from spikeloom.errors import UserError
from spikeloom_cosim import build
from spikeloom_cosim.core import Core
from spikeloom_cosim.shape import CoreShape, LayerShape
from spikeloom_hw.core.layouts import core_load_layout
from spikeloom_hw.design_check import check_memories
from spikeloom_hw.generate import Design, load_design

_READ_MEMORY = re.compile(r'\$readmemh\("([^"]+)"')


def load_core(folder: Path) -> Core:
    """The core in a folder made by `spikeloom generate`.

    Raises:
        UserError: a file is missing or damaged.
    """
    design = load_design(folder)
    verilog = folder / build.CORE
    if not verilog.is_file():
        raise UserError(f"{folder} lacks {build.CORE}; generate the design again")
    read = sorted(set(_READ_MEMORY.findall(verilog.read_text())))
    memories = tuple(folder / name for name in read)
    if missing := [memory.name for memory in memories if not memory.is_file()]:
        raise UserError(f"{folder} lacks {missing[0]}; generate the design again")
    check_memories(folder, design)
    return Core(
        verilog=verilog,
        memories=memories,
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
        load_bits=core_load_layout(design.core).size if design.loadable else 0,
    )
