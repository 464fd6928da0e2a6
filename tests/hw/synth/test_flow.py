"""The real tools on a small design: what they make, and how the flow refuses."""

import json
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256

import pytest

from spikeloom.errors import UserError
from spikeloom_hw.boards.files import write_top
from spikeloom_hw.synth import flow, nextpnr
from spikeloom_hw.synth.flow import _check_timing, synthesize
from spikeloom_hw.synth.nextpnr import Attempt, Placement
from spikeloom_hw.synth.result import Spread
from spikeloom_hw.synth.tools import ToolError
from spikeloom_hw.targets import TARGETS

ICEBREAKER = replace(TARGETS["icebreaker"], core_clock_mhz=24)


class Recorder:
    """Keeps the steps it is told of."""

    def __init__(self):
        self.steps = []
        self.notes = []

    @contextmanager
    def step(self, text):
        self.steps.append(text)
        yield

    @contextmanager
    def track(self, source, text):
        self.tracked = Tracked(source)
        yield self.tracked

    def note(self, text):
        self.notes.append(text)


class Tracked:
    """Counts what it is told."""

    def __init__(self, total):
        self.total, self.done = total, 0

    def advance(self, amount=1, text=None):
        self.done += amount


def write_design(core, folder, target=ICEBREAKER):
    folder.mkdir(parents=True)
    write_top(core, target=target, identity=core.identity, directory=folder)
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
        design, target=ICEBREAKER, directory=tmp_path / "out", seeds=[3], progress=progress
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
    assert made.utilization["EBR"].used == 4
    assert made.utilization["IO"].used == 7
    assert made.critical_path is not None
    path = made.critical_path
    assert path.delay_ns == pytest.approx(1000 / made.fmax_mhz, abs=0.02)
    assert not [name for name in (path.start, path.end, *path.through) if ": " not in name]
    assert list(made.tools) == ["yosys", "nextpnr-ice40", "icepack"]
    assert [step.partition(":")[0] for step in progress.steps] == ["yosys", "nextpnr", "icepack"]

    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert left >= {"top.v", "top.pcf", "yosys.ys", "yosys.log", "nextpnr.log", "nextpnr.json"}
    recorded = json.loads((tmp_path / "out" / "synth.json").read_text())
    assert recorded["verb"] == "synth"
    assert recorded["sha256"] == made.sha256
    assert recorded["utilization"]["EBR"] == {"used": 4, "available": 30}
    assert recorded["seed"] == 3
    assert recorded["seeds"] == [{"seed": 3, "fmax_mhz": made.fmax_mhz, "failure": None}]
    assert recorded["fmax_spread_mhz"] == dict.fromkeys(("median", "best", "worst"), made.fmax_mhz)

    again = synthesize(
        design, target=ICEBREAKER, directory=tmp_path / "out", seeds=[3], progress=Recorder()
    )
    assert again.sha256 == made.sha256


def test_missed_timing_is_refused_with_both_figures(echo_core, tmp_path):
    fast = replace(ICEBREAKER, core_clock_mhz=120)
    design = write_design(echo_core, tmp_path / "design", fast)
    sentence = refused(design, tmp_path / "out", fast)
    assert sentence.startswith("timing is not met on icebreaker: the design reaches ")
    assert "MHz and needs 120 MHz (slowest path: " in sentence
    assert f"see {tmp_path / 'out.failed'}" in sentence
    assert (tmp_path / "out.failed" / "nextpnr.log").is_file()
    assert not (tmp_path / "out.failed" / "top.bin").exists()


def attempt(seed, placement=None, failure=None):
    return Attempt(seed=seed, placement=placement, failure=failure)


def placed(fmax, constraint=24.0):
    return Placement(fmax_mhz=fmax, constraint_mhz=constraint, utilization={}, critical_path=None)


@pytest.mark.parametrize(
    ("fmax", "constraint", "sentence"),
    [
        pytest.param(24.0, 24.0015, None, id="just met, in whole picoseconds"),
        pytest.param(23.99, 24.0015, "reaches 23.99 MHz and needs 24 MHz; try", id="just missed"),
        pytest.param(60.0, 12.0, "checked the clock against 12.00 MHz", id="constraint not seen"),
        pytest.param(60.0, 48.0, "the clock against 48.00 MHz, but", id="another clock made"),
        pytest.param(24.05, 24.1, "reaches 24.05 MHz and needs 24 MHz", id="a faster PLL, missed"),
        pytest.param(24.1, 24.1, None, id="a faster PLL, met"),
    ],
)
def test_timing(fmax, constraint, sentence):
    placement = placed(fmax, constraint)
    if sentence is None:
        _check_timing(placement, ICEBREAKER, [attempt(1, placement)])
    else:
        with pytest.raises(ToolError, match=sentence):
            _check_timing(placement, ICEBREAKER, [attempt(1, placement)])


def test_missed_timing_of_several_seeds_says_so():
    best = placed(22.5)
    attempts = [attempt(1, placed(20.0)), attempt(2, best)]
    with pytest.raises(
        ToolError, match=r"reaches 22\.50 MHz with the best of 2 seeds and needs 24"
    ):
        _check_timing(best, ICEBREAKER, attempts)


ULX3S = TARGETS["ulx3s-25f"]


