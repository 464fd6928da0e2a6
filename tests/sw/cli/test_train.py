"""train, export and evaluate as a user runs them."""

import hashlib
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time

import numpy as np
import pytest

from spikeloom.config import load_config
from spikeloom.datasets import load_dataset
from spikeloom.image import load_image
from spikeloom.image.identity import network_sha256
from spikeloom.training import Keeper, train_network

MAIN = "from spikeloom.cli.app import main; main()"
QUICK = """
[network]
hidden = [16]
[sparsity]
start_epoch = 1
every_epochs = 1
stop_epoch = 3
[training]
epochs = 4
"""


@pytest.fixture
def toml(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text(QUICK)
    return file


def test_train_export_evaluate(tmp_path, toml, spikeloom, document):
    run = tmp_path / "runs" / "one"
    trained = document(spikeloom("train", toml, "-o", run, "--seed", 5, "--json"))
    assert sorted(file.name for file in run.iterdir()) == [
        "checkpoint.safetensors",
        "config.toml",
        "history.jsonl",
        "train.json",
    ]
    history = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in history] == [1, 2, 3, 4]
    assert load_config(run / "config.toml").training.seed == trained["seed"] == 5
    assert trained["rewirings"] == 3

    exported = document(spikeloom("export", run, "--json"))
    image = load_image(run / "network.safetensors")
    proof = exported["torch_vs_reference"]
    assert proof == {
        "samples": 646,
        "spike_mismatches": 0,
        "membrane_mismatches": 0,
        "prediction_mismatches": 0,
    }
    assert exported["synapses"] == image.synapses == trained["synapses"]
    assert exported["network_sha256"] == network_sha256(image)
    checkpoint = (run / "checkpoint.safetensors").read_bytes()
    assert exported["checkpoint_sha256"] == hashlib.sha256(checkpoint).hexdigest()
    assert exported["density"] == image.density
    assert exported["accuracy"]["validation"] == trained["accuracy"]["validation"]
    left = json.loads((run / "export.json").read_text())
    assert left["schema"] == 1
    assert left["verb"] == "export"
    assert left["accuracy"] == exported["accuracy"]

    for split, samples in (("test", 359), ("validation", 287)):
        done = document(spikeloom("evaluate", run, "--split", split, "--json"))
        assert done["samples"] == samples
        assert done["accuracy"] == exported["accuracy"][split] == done["correct"] / samples
        low, high = done["interval_95"]
        assert low < done["accuracy"] < high
    assert (
        document(spikeloom("evaluate", run, "--json"))["operations_per_sample"]
        == (exported["operations_per_sample"])
    )


COARSE = "density = 0.45\nrho = 0.95\n[quantization]\nlimit = 3.0"


@pytest.mark.parametrize(
    ("keys", "reached"),
    [
        pytest.param("density = 0.01\nrho = 0.9", False, id="not reached"),
        pytest.param(COARSE, False, id="not reached, but many weights quantise to 0"),
        pytest.param("density = 0.4\nrho = 0.0", True, id="reached"),
        pytest.param("density = 0.5\nratio = 'none'", True, id="kept from the start"),
        pytest.param("stop_rule = 'turn'", None, id="no number was asked for"),
    ],
)
def test_a_density_that_was_not_reached_is_said(tmp_path, toml, spikeloom, document, keys, reached):
    toml.write_text(QUICK.replace("stop_epoch = 3", f"stop_epoch = 3\n{keys}"))
    run = tmp_path / "run"
    result = spikeloom("train", toml, "-o", run, "--json")
    data = document(result)
    assert json.loads((run / "train.json").read_text())["goal_reached"] is reached
    if reached is not None:
        assert data["density_reached"] == reached
        assert (data["density_active"] < data["density_asked"] + 2 / (64 * 16 + 16 * 10)) == reached
    assert data["density"] == data["synapses"] / (64 * 16 + 16 * 10) <= data["density_active"]
    assert ("asked for; rewire more often" in result.stderr) == (reached is False)
    if "limit" in keys:
        # Counted by synapses, this run would pass for one that got there.
        assert data["density"] < data["density_asked"] < data["density_active"]
    said = " are no synapses; sparsity.nonzero = true makes every one a synapse"
    assert (said in result.stderr) == (data["density"] < 0.9 * data["density_active"])
    # The finished run again, as a table, strictly.
    again = spikeloom("train", toml, "-o", run, "--strict")
    assert again.exit_code == (1 if reached is False else 0)
    assert ("active: NOT the" in again.stdout) == (reached is False)
    assert ("asked for)" in again.stdout) == (reached is True)


