"""Whatever a user has set for a bench of their own, ours runs in an environment of its own."""

import json
import os
from dataclasses import replace

import pytest

from spikeloom.errors import UserError
from spikeloom_cosim.build import build_bench
from spikeloom_cosim.environment import KEPT, own_environment
from spikeloom_cosim.simulation import MODES
from spikeloom_cosim.verify import verify_core

from .by_hand import SHAPE, expectation, random_events, write_core

HOSTILE = {
    # cocotb
    "WAVES": "1",
    "GUI": "1",
    "COCOTB_TEST_FILTER": "nothing",
    "COCOTB_TESTCASE": "nothing",
    "COCOTB_TEST_MODULES": "nowhere",
    "COCOTB_TOPLEVEL": "nothing",
    "COCOTB_RESULTS_FILE": "/nowhere/results.xml",
    "COCOTB_LOG_LEVEL": "nonsense",
    "COCOTB_RANDOM_SEED": "nonsense",
    "COCOTB_SCHEDULER_DEBUG": "1",
    "GPI_USERS": "/nowhere.so",
    "GPI_EXTRA": "/nowhere.so",
    "GPI_LOG_LEVEL": "nonsense",
    "PYGPI_USERS": "nowhere:nothing",
    "PYGPI_ENTRY_POINT": "nowhere:nothing",
    "PYGPI_PYTHON_BIN": "/nowhere/python",
    "LIBPYTHON_LOC": "/nowhere.so",
    "MODULE": "nowhere",
    "TOPLEVEL": "nothing",
    "TOPLEVEL_LANG": "vhdl",
    "TESTCASE": "nothing",
    "SIM_CMD_PREFIX": "false",
    "SIM_CMD_SUFFIX": "--nonsense",
    # Verilator, make, and the C++ compiler
    "VERILATOR_ROOT": "/nowhere",
    "VERILATOR_BIN": "/nowhere/verilator",
    "OBJCACHE": "false",
    "MAKEFLAGS": "-n",
    "MAKEFILES": "/nowhere.mk",
    "CXXFLAGS": "-nonsense",
    "CPPFLAGS": "-nonsense",
    "LDFLAGS": "-nonsense",
    "OPT_FAST": "-nonsense",
    "CPLUS_INCLUDE_PATH": "/nowhere",
    "GCC_EXEC_PREFIX": "/nowhere/",
    "PERL5OPT": "-MNowhere",
}


@pytest.fixture
def hostile(monkeypatch):
    """The environment of a user who works on another bench."""
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("hostile")
def test_what_stands_outside_does_not_come_in(monkeypatch):
    monkeypatch.setenv("LANG", "C")
    own = own_environment(COCOTB_TOPLEVEL="bench")
    assert set(own) <= {*KEPT, "COCOTB_TOPLEVEL"}
    assert (own["PATH"], own["LANG"], own["COCOTB_TOPLEVEL"]) == (os.environ["PATH"], "C", "bench")


@pytest.mark.usefixtures("hostile")
def test_verilator_s_environment(tools, tmp_path):
    seen = tmp_path / "seen"
    fake = tmp_path / "verilator"
    fake.write_text(f"#!/bin/sh\nenv > {seen}\nexit 1\n")
    fake.chmod(0o755)
    with pytest.raises(UserError, match="it left no message"):
        build_bench(
            write_core(tmp_path / "core").verilog,
            SHAPE,
            tools=replace(tools, verilator=fake),
            cache=tmp_path / "cache",
        )
    lines = seen.read_text().splitlines()
    found = dict(line.split("=", 1) for line in lines if "=" in line)
    assert not {name for name, value in HOSTILE.items() if found.get(name) == value}
    assert "nonsense" not in found["MAKEFLAGS"]


@pytest.mark.usefixtures("hostile")
def test_a_verification_is_the_same(tools, tmp_path):
    core, failure = write_core(tmp_path / "core"), tmp_path / "failure"
    events = random_events(2)
    result = verify_core(core, events, expectation, tools=tools, seed=1, failure_folder=failure)
    assert (result.samples, result.first) == (2, None)
    assert [mode.name for mode in result.modes] == [mode.name for mode in MODES]


@pytest.mark.slow
@pytest.mark.usefixtures("hostile")
def test_so_it_is_from_an_empty_cache(spikeloom, network, tmp_path, monkeypatch):
    monkeypatch.setenv("SPIKELOOM_CACHE", str(tmp_path / "cache"))
    result = spikeloom("verify", network, "--samples", 2, "--lanes", 1, "--jobs", 1, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["first_divergence"] is None
