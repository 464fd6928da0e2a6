"""The presets, and the number of block RAMs a memory takes: yosys is asked to agree."""

import json
import random

import pytest

from spikeloom.errors import UserError
from spikeloom_hw.synth.tools import find_tool, run_tool
from spikeloom_hw.targets import TARGETS, find_target

SHAPES = [
    pytest.param(4, 8, id="tiny"),
    pytest.param(256, 16, id="one block, full width"),
    pytest.param(256, 17, id="one bit too wide"),
    pytest.param(200, 33, id="odd"),
    pytest.param(512, 9, id="a byte and a bit"),
    pytest.param(1024, 4, id="deep and narrow"),
    pytest.param(1025, 3, id="a word too deep"),
    pytest.param(1500, 11, id="two ranges side by side"),
    pytest.param(1100, 40, id="a full range and a bit"),
    pytest.param(3000, 20, id="byte enables cost a block"),
    pytest.param(600, 72, id="wide"),
    pytest.param(2048, 2, id="deepest"),
    pytest.param(65, 13, id="shallow"),
    pytest.param(512, 36, id="one block of the ECP5"),
]
KINDS = [pytest.param(False, id="read only"), pytest.param(True, id="written")]
NAMES = "icebreaker, upduino, icesugar, ulx3s-25f, ulx3s-85f, orangecrab, colorlight-i5, ecpix5-85f"
LIBRARIES = {
    "icebreaker": ("ice40/brams.txt", ("$__ICE40_RAM4K_",)),
    "ulx3s-25f": ("lattice/brams_16kd.txt", ("$__DP16KD_", "$__PDPW16KD_")),
}


def module_name(depth, width, writable):
    return f"m_{depth}_{width}_{int(writable)}"


def memory_source(folder, depth, width, writable):
    """Verilog of one memory as the core has it: one synchronous read port, perhaps a write port."""
    name = module_name(depth, width, writable)
    # Random words: yosys takes bits that are the same in all words out of a read-only memory.
    contents = random.Random(name)
    words = [f"{contents.getrandbits(width):x}" for _ in range(depth)]
    (folder / f"{name}.mem").write_text("\n".join(words))
    bits = max(1, (depth - 1).bit_length())
    write = "always @(posedge clk) if (we) m[wa] <= wd;" if writable else ""
    return f"""
        module {name}(input clk, input we, input [{bits - 1}:0] ra, wa, input [{width - 1}:0] wd,
                      output reg [{width - 1}:0] rd);
            (* ram_style = "block", no_rw_check *) reg [{width - 1}:0] m [0:{depth - 1}];
            initial $readmemh("{name}.mem", m);
            {write}
            always @(posedge clk) rd <= m[ra];
        endmodule
    """


@pytest.fixture(scope="module", params=list(LIBRARIES))
def mapped(request, tmp_path_factory):
    """A target, and how many blocks yosys maps each memory to."""
    folder = tmp_path_factory.mktemp("memories")
    library, cells = LIBRARIES[request.param]
    keys = [(*shape.values, *kind.values) for shape in SHAPES for kind in KINDS]
    source = "".join(memory_source(folder, *key) for key in keys)
    (folder / "memories.v").write_text(source)
    script = (
        "read_verilog memories.v; proc; opt; memory -nomap; "
        f"memory_libmap -lib +/{library}; tee -q -o stat.json stat -json"
    )
    run_tool(find_tool("yosys"), ["-q", "-p", script], folder=folder, log="log")
    modules = json.loads((folder / "stat.json").read_text())["modules"]
    blocks = {}
    for key in keys:
        types = modules[f"\\{module_name(*key)}"]["num_cells_by_type"]
        blocks[key] = sum(types.get(cell, 0) for cell in cells)
    return TARGETS[request.param], blocks


@pytest.mark.parametrize("writable", KINDS)
@pytest.mark.parametrize(("depth", "width"), SHAPES)
def test_block_rams_are_those_of_yosys(mapped, depth, width, writable):
    target, blocks = mapped
    assert target.block_rams(width, depth, writable=writable) == blocks[depth, width, writable]


@pytest.mark.parametrize(("width", "depth"), [(0, 4), (4, 0), (-1, 4)])
def test_no_memory_is_refused(width, depth):
    with pytest.raises(ValueError, match=f"not {depth} words of {width}"):
        TARGETS["icebreaker"].block_rams(width, depth)


def test_presets_are_found_by_name():
    assert [find_target(name).name for name in TARGETS] == list(TARGETS)
    assert find_target("icebreaker").memory_bits == 120 * 1024
    blocks = {"ice40": "EBR", "ecp5": "DP16KD"}
    assert all(preset.block_name == blocks[preset.family] for preset in TARGETS.values())


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        pytest.param(
            "icebraker",
            f"unknown target 'icebraker', did you mean 'icebreaker'?; the targets are {NAMES}",
            id="misspelt",
        ),
        pytest.param(
            "zynq",
            f"unknown target 'zynq'; the targets are {NAMES}",
            id="something else",
        ),
    ],
)
def test_unknown_target_names_the_nearest(name, sentence):
    with pytest.raises(UserError) as refused:
        find_target(name)
    assert str(refused.value) == sentence
