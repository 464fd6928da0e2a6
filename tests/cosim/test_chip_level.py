"""A chip at its levels: equal as it is, and found out with a fault in it.

A fault is planted in what is simulated: the Verilog of the cells, or of the bits, in the cache.
"""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from spikeloom.arithmetic import ShiftLeak
from spikeloom.cli.console import Console
from spikeloom.errors import UserError
from spikeloom.files import atomic_write
from spikeloom.image import load_image, save_image
from spikeloom_cosim.chip.level import make_chip
from spikeloom_cosim.divergence import KINDS
from spikeloom_hw.generate import generate
from spikeloom_hw.synth.manifest import read_manifest

from .networks import random_network

SAMPLES = 3
SHIPPED = Path(__file__).parents[2] / "bitstreams" / "digits-icebreaker"


@dataclass(frozen=True)
class Small:
    """A network, and the chips that were made of it at one level."""

    network: Path
    chips: Path

    @property
    def chip(self) -> Path:
        (found,) = self.chips.glob("*/chip.v")
        return found


@pytest.fixture
def small(monkeypatch, tmp_path) -> Small:
    network = tmp_path / "run" / "network.safetensors"
    save_image(network, random_network((64, 12, 10), leak=ShiftLeak(shift=3)))
    chips = tmp_path / "chips"
    monkeypatch.setattr("spikeloom_cosim.chip.level.cache_folder", lambda _name: chips)
    return Small(network=network, chips=chips)


@pytest.fixture
def verify(spikeloom, small) -> Callable[[str, int], dict]:
    """`verify(level, code)`: the verb on the small network; what it left."""

    def run(level: str, code: int) -> dict:
        how = ("--level", level, "--lanes", 4, "--samples", SAMPLES, "--jobs", 1)
        result = spikeloom("verify", small.network, *how)
        assert result.exit_code == code, result.stderr
        document = json.loads((small.network.parent / f"verify-{level}.json").read_text())
        assert document["level"] == level
        if code:
            assert "first divergence: sample " in result.stderr
        return document

    return run


def assert_equal(document: dict) -> None:
    assert document["first_divergence"] is None
    assert [document[f"{kind}_mismatches"] for kind in KINDS] == [0] * len(KINDS)
    assert document["compared"] == {
        "protocol": 1,
        "score": SAMPLES * 10,
        "prediction": SAMPLES,
        "counter": (SAMPLES + 1) * 2 * 3,
    }


def inverted(text: str, place: str) -> str:
    """`text` with every bit of the hexadecimal numbers after `place` inverted, 0 excepted."""

    def invert(found: re.Match[str]) -> str:
        width, value = int(found["width"]), int(found["value"].replace("x", "0"), 16)
        return f"{found['before']}{width}'h{value ^ ((1 << width) - 1):x}" if value else found[0]

    pattern = re.compile(rf"(?P<before>{place})(?P<width>\d+)'h(?P<value>[0-9a-fx]+)")
    changed, count = pattern.subn(invert, text)
    assert count > 0
    assert changed != text
    return changed


def test_netlist(verify, small):
    assert_equal(verify("netlist", 0))
    right = small.chip.read_text()
    assert len(re.findall(r"^ *SB_LUT4 ", right, re.MULTILINE)) > 500
    # What fills the memories is part of the netlist, and so is a fault in it.
    atomic_write(small.chip, inverted(right, r"\.INIT_0\("))
    first = verify("netlist", 1)["first_divergence"]
    assert first["kind"] in ("counter", "score")
    assert first["got"] != first["expected"]


@pytest.mark.slow
@pytest.mark.parametrize("level", ["routed", "bitstream"])
def test_placed(verify, small, level):
    document = verify(level, 0)
    assert_equal(document)
    assert len(document["bitstream_sha256"]) == 64
    atomic_write(small.chip, inverted(small.chip.read_text(), r"\.INIT_0\("))
    assert verify(level, 1)["first_divergence"] is not None


@pytest.mark.slow
def test_one_table_of_logic(verify, small):
    """One look-up table of all, in a neuron's update, says the opposite."""
    assert_equal(verify("netlist", 0))
    right = small.chip.read_text()
    one = re.compile(r"\.LUT_INIT\(16'h([0-9a-f]+)\)\s*\) \\\S*lane_0\.potential")
    table = one.search(right)
    assert table is not None
    wrong = f"{int(table[1], 16) ^ 0xFFFF:04x}"
    atomic_write(small.chip, f"{right[: table.start(1)]}{wrong}{right[table.end(1) :]}")
    assert verify("netlist", 1)["first_divergence"] is not None


@pytest.mark.slow
def test_shipped_bitstream(spikeloom, tmp_path):
    how = ("--level", "bitstream", "--samples", 20, "-o", tmp_path)
    result = spikeloom("verify", SHIPPED, *how)
    assert result.exit_code == 0, result.stderr
    document = json.loads((tmp_path / "verify-bitstream.json").read_text())
    manifest = json.loads((SHIPPED / "manifest.json").read_text())
    assert document["bitstream_sha256"] == manifest["sha256"]["bitstream"]
    assert document["compared"]["score"] == 200


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--target", "ulx3s-25f"], "only iCE40 has"),
        (["--lanes", "4", "--lanes", "2"], "takes one --lanes"),
    ],
)
def test_refused(spikeloom, small, options, says):
    result = spikeloom("verify", small.network, "--level", "netlist", "--samples", 1, *options)
    assert result.exit_code == 2
    assert says in result.stderr


def test_single_port_memory_cannot_be_read_back(tmp_path):
    folder = SHIPPED.parent / "mnist-icebreaker"
    _, recipe = read_manifest(folder)
    image, design = load_image(folder / "network.safetensors"), tmp_path / "design"
    generate(image, target=recipe.board, lanes=recipe.lanes, directory=design, loadable=True)
    with pytest.raises(UserError, match="verify it at --level routed"):
        make_chip(design, "bitstream", seed=1, progress=Console(as_json=True))


@pytest.mark.usefixtures("small")
def test_not_what_the_manifest_says(spikeloom, tmp_path):
    folder = tmp_path / "digits-icebreaker"
    shutil.copytree(SHIPPED, folder)
    manifest = (folder / "manifest.json").read_text()
    verilog = json.loads(manifest)["sha256"]["verilog"]
    (folder / "manifest.json").write_text(manifest.replace(verilog, "0" * 64))
    result = spikeloom("verify", folder, "--level", "netlist", "--samples", 1)
    assert result.exit_code == 2
    assert "is not the one its manifest records" in result.stderr
    (folder / "manifest.json").write_text(manifest)
    (folder / "top.bin").write_bytes((folder / "top.bin").read_bytes() + b"\0")
    result = spikeloom("verify", folder, "--level", "bitstream", "--samples", 1)
    assert result.exit_code == 2
    assert "is not the bitstream that its manifest records" in result.stderr