def test_a_leak_that_takes_nothing_and_defaults_are_said(tmp_path, toml, spikeloom, document):
    toml.write_text(QUICK.replace("hidden = [16]", "hidden = [16]\nleak = {kind='shift', shift=4}"))
    run = tmp_path / "run"
    result = spikeloom("train", toml, "-o", run, "--json")
    (leak,) = document(result)["leaks"]
    assert (leak["layer"], leak["from"], leak["threshold"]) == ("hidden1", 16, [14, 14])
    assert 0 <= leak["share"] < 0.2
    note = "leak; the leak takes nothing from membranes of 0 to 15, and the threshold is 14"
    assert note in result.stderr
    assert note in spikeloom("train", toml, "-o", run).stderr
    assert "run.toml leaves some keys to their defaults: data.name = 'digits'\n" in result.stderr


def test_a_method_replaces_the_file_s(tmp_path, toml, spikeloom, document):
    toml.write_text(QUICK.replace("[sparsity]", "[sparsity]\nratio = 'pq-neuron'\ndensity = 0.1"))
    document(spikeloom("train", toml, "-o", tmp_path / "run", "--method", "rigl", "--json"))
    resolved = load_config(tmp_path / "run" / "config.toml").sparsity
    assert (resolved.method, resolved.ratio, resolved.regrow) == ("rigl", "constant", "gradient")
    assert (resolved.initial_density, resolved.density) == (0.1, 0.1)


def test_an_exported_network_may_go_elsewhere(tmp_path, toml, spikeloom):
    run, other = tmp_path / "run", tmp_path / "other" / "net.safetensors"
    assert spikeloom("train", toml, "-o", run).exit_code == 0
    assert spikeloom("export", run, "-o", other).exit_code == 0
    assert load_image(other).inputs == 64
    assert not (run / "network.safetensors").exists()
    result = spikeloom("evaluate", other, "--dataset", "digits")
    assert result.exit_code == 0
    assert "of 359" in result.stdout


@pytest.mark.parametrize(
    ("text", "arguments", "says"),
    [
        pytest.param("[training]\nepoch = 3", [], "did you mean 'epochs'?", id="unknown key"),
        pytest.param(
            "[data]\nname = 'digit'",
            [],
            "run.toml: table [data]: name: unknown data set 'digit', did you mean 'digits'?",
            id="unknown data set",
        ),
        pytest.param(
            "[training]\nbatch_size = 1152",
            [],
            "run.toml: table [training]: batch_size is 1152, but it must be at most 1151, the",
            id="batch larger than the data",
        ),
        pytest.param("[data]\nname = 'mnist'", [], "SPIKELOOM_DATA", id="no data folder"),
        pytest.param(
            "[data]\nname = 'mnist'",
            ["--data-dir", "."],
            "mnist has none of its files; name the folder above mnist/",
            id="no data files",
        ),
        pytest.param("", ["--seed", "-1"], "--seed", id="seed"),
    ],
)
@pytest.mark.usefixtures("offline")
def test_wrong_training_is_one_sentence(tmp_path, spikeloom, monkeypatch, text, arguments, says):
    monkeypatch.delenv("SPIKELOOM_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.toml").write_text(text)
    result = spikeloom("train", "run.toml", "-o", "out", *arguments)
    assert result.exit_code == 2
    assert says in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["run.toml"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["train", "none.toml", "-o", "out"], "no configuration file", id="no toml"),
        pytest.param(["train", "run.toml"], "Missing option", id="no output"),
        pytest.param(
            ["train", "run.toml", "-o", "run.toml/out"],
            "cannot write run.toml/out",
            id="under a file",
        ),
        pytest.param(["export", "out"], "spikeloom train CONFIG -o out", id="nothing trained"),
        pytest.param(["evaluate", "out"], "no network file", id="nothing exported"),
    ],
)
@pytest.mark.usefixtures("toml")
def test_wrong_uses_are_one_sentence(
    tmp_path, monkeypatch, spikeloom, one_sentence, arguments, says
):
    monkeypatch.chdir(tmp_path)
    result = spikeloom(*arguments)
    assert result.exit_code == 2
    assert says in one_sentence(result)
    assert [file.name for file in tmp_path.iterdir()] == ["run.toml"]


