"""A core that wakes up with anything in its registers, as in a flow that knows no first values.

The Verilog gives every register the value that reset gives it. A simulator that obeys would never
show what depends on them before the first reset: so they are taken out, and Verilator draws what
has no value. Memories that a file fills keep their contents, as they do on a device.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

from spikeloom_cosim.core import Core

_FIRST_VALUE = re.compile(r"^( *reg (?:\[\d+:0\] )?(?:\\\S+ |\w+)) *= \d+'[^;]+;$", re.MULTILINE)


def random_wake_up(seed: int) -> dict[str, int | None]:
    """Arguments for the simulator: draw whatever has no first value."""
    return {"verilator+rand+reset+2": None, f"verilator+seed+{seed}": None}


def without_first_values(core: Core, *, folder: Path) -> Core:
    """The core with registers that have no first value; makes `folder`."""
    source, registers = _FIRST_VALUE.subn(r"\1;", core.verilog.read_text())
    if not registers:
        raise ValueError(f"No register of {core.verilog} has a first value")
    folder.mkdir(parents=True)
    verilog = folder / core.verilog.name
    verilog.write_text(source)
    memories = tuple(Path(shutil.copy(memory, folder)) for memory in core.memories)
    return replace(core, verilog=verilog, memories=memories)
