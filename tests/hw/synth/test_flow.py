"""The real tools on a small design: what they make, and how the flow refuses."""

import json
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256

import pytest

from spikeloom.errors import UserError
from spikeloom_hw.boards.files import write_top
from spikeloom_hw.synth.flow import _check_timing, synthesize
from spikeloom_hw.synth.nextpnr import Placement
from spikeloom_hw.synth.tools import ToolError
from spikeloom_hw.targets import TARGETS

ICEBREAKER = TARGETS["icebreaker"]


class Recorder:
    """Keeps the steps it is told of."""

    def __init__(self):
        self.steps = []
        self.notes = []

    @contextmanager
    def step(self, text):
        self.steps.append(text)
        yield

    def note(self, text):
        self.notes.append(text)


def write_design(core, folder, target=ICEBREAKER):
    folder.mkdir(parents=True)
    write_top(core, target=target, inputs=16, design_hash=b"hash", directory=folder)
    return folder


def build(design, directory, target=ICEBREAKER):
    return synthesize(design, target=target, directory=directory, progress=Recorder())


def refused(design, directory, target=ICEBREAKER):
    with pytest.raises(UserError) as error:
        build(design, directory, target)
    assert not directory.exists()
    assert not [path for path in directory.parent.iterdir() if path.name.startswith(".")]
    return str(error.value)


def test_bitstream(echo_core, tmp_path):
    design = write_design(echo_core, tmp_path / "design")
    progress = Recorder()
    made = synthesize(
        design, target=ICEBREAKER, directory=tmp_path / "out", seed=3, progress=progress
    )

    assert made.bitstream == tmp_path / "out" / "top.bin"
    data = made.bitstream.read_bytes()
    assert data[:2] == b"\xff\x00"  # an iCE40 bitstream opens its comment so
    assert made.sha256 == sha256(data).hexdigest()
    assert made.fmax_mhz >= made.constraint_mhz == 24
    assert {name: usage.available for name, usage in made.utilization.items()} == {
        "LC": 5280,
        "EBR": 30,
        "SPRAM": 4,
        "DSP": 8,
        "IO": 39,
    }
    # The table and the port's FIFO; clock, two serial lines, two LEDs and two bits of the class.
    assert made.utilization["EBR"].used == 2
    assert made.utilization["IO"].used == 7
    assert made.critical_path is not None
    assert made.critical_path.delay_ns == pytest.approx(1000 / made.fmax_mhz, abs=0.02)
    assert list(made.tools) == ["yosys", "nextpnr-ice40", "icepack"]
    assert [step.partition(":")[0] for step in progress.steps] == ["yosys", "nextpnr", "icepack"]

    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert left >= {"top.v", "top.pcf", "yosys.ys", "yosys.log", "nextpnr.log", "nextpnr.json"}
    recorded = json.loads((tmp_path / "out" / "synth.json").read_text())
    assert recorded["verb"] == "synth"
    assert recorded["sha256"] == made.sha256
    assert recorded["utilization"]["EBR"] == {"used": 2, "available": 30}
    assert recorded["seed"] == 3

    again = synthesize(
        design, target=ICEBREAKER, directory=tmp_path / "out", seed=3, progress=Recorder()
    )
    assert again.sha256 == made.sha256


def test_missed_timing_is_refused_with_both_figures(echo_core, tmp_path):
    fast = replace(ICEBREAKER, core_clock_mhz=120)
    design = write_design(echo_core, tmp_path / "design", fast)
    sentence = refused(design, tmp_path / "out", fast)
    assert sentence.startswith("timing is not met on icebreaker: the design reaches ")
    assert "MHz and needs 120 MHz (slowest path: device." in sentence
    assert f"see {tmp_path / 'out.failed'}" in sentence
    assert (tmp_path / "out.failed" / "nextpnr.log").is_file()
    assert not (tmp_path / "out.failed" / "top.bin").exists()


@pytest.mark.parametrize(
    ("fmax", "constraint", "sentence"),
    [
        pytest.param(24.0, 24.0015, None, id="just met, in whole picoseconds"),
        pytest.param(23.99, 24.0015, "reaches 23.99 MHz and needs 24 MHz; try", id="just missed"),
        pytest.param(60.0, 12.0, "checked the clock against 12.00 MHz", id="constraint not seen"),
    ],
)
def test_timing(fmax, constraint, sentence):
    placement = Placement(
        fmax_mhz=fmax, constraint_mhz=constraint, utilization={}, critical_path=None
    )
    if sentence is None:
        _check_timing(placement, ICEBREAKER)
    else:
        with pytest.raises(ToolError, match=sentence):
            _check_timing(placement, ICEBREAKER)


@pytest.mark.slow
def test_a_design_that_does_not_fit_names_resource_need_and_capacity(large_core, tmp_path):
    design = write_design(large_core, tmp_path / "design")
    sentence = refused(design, tmp_path / "out")
    assert "the design does not fit icebreaker: EBR: needs 33, the device has 30; see" in sentence


def test_a_broken_design_keeps_the_log_and_its_words(tmp_path):
    design = tmp_path / "design"
    design.mkdir()
    (design / "top.v").write_text("module top(;\nendmodule\n")
    (design / "top.pcf").write_text("")
    sentence = refused(design, tmp_path / "out")
    assert sentence.startswith("yosys failed: top.v:1: ERROR: syntax error")
    assert "syntax error" in (tmp_path / "out.failed" / "yosys.log").read_text()


@pytest.mark.parametrize("name", ["top.v", "top.pcf"])
def test_missing_file_of_the_design(echo_core, tmp_path, name):
    design = write_design(echo_core, tmp_path / "design")
    (design / name).unlink()
    assert refused(design, tmp_path / "out") == (
        f"{design} has no {name}; make it with: spikeloom generate"
    )
