"""Outputs that are whole or absent: written beside their place, then renamed into it."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from spikeloom.errors import UserError, check_type

STEP_SCHEMA = 1
_MARKER = ".spikeloom"


def _refused(path: Path, error: OSError) -> UserError:
    reason = (error.strerror or str(error)).lower()
    return UserError(f"cannot write {path}: {reason}; choose an output that can be written")


def _beside(path: Path) -> Path:
    """A fresh hidden name in the folder of `path`, so that the final rename stays on one disk."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def check_writable(path: str | os.PathLike[str]) -> None:
    """Refuse an output, file or folder, that cannot be written, before the work; makes nothing.

    Raises:
        UserError: the folder that it is or would lie in takes no file.
    """
    path = Path(path)
    try:
        above = path.absolute().parents
        # A file that is there is replaced by a rename, which its folder has to allow.
        places = (path, *above) if path.is_dir() else above[:1] if path.exists() else above
        with tempfile.TemporaryFile(dir=next(place for place in places if place.exists())):
            pass
    except OSError as error:
        raise _refused(path, error) from None


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path; rename it to `path` on success, remove it on any exception.

    For libraries that insist on writing a named file. Missing parent folders are made.

    Raises:
        UserError: the place cannot be written.
    """
    path = Path(path)
    if path.is_dir():
        raise UserError(f"cannot write {path}: it is a folder; name a file")
    temporary = _beside(path)
    with _folders_above(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            temporary.replace(path)
        except OSError as error:
            raise _refused(path, error) from error
        finally:
            _remove(temporary)


def atomic_write(path: str | os.PathLike[str], data: bytes | str) -> Path:
    """Write `data` (text as UTF-8) to `path` completely or not at all, and return the path.

    Raises:
        TypeError: the arguments are of other types, or in the other order.
        UserError: the place cannot be written.
    """
    check_type("path of atomic_write(path, data)", path, str, os.PathLike)
    check_type("data of atomic_write(path, data)", data, bytes, str)
    with atomic_file(path) as temporary:
        temporary.write_bytes(data.encode() if isinstance(data, str) else data)
    return Path(path)


@contextmanager
def atomic_directory(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary folder; it becomes `path` on success and vanishes on any exception.

    An existing folder is replaced only when it is empty or was made by this function (it then
    holds a hidden marker), so that a mistyped output never deletes a user's files.

    Raises:
        UserError: the place cannot be written, or holds something that is not ours to replace.
    """
    path = Path(path)
    _check_replaceable(path)
    temporary = _beside(path.resolve())
    with _folders_above(temporary):
        try:
            temporary.mkdir(parents=True)
            (temporary / _MARKER).touch()
        except OSError as error:
            _remove(temporary)
            raise _refused(path, error) from error
        try:
            yield temporary
            try:
                _swap(temporary, path.resolve())
            except OSError as error:
                raise _refused(path, error) from error
        finally:
            _remove(temporary)


@contextmanager
def _folders_above(path: Path) -> Iterator[None]:
    """On any exception, remove the folders above `path` that were missing and are empty now."""
    missing: list[Path] = []
    # A folder that may not be looked into is refused by what comes next.
    with suppress(OSError):
        missing += [folder for folder in path.parents if not folder.exists()]
    try:
        yield
    except BaseException:
        with suppress(OSError):
            for folder in missing:
                folder.rmdir()
        raise


def _check_replaceable(path: Path) -> None:
    try:
        if not path.is_dir():
            if path.exists() or path.is_symlink():
                raise UserError(f"{path} is a file, not a folder; choose another output folder")
            return
        if not (path / _MARKER).exists() and any(path.iterdir()):
            raise UserError(
                f"{path} holds files that spikeloom did not make; choose a new or an empty folder"
            )
    except OSError as error:
        raise _refused(path, error) from error


def _swap(new: Path, place: Path) -> None:
    if not place.exists():
        new.rename(place)
        return
    old = _beside(place)
    place.rename(old)
    try:
        new.rename(place)
    except BaseException:
        old.rename(place)
        raise
    _remove(old)


def cache_folder(name: str) -> Path:
    """A folder for what can always be made again; not made yet.

    `$SPIKELOOM_CACHE/name`, else below the user's cache folder.
    """
    if own := os.environ.get("SPIKELOOM_CACHE"):
        return Path(own) / name
    shared = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(shared) / "spikeloom" / name


_KINDS = (
    (b"version https://git-lfs", 0, "a Git LFS pointer, which stands for the file: git lfs pull"),
    (b"PK\x03\x04", 0, "a zip archive, as .npz files and the .pth files of torch.save are"),
    (b"\x80", 0, "a Python pickle, which is never loaded"),
    (b"\x89HDF\r\n", 0, "an HDF5 file, as .nir and .h5 files are"),
    (b"\x93NUMPY", 0, "an array of NumPy"),
    (b"\x1f\x8b", 0, "a gzip archive"),
    (b"ustar", 257, "a tar archive"),
    (b"\x89PNG", 0, "a PNG image"),
    (b"\xff\xd8\xff", 0, "a JPEG image"),
    (b"RIFF", 0, "a RIFF file, as sounds are"),
    (b"PAR1", 0, "a Parquet table"),
    (b"<", 0, "a page of HTML or XML"),
    (b"{", 0, "a JSON document"),
)
"""Beginning, its place, and what a file with it is."""


def what_lies_there(path: str | os.PathLike[str]) -> str:
    """What a file that cannot be read for what it should be is instead, or "" if nobody knows."""
    try:
        with Path(path).open("rb") as file:
            head = file.read(262)
    except OSError:
        return ""
    return next((kind for magic, at, kind in _KINDS if head[at : at + len(magic)] == magic), "")


def file_sha256(path: str | os.PathLike[str]) -> str:
    """The sha256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_step(
    folder: str | os.PathLike[str], verb: str, seconds: float, data: Mapping[str, Any]
) -> Path:
    """Leave `<verb>.json` in a run folder: schema, verb, its seconds, and the verb's own result.

    The report is put together from these files.
    """
    document = {"schema": STEP_SCHEMA, "verb": verb, "seconds": round(seconds, 3), **data}
    return atomic_write(Path(folder) / f"{verb}.json", to_json(document))


def to_json(document: Any) -> str:
    """JSON text, indented, with numpy scalars and arrays, paths and tuples as plain values."""
    return json.dumps(document, indent=2, default=_plain, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form: {value!r}")
