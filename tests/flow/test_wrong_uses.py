"""What users get wrong: each wrong use gives one clear sentence and leaves nothing half-written."""

import ctypes
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from spikeloom.arithmetic import IntegrateLeak
from spikeloom.encoding import LatencyEncoding
from spikeloom.image import Layer, NetworkImage, Provenance, save_image
from spikeloom.training.tree import load_tree

MAIN = [sys.executable, "-c", "from spikeloom.cli.app import main; main()"]
CONFIG = """
[data]
name = "digits"

[network]
hidden = [64]

[training]
epochs = 1000
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text(CONFIG)
    return path


@pytest.fixture
def refused(spikeloom, one_sentence, tmp_path):
    """Runs a command that must refuse and leave every file as it was; returns its sentence."""

    def run(*arguments):
        before = snapshot(tmp_path)
        result = spikeloom(*arguments)
        assert result.exit_code == 2, result.output
        assert snapshot(tmp_path) == before
        return one_sentence(result)

    return run


def snapshot(folder):
    """Every path below `folder`, hidden ones too, with the contents of files."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


FROM_NETWORK = {
    "inspect": [],
    "evaluate": ["--dataset", "digits"],
    "place": ["--seconds", "0", "-o", "OUT"],
    "estimate": ["--target", "icebreaker"],
    "generate": ["--target", "icebreaker", "-o", "OUT"],
    "verify": ["--lanes", "1"],
    "synth": ["--target", "icebreaker"],
}


def command(verb, network, out):
    return [verb, network, *(out if word == "OUT" else word for word in FROM_NETWORK[verb])]


@pytest.mark.parametrize("verb", FROM_NETWORK)
def test_missing_file(refused, tmp_path, verb):
    missing = tmp_path / "absent.safetensors"
    sentence = refused(*command(verb, missing, tmp_path / "out"))
    assert str(missing) in sentence


def test_missing_config(refused, tmp_path):
    assert "absent.toml" in refused("train", tmp_path / "absent.toml", "-o", tmp_path / "out")


def test_missing_run(refused, tmp_path):
    assert str(tmp_path / "absent") in refused("export", tmp_path / "absent")


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99], ids=["empty", "half", "nearly whole"])
@pytest.mark.parametrize("verb", FROM_NETWORK)
def test_truncated_file(refused, tmp_path, network, verb, kept):
    data = network.read_bytes()
    network.write_bytes(data[: int(len(data) * kept)])
    sentence = refused(*command(verb, network, tmp_path / "out"))
    assert str(network) in sentence
    assert "damaged" in sentence
    assert "export it again" in sentence


@pytest.mark.parametrize("place", [12, 400, -1], ids=["header", "metadata", "last weight"])
def test_flipped_byte(refused, tmp_path, network, place):
    data = bytearray(network.read_bytes())
    data[place] ^= 0x04
    network.write_bytes(data)
    sentence = refused(*command("generate", network, tmp_path / "out"))
    assert str(network) in sentence


def test_unknown_key(refused, config, tmp_path):
    config.write_text(CONFIG.replace("epochs", "epoch"))
    sentence = refused("train", config, "-o", tmp_path / "out")
    assert "'epoch'" in sentence
    assert "'epochs'" in sentence
    assert "training" in sentence


@pytest.mark.parametrize("verb", ["estimate", "generate", "synth"])
def test_impossible_target(refused, network, tmp_path, verb):
    words = [word.replace("icebreaker", "icebraker") for word in FROM_NETWORK[verb]]
    out = tmp_path / "out"
    sentence = refused(verb, network, *(out if word == "OUT" else word for word in words))
    assert "icebraker" in sentence
    assert "icebreaker" in sentence