def test_evaluating_on_data_of_another_size(tmp_path, network, spikeloom, one_sentence):
    folder = tmp_path / "mnist"
    folder.mkdir()
    for part in ("train", "t10k"):
        images, labels = bytes(20 * 28 * 28), bytes(i % 10 for i in range(20))
        (folder / f"{part}-images-idx3-ubyte").write_bytes(
            struct.pack(">4I", 0x803, 20, 28, 28) + images
        )
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, 20) + labels)
    result = spikeloom("evaluate", network, "--dataset", "mnist", "--data-dir", tmp_path)
    assert result.exit_code == 2
    assert "has 64 inputs, but 'mnist' is encoded into 784" in one_sentence(result)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_an_interrupted_training_says_how_to_go_on(tmp_path, toml, number):
    toml.write_text(QUICK.replace("epochs = 4", "epochs = 100000"))
    command = ["train", str(toml), "-o", str(tmp_path / "out"), "--seed", "3"]
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, *command],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        for _ in range(6000):
            if (tmp_path / "out" / "history.jsonl").exists() or process.poll() is not None:
                break
            time.sleep(0.01)
        process.send_signal(number)
        _, rest = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
    assert "Traceback" not in rest
    assert f"to go on with it: spikeloom {' '.join(command)}" in rest
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "config.toml",
        "history.jsonl",
        "progress.safetensors",
    ]


@pytest.fixture
def finished(tmp_path, toml, spikeloom):
    run = tmp_path / "run"
    assert spikeloom("train", toml, "-o", run, "--seed", 5).exit_code == 0
    return run


def content(folder):
    return {file.name: (file.stat().st_ino, file.read_bytes()) for file in folder.iterdir()}


def test_a_finished_run_is_not_trained_again(finished, toml, spikeloom, document):
    before = content(finished)
    again = spikeloom("train", toml, "-o", finished, "--seed", 5, "--json")
    assert "holds this run, finished" in again.stderr
    assert "train 4 epochs" not in again.stderr
    said = document(again)
    left = json.loads((finished / "train.json").read_text())
    assert {**said, "verb": "train", "seconds": left["seconds"]} == {**left, "run": str(finished)}
    assert content(finished) == before


def test_restart_trains_anew(finished, toml, spikeloom, document):
    before = content(finished)
    (finished / "network.safetensors").write_text("another verb's")
    result = spikeloom("train", toml, "-o", finished, "--seed", 6, "--restart", "--json")
    assert document(result)["seed"] == 6
    assert content(finished)["checkpoint.safetensors"] != before["checkpoint.safetensors"]
    assert (finished / "network.safetensors").exists()


def test_how_often_a_run_is_saved_may_change(finished, toml, spikeloom):
    toml.write_text(QUICK + "checkpoint_seconds = 60")
    result = spikeloom("train", toml, "-o", finished, "--seed", 5)
    assert "holds this run, finished" in result.stderr


def flip_the_last_bit(file):
    data = file.read_bytes()
    file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


def unfinish(run):
    """Make of a finished run one that was killed after its last epoch."""
    config = load_config(run / "config.toml")
    shutil.rmtree(run)
    keeper = Keeper(run, config, load_dataset("digits"))
    train_network(config, load_dataset("digits"), keeper=keeper)


