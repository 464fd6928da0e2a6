"""Which bits of a core never change, whatever is played to it: synthesis makes them constants."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from spikeloom_cosim.build import CORE
from spikeloom_cosim.core import Core
from spikeloom_hw.generate import CORE_MODULE
from spikeloom_hw.synth.tools import find_tool, run_tool

SCRIPT = f"""\
read_verilog {CORE}
hierarchy -top {CORE_MODULE}
proc
flatten
opt -full
write_json flat.json
"""

Bit = tuple[str, int]
"""A net by its path below the core, and a bit of it."""


def constant_bits(core: Core) -> set[Bit]:
    """The constant bits of a core."""
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        work = Path(scratch)
        (work / CORE).write_bytes(core.verilog.read_bytes())
        for memory in core.memories:
            shutil.copy(memory, work)
        (work / "script.ys").write_text(SCRIPT)
        run_tool(find_tool("yosys"), ["-q", "script.ys"], folder=work, log="yosys.log")
        nets = json.loads((work / "flat.json").read_text())["modules"][CORE_MODULE]["netnames"]
    return {
        (name.replace("\\", ""), at)
        for name, net in nets.items()
        for at, bit in enumerate(net["bits"])
        if isinstance(bit, str)
    }
