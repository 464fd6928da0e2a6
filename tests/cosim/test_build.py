"""What is compiled again and what is not, and what a source that does not compile says."""

import pytest

from spikeloom.errors import UserError
from spikeloom_cosim.build import build_bench

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
    changed = build_bench(write_core(tmp_path / "b", replace=text).verilog, SHAPE, tools=tools)
    assert not changed.cached
    assert "verilated_vpi.cpp" not in (changed.folder / "build.log").read_text()


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
    assert not list(cache.iterdir())


def test_missing_source(tools, tmp_path):
    with pytest.raises(UserError, match=r"cannot read .*core\.v.*generate the design again"):
        build_bench(tmp_path / "core.v", SHAPE, tools=tools)


def test_cache_that_cannot_be_written(tools, tmp_path):
    (tmp_path / "file").write_text("")
    core = write_core(tmp_path / "core")
    with pytest.raises(UserError, match="set SPIKELOOM_CACHE to a folder that can be written"):
        build_bench(core.verilog, SHAPE, tools=tools, cache=tmp_path / "file" / "cache")
