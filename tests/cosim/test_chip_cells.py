"""Cells and their models: what nextpnr leaves out is put back, and nothing goes without a model."""

import pytest

from spikeloom.errors import UserError
from spikeloom_cosim.chip.cells import cell_types, instances, models, restore
from spikeloom_cosim.chip.icebox import connect_clock, declare_once

SHIPPED = """`define A 1
module SB_LUT4 (
  input I0
);
endmodule
module SB_CARRY (output CO, input I0, I1, CI);
  assign CO = 0;
endmodule
"""


def cell(kind: str, inputs: dict[str, list], outputs: dict[str, list], **parameters: str) -> dict:
    directions = dict.fromkeys(inputs, "input") | dict.fromkeys(outputs, "output")
    return {
        "type": kind,
        "parameters": parameters,
        "port_directions": directions,
        "connections": {**inputs, **outputs},
    }


def routed() -> dict:
    """A PLL and its global clock, a logic cell, a memory of two bits: as nextpnr writes them."""
    memory = {"RADDR_0": [4], "RADDR_1": [], "RCLKE": [], "WCLKE": [6]}
    cells = {
        "pll": cell("ICESTORM_PLL", {"REFERENCECLK": []}, {"PLLOUT_A_GLOBAL": []}),
        "clk": cell("SB_GB", {"USER_SIGNAL_TO_GLOBAL_BUFFER": []}, {"GLOBAL_BUFFER_OUTPUT": [3]}),
        "lc": cell("ICESTORM_LC", {"I0": [4], "I1": [], "CEN": []}, {"O": [5], "COUT": []}),
        "ram": cell("ICESTORM_RAM", memory, {"RDATA_0": [], "RDATA_1": [7]}, NEG_CLK_R="0"),
        "scope": cell("$scopeinfo", {}, {}),
        "pad": cell("SB_IO", {"D_OUT_0": [], "PACKAGE_PIN": [2]}, {}),
    }
    nets = {f"n{bit}": {"bits": [bit]} for bit in range(2, 8)}
    top = {"cells": cells, "netnames": nets, "ports": {"clk12_0__io": {"bits": [2]}}}
    return {"modules": {"top": top}}


def test_restore():
    netlist = routed()
    restore(netlist, clock="clk12_0__io")
    cells = netlist["modules"]["top"]["cells"]
    assert "pad" not in cells
    wires = {name: each["connections"] for name, each in cells.items()}
    assert wires["pll"]["REFERENCECLK"] == [2]
    assert wires["clk"]["USER_SIGNAL_TO_GLOBAL_BUFFER"] == wires["pll"]["PLLOUT_A_GLOBAL"] == [8]
    assert wires["lc"] == {"I0": [4], "I1": ["0"], "CEN": ["1"], "O": [5], "COUT": []}
    assert cells["ram"]["type"] == "SB_RAM40_4K"
    assert cells["ram"]["parameters"] == {}
    assert wires["ram"] == {"RADDR": [4, "0"], "RCLKE": ["1"], "WCLKE": [6], "RDATA": [9, 7]}
    assert cells["ram"]["port_directions"]["RDATA"] == "output"
    assert cell_types(netlist) == {"ICESTORM_PLL", "SB_GB", "ICESTORM_LC", "SB_RAM40_4K"}


def test_restore_refuses_what_it_does_not_know():
    two = routed()
    two["modules"]["top"]["cells"]["pll2"] = two["modules"]["top"]["cells"]["pll"]
    with pytest.raises(UserError, match="has 2 PLLs"):
        restore(two, clock="clk12_0__io")
    used = routed()
    used["modules"]["top"]["cells"]["pad"]["connections"]["D_OUT_0"] = [4]
    with pytest.raises(UserError, match="more than the PLL"):
        restore(used, clock="clk12_0__io")
    inverted = routed()
    inverted["modules"]["top"]["cells"]["ram"]["parameters"]["NEG_CLK_R"] = "1"
    with pytest.raises(UserError, match="inverted clock"):
        restore(inverted, clock="clk12_0__io")


def test_models():
    text = models(["SB_LUT4", "SB_CARRY"], SHIPPED)
    assert text.startswith("`define A 1\n")
    assert text.count("module SB_LUT4") == 1
    assert "LUT_INIT" in text  # ours
    assert "assign CO = 0;" in text  # the shipped one
    assert "SB_PLL40_PAD" not in text
    with pytest.raises(UserError, match="no model of the cell SB_MAC16"):
        models(["SB_MAC16", "SB_LUT4"], SHIPPED)


def test_instances():
    assert instances("assign a = b;\nSB_RAM40_4K #(\n  .A(SB_X)\n) r (\n);") == {"SB_RAM40_4K"}


READ = """
module chip (input rx, output tx, input clk12);

wire n1, rx, n2;
wire tx;
SB_PLL40_PAD pll (
  .PACKAGEPIN(n1),
);

// Warning: unmatched port 'clk12'

endmodule
"""


def test_read_back():
    text = connect_clock(declare_once(READ), "clk12")
    assert "wire n1, n2;\n\nSB_PLL40_PAD" in text
    assert text.rstrip().endswith("assign n1 = clk12;\n\nendmodule")


@pytest.mark.parametrize(
    "text",
    [
        READ.replace("PACKAGEPIN", "REFERENCECLK"),
        READ.replace("port 'clk12'", "port 'rx'"),
        READ.replace("wire tx;", "assign n1 = rx;"),
    ],
    ids=["no PLL on a pad", "another pin", "the pad is driven"],
)
def test_read_back_refuses_what_it_does_not_know(text):
    with pytest.raises(UserError, match="one PLL at clk12"):
        connect_clock(text, "clk12")
