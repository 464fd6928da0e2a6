"""What is compiled again and what is not, and what a source that does not compile says."""

import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest

from spikeloom.errors import UserError
from spikeloom.files import cache_folder
from spikeloom_cosim import objects, verilator
from spikeloom_cosim.build import build_bench, build_harness, build_program
from spikeloom_cosim.toolchain import Toolchain
from spikeloom_cosim.verilator import FLAGS, MAKE_VARIABLES, Compilation, first_error

from .by_hand import SHAPE, write_core


def test_compiled_once(tools, tmp_path):
    core = write_core(tmp_path / "a")
    first = build_bench(core.verilog, SHAPE, tools=tools)
    second = build_bench(core.verilog, SHAPE, tools=tools)
    elsewhere = build_bench(write_core(tmp_path / "b").verilog, SHAPE, tools=tools)
    assert second.cached
    assert elsewhere.cached
    assert first.folder == second.folder == elsewhere.folder


def test_another_memory_is_a_hit(tools, tmp_path):
    build_bench(write_core(tmp_path / "a").verilog, SHAPE, tools=tools)
    core = write_core(tmp_path / "b", thresholds="01 01 01 7f")
    assert build_bench(core.verilog, SHAPE, tools=tools).cached


def test_other_verilog_is_a_miss_that_needs_no_run_time_library(tools, tmp_path):
    build_bench(write_core(tmp_path / "a").verilog, SHAPE, tools=tools)
    # A text that no earlier run of the tests has compiled.
    text = ("A core written by hand", f"A core written by hand {tmp_path}")
    kept = objects_kept()
    changed = build_bench(write_core(tmp_path / "b", replace=text).verilog, SHAPE, tools=tools)
    assert not changed.cached
    assert kept
    assert objects_kept() == kept


def objects_kept():
    return sorted(path.name for path in cache_folder("verilator").glob("object-*.o"))


def test_waves_are_another_build(tools, tmp_path):
    core = write_core(tmp_path)
    plain = build_bench(core.verilog, SHAPE, tools=tools)
    waves = build_bench(core.verilog, SHAPE, tools=tools, waves=True)
    assert plain.folder != waves.folder


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(("endmodule", ""), "core.v does not compile: ", id="syntax"),
        pytest.param(("module spikeloom_core", "module other"), "spikeloom_core", id="module"),
        pytest.param(("trace0__group", "trace0__number"), "trace0__group", id="port"),
    ],
)
def test_refused_source_names_file_and_reason(tools, tmp_path, text, says):
    core = write_core(tmp_path / "core", replace=text)
    cache = tmp_path / "cache"
    with pytest.raises(UserError) as refused:
        build_bench(core.verilog, SHAPE, tools=tools, cache=cache)
    sentence = str(refused.value)
    assert "\n" not in sentence
    assert str(core.verilog) in sentence
    assert says in sentence
    (log,) = (path for path in cache.rglob("*") if path.is_file() and path.suffix != ".o")
    assert sentence.endswith(f"generate the design again; the whole log is {log}")
    assert "%Error" in log.read_text()


def test_missing_source(tools, tmp_path):
    with pytest.raises(UserError, match=r"cannot read .*core\.v.*generate the design again"):
        build_bench(tmp_path / "core.v", SHAPE, tools=tools)


def test_cache_that_cannot_be_written(tools, tmp_path):
    (tmp_path / "file").write_text("")
    core = write_core(tmp_path / "core")
    with pytest.raises(UserError, match="set SPIKELOOM_CACHE to a folder that can be written"):
        build_bench(core.verilog, SHAPE, tools=tools, cache=tmp_path / "file" / "cache")


@pytest.mark.slow
def test_ways_of_compiling_share_a_cache(tools, tmp_path):
    # A board has no delays, and so needs less of Verilator's run-time library than a bench.
    source = tmp_path / "a.v"
    source.write_text("module a(input clk, output q);\n  assign q = !clk;\nendmodule\n")
    held = "module bench(input clk, output q);\n  a a(clk, q);\nendmodule\n"
    harness = tmp_path / "harness.cpp"
    harness.write_text('#include "Vbench.h"\nint main() { Vbench bench; bench.eval(); }\n')
    alone = (
        "module bench;\n  reg clk = 0;\n  wire q;\n  a a(clk, q);\n"
        "  initial begin fork #1 clk = 1; join #1 $finish; end\nendmodule\n"
    )
    cache = tmp_path / "cache"
    for build in (
        build_harness(source, held, harness, tools=tools, cache=cache),
        build_program(source, alone, tools=tools, cache=cache),
    ):
        assert not build.cached
        assert subprocess.run([build.folder / "bench"], check=False).returncode == 0


WHAT = Compilation(sources={"a.v": "a", "b.sv": "b"}, top="top", program="bench")
TOOLS = Toolchain(
    verilator=Path("/bin/verilator"),
    root=None,
    verilator_version="5.36",
    compiler=Path("/bin/c++"),
    compiler_version="g++ 12",
)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"sources": {"a.v": "A", "b.sv": "b"}}, id="text"),
        pytest.param({"sources": {"c.v": "a", "b.sv": "b"}}, id="name"),
        pytest.param({"sources": {"b.sv": "b", "a.v": "a"}}, id="order"),
        pytest.param({"top": "other"}, id="top"),
        pytest.param({"program": "other"}, id="program"),
        pytest.param({"cocotb": True}, id="cocotb"),
        pytest.param({"harness": "int main() {}"}, id="harness"),
        pytest.param({"waves": True}, id="waves"),
        pytest.param({"coverage": True}, id="coverage"),
    ],
)
def test_everything_of_a_compilation_is_in_its_key(change):
    assert set(change) <= {field.name for field in fields(Compilation)}
    assert replace(WHAT, **change).key(TOOLS) != WHAT.key(TOOLS)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"verilator": Path("/opt/verilator")}, id="verilator"),
        pytest.param({"verilator_version": "5.37"}, id="version"),
        pytest.param({"compiler": Path("/bin/clang++")}, id="compiler"),
        pytest.param({"compiler_version": "g++ 13"}, id="compiler's version"),
    ],
)
def test_every_tool_is_in_the_key(change):
    assert WHAT.key(replace(TOOLS, **change)) != WHAT.key(TOOLS)


