"""Arrays in an `.npz` file, of which nothing is ever unpickled.

| arrays | what they are |
| --- | --- |
| `x`, `y` | all samples `[N, ...]` and their labels `[N]`, integers or text |
| `x_train`, `y_train`, `x_validation`, `y_validation`, `x_test`, `y_test` | the same, divided; validation may be missing |
| `groups` (or `groups_train`, ...) | of each sample, what must not be divided |
| `class_names` | text, of the labels 0, 1, ... |

Capital letters are taken, too. Members that are stored uncompressed, as `numpy.savez` does, are
mapped into memory and read when they are needed, so that they may be larger than it.
"""  # noqa: E501

from __future__ import annotations

import math
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.datasets.collection import Collection, labelled, room
from spikeloom.datasets.request import Request
from spikeloom.errors import UserError
from spikeloom.files import what_lies_there
from spikeloom.preparation import AsIs, Preparation, Scale, prepare

__all__ = ["collect", "collection_of_arrays"]

PARTS = ("train", "validation", "test")
KNOWN = {"x", "y", "groups", *(f"{own}_{part}" for own in ("x", "y", "groups") for part in PARTS)}
RATIO_LIMIT, SMALL = 200, 1 << 26
"""A member that grows by more than `RATIO_LIMIT` is refused when it takes over `SMALL` bytes."""
HEADER_LIMIT = 10_000
CHUNK_BYTES = 1 << 24
LOCAL_HEADER = 30


def collect(path: Path, _request: Request) -> Collection:
    """The arrays of a file.

    Raises:
        UserError: the file is damaged, or its arrays are not those above, or do not fit together.
    """
    arrays = read_arrays(path)
    names = arrays.pop("class_names", None)
    unknown = sorted(set(arrays) - KNOWN)
    if unknown:
        raise UserError(
            f"{path} has an array {unknown[0]!r}: name the arrays x and y, or x_train, y_train, "
            "x_test, y_test (and x_validation, y_validation)"
        )
    present = [f"_{part}" for part in PARTS if f"x_{part}" in arrays]
    if "x" in arrays and present:
        raise UserError(f"{path} has both x and x{present[0]}: name one of the two")
    suffixes = [""] if "x" in arrays else present
    if not suffixes:
        raise UserError(f"{path} has no array x (or x_train): name the samples so")
    missing = [f"y{own}" for own in suffixes if f"y{own}" not in arrays]
    if missing:
        raise UserError(f"{path} has no array {missing[0]}: name the labels so")
    if names is not None and names.dtype.kind != "U":
        raise UserError(f"{path}: class_names is {names.dtype}, but it must be text")
    grouped = [arrays[f"groups{own}"] for own in suffixes if f"groups{own}" in arrays]
    if len(grouped) not in (0, len(suffixes)):
        raise UserError(f"{path} has groups of some parts only: give them for every part")
    return collection_of_arrays(
        path,
        [arrays[f"x{own}"] for own in suffixes],
        [arrays[f"y{own}"] for own in suffixes],
        parts=None if suffixes == [""] else [own[1:] for own in suffixes],
        groups=grouped or None,
        class_names=None if names is None else tuple(names.tolist()),
    )


