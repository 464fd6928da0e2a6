"""What `verify` does and says of a whole chip and of a simulated board; what it calls is faked."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

from spikeloom.datasets.fitting import DataChoice
from spikeloom.host.failures import PortError
from spikeloom.image.identity import network_sha256
from spikeloom_cosim.board.verify import BoardResult
from spikeloom_cosim.chip.verify import ChipResult
from spikeloom_cosim.cli import host_level, level
from spikeloom_cosim.divergence import KINDS, Divergence
from spikeloom_cosim.verilator import SimulationError
from spikeloom_hw.targets import TARGETS

EVENTS = np.zeros((6, 8, 64), dtype=bool)
FIRST = Divergence(kind="score", mode="pins", sample=4, neuron=3, got=7, expected=8)
COMPARED = Counter(score=600, prediction=60, counter=42, protocol=1)
CHIP, HOST = "netlist", "host"


@dataclass
class Calls:
    """What the levels asked of the parts under them; what these come to.

    Attributes:
        differs: a score and two counters differ.
        broken: the simulation breaks down.
        loadable: what designs say of themselves.
        about: what a chip says of itself.
    """

    differs: bool = False
    broken: bool = False
    loadable: bool = False
    about: dict[str, object] = field(default_factory=lambda: {"tools": {"yosys": "1"}})
    generated: list[dict[str, Any]] = field(default_factory=list)
    fitted: list[tuple[Path, Path]] = field(default_factory=list)
    samples: list[dict[str, Any]] = field(default_factory=list)
    made: list[dict[str, Any]] = field(default_factory=list)
    verified: list[dict[str, Any]] = field(default_factory=list)
    opened: list[Path] = field(default_factory=list)

    def generate(self, image: object, **how: Any) -> None:
        self.generated.append(how)

    def fit(self, folder: Path, image: object, *, network: Path) -> SimpleNamespace:
        self.fitted.append((folder, network))
        loads = [1] if self.loadable else None
        return SimpleNamespace(core=SimpleNamespace(lanes=(8, 4), loads=loads))

    def described(self, folder: Path) -> SimpleNamespace:
        return SimpleNamespace(
            loadable=self.loadable, core="capacity", target="upduino", identity="who"
        )

    def source(self, place: Path) -> SimpleNamespace:
        return SimpleNamespace(
            target=TARGETS["upduino"],
            loadable=self.loadable,
            identity=SimpleNamespace(design_hash=b"abcdefgh"),
            host_design=lambda: f"known of {place.name}",
        )

    def sample(self, network: Path, image: object, **how: Any) -> SimpleNamespace:
        self.samples.append({"network": network, **how})
        return SimpleNamespace(events=EVENTS, available=359, dataset="digits")

    def make(self, design: Path, kind: str, **how: Any) -> SimpleNamespace:
        how.pop("progress")
        self.made.append({"design": design, "kind": kind, **how})
        return SimpleNamespace(level=kind, about=self.about)

    @property
    def mismatches(self) -> Counter[str]:
        return Counter(score=1, counter=2) if self.differs else Counter()

    def chip(self, chip: object, fitting: object, events: object, **how: Any) -> ChipResult:
        assert events is EVENTS
        how["advance"](2)
        self.verified.append(how)
        if self.broken:
            raise SimulationError("it fell over")
        return ChipResult(
            samples=6,
            compared=COMPARED,
            mismatches=self.mismatches,
            first=FIRST if self.differs else None,
            cycles=1234,
            build_seconds=1.5,
            seconds=2.5,
        )

    def board(self, run: Any, events: object, **how: Any) -> BoardResult:
        assert events is EVENTS
        how["advance"](2)
        self.verified.append({"run": run, **how})
        if self.broken:
            raise PortError("the line went dead")
        return BoardResult(
            samples=6,
            compared=COMPARED,
            mismatches=self.mismatches,
            first=FIRST if self.differs else None,
            cycles=1234,
            frames=77,
        )

    def open(self, design: Path, **_: Any) -> SimpleNamespace:
        self.opened.append(design)
        return SimpleNamespace(close=lambda: None)


@pytest.fixture
def calls(monkeypatch) -> Calls:
    made = Calls()
    for module, own in (
        (level, {"load_sequence": lambda image, core: [image, core], "make_chip": made.make}),
        (host_level, {"find_source": made.source, "open_board": made.open}),
    ):
        common = {
            "find_toolchain": lambda: "tools",
            "generate": made.generate,
            "fit_design": made.fit,
            "sample_events": made.sample,
        }
        for name, fake in {**common, **own}.items():
            monkeypatch.setattr(module, name, fake)
    monkeypatch.setattr(level, "load_design", made.described)
    monkeypatch.setattr(level, "verify_chip", made.chip)
    monkeypatch.setattr(host_level, "verify_board", made.board)
    return made


@pytest.fixture
def verify(spikeloom, calls, network):
    """`verify(level, ...)`: what the verb says, which must end with `code`."""

    def run(at: str, *options: object, code: int = 0):
        result = spikeloom("verify", network, "--level", at, *options)
        assert result.exit_code == code, result.stderr
        return result

    return run


both = pytest.mark.parametrize("at", [CHIP, HOST])


@both
def test_without_options(verify, calls, network, at):
    verify(at)
    (generated,) = calls.generated
    folder = generated.pop("directory")
    assert generated == {"target": TARGETS["icebreaker"], "lanes": (8, 4), "loadable": False}
    assert calls.fitted == [(folder, network)]
    assert calls.samples == [
        {"network": network, "split": "test", "count": None, "data": DataChoice()}
    ]
    (verified,) = calls.verified
    if at == CHIP:
        assert calls.made == [{"design": folder, "kind": CHIP, "seed": 1, "bitstream": None}]
        assert verified.pop("advance")
        assert verified == {"identity": "who", "tools": "tools", "loads": None, "jobs": None}
    else:
        assert calls.opened == [folder]
        run = verified["run"]
        assert (run.design, run.known, run.tools) == (folder, f"known of {folder.name}", "tools")
        assert run.identity.design_hash == b"abcdefgh"


@both
def test_options(verify, calls, network, tmp_path, at):
    verify(at, "--lanes", "2,1", "--target", "upduino", "--loadable", "--samples", 5)
    verify(at, "--split", "train", "--data-dir", tmp_path, "--jobs", 3)
    first, second = calls.generated
    assert (first["lanes"], first["target"], first["loadable"]) == (
        (2, 1),
        TARGETS["upduino"],
        True,
    )
    assert second["loadable"] is False
    assert [own["count"] for own in calls.samples] == [5, None]
    assert calls.samples[1]["split"] == "train"
    assert calls.samples[1]["data"] == DataChoice(data_dir=tmp_path)
    assert calls.verified[1]["jobs"] == 3


@both
def test_one_design_at_a_time(verify, at):
    sentence = verify(at, "--lanes", "1", "--lanes", "2", code=2).stderr
    assert f"--level {at} takes one --lanes, not 2" in sentence


@both
def test_a_design_is_taken_as_it_is(verify, calls, network, tmp_path, at):
    verify(at, "--design", tmp_path / "design")
    assert not calls.generated
    assert calls.fitted == [(tmp_path / "design", network)]
    assert (calls.made[0]["design"] if at == CHIP else calls.opened[0]) == tmp_path / "design"


def test_a_board_each_processor(monkeypatch, verify, calls):
    monkeypatch.setattr(host_level.os, "cpu_count", lambda: 5)
    verify(HOST)
    assert calls.verified[0]["jobs"] == 5


def test_a_loadable_chip_is_loaded(verify, calls, small_image):
    calls.loadable = True
    verify(CHIP)
    image, core = calls.verified[0]["loads"]
    assert network_sha256(image) == network_sha256(small_image)
    assert core == "capacity"


@both
@pytest.mark.parametrize("differs", [False, True])
@pytest.mark.parametrize("loadable", [False, True])
def test_the_document(verify, calls, network, small_image, at, differs, loadable):
    calls.differs, calls.loadable = differs, loadable
    result = verify(at, "--json", code=int(differs))
    document = json.loads(result.stdout)
    written = json.loads((network.parent / f"verify-{at}.json").read_text())
    assert written["verb"] == f"verify-{at}"
    assert {name: written[name] for name in document} == document
    mismatches = {"score": 1, "counter": 2} if differs else {}
    common = {
        "schema": 1,
        "network_sha256": network_sha256(small_image),
        "dataset": "digits",
        "split": "test",
        "samples_available": 359,
        "samples": 6,
        "target": "upduino",
        "level": at,
        "lanes": [8, 4],
        "loaded": loadable,
        "compared": dict(COMPARED),
        **{f"{kind}_mismatches": mismatches.get(kind, 0) for kind in KINDS},
        "first_divergence": msgspec.to_builtins(FIRST) if differs else None,
        "simulated_cycles": 1234,
    }
    own = (
        {"verification_seconds": 2.5, "build_seconds": 1.5, "tools": {"yosys": "1"}}
        if at == CHIP
        else {"design_hash": b"abcdefgh".hex(), "frames": 77}
    )
    assert document == {**common, **own}
    assert (f"first divergence: {FIRST}" in result.stderr) is differs
    assert f"written to {network.parent / f'verify-{at}.json'}" in result.stderr


@both
def test_the_table(verify, calls, at):
    calls.differs = True
    said = verify(at, code=1).stdout
    rows = [line.split() for line in said.splitlines()]
    for row in ("score 600 1", "prediction 60 0", "counter 42 2", "protocol 1 0", "hang - 0"):
        assert row.split() in rows, rows
    assert "6 of 359 samples" in " ".join(said.split())


@both
def test_a_simulation_that_breaks_down_is_no_verdict(verify, calls, network, at):
    calls.broken = True
    result = verify(at, code=3)
    assert "nothing was compared: run it again, or with fewer --samples" in result.stderr
    assert ("it fell over" if at == CHIP else "the line went dead") in result.stderr
    assert not (network.parent / f"verify-{at}.json").exists()
    assert result.stdout == ""


@both
def test_a_place_that_cannot_be_written_is_refused_first(verify, calls, tmp_path, at):
    (tmp_path / "file").write_text("")
    assert "cannot write" in verify(at, "-o", tmp_path / "file" / "below", code=2).stderr
    assert not calls.samples
    verify(at, "-o", tmp_path / "out")
    assert (tmp_path / "out" / f"verify-{at}.json").is_file()


# A folder of a reference bitstream.


@pytest.fixture
def plan(monkeypatch, calls, network):
    """The network's folder, with a bitstream of another board, seed and lanes beside it."""
    folder = network.parent
    (folder / "top.bit").write_bytes(b"bits")
    hashed = level.file_sha256(folder / "top.bit")
    recorded = {"sha256": {"bitstream": hashed, "verilog": "of the design"}}
    recipe = SimpleNamespace(board=TARGETS["ulx3s-25f"], lanes=(4, 2), loadable=True, seed=9)
    (folder / "manifest.json").write_text("{}")
    monkeypatch.setattr(level, "read_manifest", lambda place: (recorded, recipe))
    monkeypatch.setattr(host_level, "read_manifest", lambda place: (recorded, recipe))
    monkeypatch.setattr(level, "sources_sha256", lambda design: "of the design")
    return SimpleNamespace(folder=folder, recorded=recorded)


