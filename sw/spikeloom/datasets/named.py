"""Public data sets that lie below `--data-dir` as their authors give them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from spikeloom.datasets.collection import Collection, assemble, room
from spikeloom.datasets.request import DATA_VARIABLE, Request
from spikeloom.datasets.sources import audio, images, recordings
from spikeloom.datasets.sources.arrays import collection_of_arrays
from spikeloom.datasets.sources.files import Files, scan
from spikeloom.datasets.split import Dataset
from spikeloom.errors import UserError

__all__ = ["collect_spoken_digits", "load_cifar10", "load_n_mnist", "load_spoken_digits"]

TEST_TAKES = 5
"""Of the Free Spoken Digit Dataset, takes 0 to 4 are the official test split."""
CIFAR10 = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
CIFAR10_SHAPE = (3, 32, 32)


def load_spoken_digits(request: Request) -> Dataset:
    """As `collect_spoken_digits` finds it, divided and prepared."""
    return assemble("spoken-digits", collect_spoken_digits(request), request)


def collect_spoken_digits(request: Request) -> Collection:
    """The Free Spoken Digit Dataset: `spoken-digits/recordings/{digit}_{speaker}_{take}.wav`.

    3,000 recordings of 6 speakers at 8 kHz (Jakobovski et al., CC BY-SA 4.0). Takes 0 to 4 are the
    test split; with `test_groups` it is those speakers instead, and validation is a speaker, too.

    Raises:
        UserError: the files are not there, or are named otherwise.
    """
    root = _folder(request, "spoken-digits", "fsdd")
    root = root / "recordings" if (root / "recordings").is_dir() else root
    paths = sorted(root.glob("*.wav"))
    if not paths:
        raise UserError(f"{root} has no wav files: unpack the recordings there")
    names = [re.fullmatch(r"(\d)_([a-z]+)_(\d+)", path.stem) for path in paths]
    for path, match in zip(paths, names, strict=True):
        if match is None:
            raise UserError(f"{path} is not named DIGIT_SPEAKER_TAKE.wav: remove or rename it")
    matches = [match for match in names if match is not None]
    takes = np.array([int(match[3]) for match in matches])
    files = Files(
        root=root,
        paths=paths,
        labels=[match[1] for match in matches],
        parts=np.where(takes < TEST_TAKES, "test", "train").tolist(),
        groups=[match[2] for match in matches],
    )
    return audio.collect_files(files, request)


def load_n_mnist(request: Request) -> Dataset:
    """N-MNIST, or a part of it: `n-mnist/{Train,Test}/{digit}/{number}.bin`.

    Recordings of MNIST's digits by an event camera of 34 x 34 pixels (Orchard et al., Frontiers in
    Neuroscience 9, 2015, CC BY-SA 4.0).

    Raises:
        UserError: the files are not there, or are damaged.
    """
    root = _folder(request, "n-mnist", "nmnist-small")
    files = scan(root, recordings.SUFFIXES)
    sensor = msgspec.structs.replace(request.source.events, sensor=[34, 34])
    source = msgspec.structs.replace(request.source, events=sensor)
    with_sensor = Request(source=source, time_steps=request.time_steps, data_dir=request.data_dir)
    return assemble("n-mnist", recordings.collect_files(files, with_sensor), with_sensor)


def load_cifar10(request: Request) -> Dataset:
    """CIFAR-10: its binary files, or image folders `cifar-10/{train,test}/{class}/`.

    60,000 images of 32 x 32 pixels in colour (Krizhevsky, 2009). Its Python batches are pickles,
    which are never loaded.

    Raises:
        UserError: the files are not there, or are damaged.
    """
    root = _folder(request, "cifar-10", "cifar-10-jpeg")
    binary = next((own for own in (root / "cifar-10-batches-bin", root) if _batches(own)), None)
    if binary is not None:
        return _binary(binary, request)
    if any(root.rglob("data_batch_1")):
        raise UserError(
            f"{root} holds Python batches, which are pickles and never loaded: take CIFAR-10's "
            "binary version, whose files are data_batch_1.bin to test_batch.bin"
        )
    colour = msgspec.structs.replace(request.source.images, colour=True, size=[32, 32])
    source = msgspec.structs.replace(request.source, images=colour)
    in_colour = Request(source=source, time_steps=request.time_steps, data_dir=request.data_dir)
    return assemble("cifar-10", images.collect(root, in_colour), in_colour)


def _batches(folder: Path) -> Sequence[Path]:
    return sorted(folder.glob("data_batch_*.bin"))


def _binary(folder: Path, request: Request) -> Dataset:
    samples, labels, parts = [], [], []
    for part, files in (("train", _batches(folder)), ("test", [folder / "test_batch.bin"])):
        own = [_records(path) for path in files]
        values = np.concatenate([record[:, 1:] for record in own])
        images = room((len(values), 32, 32, 3))
        images[:] = values.reshape(-1, *CIFAR10_SHAPE).transpose(0, 2, 3, 1)
        samples.append(images)
        labels.append(np.concatenate([record[:, 0] for record in own]).astype(np.int64))
        parts.append(part)
    collection = collection_of_arrays(folder, samples, labels, parts=parts, class_names=CIFAR10)
    return assemble("cifar-10", collection, request)


def _records(path: Path) -> NDArray[np.uint8]:
    """Label and pixels of each record: uint8 [n, 1 + 3072]."""
    if not path.is_file():
        raise UserError(f"{path} is missing: put the original files there")
    size = path.stat().st_size
    record = 1 + 3 * 32 * 32
    if not size or size % record:
        raise UserError(f"{path} has {size} bytes, not {record} for each image: unpack it again")
    return np.fromfile(path, dtype=np.uint8).reshape(-1, record)


def _folder(request: Request, *names: str) -> Path:
    """The first of some folders below `--data-dir` that is there."""
    if request.data_dir is None:
        raise UserError(
            f"the data set {names[0]!r} is read from files: unpack it into a folder {names[0]}/ "
            f"and give the folder above it with --data-dir, or in the environment variable "
            f"{DATA_VARIABLE}"
        )
    for name in names:
        if (request.data_dir / name).is_dir():
            return request.data_dir / name
    raise UserError(
        f"the data set {names[0]!r}: there is no folder {request.data_dir / names[0]}; unpack it "
        "there, or name the folder above it with --data-dir"
    )
