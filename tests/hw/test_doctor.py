"""What the doctor says about generation and synthesis."""

from importlib import util

import pytest

from spikeloom_hw import doctor
from spikeloom_hw.boards.programmer import OPENFPGALOADER
from spikeloom_hw.synth.tools import TOOLS


def test_all_is_here():
    checks = {check.name: check for check in doctor.checks()}
    assert set(TOOLS) < set(checks)
    # A tool of the system, that only those with a board want.
    assert not checks.pop(OPENFPGALOADER).needed
    assert all(check.ok and check.version and not check.fix for check in checks.values())


@pytest.mark.parametrize("name", TOOLS)
def test_a_missing_tool_names_its_remedy(monkeypatch, tmp_path, name):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(util, "find_spec", lambda _: None)
    (check,) = [check for check in doctor.checks() if check.name == name]
    assert not check.ok
    assert check.fix == "pip install 'spikeloom[hw]'"


@pytest.mark.parametrize(
    ("version", "wheel", "ok", "told"),
    [
        pytest.param("0.33", False, False, "yosys 0.33 at {path} is not >=0.50", id="old, alone"),
        pytest.param("0.33", True, True, "(YoWASP)", id="old, with the package beside it"),
        pytest.param("0.60", True, True, "0.60, {path}", id="new enough"),
    ],
)
def test_an_old_program_is_no_yosys(monkeypatch, tmp_path, version, wheel, ok, told):
    script = tmp_path / "yosys"
    script.write_text(f"#!/bin/sh\necho 'Yosys {version} (git sha1 2584903a060)'\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    if not wheel:
        monkeypatch.setattr(util, "find_spec", lambda _: None)
    (check,) = [check for check in doctor.checks() if check.name == "yosys"]
    assert check.ok == ok
    assert told.format(path=script) in check.version
    assert check.fix == ("" if ok else "pip install 'spikeloom[hw]'")


def test_what_writes_to_boards(monkeypatch, tmp_path):
    script = tmp_path / OPENFPGALOADER
    script.write_text("#!/bin/sh\necho openFPGALoader v1.2.3\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    loader = doctor.checks()[-1]
    assert (loader.name, loader.ok, loader.fix) == (OPENFPGALOADER, True, "")
    assert loader.version == f"v1.2.3, {script}"
    library = "error while loading shared libraries: libftdi1.so.2: cannot open"
    script.write_text(f"#!/bin/sh\necho '{library}' >&2\nexit 127\n")
    loader = doctor.checks()[-1]
    assert (loader.ok, loader.fix) == (False, "apt-get install libftdi1-2")
    script.unlink()
    loader = doctor.checks()[-1]
    assert not loader.ok
    assert loader.fix.startswith("apt-get install openfpgaloader")