def test_a_run_killed_at_its_very_end_is_finished(finished, toml, spikeloom):
    before = content(finished)
    unfinish(finished)
    result = spikeloom("train", toml, "-o", finished, "--seed", 5)
    assert f"resuming {finished} at its end" in result.stderr
    after = content(finished)
    assert after.keys() == before.keys()
    assert after["checkpoint.safetensors"][1] == before["checkpoint.safetensors"][1]


@pytest.mark.parametrize("done", [True, False], ids=["finished", "unfinished"])
@pytest.mark.parametrize(
    ("text", "seed", "says"),
    [
        pytest.param(QUICK, 4, "training.seed = 5, but this one has 4;", id="seed"),
        pytest.param(
            QUICK.replace("16", "17"),
            4,
            "network.hidden = [16], but this one has [17];",
            id="first",
        ),
        pytest.param(
            QUICK + "[data.encoding]\nkind = 'rate'",
            5,
            'data.encoding.kind = "latency", but this one has "rate";',
            id="union",
        ),
    ],
)
def test_another_configuration_is_refused(
    finished, toml, spikeloom, one_sentence, text, seed, says, done
):
    if not done:
        unfinish(finished)
    before = content(finished)
    toml.write_text(text)
    result = spikeloom("train", toml, "-o", finished, "--seed", seed)
    assert result.exit_code == 2
    assert says in one_sentence(result)
    assert "choose another folder, or begin anew with --restart" in one_sentence(result)
    assert content(finished) == before


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        pytest.param("progress.safetensors", flip_the_last_bit, id="a bit of the state"),
        pytest.param("progress.safetensors", lambda file: os.truncate(file, 500), id="state cut"),
        pytest.param("checkpoint.safetensors", lambda file: os.truncate(file, 500), id="cut"),
        pytest.param("train.json", lambda file: os.truncate(file, 50), id="result cut"),
    ],
)
def test_a_damaged_run_is_one_sentence(finished, toml, spikeloom, one_sentence, name, damage):
    if name.startswith("progress"):
        unfinish(finished)
    damage(finished / name)
    result = spikeloom("train", toml, "-o", finished, "--seed", 5)
    assert result.exit_code == 2
    assert f"{name} is damaged" in one_sentence(result)
    assert one_sentence(result).endswith("begin anew with --restart")
    assert spikeloom("train", toml, "-o", finished, "--seed", 5, "--restart").exit_code == 0


def test_an_export_s_place_is_probed_before_the_work(finished, spikeloom, one_sentence):
    result = spikeloom("export", finished, "-o", "/proc/zz")
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [one_sentence(result)]
    assert "cannot write /proc/zz: " in one_sentence(result)


@pytest.mark.parametrize("verb", ["inspect", "evaluate"])
@pytest.mark.parametrize("name", ["checkpoint.safetensors", "progress.safetensors"])
def test_a_checkpoint_is_not_taken_for_a_network(finished, spikeloom, one_sentence, verb, name):
    if name.startswith("progress"):
        unfinish(finished)
    result = spikeloom(verb, finished / name)
    assert result.exit_code == 2
    assert "a training checkpoint, not a network" in one_sentence(result)
    assert one_sentence(result).endswith(f"spikeloom export {finished}")


def test_an_unfinished_run_is_not_exported(finished, spikeloom, one_sentence):
    unfinish(finished)
    sentence = one_sentence(spikeloom("export", finished))
    assert "has not finished training; go on with it: spikeloom train CONFIG" in sentence


def idx(array):
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(np.uint8).tobytes()


MNIST = """
[data]
name = "mnist"
time_steps = 4
[network]
hidden = [8]
[sparsity]
method = "static"
density = 0.5
[training]
epochs = 1
batch_size = 8
"""


