"""What the examples train is what lies in `bitstreams/`."""

import subprocess
import sys
from pathlib import Path

import pytest

from spikeloom.image import load_image
from spikeloom.image.identity import network_sha256

ROOT = Path(__file__).parents[2]
MAIN = [sys.executable, "-c", "from spikeloom.cli.app import main; main()"]
SHIPPED = {"digits": "digits-icebreaker"}


@pytest.mark.slow
@pytest.mark.parametrize(("example", "build"), SHIPPED.items(), ids=SHIPPED.keys())
def test_the_example_trains_the_shipped_network(example, build, tmp_path):
    """In a process of its own: the kernels are chosen before torch computes."""
    run = tmp_path / "run"
    for words in (
        ["train", ROOT / "examples" / f"{example}.toml", "-o", run],
        ["export", run],
    ):
        done = subprocess.run([*MAIN, *map(str, words)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    trained = load_image(run / "network.safetensors")
    shipped = load_image(ROOT / "bitstreams" / build / "network.safetensors")
    assert network_sha256(trained) == network_sha256(shipped)
