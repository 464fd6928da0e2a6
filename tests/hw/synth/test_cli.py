"""The verb `synth`."""

import json
from dataclasses import replace

import pytest

from spikeloom.image import save_image
from spikeloom_hw.estimate import estimate
from spikeloom_hw.targets import TARGETS


def test_network_to_bitstream(spikeloom, document, run_folder, small_image):
    result = spikeloom("synth", run_folder, "--lanes", "1", "--json")
    data = document(result)
    assert data["target"] == "icebreaker"
    assert data["fmax_mhz"] >= data["constraint_mhz"] == 24
    assert data["bitstream"] == str(run_folder / "synth" / "icebreaker" / "top.bin")
    assert (run_folder / "synth" / "icebreaker" / "top.bin").stat().st_size > 100_000
    assert data["lanes"] == [1, 1]
    foreseen = estimate(small_image, target=TARGETS["icebreaker"], lanes=[1, 1])
    assert data["utilization"]["EBR"]["used"] == foreseen.blocks
    recorded = json.loads((run_folder / "synth.json").read_text())
    assert recorded["verb"] == "synth"
    assert {**recorded, "seconds": 0} == {**data, "verb": "synth", "seconds": 0}
    steps = [line for line in result.stderr.splitlines() if line.startswith("[")]
    assert [line[:3] for line in steps] == ["[1]", "[1]", "[2]", "[2]", "[3]", "[3]", "[4]", "[4]"]


def test_design_to_bitstream(spikeloom, network, tmp_path):
    design = tmp_path / "design"
    assert spikeloom("generate", network, "--lanes", "1", "-o", design).exit_code == 0
    result = spikeloom("synth", "--design", design, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    assert "24 MHz required" in result.stdout
    assert (tmp_path / "out" / "top.bin").is_file()
    assert (tmp_path / "out" / "synth.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param([], "give a network, or a design with --design", id="nothing"),
        pytest.param(["--design", "DESIGN"], "give an output folder with -o", id="no output"),
        pytest.param(
            ["--design", "DESIGN", "-o", "OUT"],
            "design.json: no such file: give a folder made by 'spikeloom generate'",
            id="empty design",
        ),
        pytest.param(
            ["NETWORK", "--target", "ulx3s-25f"], "no board top for ulx3s-25f yet", id="no top"
        ),
    ],
)
def test_refused(spikeloom, one_sentence, network, tmp_path, arguments, sentence):
    places = {"DESIGN": tmp_path / "empty", "OUT": tmp_path / "out", "NETWORK": network}
    places["DESIGN"].mkdir()
    result = spikeloom("synth", *(places.get(word, word) for word in arguments))
    assert result.exit_code == 2
    assert sentence in one_sentence(result)
    assert not (tmp_path / "out").exists()


def test_a_design_for_another_target_is_refused(spikeloom, one_sentence, network, tmp_path):
    design = tmp_path / "design"
    assert spikeloom("generate", network, "-o", design).exit_code == 0
    description = design / "design.json"
    description.write_text(description.read_text().replace('"icebreaker"', '"ulx3s-25f"'))
    result = spikeloom("synth", network, "--design", design)
    assert result.exit_code == 2
    assert "was generated for ulx3s-25f; generate it for icebreaker" in one_sentence(result)


def test_a_design_of_another_network_is_refused(
    spikeloom, one_sentence, network, small_image, tmp_path
):
    design, other = tmp_path / "design", tmp_path / "other.safetensors"
    assert spikeloom("generate", network, "-o", design).exit_code == 0
    save_image(other, replace(small_image, time_steps=5))
    result = spikeloom("synth", other, "--design", design)
    assert result.exit_code == 2
    assert f"{design} was generated from another network than {other}" in one_sentence(result)
    assert not (tmp_path / "synth").exists()


def test_output_that_cannot_be_written_is_refused_at_once(
    spikeloom, one_sentence, network, tmp_path
):
    (tmp_path / "file").touch()
    for place in ("/proc/none", tmp_path / "file"):
        result = spikeloom("synth", network, "-o", place)
        assert result.exit_code == 2
        assert one_sentence(result).startswith(f"spikeloom: cannot write {place}")
        assert "[1]" not in result.stderr
