"""What is fuzzed: a function that reads a file, and files to begin with."""

from __future__ import annotations

import gzip
import hashlib
import struct
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from fuzzing.device import conversations, converse
from spikeloom.arithmetic import DecayLeak, IntegrateLeak, ShiftLeak
from spikeloom.config import load_config
from spikeloom.datasets.idx import read_idx
from spikeloom.encoding import LatencyEncoding
from spikeloom.errors import UserError
from spikeloom.image import Layer, NetworkImage, Provenance, file, load_image, save_image
from spikeloom_hw.generate import DESIGN, generate, load_design
from spikeloom_hw.targets import TARGETS

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@dataclass(frozen=True, kw_only=True)
class Loader:
    """A reader of files.

    Attributes:
        read: reads a file; may raise `UserError` and nothing else.
        name: of the file that it reads.
        seeds: makes files to begin with.
        prepare: called once, before all.
    """

    read: Callable[[Path], object]
    name: str
    seeds: Callable[[], list[bytes]]
    prepare: Callable[[], None] = lambda: None


def survive(loader: Loader, path: Path, data: bytes) -> None:
    """Have `data` read from `path`.

    Raises:
        Exception: anything but a `UserError` of one line came of it.
    """
    path.write_bytes(data)
    try:
        loader.read(path)
    except UserError as error:
        text = str(error)
        if not text or "\n" in text:
            raise AssertionError(f"not one sentence: {text!r}") from None


def _network() -> NetworkImage:
    random = np.random.default_rng(1)
    layers = [
        Layer.from_dense(
            random.integers(-3, 4, shape),
            name=name,
            leak=leak,
            threshold=threshold,
            spiking=spiking,
            membrane_bits=8,
        )
        for name, shape, leak, threshold, spiking in (
            ("a", (6, 4), ShiftLeak(shift=2), 3, True),
            ("b", (4, 3), DecayLeak(multiplier=3, fraction_bits=2), [1, 2, 3], True),
            ("c", (3, 2), IntegrateLeak(), 1, False),
        )
    ]
    return NetworkImage.chain(
        layers=tuple(layers),
        time_steps=4,
        encoding=LatencyEncoding(),
        readout="membrane",
        provenance=Provenance(dataset="digits", seed=0),
    )


def _images() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.safetensors"
        save_image(path, _network())
        return [path.read_bytes()]


def _unseal() -> None:
    """Let every header carry the right sha256, so that what lies behind that check is read, too."""
    file._check_sha256 = lambda *_: None


def _configs() -> list[bytes]:
    return [path.read_bytes() for path in sorted(EXAMPLES.glob("*.toml"))]


def _idx() -> list[bytes]:
    images = b"\0\0\x08\x03" + struct.pack(">3I", 2, 3, 3) + bytes(range(18))
    labels = b"\0\0\x08\x01" + struct.pack(">I", 4) + bytes(range(4))
    return [images, labels]


def _designs() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "design"
        generate(
            _network(), target=TARGETS["icebreaker"], lanes=(2, 1, 1), directory=place, bare=True
        )
        return [(place / DESIGN).read_bytes()]


def _design(path: Path) -> object:
    design = load_design(path.parent)
    return hashlib.sha256(msgspec.json.encode(design)).digest()


LOADERS: Mapping[str, Loader] = {
    "network": Loader(read=load_image, name="network.safetensors", seeds=_images),
    "unsealed-network": Loader(
        read=load_image, name="network.safetensors", seeds=_images, prepare=_unseal
    ),
    "config": Loader(read=load_config, name="run.toml", seeds=_configs),
    "idx": Loader(read=read_idx, name="images-idx3-ubyte", seeds=_idx),
    "idx-gz": Loader(
        read=read_idx,
        name="images-idx3-ubyte.gz",
        seeds=lambda: [gzip.compress(content, mtime=0) for content in _idx()],
    ),
    "design": Loader(read=_design, name=DESIGN, seeds=_designs),
    "device": Loader(read=converse, name="conversation", seeds=conversations),
}
