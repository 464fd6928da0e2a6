"""What `verify --design` proves and what `synth --design` builds are the same files."""

import json
import shutil

import pytest

from spikeloom_cosim.design import load_core
from spikeloom_hw.synth import yosys
from spikeloom_hw.synth.families import family
from spikeloom_hw.synth.flow import _sources
from spikeloom_hw.synth.tools import find_tool
from spikeloom_hw.targets import find_target

NEURON = 3


@pytest.fixture
def designs(spikeloom, network, tmp_path):
    """A design, and a copy in which one threshold is another well-formed number."""
    sound, faulty = tmp_path / "sound", tmp_path / "faulty"
    result = spikeloom("generate", network, "--lanes", "1", "-o", sound)
    assert result.exit_code == 0, result.stderr
    shutil.copytree(sound, faulty)
    (memory,) = faulty.glob("*hidden*thresholds.mem")
    lines = memory.read_text().splitlines()
    lines[NEURON] = f"{1:0{len(lines[NEURON])}x}"
    memory.write_text("\n".join(lines) + "\n")
    return sound, faulty


def netlist(design, folder):
    """What yosys makes of the files that `synth` takes from a design."""
    folder.mkdir()
    own = family(find_target("icebreaker"))
    for source in _sources(design, own):
        shutil.copy(source, folder)
    yosys.synthesize(find_tool("yosys"), folder, family=own, note=lambda _: None)
    return json.loads((folder / yosys.NETLIST).read_text())


def test_every_file_that_is_proved_is_built(designs):
    sound, _ = designs
    core = load_core(sound)
    built = set(_sources(sound, family(find_target("icebreaker"))))
    assert len(core.memories) > 5
    assert built >= {core.verilog, *core.memories}


@pytest.mark.slow
def test_a_fault_in_a_memory_is_found_and_would_be_built(spikeloom, network, designs, tmp_path):
    sound, faulty = designs
    arguments = ("--samples", 20, "-o", tmp_path / "out")
    result = spikeloom("verify", network, "--design", faulty, *arguments)
    assert result.exit_code == 1, result.stderr
    first = json.loads((tmp_path / "out" / "verify.json").read_text())["first_divergence"]
    assert (first["kind"], first["layer"], first["neuron"]) == ("spike", "hidden", NEURON)
    built = netlist(sound, tmp_path / "one")
    assert netlist(sound, tmp_path / "again") == built
    assert netlist(faulty, tmp_path / "two") != built
