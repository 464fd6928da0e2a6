"""Logic synthesis: Verilog to a netlist of the device's cells."""

from collections.abc import Callable
from pathlib import Path

from spikeloom_hw.synth.tools import Tool, run_tool

SCRIPT = "yosys.ys"
LOG = "yosys.log"
NETLIST = "top.json"

# `-device u` lets the mapper weigh paths with the UP5K's own delays.
_ICE40 = """\
read_verilog {sources}
synth_ice40 -device u -top top
write_json {netlist}
"""


def synthesize(tool: Tool, folder: Path, *, note: Callable[[str], None]) -> None:
    """Synthesise the Verilog in `folder`, whose top is `top`, for the iCE40 into `top.json`.

    Raises:
        ToolError: yosys does not accept the design.
    """
    sources = " ".join(sorted(path.name for path in folder.glob("*.v")))
    (folder / SCRIPT).write_text(_ICE40.format(sources=sources, netlist=NETLIST))
    run_tool(tool, ["-q", "-s", SCRIPT, "-l", LOG], folder=folder, log="yosys.out", note=note)
    (folder / "yosys.out").unlink()
