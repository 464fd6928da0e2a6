"""Virtual environments of the peers, one each, made when they are missing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

__all__ = ["PEERS", "prepare"]

ROOT = Path(__file__).resolve().parents[2]
# What our importers need beside the peer.
OURS = ("torch", "numpy", "msgspec", "safetensors", "click", "h5py", "matplotlib", "scipy")
# Without dependencies: Norse and SpikingJelly ask for torchvision, Sinabs for samna, and none of
# them needs it to run these cells.
PEERS: Mapping[str, Sequence[str]] = {
    "snntorch": ("snntorch==1.0.0",),
    "norse": ("norse==1.1.0", "nir==1.0.8", "nirtorch==2.6"),
    "sinabs": ("sinabs==3.1.3", "nir==1.0.4", "nirtorch==2.6", "pbr", "setuptools<81"),
    "spikingjelly": ("spikingjelly==2.0.0", "loguru", "tqdm"),
}
"""The versions whose runs are compared."""


def prepare(folder: Path, peer: str) -> Path:
    """The interpreter of a peer's environment."""
    place = folder / peer
    python = place / "bin" / "python"
    if (place / "ready").is_file():
        return python
    click.echo(f"making {place} for {peer}", err=True)
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "-c", str(ROOT / "constraints.txt"), *OURS], check=True)
    subprocess.run([*pip, "--no-deps", *PEERS[peer], "-e", str(ROOT)], check=True)
    (place / "ready").touch()
    return python