@pytest.fixture
def mnist(tmp_path):
    """`mnist("a", seed=1)`: a folder with a few images of 4 x 4 pixels, `each` a class."""

    def make(name, *, seed=0, each=8, largest=255):
        random = np.random.default_rng(seed)
        folder = tmp_path / name / "mnist"
        folder.mkdir(parents=True)
        for part in ("train", "t10k"):
            labels = np.repeat(np.arange(3), each)
            images = random.integers(0, largest + 1, (len(labels), 4, 4))
            (folder / f"{part}-images-idx3-ubyte").write_bytes(idx(images))
            (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx(labels))
        return folder.parent

    (tmp_path / "net.toml").write_text(MNIST)
    return make


def test_what_was_read_is_named(tmp_path, spikeloom, document, mnist):
    command = ["train", tmp_path / "net.toml", "-o", tmp_path / "R", "--data-dir", mnist("a")]
    assert document(spikeloom(*command, "--json"))["data"] == str(tmp_path / "a" / "mnist")
    shown = spikeloom(*command).stdout
    assert "a/mnist: 21 + 3 + 24, 3 classes" in re.sub(r"[│\s]+", " ", shown)


@pytest.mark.parametrize("verb", ["train", "export", "evaluate", "verify"])
def test_other_samples_are_refused_by_every_verb(tmp_path, spikeloom, mnist, verb):
    """A finished run, and a network, recognise the data that they were made from."""
    run, a, b = tmp_path / "R", mnist("a", seed=1), mnist("b", seed=2)
    first = ["train", tmp_path / "net.toml", "-o", run]
    assert spikeloom(*first, "--data-dir", a).exit_code == 0
    assert spikeloom("export", run, "--data-dir", a).exit_code == 0
    again = first if verb == "train" else [verb, run, *(["--samples", 2] * (verb == "verify"))]
    refused = spikeloom(*again, "--data-dir", b)
    assert refused.exit_code == 2, refused.output
    sentence = refused.stderr.splitlines()[-1]
    assert "was begun with other samples of 'mnist'" in sentence
    assert str(b) in sentence
    if verb != "verify":
        assert spikeloom(*again, "--data-dir", a).exit_code == 0


def test_a_few_images_a_class_are_enough(tmp_path, spikeloom, document, mnist):
    data = mnist("few", each=4)
    args = ["-o", tmp_path / "R", "--data-dir", data, "--json"]
    assert "accuracy" in document(spikeloom("train", tmp_path / "net.toml", *args))
    exported = document(spikeloom("export", tmp_path / "R", "--data-dir", data, "--json"))
    assert exported["torch_vs_reference"]["samples"] == 3 + 12


def test_images_without_events_are_refused(tmp_path, spikeloom, one_sentence, mnist):
    data = mnist("binary", largest=1)
    result = spikeloom("train", tmp_path / "net.toml", "-o", tmp_path / "R", "--data-dir", data)
    assert result.exit_code == 2
    assert "its values are 0 to 1, and the latency encoding needs 64" in one_sentence(result)
    assert not (tmp_path / "R").exists()


def test_a_dead_layer_is_said_by_every_verb(tmp_path, toml, spikeloom):
    toml.write_text(QUICK + "learning_rate = 1e-9\ngain = 1e-6\n")
    run = tmp_path / "R"
    for result in (
        spikeloom("train", toml, "-o", run),
        spikeloom("export", run),
        spikeloom("evaluate", run),
    ):
        assert result.exit_code == 0, result.stderr
        assert "the layer hidden1 makes no spike" in " ".join(result.stderr.split())


@pytest.mark.parametrize("portable", [True, False])
def test_sums_that_are_not_portable_are_said(tmp_path, toml, spikeloom, monkeypatch, portable):
    monkeypatch.setattr("spikeloom.training.device.choose_portable_kernels", lambda: None)
    monkeypatch.setattr("spikeloom.training.run.sums_are_portable", lambda: portable)
    toml.write_text(QUICK + "portable = true\n")
    result = spikeloom("train", toml, "-o", tmp_path / "R", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["portable"] is portable
    said = " ".join(result.stderr.split())
    assert ("the sums here are not those of training.portable" in said) is not portable
