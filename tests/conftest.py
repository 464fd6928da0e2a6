"""Fixtures that every test may use: the command line, and a small network with all it needs."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import settings

from spikeloom.arithmetic import IntegrateLeak, ShiftLeak
from spikeloom.cli.app import app
from spikeloom.encoding import LatencyEncoding
from spikeloom.image import Layer, NetworkImage, Provenance, save_image

Command = Callable[..., Result]

# For `make test`: what it says of a commit, it says again. `make test-all` tries other examples.
# Neither has a deadline: on a busy machine it would tell of the machine.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("other examples", deadline=None)
settings.load_profile("other examples")

# A shell starts background jobs deaf to Ctrl-C, and their children inherit it: the tests that send
# it would wait in vain.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def spikeloom() -> Command:
    """`spikeloom("inspect", path)`: one command line, run in this process."""

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return run


@pytest.fixture
def offline(monkeypatch, tmp_path) -> None:
    """No network, and nothing that was fetched before."""

    def refuse(_title: str) -> None:
        raise URLError("no route to host")

    monkeypatch.setattr("spikeloom.datasets.openml.fetch_arrays", refuse)
    monkeypatch.setenv("SPIKELOOM_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def small_image() -> NetworkImage:
    """64-12-10, sparse, 4 bits, for the digits: small, valid, and of no use as a classifier."""
    random = np.random.default_rng(7)

    def weights(inputs: int, neurons: int, density: float) -> np.ndarray:
        values = random.integers(-7, 8, (inputs, neurons))
        return np.where(random.random((inputs, neurons)) < density, values, 0)

    return NetworkImage.chain(
        layers=(
            Layer.from_dense(
                weights(64, 12, 0.3),
                name="hidden",
                leak=ShiftLeak(shift=3),
                threshold=random.integers(6, 12, 12),
                membrane_bits=10,
                scale=0.05,
            ),
            Layer.from_dense(
                weights(12, 10, 0.5),
                name="readout",
                leak=IntegrateLeak(),
                spiking=False,
                membrane_bits=12,
                scale=0.1,
            ),
        ),
        time_steps=8,
        encoding=LatencyEncoding(),
        readout="membrane",
        provenance=Provenance(
            dataset="digits",
            seed=7,
            accuracy_validation=0.125,
            accuracy_test=0.25,
            input_events=(28.0, 9.0),
            operations=(101.0, 45.0),
            version="0.1.0",
        ),
    )


@pytest.fixture
def run_folder(tmp_path: Path, small_image: NetworkImage) -> Path:
    """A run folder with nothing but an exported network in it."""
    folder = tmp_path / "run"
    save_image(folder / "network.safetensors", small_image)
    return folder


@pytest.fixture
def network(run_folder: Path) -> Path:
    """The file of `small_image`."""
    return run_folder / "network.safetensors"


@pytest.fixture
def one_sentence() -> Callable[[Result], str]:
    """What a command that refused says: one line, the last, after nothing but its steps."""

    def check(result: Result) -> str:
        *steps, sentence = result.stderr.splitlines()
        assert sentence.startswith("spikeloom: "), result.stderr
        assert all(line.startswith("[") for line in steps), result.stderr
        assert result.stdout == ""
        return sentence

    return check


@pytest.fixture
def document() -> Callable[[Result], dict[str, Any]]:
    """The one JSON document that a command printed."""

    def parse(result: Result) -> dict[str, Any]:
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    return parse
