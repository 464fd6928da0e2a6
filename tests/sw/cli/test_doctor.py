import sys

import pytest

from spikeloom import doctor as module
from spikeloom.doctor import Check, all_checks, package_checks, program_version


class Point:
    """An entry point that answers with `checks`, or fails."""

    def __init__(self, name, answer):
        self.name, self.module, self._answer = name, f"{name}.doctor", answer

    def load(self):
        return self._answer


def broken():
    raise RuntimeError("half\ninstalled")


def test_everything_is_here(spikeloom, document):
    data = document(spikeloom("doctor", "--json"))
    assert data["ok"]
    names = [check["name"] for check in data["checks"]]
    assert names[0] == "python"
    assert {"numpy", "torch", "brevitas", "cocotb", "verilator", "make", "perl"} <= set(names)
    assert all(check["version"] for check in data["checks"] if check["ok"])


def test_table_names_each_tool(spikeloom):
    result = spikeloom("doctor")
    assert result.exit_code == 0, result.stderr
    assert "numpy" in result.stdout
    assert result.stderr == ""


def test_missing_tool_is_named_with_its_fix(spikeloom, monkeypatch):
    lost = Check(name="perl", ok=False, fix="apt-get install perl")
    monkeypatch.setattr(module, "entry_points", lambda group: [Point("cosim", lambda: [lost])])
    result = spikeloom("doctor")
    assert result.exit_code == 2
    assert "apt-get install perl" in result.stdout
    assert result.stderr == "spikeloom: missing: perl; the fix stands beside each in the list\n"


def test_what_nobody_asked_for_is_no_fault(spikeloom, monkeypatch):
    lost = Check(name="cocotb", ok=False, fix="pip install x", needed=False)
    monkeypatch.setattr(module, "entry_points", lambda group: [Point("cosim", lambda: [lost])])
    result = spikeloom("doctor")
    assert result.exit_code == 0
    assert "not installed" in result.stdout


def test_a_package_that_cannot_answer_is_a_failed_check(monkeypatch):
    monkeypatch.setattr(module, "entry_points", lambda group: [Point("hw", broken)])
    last = all_checks()[-1]
    assert (last.name, last.ok) == ("hw.doctor", False)
    assert last.fix == "half installed; reinstall: pip install --force-reinstall 'spikeloom[hw]'"


@pytest.mark.parametrize(
    ("here", "extra", "needed"),
    [
        pytest.param({"a": "1"}, "x", True, id="half an extra"),
        pytest.param({}, "x", False, id="no extra"),
        pytest.param({"b": "1"}, "x", False, id="only what others bring too"),
        pytest.param({}, None, True, id="a core dependency"),
    ],
)
def test_package_checks(monkeypatch, here, extra, needed):
    monkeypatch.setattr(module, "installed", here.get)
    found = package_checks(["a", "b"], extra)
    assert [check.ok for check in found] == ["a" in here, "b" in here]
    for check in found:
        if not check.ok:
            assert check.needed == needed
            assert check.fix.startswith("pip install 'spikeloom")


@pytest.mark.parametrize(
    ("version", "ok"), [("80.9.0", True), ("81.0.0", False)], ids=["fits", "too new"]
)
def test_setuptools_that_brevitas_cannot_use(monkeypatch, version, ok):
    here = {"torch": "2", "brevitas": "0.12", "setuptools": version}
    monkeypatch.setattr(module, "installed", lambda name: here.get(name, "1"))
    (check,) = (check for check in module.checks() if check.name == "setuptools")
    assert check.ok == ok
    assert ok or check.fix == "pip install 'setuptools<81'"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        pytest.param([sys.executable, "-c", "print(); print('tool 1.2'); print()"], "tool 1.2",
                     id="first line that says something"),
        pytest.param([sys.executable, "-c", "raise SystemExit(3)"], None, id="fails"),
        pytest.param(["no-such-program-anywhere"], None, id="absent"),
    ],
)  # fmt: skip
def test_program_version(command, expected):
    assert program_version(command) == expected