def test_bitstream_of_an_ecp5(echo_core, tmp_path):
    design = write_design(echo_core, tmp_path / "design", ULX3S)
    progress = Recorder()
    made = synthesize(
        design, target=ULX3S, directory=tmp_path / "out", seeds=[1, 2], jobs=2, progress=progress
    )

    data = made.bitstream.read_bytes()
    assert made.bitstream == tmp_path / "out" / "top.bit"
    assert data[:2] == b"\xff\x00"
    assert b"LFE5U-25F" in data[:100]
    assert made.sha256 == sha256(data).hexdigest()
    assert made.fmax_mhz >= made.constraint_mhz == ULX3S.core_clock_mhz
    assert {name: usage.available for name, usage in made.utilization.items()} == {
        "LUT4": ULX3S.logic_cells,
        "FF": ULX3S.logic_cells,
        "DP16KD": ULX3S.block_ram_count,
        "MULT18X18D": ULX3S.dsps,
        "IO": 197,
    }
    # The table and the port's FIFO; clock, two serial lines, ESP32, two LEDs, two of the class.
    assert made.utilization["DP16KD"].used == 4
    assert made.utilization["IO"].used == 8
    assert list(made.tools) == ["yosys", "nextpnr-ecp5", "ecppack"]
    assert made.critical_path is not None
    assert made.critical_path.delay_ns == pytest.approx(1000 / made.fmax_mhz, abs=0.02)

    # Two seeds, the faster of which was kept, and nothing left of the other.
    assert [result.seed for result in made.seeds] == [1, 2]
    clocks = {result.seed: result.fmax_mhz or 0.0 for result in made.seeds}
    assert made.fmax_mhz == clocks[made.seed] == made.fmax_spread_mhz.best == max(clocks.values())
    assert made.fmax_spread_mhz.worst == min(clocks.values())
    assert (progress.tracked.total, progress.tracked.done) == (2, 2)
    assert not [path for path in (tmp_path / "out").iterdir() if path.is_dir()]


@pytest.mark.slow
def test_one_seed_of_several_makes_the_same_bitstream_alone(echo_core, tmp_path):
    design = write_design(echo_core, tmp_path / "design", ULX3S)
    given = {"target": ULX3S, "directory": tmp_path / "out", "progress": Recorder()}
    several = synthesize(design, seeds=[1, 2], **given)
    alone = synthesize(design, seeds=[several.seed], **given)
    assert alone.sha256 == several.sha256


@pytest.fixture
def scripted(monkeypatch):
    """nextpnr answers as told, and yosys and the packer do nothing."""

    def play(attempts):
        def place_and_route(tool, work, *, seeds, ended, **_):
            assert list(seeds) == [each.seed for each in attempts]
            for each in attempts:
                place = nextpnr._place(work, each.seed)
                place.mkdir()
                (place / "nextpnr.log").write_text(f"log of {each.seed}")
                ended(each.seed)
            return attempts

        def run_tool(tool, arguments, *, folder, **_):
            (folder / "top.bin").write_bytes(b"bits")

        monkeypatch.setattr(nextpnr, "place_and_route", place_and_route)
        monkeypatch.setattr(flow.yosys, "synthesize", lambda *_, **__: None)
        monkeypatch.setattr(flow, "run_tool", run_tool)

    return play


def test_a_seed_that_fails_is_told_and_the_fastest_kept(scripted, echo_core, tmp_path):
    attempts = [
        attempt(4, placed(30.0)),
        attempt(5, failure="nextpnr failed: ERROR: cannot route"),
        attempt(6, placed(40.0)),
        attempt(7, placed(26.0)),
    ]
    scripted(attempts)
    design = write_design(echo_core, tmp_path / "design")
    progress = Recorder()
    made = synthesize(
        design, target=ICEBREAKER, directory=tmp_path / "out", seeds=range(4, 8), progress=progress
    )
    assert (made.seed, made.fmax_mhz) == (6, 40.0)
    assert made.fmax_spread_mhz == Spread(median=30.0, best=40.0, worst=26.0)
    assert [each.fmax_mhz for each in made.seeds] == [30.0, None, 40.0, 26.0]
    assert made.seeds[1].failure == "nextpnr failed: ERROR: cannot route"
    assert progress.notes == ["seed 5: nextpnr failed: ERROR: cannot route"]
    assert (tmp_path / "out" / "nextpnr.log").read_text() == "log of 6"
    assert not [path for path in (tmp_path / "out").iterdir() if path.is_dir()]


def test_all_seeds_fail(scripted, echo_core, tmp_path):
    scripted([attempt(seed, failure=f"nextpnr failed: {seed}") for seed in (1, 2)])
    design = write_design(echo_core, tmp_path / "design")
    with pytest.raises(UserError, match="none of 2 seeds was placed and routed: nextpnr failed: 1"):
        synthesize(
            design, target=ICEBREAKER, directory=tmp_path / "out", seeds=[1, 2], progress=Recorder()
        )
    assert not (tmp_path / "out").exists()
    assert (tmp_path / "out.failed" / "nextpnr.log").read_text() == "log of 1"


@pytest.mark.slow
def test_a_design_that_does_not_fit_names_resource_need_and_capacity(large_core, tmp_path):
    design = write_design(large_core, tmp_path / "design")
    sentence = refused(design, tmp_path / "out")
    assert "the design does not fit icebreaker: EBR: needs 35, the device has 30; see" in sentence


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
