"""The verb `import`, as a user meets it."""

import json

import numpy as np
import pytest

from nir_files import (
    EULER_SPIKES,
    affine,
    chain,
    end,
    entry,
    lif_input,
    linear,
    neurons,
    one_lif,
    write,
)
from spikeloom.image import load_image
from spikeloom.reference import simulate

STEPS, INPUTS, CLASSES = 12, 6, 3


@pytest.fixture
def lif(tmp_path):
    return write(tmp_path / "lif.nir", *one_lif())


@pytest.fixture
def classifier(tmp_path):
    """Six inputs and three LIF neurons: a class for each pair of inputs."""
    weight = np.kron(np.eye(CLASSES), [[0.9, 0.7]]) - 0.1
    graph = chain(
        entry(INPUTS), affine(weight, np.zeros(CLASSES)), neurons("LIF", CLASSES), end(CLASSES)
    )
    return write(tmp_path / "classifier.nir", *graph)


@pytest.fixture
def events(tmp_path):
    """Samples whose class is the pair of inputs that has most events."""
    random = np.random.default_rng(4)
    labels = np.arange(90) % CLASSES
    rate = np.where(np.arange(INPUTS) // 2 == labels[:, None], 0.6, 0.15)
    frames = random.random((90, STEPS, INPUTS)) < rate[:, None]
    path = tmp_path / "events.npz"
    np.savez(path, x=frames.astype(np.uint8), y=labels)
    return path


def test_a_run_folder_that_other_verbs_take(spikeloom, lif, tmp_path):
    run = tmp_path / "run"
    done = spikeloom(
        "import", lif, "-o", run, "--profile", "norse", "--dt", "1e-4", "--time-steps", 1000
    )
    assert done.exit_code == 0, done.output
    image = load_image(run / "network.safetensors")
    trace = simulate(image, lif_input())
    assert np.flatnonzero(trace.spikes[-1][0, :, 0]).tolist() == EULER_SPIKES
    step = json.loads((run / "import.json").read_text())
    assert step["verb"] == "import"
    assert {"name": "dt", "value": "0.0001", "origin": "given", "why": ""} in step["profile"]
    shown = spikeloom("inspect", run)
    assert shown.exit_code == 0
    for word in ("lif.nir (norse)", "assumed", "Norse 1.1's own importer"):
        assert word in shown.output


def test_samples_have_to_be_named_where_none_were_given(spikeloom, one_sentence, lif, tmp_path):
    run = tmp_path / "run"
    spikeloom("import", lif, "-o", run, "--profile", "norse", "--dt", "1e-4")
    done = spikeloom("evaluate", run)
    assert done.exit_code == 2
    assert "does not say which samples it was trained on" in one_sentence(done)


def test_json_is_one_document(spikeloom, lif, tmp_path):
    done = spikeloom(
        "import", lif, "-o", tmp_path / "run", "--profile", "norse", "--dt", "1e-4", "--json"
    )
    document = json.loads(done.stdout)
    assert document["schema"] == 1
    assert document["widths"]["weight_bits"] == 24
    (population,) = document["fidelity"]["populations"]
    assert population["decays"]["membrane"]["left_wanted"] == pytest.approx(0.96)
    assert population["weight_error_worst"] == 0
    (steps,) = [entry for entry in document["profile"] if entry["name"] == "time_steps"]
    assert steps["origin"] == "assumed"


CHAIN = (
    "--rounding", "floor", "--fraction-bits", 0, "--weight-bits", 10, "--state-bits", 24,
)  # fmt: skip
CALIBRATED = ("--profile", "nir", "--dt", "1e-3", "--time-steps", STEPS, "--gain", "unit")


def test_calibration_and_fidelity(spikeloom, classifier, events, tmp_path):
    run = tmp_path / "run"
    done = spikeloom(
        "import", classifier, "-o", run, *CALIBRATED, "--calibrate", events, "--weight-bits", 6,
        "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    fidelity = json.loads(done.stdout)["fidelity"]
    assert fidelity["class_agreement"] > 0.9
    assert fidelity["accuracy"]["float"] > 0.8
    low, high = fidelity["class_agreement_interval_95"]
    assert low < fidelity["class_agreement"] <= high
    assert sum(fidelity["classes_float"]) == fidelity["samples"]
    (population,) = fidelity["populations"]
    assert population["rails_hit"] == 0
    assert population["bits"]["membrane"] < 24
    # The network remembers the samples: other verbs find them.
    evaluated = spikeloom("evaluate", run, "--json")
    assert evaluated.exit_code == 0, evaluated.output
    found = json.loads(evaluated.stdout)
    assert found["accuracy"] == fidelity["accuracy"]["integers"]


def test_the_report_shows_profile_and_fidelity(spikeloom, classifier, events, tmp_path):
    run = tmp_path / "run"
    for more, expected in (
        (["--calibrate", events, "--weight-bits", 6], "keep their class"),
        (CHAIN, "No samples were"),
    ):
        done = spikeloom("import", classifier, "-o", run, *CALIBRATED, "--reset", "zero", *more)
        assert done.exit_code == 0, done.output
        reported = spikeloom("report", run, "--json", *(["--dataset", "digits"]))
        assert reported.exit_code == 0, reported.output
        document = json.loads(reported.stdout)
        assert document["import"]["framework"] == "nir"
        page = (run / "report.html").read_text()
        for word in ("Profile", "given", "assumed", "Fidelity", expected, "classifier.nir"):
            assert word in page
        assert json.loads((run / "report.json").read_text()) == document
    # What was imported before has another network now.
    (run / "import.json").unlink()
    assert json.loads(spikeloom("report", run, "--json").stdout)["import"] is None


def test_few_bits_are_warned_of(spikeloom, events, tmp_path):
    random = np.random.default_rng(8)
    graph = chain(
        entry(INPUTS), linear(random.normal(0.2, 1, (30, INPUTS))), neurons("IF", 30),
        linear(random.normal(0, 1, (CLASSES, 30))), neurons("IF", CLASSES), end(CLASSES),
    )  # fmt: skip
    file = write(tmp_path / "random.nir", *graph)
    done = spikeloom(
        "import", file, "-o", tmp_path / "run", "--profile", "norse", "--reset", "subtract",
        "--time-steps", STEPS, "--calibrate", events, "--weight-bits", 2, "--state-bits", 5,
        "--fraction-bits", 0,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "of the samples keep their class: give more --weight-bits" in done.stderr
    assert "reached the limits of its states" in done.stderr


def test_one_spike_a_step_is_no_lack_of_bits(spikeloom, events, tmp_path):
    """Where a framework sends several spikes, the report tells what one spike changes by itself."""
    graph = chain(
        entry(INPUTS), linear(np.full((CLASSES, INPUTS), 4.0)), neurons("IF", CLASSES), end(CLASSES)
    )
    file = write(tmp_path / "loud.nir", *graph)
    done = spikeloom(
        "import", file, "-o", tmp_path / "run", "--profile", "sinabs", "--clamp", "none",
        "--time-steps", STEPS, "--calibrate", events, "--weight-bits", 8, "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    (own,) = json.loads(done.stdout)["fidelity"]["populations"]
    assert own["spikes_float"] > 3 * own["spikes_float_one_spike"]
    assert own["spikes_integers"] == own["spikes_float_one_spike"]
    assert "give it more bits" not in done.stderr


def test_rounding_down_makes_a_chain(spikeloom, classifier, tmp_path):
    run = tmp_path / "run"
    done = spikeloom(
        "import", classifier, "-o", run, *CALIBRATED, "--reset", "zero",
        *CHAIN,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert load_image(run / "network.safetensors").is_chain


WRONG = {
    "no profile": ([], "pass --profile, of nir, norse"),
    "no dt": (["--profile", "norse"], "pass --dt 1e-4"),
    "no such profile": (["--profile", "torch"], "'torch' is not one of"),
    "weights of one bit": (
        ["--profile", "norse", "--dt", "1e-4", "--weight-bits", "1"],
        "weight bits is 1: it must be 2 to 32",
    ),
    "no such samples": (
        ["--profile", "norse", "--dt", "1e-4", "--calibrate", "digitz"],
        "--calibrate digitz: no such file, folder or data set, did you mean 'digits'?",
    ),
    "samples of another shape": (
        ["--profile", "norse", "--dt", "1e-4", "--calibrate", "digits", "--time-steps", "4"],
        "the network has 1 inputs (1,), but samples of 'digits' are [8, 8] and become 16",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_one_sentence_and_leaves_nothing(spikeloom, one_sentence, lif, tmp_path, name):
    arguments, expected = WRONG[name]
    done = spikeloom("import", lif, "-o", tmp_path / "run", *arguments)
    assert done.exit_code == 2
    assert expected in one_sentence(done)
    assert not (tmp_path / "run").exists()


def test_a_training_is_not_overwritten(spikeloom, one_sentence, lif, tmp_path):
    (tmp_path / "checkpoint.safetensors").write_bytes(b"")
    done = spikeloom("import", lif, "-o", tmp_path, "--profile", "norse", "--dt", "1e-4")
    assert done.exit_code == 2
    assert "holds a training: choose another folder" in one_sentence(done)
