"""What a verb is pointed at stays as it was: results go where `-o` names, or to a run folder."""

import json
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from spikeloom.errors import UserError
from spikeloom.files import file_sha256
from spikeloom.image import save_image
from spikeloom_hw.generate import generate
from spikeloom_hw.synth.manifest import sources_sha256
from spikeloom_hw.targets import TARGETS

VERBS = {
    "inspect": ("{build}",),
    "evaluate": ("{build}",),
    "place": ("{build}", "--lanes", 2, "--seconds", 0.1, "-o", "runs/placed.safetensors"),
    "estimate": ("{build}",),
    "generate": ("{build}",),
    "generate the core": ("{build}", "--top", "core"),
    "verify": ("{build}", "--samples", 2, "--lanes", 1, "--jobs", 1),
    "flash": ("{build}", "--dry-run"),
    "run": ("--port", "sim:{build}", "--samples", 2),
    "monitor": ("--port", "sim:{build}", "--once"),
    "report": ("{build}",),
}
SLOW = {
    "synth": ("{build}", "--lanes", 1),
    "verify at the netlist": ("{build}", "--level", "netlist", "--samples", 2, "--jobs", 1),
    "verify the host": ("{build}", "--level", "host", "--samples", 2, "--jobs", 1),
}
OTHERS = {"train", "export", "import", "doctor"}
"""They take a configuration, a run, a file of another framework, or nothing."""
LEFT = {
    "estimate": "runs/small/estimate.json",
    "generate": "runs/small/design/icebreaker/core.v",
    "generate the core": "runs/small/design/core/spikeloom.v",
    "verify": "runs/small/verify.json",
    "report": "runs/small/report.html",
    "place": "runs/placed.safetensors",
    "synth": "runs/small/synth/icebreaker/top.bin",
    "verify at the netlist": "runs/small/verify-netlist.json",
    "verify the host": "runs/small/verify-host.json",
}


@pytest.fixture
def build(tmp_path, monkeypatch, small_image):
    """A folder as those of `bitstreams/`, seen from the clone that it lies in."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "bitstreams" / "small"
    save_image(folder / "network.safetensors", small_image)
    target = TARGETS["icebreaker"]
    design = generate(small_image, target=target, lanes=(1, 1), directory=tmp_path / "design")
    (folder / "top.bin").write_bytes(b"\x7e\xaa\x99\x7e bits")
    (folder / "network.toml").write_text("[data]\n")
    (folder / "report.json").write_text("{}\n")
    recipe = {"target": "icebreaker", "clock_mhz": target.core_clock_mhz, "lanes": [1, 1]}
    sha256 = {
        "network": design.network_sha256,
        "design": design.design_sha256,
        "verilog": sources_sha256(tmp_path / "design"),
        "bitstream": file_sha256(folder / "top.bin"),
    }
    text = json.dumps({**recipe, "seed": 1, "loadable": False, "sha256": sha256})
    (folder / "manifest.json").write_text(text)
    return folder


def contents(folder):
    return {
        path.relative_to(folder): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def test_every_verb_is_here():
    known = {point.name for point in entry_points(group="spikeloom.commands")}
    assert {name.split()[0] for name in VERBS | SLOW} | OTHERS == known


@pytest.mark.parametrize(
    "name", [*VERBS, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)]
)
def test_a_reference_build_stays_as_it_is(spikeloom, build, name):
    before = contents(build)
    words = [str(word).format(build="bitstreams/small") for word in {**VERBS, **SLOW}[name]]
    result = spikeloom(name.split()[0], *words)
    assert result.exit_code == 0, result.stderr
    assert contents(build) == before
    assert Path(LEFT.get(name, ".")).exists()


def test_generate_leaves_everything_where_its_output_is(spikeloom, network, tmp_path):
    before = contents(network.parent)
    assert spikeloom("generate", network, "-o", tmp_path / "out").exit_code == 0
    assert contents(network.parent) == before
    record = json.loads((tmp_path / "out" / "generate.json").read_text())
    assert record["directory"] == str(tmp_path / "out")


def test_generate_beside_a_network_that_can_only_be_read(spikeloom, network, tmp_path, monkeypatch):
    refuse = check_of(network.parent)
    monkeypatch.setattr("spikeloom_hw.cli.generate.check_writable", refuse)
    assert spikeloom("generate", network, "-o", tmp_path / "out").exit_code == 0
    assert spikeloom("generate", network).exit_code == 2


def check_of(folder):
    """A `check_writable` for which nothing in `folder` can be written; a superuser always can."""

    def check(path):
        if path.resolve().is_relative_to(folder.resolve()):
            raise UserError(f"cannot write {path}")

    return check
