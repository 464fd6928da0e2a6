"""Verilog output: named memory files, the same bytes each time, readable by the tools."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from amaranth import Module
from amaranth.back.verilog import YosysError
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from spikeloom_hw.synth.tools import ToolError, find_tool, run_tool
from spikeloom_hw.verilog import (
    _file_name,
    _hexadecimal,
    memory_shapes,
    rtlil_to_verilog,
    write_verilog,
)


class Table(wiring.Component):
    """A read-only memory of nine-bit words behind one synchronous port."""

    address: In(4)
    word: Out(9)

    def __init__(self, words):
        self._words = words
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        m.submodules.rows = rows = memory.Memory(shape=9, depth=16, init=self._words)
        port = rows.read_port()
        m.d.comb += [port.addr.eq(self.address), self.word.eq(port.data)]
        return m


class TwoTables(wiring.Component):
    """Two tables with different contents, to tell their files apart."""

    address: In(4)
    word: Out(9)

    def elaborate(self, platform):
        m = Module()
        m.submodules.low = low = Table(range(16))
        m.submodules.high = high = Table(range(256, 272))
        m.d.comb += [low.address.eq(self.address), high.address.eq(self.address)]
        with m.If(self.address[0]):
            m.d.comb += self.word.eq(low.word)
        with m.Else():
            m.d.comb += self.word.eq(high.word)
        return m


class Threshold(wiring.Component):
    """A part with a port that a constant drives, as a layer's lanes have."""

    value: In(4)
    above: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.submodules.compare = compare = Compare()
        m.d.comb += [
            compare.value.eq(self.value),
            compare.threshold.eq(9),
            self.above.eq(compare.above),
        ]
        return m


class Compare(wiring.Component):
    """A comparison, and an output that never changes."""

    value: In(4)
    threshold: In(4)
    above: Out(1)
    steady: Out(3, init=5)  # pyright: ignore[reportCallIssue]  # not in the stubs

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.above.eq(self.value >= self.threshold)
        return m


def prove_word(folder: Path, address: int, word: int) -> None:
    """Have yosys prove that one clock after `address` the output is `word`."""
    script = "read_verilog pair.v; hierarchy -top pair; proc; flatten; memory; clk2fflogic; sat"
    prove = f"-seq 4 -prove-skip 3 -set address {address} -prove word {word} -verify"
    clock = " ".join(f"-set-at {step} clk {step % 2}" for step in range(1, 5))
    run_tool(
        find_tool("yosys"), ["-q", "-p", f"{script} {prove} {clock} pair"], folder=folder, log="log"
    )


def test_memory_files_carry_the_names_of_the_memories(tmp_path):
    files = write_verilog(TwoTables(), name="pair", directory=tmp_path)
    assert [file.name for file in files] == ["pair.v", "pair.high.rows.mem", "pair.low.rows.mem"]
    assert sorted(tmp_path.iterdir()) == sorted(files)
    high, low = (file.read_text().splitlines() for file in files[1:])
    assert low == [f"{word:03x}" for word in range(16)]
    assert high == [f"{word:03x}" for word in range(256, 272)]


def test_the_source_names_no_path_and_no_line_of_a_tool(tmp_path):
    source = write_verilog(TwoTables(), name="pair", directory=tmp_path)[0].read_text()
    assert '$readmemh("pair.low.rows.mem", rows);' in source
    for text in (".py", ".cc", str(tmp_path)):
        assert text not in source


def test_words_are_counted_upwards(tmp_path):
    """So that Icarus Verilog has no warning about them."""
    source = write_verilog(TwoTables(), name="pair", directory=tmp_path)[0].read_text()
    assert source.count("reg [8:0] rows [0:15];") == 2
    assert memory_shapes(source) == dict.fromkeys(
        ["pair.low.rows.mem", "pair.high.rows.mem"], (16, 9)
    )


def test_a_constant_stands_only_where_it_counts(tmp_path):
    source = write_verilog(Threshold(), name="top", directory=tmp_path)[0].read_text()
    assert "value >= 4'h9" in source
    assert "threshold" not in source
    # What a port shows, somebody outside may read.
    alone = write_verilog(Compare(), name="alone", directory=tmp_path)[0].read_text()
    assert "assign steady = 3'h5;" in alone


def test_the_tool_reads_back_logic_and_contents(tmp_path):
    write_verilog(TwoTables(), name="pair", directory=tmp_path)
    prove_word(tmp_path, 3, 3)
    prove_word(tmp_path, 6, 262)
    with pytest.raises(ToolError, match="proof did fail"):
        prove_word(tmp_path, 6, 263)


def test_an_edited_memory_file_changes_the_design(tmp_path):
    write_verilog(TwoTables(), name="pair", directory=tmp_path)
    table = tmp_path / "pair.low.rows.mem"
    table.write_text(table.read_text().replace("003", "1ff"))
    prove_word(tmp_path, 3, 0x1FF)


def test_equal_designs_give_equal_bytes(tmp_path):
    program = (
        "import sys; from pathlib import Path; from test_verilog import TwoTables; "
        "from spikeloom_hw.verilog import write_verilog; "
        "write_verilog(TwoTables(), name='pair', directory=Path(sys.argv[1]))"
    )
    contents = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        subprocess.run(
            [sys.executable, "-c", program, str(folder)],
            cwd=Path(__file__).parent,
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
        )
        contents.append({file.name: file.read_bytes() for file in folder.iterdir()})
    assert contents[0] == contents[1]


def test_undefined_words_are_refused():
    with pytest.raises(ValueError, match=r"'rows\.mem' holds an undefined word '10x1'"):
        _hexadecimal("1111\n10x1\n", "rows.mem")


def test_a_broken_netlist_is_refused_with_the_words_of_the_tool(tmp_path):
    with pytest.raises(YosysError, match="ERROR"):
        rtlil_to_verilog("module \\top\n", name="top", directory=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("memory", "taken", "name"),
    [
        pytest.param("top.rows", [], "top.rows.mem", id="plain"),
        pytest.param("top.conv 1/a$2", [], "top.conv_1_a_2.mem", id="not for a file"),
        pytest.param("a.b", ["a.b.mem"], "a.b_2.mem", id="taken"),
        pytest.param("a.b", ["a.b.mem", "a.b_2.mem"], "a.b_3.mem", id="taken twice"),
    ],
)
def test_file_names(memory, taken, name):
    assert _file_name(memory, taken) == name
