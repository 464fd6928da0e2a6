"""Data of a user's own, of every kind, through every verb that takes data."""

import json

import numpy as np
import pytest

import samples_of_my_own as own
from spikeloom.image import load_image
from spikeloom_cosim.divergence import KINDS

SOURCES = list(own.ENCODINGS)


@pytest.fixture(params=SOURCES, ids=lambda make: make.__name__)
def source(request, tmp_path, monkeypatch):
    """(TOML, source) of one kind."""
    monkeypatch.delenv("SPIKELOOM_DATA", raising=False)
    path = request.param(tmp_path)
    return own.configuration(tmp_path, request.param, path), path


def test_from_files_to_a_report(source, tmp_path, spikeloom, document):
    toml, path = source
    run = tmp_path / "R"
    trained = document(spikeloom("train", toml, "-o", run, "--json"))
    assert (trained["dataset"], trained["data"]) == (path.stem, str(path))
    exported = document(spikeloom("export", run, "--json"))
    assert exported["torch_vs_reference"]["spike_mismatches"] == 0
    image = load_image(run / "network.safetensors")
    assert image.outputs == len(own.CLASSES)
    assert image.provenance.data
    assert image.provenance.data.class_names == own.CLASSES
    done = document(spikeloom("evaluate", run, "--json"))
    assert done["class_names"] == list(own.CLASSES)
    assert done["accuracy"] == exported["accuracy"]["test"]
    confusion = np.array(done["confusion"])
    assert confusion.sum() == done["samples"]
    assert np.trace(confusion) == done["correct"]
    assert spikeloom("report", run).exit_code == 0
    page = (run / "report.html").read_text()
    assert "Classes: ash, beech, cedar" in page
    assert "One sample, spike for spike" in page
    assert json.loads((run / "report.json").read_text())["class_names"] == list(own.CLASSES)
    # The same files elsewhere are the same data; with one sample changed they are not.
    moved = path.rename(path.with_name(f"moved{path.suffix}"))
    assert (
        document(spikeloom("evaluate", run, "--data", moved, "--json"))["correct"]
        == (done["correct"])
    )
    lost = spikeloom("evaluate", run)
    assert lost.exit_code == 2
    assert "there is no data source" in lost.stderr


@pytest.mark.slow
def test_on_the_simulated_core_and_board(source, tmp_path, spikeloom, document):
    toml, _ = source
    run = tmp_path / "R"
    assert spikeloom("train", toml, "-o", run).exit_code == 0
    assert spikeloom("export", run).exit_code == 0
    proof = document(spikeloom("verify", run, "--lanes", 4, "--json"))
    assert proof["samples"] == proof["samples_available"]
    assert [proof[f"{kind}_mismatches"] for kind in KINDS] == [0] * len(KINDS)
    assert spikeloom("generate", run, "--target", "icebreaker", "--lanes", 4).exit_code == 0
    design = run / "design" / "icebreaker"
    told = document(spikeloom("run", run, "--port", f"sim:{design}", "--json"))
    assert told["exact"]
    assert told["class_names"] == list(own.CLASSES)
    assert told["correct"] == document(spikeloom("evaluate", run, "--json"))["correct"]