def collection_of_arrays(
    place: Path,
    samples: list[NDArray[Any]],
    labels: list[NDArray[Any]],
    *,
    parts: list[str] | None = None,
    groups: list[NDArray[Any]] | None = None,
    class_names: tuple[str, ...] | None = None,
) -> Collection:
    """Arrays as a collection: samples [n, ...] and labels [n] of each part."""
    for x, y in zip(samples, labels, strict=True):
        _check(place, x, y)
    if len({x.shape[1:] for x in samples}) > 1:
        shapes = " and ".join(str(list(x.shape[1:])) for x in samples)
        raise UserError(f"{place}: samples have the shapes {shapes}: give them one shape")
    # Parts of unequal types are scaled from the widest.
    numbers = samples[0] if len(samples) == 1 else _joined(samples)
    codes, names = labelled(np.concatenate(labels))
    if class_names is not None:
        codes, names = _named(place, np.concatenate(labels), class_names)
    if groups is not None and any(len(g) != len(y) for g, y in zip(groups, labels, strict=True)):
        raise UserError(f"{place}: groups must have one entry for each sample")

    def fit(rows: NDArray[np.int64]) -> Preparation:
        if numbers.dtype == np.uint8:
            return AsIs()
        return _ranges(place, numbers, rows)

    def prepared(preparation: Preparation) -> NDArray[np.uint8]:
        if isinstance(preparation, AsIs) and numbers.dtype == np.uint8:
            return numbers
        values = room(numbers.shape)
        for start in range(0, len(numbers), _batch(numbers)):
            own = slice(start, start + _batch(numbers))
            values[own] = prepare(preparation, numbers[own]).reshape(-1, *numbers.shape[1:])
        return values

    return Collection(
        place=place,
        labels=codes,
        class_names=names,
        fit=fit,
        prepared=prepared,
        parts=None if parts is None else np.repeat(np.array(parts), [len(own) for own in labels]),
        groups=None if groups is None else np.concatenate(groups).astype(np.str_),
        shape=numbers.shape[1:],
    )


def _check(place: Path, x: NDArray[Any], y: NDArray[Any]) -> None:
    if x.dtype.kind not in "buif":
        raise UserError(f"{place}: samples are {x.dtype}, but they must be numbers")
    if x.ndim < 2:
        raise UserError(
            f"{place}: samples have the shape {list(x.shape)}, but it must be [samples, ...]"
        )
    if 0 in x.shape:
        raise UserError(f"{place}: samples have the shape {list(x.shape)}: give at least one value")
    if y.dtype.kind not in "iuU":
        raise UserError(
            f"{place}: labels are {y.dtype}, but they must be integers or text, one a sample"
        )
    if y.shape != x.shape[:1]:
        raise UserError(
            f"{place}: {len(x)} samples have labels of the shape {list(y.shape)}: give one label a "
            "sample"
        )


def _joined(samples: list[NDArray[Any]]) -> NDArray[Any]:
    if {x.dtype for x in samples} != {np.dtype(np.uint8)}:
        return np.concatenate(samples)
    values = room((sum(map(len, samples)), *samples[0].shape[1:]))
    start = 0
    for x in samples:
        for at in range(0, len(x), _batch(x)):
            own = x[at : at + _batch(x)]
            values[start + at : start + at + len(own)] = own
        start += len(x)
    return values


