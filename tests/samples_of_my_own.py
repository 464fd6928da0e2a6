"""Small data of a user's own, one of each kind of source; no class's name is known to the code."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

CLASSES = ("ash", "beech", "cedar")
EACH = 12
"""Samples of a class."""


def samples() -> Iterator[tuple[str, int, np.random.Generator, int]]:
    """(class, its number, generator, number of the sample)."""
    random = np.random.default_rng(5)
    for number, name in enumerate(CLASSES):
        for sample in range(EACH):
            yield name, number, random, sample


def arrays(path: Path) -> Path:
    """An npz with samples of 7 x 23 numbers."""
    x, y = [], []
    for name, number, random, _ in samples():
        values = random.normal(0.0, 0.3, (7, 23))
        values[:, 7 * number : 7 * number + 7] += 2.0
        x.append(values)
        y.append(name)
    np.savez(path / "trees.npz", x=np.array(x), y=np.array(y))
    return path / "trees.npz"


def images(path: Path) -> Path:
    """A folder of PNG and JPEG in colour, 6 x 8 pixels."""
    for name, number, random, sample in samples():
        pixels = random.integers(0, 60, (6, 8, 3), dtype=np.uint8)
        pixels[:, :, number] += 160
        folder = path / "leaves" / name
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / f"{sample:03}.{'png' if sample % 2 else 'jpg'}")
    return path / "leaves"


def table(path: Path) -> Path:
    """A CSV with nine columns of numbers."""
    with (path / "bark.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*(f"v{i}" for i in range(9)), "label"])
        for name, number, random, _ in samples():
            values = random.normal(0.0, 0.5, 9)
            values[3 * number : 3 * number + 3] += 3.0
            writer.writerow([*(f"{value:.4f}" for value in values), name])
    return path / "bark.csv"


def sounds(path: Path) -> Path:
    """A folder of wavs at 8 kHz: three pitches."""
    for name, number, random, sample in samples():
        t = np.arange(1200 + 10 * sample) / 8000
        tone = np.sin(2 * np.pi * (300, 900, 2400)[number] * t) + random.normal(0, 0.05, len(t))
        folder = path / "knocks" / name
        folder.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / f"{sample:03}.wav", 0.5 * tone, 8000, subtype="PCM_16")
    return path / "knocks"


def records(t: np.ndarray, x: np.ndarray, y: np.ndarray, p: np.ndarray) -> bytes:
    """Events as N-MNIST writes them: five bytes each."""
    raw = np.stack([x, y, (p << 7) | (t >> 16), (t >> 8) & 255, t & 255], axis=1)
    return raw.astype(np.uint8).tobytes()


def recordings(path: Path) -> Path:
    """N-MNIST's format: a bar that moves along one of three rows, Train and Test apart."""
    for name, number, random, sample in samples():
        count = 60
        t = np.sort(random.integers(0, 30_000, count))
        x = np.minimum(t * 10 // 30_000, 9)
        y = 3 * number + random.integers(0, 3, count)
        p = random.integers(0, 2, count)
        folder = path / "sways" / ("Test" if sample % 4 == 0 else "Train") / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{sample:05}.bin").write_bytes(records(t, x, y, p))
    return path / "sways"


ENCODINGS = {
    arrays: 'encoding = { kind = "latency" }',
    images: 'encoding = { kind = "multithreshold", levels = 2 }\n[data.images]\ncolour = true',
    table: 'encoding = { kind = "rate" }',
    sounds: 'encoding = { kind = "delta", delta = 40 }\n[data.audio]\nbands = 12\nframes = 6',
    recordings: 'encoding = { kind = "frames" }\n[data.events]\nsensor = [10, 10]',
}
"""Of each source, an encoding that fits, and the settings it needs."""

TOML = """
[data]
source = "{source}"
time_steps = 6
{encoding}
[network]
hidden = [12]
[sparsity]
method = "static"
density = 0.5
[training]
epochs = 40
batch_size = 8
learning_rate = 0.02
"""


def configuration(path: Path, make, source: Path) -> Path:
    """The TOML of a run on what `make` has made."""
    file = path / "run.toml"
    file.write_text(TOML.format(source=source, encoding=ENCODINGS[make]))
    return file
