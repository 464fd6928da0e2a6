"""The reference builds' tool: what it records, and what it notices. Synthesis is scripted here."""

import hashlib
import importlib.util
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from spikeloom_hw.synth.families import family
from spikeloom_hw.synth.nextpnr import Usage
from spikeloom_hw.synth.result import SeedResult, Spread, Synthesis

SCRIPT = Path(__file__).parents[2] / "bitstreams" / "build.py"
TOOLS = {"yosys": "1.0"}
FMAX = {1: 31.0, 2: 44.0, 3: 40.0}


def script():
    spec = importlib.util.spec_from_file_location("build", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tool(monkeypatch, tmp_path):
    """`bitstreams/build.py`, working in a folder of its own, with a yosys and nextpnr of ours."""
    module = script()

    def synthesize(design, *, target, directory, seeds, **_):
        sources = b"".join(path.read_bytes() for path in sorted(design.glob("*.mem")))
        seed = max(seeds, key=lambda each: FMAX[each])
        directory.mkdir()
        bitstream = directory / family(target).bitstream
        bitstream.write_bytes(hashlib.sha256(sources + bytes([seed])).digest())
        return Synthesis(
            target=target.name,
            seed=seed,
            fmax_mhz=FMAX[seed],
            constraint_mhz=target.core_clock_mhz,
            fmax_spread_mhz=Spread(median=40.0, best=44.0, worst=31.0),
            seeds=tuple(SeedResult(seed=each, fmax_mhz=FMAX[each], failure=None) for each in seeds),
            utilization={"LC": Usage(used=10, available=20)},
            bitstream=bitstream,
            sha256=hashlib.sha256(bitstream.read_bytes()).hexdigest(),
            tools=dict(TOOLS),
            seconds=1.0,
            critical_path=None,
            network_sha256=None,
            lanes=None,
        )

    monkeypatch.setattr(module, "HERE", tmp_path / "bitstreams")
    monkeypatch.setattr("spikeloom.stamp._commit", lambda: "abcdef0")
    monkeypatch.setattr(module, "synthesize", synthesize)
    return module


@pytest.fixture
def run(tool):
    def invoke(*arguments):
        return CliRunner().invoke(tool.main, [str(argument) for argument in arguments])

    return invoke


@pytest.fixture
def made(tool, run, run_folder):
    """A reference build of the small network for the ULX3S."""
    (run_folder / "config.toml").write_text("[data]\n")
    arguments = ("--target", "ulx3s-25f", "--clock", 30, "--lanes", "2,1", "--seeds", 3)
    result = run("add", run_folder, "small", *arguments)
    assert result.exit_code == 0, result.output
    return tool.HERE / "small-ulx3s-25f"


def test_what_is_recorded(made, network):
    assert {path.name for path in made.iterdir() if not path.name.startswith(".")} == {
        "network.safetensors",
        "network.toml",
        "top.bit",
        "manifest.json",
        "report.json",
    }
    assert (made / "network.safetensors").read_bytes() == network.read_bytes()
    manifest = json.loads((made / "manifest.json").read_text())
    assert (manifest["target"], manifest["clock_mhz"]) == ("ulx3s-25f", 30)
    assert (manifest["lanes"], manifest["seed"]) == ([2, 1], 2)
    assert (manifest["fmax_mhz"], manifest["constraint_mhz"]) == (44.0, 30)
    bitstream = (made / "top.bit").read_bytes()
    assert manifest["sha256"]["bitstream"] == hashlib.sha256(bitstream).hexdigest()
    assert manifest["tools"] == {"yosys": "1.0"}
    assert manifest["commit"] == "abcdef0"

    report = json.loads((made / "report.json").read_text())
    assert [each["fmax_mhz"] for each in report["seeds"]] == list(FMAX.values())
    assert report["seed"] == 2
    assert report["utilization"]["LC"] == {"used": 10, "available": 20}
    assert report["cycles"]["samples"] == 359  # the test set of the digits
    assert 0 < report["cycles"]["interval"]["mean"] <= report["cycles"]["latency"]["max"]
    assert report["estimate"]["lanes"] == [2, 1]
    assert report["network"]["sha256"] == manifest["sha256"]["network"]
    assert set(manifest["sha256"]) == {"network", "design", "verilog", "bitstream"}


def test_cycles_and_estimate_are_renewed_without_synthesis(made, run, tool, monkeypatch):
    written = (made / "report.json").read_bytes()
    old = {**json.loads(written), "cycles": None, "estimate": None}
    (made / "report.json").write_text(json.dumps(old))
    monkeypatch.setattr(tool, "synthesize", None)
    result = run("foresee", made)
    assert result.exit_code == 0, result.output
    assert json.loads((made / "report.json").read_text()) == json.loads(written)


def test_a_rebuild_gives_the_same_bytes(made, run):
    result = run("check")
    assert result.exit_code == 0, result.output
    assert f"{made.name}: the same bytes" in result.stderr


def damage_bitstream(made, _monkeypatch):
    (made / "top.bit").write_bytes(b"others")


def record_another(made, what):
    manifest = json.loads((made / "manifest.json").read_text())
    manifest["sha256"][what] = "0" * 64
    (made / "manifest.json").write_text(json.dumps(manifest))


def damage_network(made, _monkeypatch):
    record_another(made, "network")


def change_tool(made, monkeypatch):
    monkeypatch.setitem(TOOLS, "yosys", "2.0")
    record_another(made, "bitstream")


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        pytest.param(damage_bitstream, "the bitstream here is not the one recorded", id="bits"),
        pytest.param(damage_network, "network: recorded 0000", id="another network"),
        pytest.param(change_tool, "yosys is 2.0, recorded with 1.0", id="another tool"),
    ],
)
def test_a_difference_is_told(monkeypatch, made, run, damage, says):
    damage(made, monkeypatch)
    result = run("check", made)
    assert result.exit_code == 2
    assert says in result.stderr
    assert f"{made.name}: a rebuild differs" in result.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(None, "has no manifest.json", id="none"),
        pytest.param("{", "manifest.json is damaged", id="cut"),
        pytest.param("{}", "manifest.json is damaged ('target')", id="empty"),
    ],
)
def test_a_damaged_manifest(made, run, text, says):
    (made / "manifest.json").unlink()
    if text is not None:
        (made / "manifest.json").write_text(text)
    result = run("check", made)
    assert result.exit_code == 2
    assert says in result.stderr.splitlines()[-1]


def test_nothing_to_check(run):
    result = run("check")
    assert result.exit_code == 2
    assert "has no reference builds" in result.stderr


def test_sources_that_are_not_committed_are_refused(tool, run, run_folder, monkeypatch):
    (run_folder / "config.toml").write_text("[data]\n")
    monkeypatch.setattr("spikeloom.stamp._commit", lambda: "abcdef0-dirty")
    result = run("add", run_folder, "small")
    assert result.exit_code == 2
    assert "the sources differ from commit abcdef0: commit them first" in result.stderr
    assert not tool.HERE.exists()


@pytest.mark.usefixtures("tool")
def test_a_network_without_its_configuration_is_refused(run, run_folder):
    result = run("add", run_folder, "small")
    assert result.exit_code == 2
    assert "has neither config.toml nor network.toml" in result.stderr
