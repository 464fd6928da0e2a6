"""What the doctor says about generation and synthesis."""

from importlib import util

import pytest

from spikeloom_hw import doctor
from spikeloom_hw.synth.tools import TOOLS


def test_all_is_here():
    checks = {check.name: check for check in doctor.checks()}
    assert set(TOOLS) < set(checks)
    assert all(check.ok and check.version and not check.fix for check in checks.values())


@pytest.mark.parametrize("name", TOOLS)
def test_a_missing_tool_names_its_remedy(monkeypatch, tmp_path, name):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(util, "find_spec", lambda _: None)
    (check,) = [check for check in doctor.checks() if check.name == name]
    assert not check.ok
    assert check.fix == "pip install 'spikeloom[hw]'"
