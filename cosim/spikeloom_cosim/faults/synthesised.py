"""A core that carries faults, after synthesis: the same faults, among the cells of the device."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from spikeloom_cosim.chip.cells import instances, models
from spikeloom_cosim.core import Core
from spikeloom_cosim.faults.plant import PLANTED, WRAPPER, copy_core, run_yosys
from spikeloom_hw.synth.tools import find_tool
from spikeloom_hw.synth.yosys import cell_models

_SYNTHESIS = f"""\
read_verilog core.v
synth_ice40 -device u -spram -top {PLANTED}
write_verilog -noattr netlist.v
"""


def synthesise(planted: Core, *, folder: Path) -> Core:
    """What yosys makes of a planted core for the iCE40; the memories' contents are in its cells.

    Args:
        planted: the core, see `plant_logic`.
        folder: made; holds the new core.

    Raises:
        UserError: a cell has no model.
    """
    wrapper = planted.verilog.with_name(WRAPPER).read_text()
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        work = Path(scratch)
        copy_core(planted, work)
        source = work / "core.v"
        source.write_text(source.read_text().removesuffix(wrapper))
        run_yosys(_SYNTHESIS, work)
        netlist = (work / "netlist.v").read_text()
    cells = models(instances(netlist), cell_models(find_tool("yosys"), "ice40/cells_sim.v"))
    folder.mkdir(parents=True)
    verilog = folder / "core.v"
    verilog.write_text(f"{cells}\n{netlist}\n{wrapper}")
    return replace(planted, verilog=verilog, memories=())
