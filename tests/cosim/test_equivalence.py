"""A mutation is proved harmless only where it is."""

import pytest

from spikeloom_cosim.core import Core
from spikeloom_cosim.faults.equivalence import equivalent
from spikeloom_cosim.faults.plant import list_mutations
from spikeloom_hw.core import CORE_MODULE

from .by_hand import SHAPE

VERILOG = f"""\
module {CORE_MODULE}(input clk, input rst, input go, input [3:0] a, output [3:0] q);
  reg valid = 0;
  reg [3:0] kept = 0;
  reg [3:0] shown = 0;
  reg [3:0] words [0:3];
  reg [3:0] word;
  always @(posedge clk) begin
    valid <= go;
    kept <= a;
    if (valid) words[kept[1:0]] <= kept;
    word <= words[a[1:0]];
    shown <= valid ? kept : word;
    if (rst) begin
      valid <= 0;
      kept <= 0;
      shown <= 0;
    end
  end
  assign q = shown;
endmodule
"""
"""A stage whose data mean nothing while it is not valid, and a memory."""


@pytest.fixture(scope="module")
def core(tmp_path_factory) -> Core:
    file = tmp_path_factory.mktemp("core") / "core.v"
    file.write_text(VERILOG)
    return Core(verilog=file, memories=(), shape=SHAPE, network_sha256="")


def mutate(core: Core, register: str, change: str) -> str:
    """A change of a register's cell, whose name yosys makes."""
    listed = (own.split() for own in list_mutations(core, 300, seed=1))
    place = f"-wire {register} "
    found = next(own for own in listed if "Q" in own and place in f"{' '.join(own)} ")
    cell = found[found.index("-cell") + 1]
    return f"mutate -module {CORE_MODULE} -cell {cell} {change} -portbit 0"


@pytest.mark.parametrize(
    ("register", "change", "harmless"),
    [
        pytest.param("kept", "-mode const0 -port SRST", True, id="what is not valid is not reset"),
        pytest.param("valid", "-mode const0 -port SRST", False, id="the mark is not reset"),
        pytest.param("kept", "-mode inv -port D", False, id="what is kept is wrong"),
    ],
)
def test_harmless_is_what_nobody_sees(core, register, change, harmless):
    assert equivalent(core, [mutate(core, register, change)], jobs=1) == [harmless]
