"""The library as a user's own script calls it: `import spikeloom as sl`."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

import spikeloom as sl
from spikeloom.config import load_config
from spikeloom.image.identity import network_sha256

SETTINGS = {"epochs": 4, "start_epoch": 1, "every_epochs": 1, "stop_epoch": 3, "density": 0.3}
TOML = """
[data]
name = "digits"
[network]
hidden = [16]
[sparsity]
start_epoch = 1
every_epochs = 1
stop_epoch = 3
density = 0.3
[training]
epochs = 4
"""
DOCS = Path(__file__).parents[2] / "docs"
NAMES = [
    "Config",
    "Connection",
    "Dataset",
    "Device",
    "Evaluation",
    "Network",
    "NetworkImage",
    "Neuron",
    "Population",
    "Run",
    "SpikingLinear",
    "UserError",
    "__version__",
    "encode",
    "export",
    "load",
    "load_dataset",
    "make_sparse",
    "train",
]


@pytest.fixture(scope="module")
def run():
    return sl.train(sl.Network(hidden=[16]), "digits", **SETTINGS)


@pytest.fixture(scope="module")
def image(run):
    return run.export()


def test_public_names():
    """A name that comes or goes is a change that users see."""
    assert sorted(sl.__all__) == sorted(NAMES)
    assert all(getattr(sl, name) is not None for name in NAMES)
    assert set(NAMES) <= set(dir(sl))


def test_import_needs_no_torch():
    code = "import sys, spikeloom; print(sorted({'torch', 'numpy', 'amaranth'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_from_arrays_to_verilog_in_twelve_lines(tmp_path):
    random = np.random.default_rng(0)
    y = np.arange(240) % 3
    x = random.normal(size=(240, 12)) + 3 * np.eye(3)[y].repeat(4, axis=1)

    data = sl.Dataset.from_arrays(x, y, name="three bumps")
    run = sl.train(sl.Network(hidden=[24]), data, density=0.4, epochs=40, batch_size=16)
    image = run.export(tmp_path / "bumps.safetensors")
    evaluation = image.evaluate(data)
    estimate = image.estimate("icebreaker")
    verified = image.verify(data, samples=6, failure_folder=tmp_path / "failure")

    assert evaluation.accuracy > 0.6
    assert estimate.fits
    assert verified.exact
    assert verified.samples == 6
    again = sl.load(tmp_path / "bumps.safetensors")
    assert network_sha256(again) == network_sha256(image)
    classes = again.classify(data.test.images[:])
    assert (classes == data.test.labels).mean() == evaluation.accuracy


def test_python_trains_what_the_command_line_trains(tmp_path, spikeloom, run, image):
    toml = tmp_path / "run.toml"
    toml.write_text(TOML)
    folder = tmp_path / "cli"
    assert spikeloom("train", toml, "-o", folder).exit_code == 0
    assert spikeloom("export", folder).exit_code == 0
    by_command = sl.load(folder)
    assert network_sha256(by_command) == network_sha256(image)
    assert run.config == load_config(toml)
    again = sl.train(toml, output=folder)
    assert again.result == run.result | {"data": again.result["data"]}
    assert len(again.history) == 4
    assert network_sha256(again.export()) == network_sha256(image)


def test_a_run_folder_is_what_the_verbs_take(tmp_path, spikeloom, run):
    folder = tmp_path / "run"
    written = sl.train(run.config, output=folder)
    assert written.result == run.result
    written.export()
    assert spikeloom("evaluate", folder).exit_code == 0
    result = spikeloom("train", folder / "config.toml", "-o", folder)
    assert result.exit_code == 0
    assert "holds this run, finished" in result.stderr


def test_what_a_run_tells(run, image):
    assert run.accuracy == run.result["accuracy"]["validation"]
    assert run.equivalence["test"].identical
    assert run.evaluate().accuracy == run.equivalence["validation"].evaluation.accuracy
    assert f"{run.result['synapses']:,} synapses" in repr(run)
    assert len(run.to_dict()["history"]) == len(run.history) == 4
    assert "<svg" in run.plot()._repr_html_()
    evaluation = image.evaluate(split="validation")
    assert evaluation == run.evaluate()
    assert json.loads(json.dumps(evaluation.to_dict()))["samples"] == evaluation.samples
    assert "samples" in evaluation._repr_html_()
    assert image.inspect(lanes=4)["synapses"] == image.synapses


def test_a_run_names_the_data_that_were_given(run):
    y = np.arange(120) % 10
    data = sl.Dataset.from_arrays(np.eye(64)[y].astype(np.uint8) * 255, y, name="mine")
    other = sl.train(run.config, data)
    assert (other.config.data.name, other.result["dataset"]) == ("mine", "mine")
    assert other.export().provenance.dataset == "mine"


def test_epochs_are_told_as_they_end():
    told = []
    run = sl.train(sl.Network(hidden=[4]), "digits", on_epoch=told.append, **SETTINGS)
    assert tuple(told) == run.history


NETWORK = sl.Network(hidden=[16])
WRONG = {
    "no data": (lambda _: sl.train(NETWORK), "the name of a data set as data"),
    "no such data": (lambda _: sl.train(NETWORK, "digts"), "did you mean 'digits'?"),
    "an array for data": (
        lambda _: sl.train(NETWORK, cast(Any, np.zeros((3, 4)))),
        "as data, not ndarray",
    ),
    "a number for a network": (lambda _: sl.train(cast(Any, 3), "digits"), "network is int"),
    "no such file": (lambda _: sl.train("none.toml"), "no configuration file none.toml"),
    "a misspelt setting": (lambda _: sl.train(NETWORK, "digits", densty=1), "'density'?"),
    "a setting of the network": (
        lambda _: sl.train(NETWORK, "digits", hidden=[3]),
        "'hidden' belongs to the network",
    ),
    "a setting twice": (
        lambda _: sl.train(NETWORK, "digits", epochs=3, training={"epochs": 3}),
        "'epochs' is given twice",
    ),
    "no table": (lambda _: sl.train(NETWORK, "digits", training=3), "training is a table"),
    "out of range": (lambda _: sl.train(NETWORK, "digits", density=2), "density is 2"),
    "of another type": (lambda _: sl.train(NETWORK, "digits", epochs="x"), "epochs is 'x'"),
    "no such method": (lambda _: sl.train(NETWORK, "digits", method="best"), "method is 'best'"),
    "settings beside a file": (
        lambda _: sl.train(load_config(TOML_FILE), "digits", epochs=3),
        "'epochs' goes with a Network",
    ),
    "no such target": (lambda image: image.estimate("icebraker"), "did you mean 'icebreaker'?"),
    "no such lanes": (lambda image: image.estimate(lanes=3), "3"),
    "too many lanes": (lambda image: image.estimate(lanes=(1, 2, 4)), "3 numbers for 2 layers"),
    "no such split": (lambda image: image.evaluate(split="tset"), "split is 'tset'"),
    "more samples than there are": (lambda image: image.verify(samples=10**6), "test samples"),
    "data of another size": (
        lambda image: image.evaluate(sl.Dataset.from_arrays(np.eye(60), np.arange(60) % 3)),
        "64 inputs",
    ),
    "data of no kind": (lambda image: image.evaluate(3), "data is int"),
    "samples of another type": (lambda image: image.classify(np.zeros((2, 64))), "float64"),
    "samples of another size": (
        lambda image: image.classify(np.zeros((2, 65), np.uint8)),
        "64 values",
    ),
    "no seeds": (lambda image: image.synth("never", seeds=()), "seeds is empty"),
    "no such folder": (lambda _: sl.load("none"), "none"),
    "a folder in the place": (lambda image: image.save("."), "folder"),
}
TOML_FILE = ""


@pytest.mark.parametrize(("call", "said"), WRONG.values(), ids=WRONG.keys())
def test_wrong_use(call, said, image, monkeypatch, tmp_path):
    (tmp_path / "run.toml").write_text(TOML)
    monkeypatch.setitem(globals(), "TOML_FILE", tmp_path / "run.toml")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(sl.UserError) as refused:
        call(image)
    sentence = str(refused.value)
    assert said in sentence
    assert "\n" not in sentence
    assert [path.name for path in tmp_path.iterdir()] == ["run.toml"]


def blocks(page):
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.slow
def test_the_page(monkeypatch, tmp_path):
    """The guide's code, as it stands."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    y = np.arange(240) % 3
    names = {"x": random.normal(size=(240, 12)) + 3 * np.eye(3)[y].repeat(4, axis=1), "y": y}
    for code in blocks(DOCS / "python.md"):
        exec(code, names)
    assert (tmp_path / "build" / "top.bin").is_file()
    image = sl.load(tmp_path / "digits.safetensors")
    assert image.evaluate().accuracy > 0.8
    tiny = {"epochs": 1, "start_epoch": 0, "density": 0.5}
    assert sl.train(names["network"], "digits", **tiny, method="static").export().is_chain is False