def test_every_flag_is_in_the_key(monkeypatch):
    before = WHAT.key(TOOLS)
    with monkeypatch.context() as changed:
        changed.setitem(MAKE_VARIABLES, "OPT_FAST", "-O2")
        assert WHAT.key(TOOLS) != before
    with monkeypatch.context() as changed:
        changed.setattr(verilator, "FLAGS", (*FLAGS, "--assert"))
        assert WHAT.key(TOOLS) != before


@pytest.fixture
def compiler(tmp_path):
    """`compiler(*flags, file, tools)`: compile a file by `objects`; how often was it compiled?"""
    root = tmp_path / "include"
    root.mkdir()
    (root / objects.RULES).touch()
    (tmp_path / "cache").mkdir()
    fake = tmp_path / "c++"
    fake.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n'
        'while [ "$1" != -o ]; do shift; done\nset -e\ncat "$3" > "$2"\n'
    )
    fake.chmod(0o755)

    def run(*flags, file=root / "verilated.cpp", text="code", tools="1", code=0):
        if text is not None:
            file.write_text(text)
        output = tmp_path / "made.o"
        output.unlink(missing_ok=True)
        words = [str(fake), *flags, "-c", "-o", str(output), str(file)]
        command = [sys.executable, objects.__file__, str(tmp_path / "cache"), tools, *words]
        assert (subprocess.run(command, check=False).returncode == 0) == (code == 0)
        assert output.read_text() == (text if code == 0 else "")
        return len((tmp_path / "calls").read_text().splitlines())

    return run


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(("-DVM_TIMING=1",), id="flag"),
        pytest.param({"text": "other"}, id="text"),
        pytest.param({"tools": "2"}, id="tools"),
    ],
)
def test_an_object_is_kept_for_the_very_same_command_alone(compiler, change):
    flags, options = ((), change) if isinstance(change, dict) else (change, {})
    assert compiler() == 1
    assert compiler() == 1
    assert compiler(*flags, **options) == 2
    assert compiler() == 2


def test_what_does_not_compile_is_not_kept(compiler, tmp_path):
    (tmp_path / "include" / "verilated.cpp").symlink_to(tmp_path / "nowhere")
    assert compiler(text=None, code=1) == 1
    assert not list((tmp_path / "cache").iterdir())


def test_other_files_are_just_compiled(compiler, tmp_path):
    file = tmp_path / "design.cpp"
    assert compiler(file=file) == 1
    assert compiler(file=file) == 2
    assert not list((tmp_path / "cache").iterdir())


LINKER = """\
make: Entering directory '/tmp/x'
/usr/bin/c++ -o bench bench.o runtime.o
/usr/bin/ld: bench__ALL.o: in function `bench::play()':
bench__ALL.cpp:(.text+0x1): undefined reference to `VlProcess::state(int)'
collect2: error: ld returned 1 exit status
make: *** [Vbench.mk:84: bench] Error 1
%Error: make -C /tmp/x -f Vbench.mk exited with 2
%Error: Command Failed /opt/verilator_bin --cc --exe bench.sv
"""
COMPILER = """\
%Warning-WIDTH: bench.sv:1:1: unequal
c++ -c bench.cpp
bench.cpp:3:1: error: 'x' was not declared
make: *** [Vbench.mk:84: bench.o] Error 1
"""


@pytest.mark.parametrize(
    ("log", "says"),
    [
        pytest.param(
            LINKER,
            "bench__ALL.cpp:(.text+0x1): undefined reference to `VlProcess::state(int)'",
            id="linker",
        ),
        pytest.param(COMPILER, "bench.cpp:3:1: error: 'x' was not declared", id="compiler"),
        pytest.param(
            "%Warning-X: a.v:1:1: odd\n%Error: a.v:2:2: wrong\n%Error: Exiting due to 1 error(s)\n",
            "a.v:2:2: wrong",
            id="Verilog",
        ),
        pytest.param("%Warning-X: a.v:1:1: odd\n", "a.v:1:1: odd", id="warning"),
        pytest.param("one\nKilled\n", "Killed", id="last line"),
        pytest.param("", "it left no message", id="nothing"),
    ],
)
def test_the_first_line_that_says_what_failed(tmp_path, log, says):
    (tmp_path / "build.log").write_text(log)
    assert first_error(tmp_path / "build.log") == says


def test_a_tool_that_fails_is_not_the_design_s_fault(tmp_path, tools):
    fake = tmp_path / "verilator"
    fake.write_text(f"#!/bin/sh\ncat <<'END'\n{LINKER}END\nexit 1\n")
    fake.chmod(0o755)
    core = write_core(tmp_path / "core")
    broken = replace(tools, verilator=fake)
    with pytest.raises(UserError) as refused:
        build_bench(core.verilog, SHAPE, tools=broken, cache=tmp_path / "cache")
    sentence = str(refused.value)
    assert sentence.startswith(f"{tools.compiler} fails on the simulation of {core.verilog}: ")
    assert "undefined reference to `VlProcess::state(int)'" in sentence
    assert "generate the design again" not in sentence
    log = Path(sentence.rpartition("the whole log is ")[2])
    assert log.is_relative_to(tmp_path / "cache")
    assert log.read_text() == LINKER
