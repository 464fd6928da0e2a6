"""Programs that no Python package has, out of Debian's: unpacked into the cache, not installed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from spikeloom.errors import UserError
from spikeloom.files import atomic_directory

VERSION = "version"
"""File with the package's version, beside what it was unpacked to."""


def unpack(
    package: str,
    place: Path,
    *,
    program: str,
    wanted: str,
    finish: Callable[[Path], None] = lambda _: None,
) -> None:
    """Fetch a package and unpack it into `place`, whole or not at all.

    Args:
        package: its name.
        place: a folder that does not exist.
        program: what it is fetched for, for messages.
        wanted: a file that it must have, as a pattern relative to its root.
        finish: is given the folder before it appears under its name.

    Raises:
        UserError: it cannot be fetched, or has no such file.
    """
    install = f"install it, for example: apt-get install {package}"
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise UserError(f"there is neither {program} nor {tool} to fetch it; {install}")
    try:
        with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
            archive = _download(package, Path(scratch))
            with atomic_directory(place) as kept:
                _run("dpkg-deb", "-x", str(archive), str(kept))
                if not any(kept.glob(wanted)):
                    raise UserError(f"{archive.name} has no {wanted}; {install}")
                (kept / VERSION).write_text(_run("dpkg-deb", "-f", str(archive), "Version").strip())
                finish(kept)
    except subprocess.CalledProcessError as error:
        said = (error.stderr.strip().splitlines() or ["no message"])[-1]
        raise UserError(f"{error.cmd[0]} could not give {package} ({said}); {install}") from None


def _download(package: str, folder: Path) -> Path:
    """The package's archive, in `folder`."""
    try:
        _run("apt-get", "download", package, folder=folder)
    except subprocess.CalledProcessError:
        # A fresh machine has no list of packages; one of our own needs no rights.
        lists, cache = folder / "lists", folder / "cache"
        (lists / "partial").mkdir(parents=True)
        (cache / "archives" / "partial").mkdir(parents=True)
        own = ("-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={cache}")
        _run("apt-get", *own, "update", folder=folder)
        _run("apt-get", *own, "download", package, folder=folder)
    (archive,) = folder.glob("*.deb")
    return archive


def _run(*command: str, folder: Path | None = None) -> str:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