def _named(
    place: Path, labels: NDArray[Any], names: tuple[str, ...]
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    if labels.dtype.kind == "U" or labels.min() < 0 or labels.max() >= len(names):
        raise UserError(
            f"{place}: class_names has {len(names)} names, so labels must be 0 to {len(names) - 1}"
        )
    if len(set(names)) < len(names):
        raise UserError(f"{place}: class_names has a name twice: name each class once")
    return labels.astype(np.int64), names


def _ranges(place: Path, numbers: NDArray[Any], rows: NDArray[np.int64]) -> Scale:
    """The ranges of the samples that train: of each value of a row of numbers, else of all."""
    axes = (0,) if numbers.ndim == 2 else tuple(range(numbers.ndim))
    low, high = np.inf, -np.inf
    chosen = np.zeros(len(numbers), dtype=np.bool_)
    chosen[rows] = True
    for start in range(0, len(numbers), _batch(numbers)):
        own = np.asarray(numbers[start : start + _batch(numbers)], dtype=np.float64)
        finite = np.isfinite(own)
        if not finite.all():
            at = np.argwhere(~finite)[0]
            raise UserError(
                f"{place}: sample {start + int(at[0])} has {own[tuple(at)]} at "
                f"{[int(i) for i in at[1:]]}: every value must be a finite number"
            )
        own = own[chosen[start : start + len(own)]]
        if len(own):
            low, high = np.minimum(low, own.min(axis=axes)), np.maximum(high, own.max(axis=axes))
    return Scale(low=tuple(np.atleast_1d(low).tolist()), high=tuple(np.atleast_1d(high).tolist()))


def _batch(numbers: NDArray[Any]) -> int:
    return max(1, CHUNK_BYTES // (8 * math.prod(numbers.shape[1:])))


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an npz file by their names in lower case; stored members are mapped.

    Raises:
        UserError: the file is no npz file, is damaged, or claims what it does not hold.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            arrays: dict[str, NDArray[Any]] = {}
            for info in archive.infolist():
                name = info.filename.removesuffix(".npy").lower()
                if name in arrays:
                    raise UserError(f"{path} has two arrays {name!r}: save it again with one")
                arrays[name] = _Member(path, archive, info).array()
            return arrays
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        ValueError,
        SyntaxError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        if isinstance(error, FileNotFoundError):
            raise UserError(f"there is no file {path}: give the path of an npz file") from None
        told = what_lies_there(path) if isinstance(error, zipfile.BadZipFile) else ""
        reason = told or " ".join(str(error).split())
        raise UserError(
            f"{path} is no npz file that can be read ({reason}): save it with numpy.savez"
        ) from None


@dataclass(frozen=True)
class _Member:
    """One array in an npz file."""

    path: Path
    archive: zipfile.ZipFile
    info: zipfile.ZipInfo

    def array(self) -> NDArray[Any]:
        """Its values, mapped into memory where they are stored as they are."""
        info = self.info
        if not info.filename.endswith(".npy") or "/" in info.filename or "\\" in info.filename:
            raise UserError(
                f"{self.path} holds {info.filename!r}, which is no array: save it with numpy.savez"
            )
        if info.file_size > max(SMALL, RATIO_LIMIT * info.compress_size):
            raise UserError(
                f"{self.path}: {info.filename} would grow from {info.compress_size} to "
                f"{info.file_size} bytes: save it uncompressed, with numpy.savez"
            )
        with self.archive.open(info) as file:
            dtype, shape, fortran = self._header(file)
            start = file.tell()
            if start + math.prod(shape) * dtype.itemsize != info.file_size:
                raise UserError(
                    f"{self.path}: {info.filename} claims the shape {list(shape)} of {dtype}, and "
                    f"holds {info.file_size - start} bytes: save it again"
                )
            if info.compress_type == zipfile.ZIP_STORED and not fortran and math.prod(shape):
                return np.memmap(self.path, dtype, "r", self._offset() + start, shape)
            values = np.frombuffer(file.read(), dtype=dtype)
        return values.reshape(shape, order="F" if fortran else "C")

    def _header(self, file: IO[bytes]) -> tuple[np.dtype[Any], tuple[int, ...], bool]:
        version = np.lib.format.read_magic(file)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        if read is None:
            raise ValueError(f"{self.info.filename} is of version {version}")
        shape, fortran, dtype = read(file, max_header_size=HEADER_LIMIT)
        if dtype.hasobject:
            raise UserError(
                f"{self.path}: {self.info.filename} holds Python objects, which are never loaded: "
                "save an array of numbers or of text"
            )
        if any(side < 0 for side in shape):
            raise ValueError(f"{self.info.filename} has the shape {shape}")
        return dtype, shape, fortran

    def _offset(self) -> int:
        """Where the member's bytes begin in the file."""
        with self.path.open("rb") as file:
            file.seek(self.info.header_offset)
            header = file.read(LOCAL_HEADER)
        name, extra = struct.unpack("<HH", header[26:30])
        offset = self.info.header_offset + LOCAL_HEADER + name + extra
        if offset + self.info.file_size > self.path.stat().st_size:
            raise UserError(
                f"{self.path}: {self.info.filename} claims {self.info.file_size} bytes, more than "
                "the file has: save it again"
            )
        return offset