def test_network_too_large_for_the_device(refused, tmp_path):
    random = np.random.default_rng(1)
    weights = random.choice([-1, 1], (512, 522)) * random.integers(1, 8, (512, 522))
    image = NetworkImage.chain(
        layers=(
            Layer.from_dense(weights[:, 10:], name="large", leak=IntegrateLeak()),
            Layer.from_dense(weights[:, :10], name="last", leak=IntegrateLeak(), spiking=False),
        ),
        time_steps=4,
        encoding=LatencyEncoding(),
        readout="membrane",
        provenance=Provenance(dataset="none", seed=0, version="0.1.0"),
    )
    save_image(tmp_path / "large.safetensors", image)
    sentence = refused("synth", tmp_path / "large.safetensors", "--target", "icebreaker")
    assert "icebreaker" in sentence
    assert "30" in sentence
    assert "too many" in sentence


def test_no_compiler(refused, network, monkeypatch, tmp_path):
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setenv("SPIKELOOM_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CXX", raising=False)
    sentence = refused("verify", network, "--lanes", "1")
    assert "C++ compiler" in sentence
    assert "install" in sentence


@pytest.mark.parametrize("seconds", [0.0, 5.0], ids=["at once", "later"])
def test_interrupted_training(config, tmp_path, seconds):
    before = snapshot(tmp_path)
    training = subprocess.Popen(
        [*MAIN, "train", str(config), "-o", str(tmp_path / "out")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert training.stderr is not None
    first = training.stderr.readline()
    assert first, "training says that it has begun"
    time.sleep(seconds)
    training.send_signal(signal.SIGINT)
    try:
        out, errors = training.communicate(timeout=60)
    finally:
        training.kill()
        training.wait()
    assert training.returncode == 130, errors
    assert "Traceback" not in errors
    assert errors.splitlines()[-1].startswith("spikeloom: interrupted")
    assert out == ""
    left = snapshot(tmp_path)
    made = left.keys() - before.keys()
    names = ("config.toml", "history.jsonl", "progress.safetensors")
    assert made <= {"out", *(f"out/{name}" for name in names)}
    assert {name: left[name] for name in before} == before
    if "out/progress.safetensors" in made:
        assert "to go on with it: spikeloom train" in errors
        load_tree(tmp_path / "out" / "progress.safetensors")


def _without_privilege():
    """Lets the permissions of folders hold for root, too, in this process and what it starts."""
    dac_override, drop = 1, 24
    if os.geteuid() == 0 and ctypes.CDLL(None).prctl(drop, dac_override, 0, 0, 0) != 0:
        os._exit(99)


@pytest.mark.parametrize("verb", ["train", "generate"])
def test_read_only_output_folder(config, network, tmp_path, verb):
    place = tmp_path / "locked"
    place.mkdir(mode=0o555)
    arguments = {
        "train": ["train", config, "-o", place / "out"],
        "generate": command("generate", network, place / "out"),
    }[verb]
    config.write_text(CONFIG.replace("1000", "20"))
    done = subprocess.run(
        [*MAIN, *map(str, arguments)],
        capture_output=True,
        text=True,
        preexec_fn=_without_privilege,
    )
    assert done.returncode == 2, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("spikeloom: ")
    assert str(place) in last
    assert "permission denied" in last
    assert "Traceback" not in done.stderr
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("verb", ["train", "generate"])
def test_output_below_a_file(config, network, tmp_path, spikeloom, verb):
    blocker = tmp_path / "file"
    blocker.touch()
    config.write_text(CONFIG.replace("1000", "20"))
    arguments = {
        "train": ["train", config, "-o", blocker / "out"],
        "generate": command("generate", network, blocker / "out"),
    }[verb]
    before = snapshot(tmp_path)
    result = spikeloom(*arguments)
    assert result.exit_code == 2
    assert str(blocker) in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
    assert snapshot(tmp_path) == before


def test_output_that_is_not_ours(refused, network, tmp_path):
    thesis = tmp_path / "thesis"
    thesis.mkdir()
    (thesis / "chapter1.tex").write_text("precious")
    sentence = refused(*command("generate", network, thesis))
    assert "did not make" in sentence


def test_unknown_data_set(refused, config, network, tmp_path):
    sentence = refused("evaluate", network, "--dataset", "digit")
    assert "'digit'" in sentence
    assert "'digits'" in sentence
    config.write_text(CONFIG.replace('"digits"', '"digit"'))
    assert "'digits'" in refused("train", config, "-o", tmp_path / "out")
