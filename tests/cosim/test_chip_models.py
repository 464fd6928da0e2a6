"""Our models of logic cells against those that yosys ships: equal, proved by its SAT solver."""

import re

import pytest

from spikeloom_cosim.chip import cells
from spikeloom_cosim.chip.level import MODELS
from spikeloom_hw.synth import yosys
from spikeloom_hw.synth.tools import ToolError, find_tool, run_tool

HEAD = """\
`define ICE40_DEFAULT_ASSIGNMENT_V(v) = v
`define ICE40_DEFAULT_ASSIGNMENT_0 = 1'b0
`define ICE40_DEFAULT_ASSIGNMENT_1 = 1'b1
"""
PROOF = """
read_verilog {side}.v
chparam {parameters} {name}
prep -flatten -top {name}
rename {name} {side}
design -stash {side}
"""
COMPARE = """
design -copy-from gold -as gold gold
design -copy-from gate -as gate gate
async2sync
miter -equiv -ignore_gold_x -flatten gold gate miter
hierarchy -top miter
sat -verify -prove trigger 0 -tempinduct -set-def-inputs miter
"""
REGISTER = {"LUT_INIT": 0xB3A6, "DFF_ENABLE": 1}
CASES = [
    ("SB_LUT4", {"LUT_INIT": 0xB3A6}),
    ("SB_LUT4", {"LUT_INIT": 0x8001}),
    ("ICESTORM_LC", {"LUT_INIT": 0x1D35, "CARRY_ENABLE": 1}),
    ("ICESTORM_LC", {"LUT_INIT": 0x1D35, "CARRY_ENABLE": 1, "CIN_CONST": 1, "CIN_SET": 1}),
    ("ICESTORM_LC", REGISTER),
    ("ICESTORM_LC", {**REGISTER, "SET_NORESET": 1, "CARRY_ENABLE": 1}),
    ("ICESTORM_LC", {**REGISTER, "ASYNC_SR": 1}),
]


def prove(folder, name, parameters, model):
    tool = find_tool("yosys")
    shipped = re.search(
        rf"^module {name} .*?^endmodule$",
        yosys.cell_models(tool, MODELS),
        re.DOTALL | re.MULTILINE,
    )
    assert shipped is not None
    # A pin that is not connected is tied in the netlist, so the model need not look for it.
    gold = re.sub(r"\(\w+ === 1'bz\) \? 1'b[01] : ", "", shipped[0])
    (folder / "gold.v").write_text(HEAD + gold)
    (folder / "gate.v").write_text(model)
    words = " ".join(f"-set {key} {value}" for key, value in parameters.items())
    steps = (PROOF.format(side=side, name=name, parameters=words) for side in ("gold", "gate"))
    (folder / "proof.ys").write_text("".join([*steps, COMPARE]))
    run_tool(tool, ["-q", "-s", "proof.ys"], folder=folder, log="proof.log")


def model(name):
    (text,) = re.findall(
        rf"^module {name} .*?^endmodule$", cells.MODELS.read_text(), re.DOTALL | re.MULTILINE
    )
    return text


@pytest.mark.parametrize(("name", "parameters"), CASES)
def test_equal(tmp_path, name, parameters):
    prove(tmp_path, name, parameters, model(name))


@pytest.mark.parametrize(
    ("name", "parameters", "right", "wrong"),
    [
        ("SB_LUT4", {"LUT_INIT": 0xB3A6}, "{I3, I2, I1, I0}", "{I3, I1, I2, I0}"),
        ("ICESTORM_LC", {**REGISTER, "SET_NORESET": 1}, "SR ? SET_NORESET", "SR ? 0"),
    ],
)
def test_a_wrong_model_is_not(tmp_path, name, parameters, right, wrong):
    text = model(name)
    assert right in text
    with pytest.raises(ToolError):
        prove(tmp_path, name, parameters, text.replace(right, wrong))
