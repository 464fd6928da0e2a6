"""MNIST and data sets in its file format (IDX), read from a local folder.

Format: big-endian; bytes 0, 0, element type (8 = uint8), number of dimensions, then each dimension
as uint32, then the elements, last index fastest (Y. LeCun, C. Cortes, C. Burges, "The MNIST
database of handwritten digits").
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeloom.datasets.openml import download
from spikeloom.datasets.request import DATA_VARIABLE, Request, fixed_split
from spikeloom.datasets.split import Dataset, Split, hold_out
from spikeloom.errors import UserError
from spikeloom.files import cache_folder, what_lies_there

__all__ = ["load_idx_dataset", "read_idx"]

VALIDATION_FRACTION = 1 / 12
UNSIGNED_BYTE = 8
PARTS = ("train", "t10k")
FORMS = ("{part}-{what}-idx{axes}-ubyte", "{part}-{what}.idx{axes}-ubyte")
"""Names of a file: the original, and what some archives make of it."""


def load_idx_dataset(name: str, request: Request, class_names: Sequence[str] = ()) -> Dataset:
    """Load `<data_dir>/<name>/{train,t10k}-{images-idx3,labels-idx1}-ubyte[.gz]`.

    The 10k test files are the test split; one twelfth of the training files (5,000 of MNIST's
    60,000) is the validation split. The classes are the labels that occur, in ascending order.

    Without a folder the files are those that `--download` has fetched and kept
    (`spikeloom.datasets.openml`).

    Args:
        name: the data set's, which is also its folder's.
        request: where to look, and whether to fetch what is nowhere.
        class_names: of the labels 0, 1, ..., where they have names.

    Raises:
        UserError: a file is missing, damaged or of another shape, or there is none.
    """
    fixed_split(request)
    folder = _folder(name, request)
    images, labels = zip(*(_load_part(folder, part) for part in PARTS), strict=True)
    pixels = [part.shape[1] for part in images]
    if pixels[0] != pixels[1]:
        raise UserError(
            f"{folder}: training images have {pixels[0]} pixels, test images {pixels[1]}: put the "
            "four files of one data set there"
        )
    present = np.unique(np.concatenate(labels))
    known, test = (
        Split(
            images=part_images,
            labels=np.searchsorted(present, part_labels).astype(np.int64),
            index=np.arange(first, first + len(part_labels), dtype=np.int64),
        )
        for part_images, part_labels, first in zip(images, labels, (0, len(labels[0])), strict=True)
    )
    train, validation = hold_out(known, VALIDATION_FRACTION)
    side = math.isqrt(pixels[0])
    names = tuple(class_names)
    named = len(names) > int(present[-1])
    return Dataset(
        name=name,
        train=train,
        validation=validation,
        test=test,
        shape=(side, side),
        class_names=tuple(names[i] if named else str(i) for i in present.tolist()),
        source=request.source,
        place=str(folder),
    )


def _folder(name: str, request: Request) -> Path:
    """The folder of the data set below the one that was named, or else what was fetched."""
    if request.data_dir is not None:
        folder = request.data_dir / name
        if not any(folder.glob("*-ubyte*")):
            raise UserError(
                f"the data set {name!r}: {folder} has none of its files; name the folder above "
                f"{name}/ with --data-dir, or in the environment variable {DATA_VARIABLE}"
            )
        return folder
    kept = cache_folder("datasets") / name
    if kept.exists():
        return kept
    fix = (
        f"give the folder above {name}/ with --data-dir, or in the environment variable "
        f"{DATA_VARIABLE}"
    )
    if not request.download:
        raise UserError(
            f"the data set {name!r} is not on this machine: {fix}, or fetch it with --download"
        )
    try:
        download(name, kept)
    except (OSError, ValueError) as error:
        raise UserError(
            f"the data set {name!r}: openml.org did not send it ({error}): {fix}"
        ) from None
    return kept


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read one IDX file of unsigned bytes, plain or gzip (by its suffix .gz).

    Raises:
        UserError: the file is missing, damaged, shorter or longer than its header says, or holds
            another element type.
    """
    fix = "put the original file there"
    try:
        raw = path.read_bytes()
        content = gzip.decompress(raw) if path.suffix == ".gz" else raw
    except FileNotFoundError:
        raise UserError(f"{path} is missing: put the data set's four files there") from None
    except (OSError, EOFError, zlib.error) as error:
        what = what_lies_there(path)
        reason = f"it is {what}" if what else error
        raise UserError(f"{path} cannot be read ({reason}): {fix}") from None
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != UNSIGNED_BYTE:
        what = what_lies_there(path)
        told = f", but {what}" if what else ""
        raise UserError(f"{path} is not an IDX file of unsigned bytes{told}: {fix}")
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


def _load_part(folder: Path, part: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images [n, pixels] and labels [n] of a part."""
    images_path, labels_path = _find(folder, part, "images", 3), _find(folder, part, "labels", 1)
    images, labels = read_idx(images_path), read_idx(labels_path)
    if images.ndim != 3 or images.shape[1] != images.shape[2]:
        raise UserError(
            f"{images_path} has shape {images.shape}, not [samples, side, side]: put images there"
        )
    if labels.shape != images.shape[:1]:
        raise UserError(
            f"{labels_path} has {labels.size} labels for the {len(images)} images of "
            f"{images_path.name}: put the two files of one data set there"
        )
    if labels.size == 0:
        raise UserError(f"{labels_path} has no label: put a file with samples there")
    return images.reshape(len(images), -1), labels


def _find(folder: Path, part: str, what: str, axes: int) -> Path:
    names = [form.format(part=part, what=what, axes=axes) for form in FORMS]
    places = [folder / f"{name}{suffix}" for name in names for suffix in ("", ".gz")]
    return next((place for place in places if place.exists()), places[1])