def test_a_bitstream_s_folder_is_built_as_its_manifest_says(verify, calls, plan):
    for at in ("routed", "bitstream"):
        verify(at)
    for generated in calls.generated:
        assert (generated["lanes"], generated["loadable"]) == ((4, 2), True)
        assert generated["target"] is TARGETS["ulx3s-25f"]
    assert [own["seed"] for own in calls.made] == [9, 9]
    assert [own["bitstream"] for own in calls.made] == [None, plan.folder / "top.bit"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param("design", "is not the one its manifest records", id="another design"),
        pytest.param("lost", "lacks top.bit; build it", id="no bitstream"),
        pytest.param("bits", "is not the bitstream that its manifest records", id="other bits"),
        pytest.param("built", "makes another bitstream than the one there", id="other tools"),
    ],
)
def test_what_its_manifest_does_not_record_is_refused(
    monkeypatch, verify, calls, plan, change, says
):
    if change == "design":
        monkeypatch.setattr(level, "sources_sha256", lambda design: "another")
    elif change == "lost":
        (plan.folder / "top.bit").unlink()
    elif change == "bits":
        (plan.folder / "top.bit").write_bytes(b"other")
    else:
        calls.about = {"bitstream_sha256": "another"}
    assert says in verify("routed", code=2).stderr
    assert not calls.verified


def test_what_is_built_as_recorded_is_verified(verify, calls, plan):
    calls.about = {"bitstream_sha256": plan.recorded["sha256"]["bitstream"]}
    verify("routed")
    assert calls.verified


def test_bits_of_no_reference_build_are_not_compared(verify, calls):
    calls.about = {"bitstream_sha256": "any"}
    verify("routed")
    assert calls.verified
