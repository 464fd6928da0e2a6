"""Logic synthesis: Verilog to a netlist of the device's cells."""

from collections.abc import Callable
from pathlib import Path

from spikeloom_hw.synth.families import Family
from spikeloom_hw.synth.tools import Tool, run_tool

SCRIPT = "yosys.ys"
LOG = "yosys.log"
NETLIST = "top.json"

_STEPS = """\
read_verilog {sources}
{synthesis}
write_json {netlist}
"""


def synthesize(tool: Tool, folder: Path, *, family: Family, note: Callable[[str], None]) -> None:
    """Synthesise the Verilog in `folder`, whose top is `top`, for `family` into `top.json`.

    Raises:
        ToolError: yosys does not accept the design.
    """
    sources = " ".join(sorted(path.name for path in folder.glob("*.v")))
    steps = _STEPS.format(sources=sources, synthesis=family.synthesis, netlist=NETLIST)
    (folder / SCRIPT).write_text(steps)
    run_tool(tool, ["-q", "-s", SCRIPT, "-l", LOG], folder=folder, log="yosys.out", note=note)
    (folder / "yosys.out").unlink()
