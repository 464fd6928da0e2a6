"""A run of `synth` that is ended half-way leaves nothing: no file, no folder, no tool."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

MAIN = [sys.executable, "-c", "from spikeloom.cli.app import main; main()"]


def tools_in(folder):
    """Processes that work below `folder`."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and process.name != str(os.getpid()):
            try:
                place = (process / "cwd").readlink()
            except OSError:
                continue
            if place.is_relative_to(folder):
                found.append(process.name)
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("step", "tools"), [("yosys", 1), ("nextpnr", 2)])
def test_interrupted(run_folder, tmp_path, step, tools, number):
    before = sorted(run_folder.rglob("*"))
    arguments = ["--lanes", "1", "--seeds", "3", "--jobs", "2"]
    us = subprocess.Popen(
        [*MAIN, "synth", str(run_folder), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    try:
        assert us.stderr is not None
        assert any(f"] {step}" in line for line in us.stderr), "the step has begun"
        deadline = time.monotonic() + 60
        while len(tools_in(tmp_path)) < tools:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        us.send_signal(number)
        out, errors = us.communicate(timeout=60)
    finally:
        us.kill()
        us.wait()
    assert us.returncode == 128 + number, errors
    assert out == ""
    assert "Traceback" not in errors
    if number == signal.SIGINT:
        assert errors.splitlines()[-1].startswith("spikeloom: interrupted"), errors
    assert sorted(run_folder.rglob("*")) == before
    assert [path for path in tmp_path.iterdir() if path != run_folder] == []
    assert tools_in(tmp_path) == []
