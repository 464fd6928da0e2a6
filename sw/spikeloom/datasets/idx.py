"""MNIST and data sets in its file format (IDX), read from a local folder.

Format: big-endian; bytes 0, 0, element type (8 = uint8), number of dimensions, then each dimension
as uint32, then the elements, last index fastest (Y. LeCun, C. Cortes, C. Burges, "The MNIST
database of handwritten digits").
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeloom.datasets.openml import download
from spikeloom.datasets.split import Dataset, Split, hold_out
from spikeloom.errors import UserError
from spikeloom.files import cache_folder

__all__ = ["load_idx_dataset", "read_idx"]

DATA_VARIABLE = "SPIKELOOM_DATA"
VALIDATION_FRACTION = 1 / 12
UNSIGNED_BYTE = 8


def load_idx_dataset(name: str, data_dir: Path | None) -> Dataset:
    """Load `<data_dir>/<name>/{train,t10k}-{images-idx3,labels-idx1}-ubyte[.gz]`.

    The 10k test files are the test split; one twelfth of the training files (5,000 of MNIST's
    60,000) is the validation split.

    Where that folder has none of them, they are fetched and kept (`spikeloom.datasets.openml`).

    Args:
        name: the data set's, which is also its folder's.
        data_dir: folder above it; None takes the environment variable SPIKELOOM_DATA.

    Raises:
        UserError: a file is missing, damaged or of another shape, or there is none and no network.
    """
    folder = _folder(name, data_dir)
    known = _load_part(folder, "train", first_index=0)
    test = _load_part(folder, "t10k", first_index=len(known))
    if known.images.shape[1] != test.images.shape[1]:
        raise UserError(
            f"{folder}: training images have {known.images.shape[1]} pixels, test images "
            f"{test.images.shape[1]}: fetch the four files of one data set"
        )
    train, validation = hold_out(known, VALIDATION_FRACTION)
    side = round(known.images.shape[1] ** 0.5)
    return Dataset(
        name=name, train=train, validation=validation, test=test, shape=(side, side), classes=10
    )


def _folder(name: str, data_dir: Path | None) -> Path:
    """The folder given, when it has a file of the data set; else that of what was fetched."""
    value = data_dir or os.environ.get(DATA_VARIABLE)
    if value and any((Path(value) / name).glob("*-ubyte*")):
        return Path(value) / name
    kept = cache_folder("datasets") / name
    if kept.exists():
        return kept
    try:
        download(name, kept)
    except (OSError, ValueError) as error:
        place = f"{Path(value) / name} has none of its files" if value else "no folder was given"
        raise UserError(
            f"the data set {name!r}: {place}, and openml.org did not send it ({error}): give the "
            f"folder above {name}/ with --data-dir, or in the environment variable {DATA_VARIABLE}"
        ) from None
    return kept


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read one IDX file of unsigned bytes, plain or gzip (by its suffix .gz).

    Raises:
        UserError: the file is missing, damaged, shorter or longer than its header says, or holds
            another element type.
    """
    fix = "fetch the file again"
    try:
        raw = path.read_bytes()
        content = gzip.decompress(raw) if path.suffix == ".gz" else raw
    except FileNotFoundError:
        raise UserError(f"{path} is missing: put the data set's four files there") from None
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} cannot be read ({error}): {fix}") from None
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != UNSIGNED_BYTE:
        raise UserError(f"{path} is not an IDX file of unsigned bytes: {fix}")
    dimensions = content[3]
    if not 1 <= dimensions <= 3:
        raise UserError(f"{path} has {dimensions} dimensions, not 1 to 3: {fix}")
    start = 4 + 4 * dimensions
    if len(content) < start:
        raise UserError(f"{path} ends within its header: {fix}")
    shape = struct.unpack(f">{dimensions}I", content[4:start])
    if len(content) - start != math.prod(shape):
        raise UserError(
            f"{path} holds {len(content) - start} elements where its header says {shape}: {fix}"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)


def _load_part(folder: Path, part: str, *, first_index: int) -> Split:
    images_path = _find(folder, f"{part}-images-idx3-ubyte")
    labels_path = _find(folder, f"{part}-labels-idx1-ubyte")
    images, labels = read_idx(images_path), read_idx(labels_path)
    if images.ndim != 3 or images.shape[1] != images.shape[2]:
        raise UserError(f"{images_path} has shape {images.shape}, not [samples, side, side]")
    if labels.shape != images.shape[:1]:
        raise UserError(
            f"{labels_path} has {labels.size} labels for the {len(images)} images of "
            f"{images_path.name}: fetch both again"
        )
    if labels.size == 0 or labels.max() > 9:
        raise UserError(f"{labels_path} must hold labels 0 to 9 and at least one: fetch it again")
    return Split(
        images=images.reshape(len(images), -1),
        labels=labels.astype(np.int64),
        index=np.arange(first_index, first_index + len(labels), dtype=np.int64),
    )


def _find(folder: Path, stem: str) -> Path:
    plain = folder / stem
    return plain if plain.exists() else folder / f"{stem}.gz"
