"""The verb `synth`."""

import json
from dataclasses import replace

import pytest

from spikeloom.errors import UserError
from spikeloom.image import save_image
from spikeloom_hw.estimate import estimate
from spikeloom_hw.targets import TARGETS


@pytest.mark.parametrize(
    ("name", "lanes", "bitstream"),
    [
        pytest.param("icebreaker", (1, 1), "top.bin", id="iCE40"),
        pytest.param("ulx3s-25f", (4, 1), "top.bit", id="ECP5", marks=pytest.mark.slow),
    ],
)
def test_network_to_bitstream(spikeloom, document, run_folder, small_image, name, lanes, bitstream):
    target = TARGETS[name]
    arguments = ("--target", name, "--lanes", ",".join(map(str, lanes)))
    result = spikeloom("synth", run_folder, *arguments, "--json")
    data = document(result)
    assert data["target"] == name
    assert data["fmax_mhz"] >= data["constraint_mhz"] == target.core_clock_mhz
    place = run_folder / "synth" / name / bitstream
    assert data["bitstream"] == str(place)
    assert place.stat().st_size > 100_000
    assert data["lanes"] == list(lanes)
    foreseen = estimate(small_image, target=target, lanes=lanes)
    assert data["utilization"][target.block_name]["used"] == foreseen.blocks
    recorded = json.loads((run_folder / "synth.json").read_text())
    assert recorded["verb"] == "synth"
    assert {**recorded, "seconds": 0} == {**data, "verb": "synth", "seconds": 0}
    steps = [line for line in result.stderr.splitlines() if line.startswith("[")]
    assert [line[:3] for line in steps] == ["[1]", "[1]", "[2]", "[2]", "[3]", "[3]", "[4]", "[4]"]


@pytest.mark.slow
def test_design_to_bitstream(spikeloom, network, tmp_path):
    design = tmp_path / "design"
    assert spikeloom("generate", network, "--lanes", "1", "-o", design).exit_code == 0
    result = spikeloom("synth", "--design", design, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    assert "30 MHz required" in result.stdout
    assert (tmp_path / "out" / "top.bin").is_file()
    assert (tmp_path / "out" / "synth.json").is_file()


def test_another_clock(spikeloom, monkeypatch, network):
    def stop(folder, *, target, **_):
        described = json.loads((folder / "design.json").read_text())
        assert described["clock_mhz"] == target.core_clock_mhz == 24
        raise UserError("far enough")

    monkeypatch.setattr("spikeloom_hw.flow.synthesize", stop)
    result = spikeloom("synth", network, "--lanes", "1", "--clock", "24")
    assert result.stderr.splitlines()[-1] == "spikeloom: far enough"


def test_a_design_names_its_own_target_and_clock(spikeloom, monkeypatch, network, tmp_path):
    design = tmp_path / "design"
    arguments = ("--target", "ulx3s-85f", "-o", design)
    assert spikeloom("generate", network, *arguments).exit_code == 0
    asked = {}

    def stop(folder, **arguments):
        asked.update(arguments, folder=folder)
        raise UserError("far enough")

    monkeypatch.setattr("spikeloom_hw.cli.synth.synthesize", stop)
    options = ("--seed", 5, "--seeds", 3, "--jobs", 2)
    result = spikeloom("synth", "--design", design, "-o", tmp_path / "out", *options)
    assert result.exit_code == 2
    assert (asked["folder"], asked["target"]) == (design, TARGETS["ulx3s-85f"])
    assert (list(asked["seeds"]), asked["jobs"]) == ([5, 6, 7], 2)


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
            ["NETWORK", "--design", "DESIGN", "--lanes", "8"],
            "--lanes is fixed in a design that is generated: leave it out",
            id="lanes of a design",
        ),
        pytest.param(
            ["NETWORK", "--design", "DESIGN", "--clock", "30"],
            "--clock is fixed in a design that is generated: leave it out",
            id="clock of a design",
        ),
        pytest.param(
            ["NETWORK", "--design", "DESIGN", "--loadable"],
            "--loadable is fixed in a design that is generated: leave it out",
            id="loadable design",
        ),
        pytest.param(
            ["NETWORK", "--clock", "300"], "icebreaker can not run at 300 MHz (The PLL", id="PLL"
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


def test_the_source_is_never_replaced(spikeloom, one_sentence, run_folder, network, tmp_path):
    design = tmp_path / "designs" / "one"
    assert spikeloom("generate", network, "--lanes", "1", "-o", design).exit_code == 0
    files = sorted(tmp_path.rglob("*"))
    for source, place in (
        (("--design", design), design),
        (("--design", design), design.parent),
        ((run_folder,), run_folder),
        ((network,), network),
    ):
        result = spikeloom("synth", *source, "-o", place)
        assert result.exit_code == 2
        assert "itself; choose another output folder" in one_sentence(result)
        assert sorted(tmp_path.rglob("*")) == files


@pytest.mark.parametrize("name", ["core.v", "top.v", "top.pcf"])
def test_a_design_that_lacks_a_file_is_refused(spikeloom, one_sentence, network, tmp_path, name):
    design = tmp_path / "design"
    assert spikeloom("generate", network, "--lanes", "1", "-o", design).exit_code == 0
    (design / name).unlink()
    result = spikeloom("synth", "--design", design, "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert f"{design} " in one_sentence(result)
    assert f" {name}; " in one_sentence(result)
    assert not (tmp_path / "out").exists()


def test_a_design_for_another_target_is_refused(spikeloom, one_sentence, network, tmp_path):
    design = tmp_path / "design"
    assert spikeloom("generate", network, "-o", design).exit_code == 0
    description = design / "design.json"
    description.write_text(description.read_text().replace('"icebreaker"', '"ulx3s-25f"'))
    arguments = ("--target", "icebreaker")
    result = spikeloom("synth", network, "--design", design, *arguments)
    assert result.exit_code == 2
    assert "was generated for ulx3s-25f; generate it for icebreaker" in one_sentence(result)
    description.write_text(description.read_text().replace('"ulx3s-25f"', '"ulx4s"'))
    result = spikeloom("synth", network, "--design", design)
    assert result.exit_code == 2
    assert "unknown target 'ulx4s'" in one_sentence(result)


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
