"""A copy of the working tree in which a mutant may live: packages, tests, caches and all.

Whatever runs below it imports the copy's packages, tests and subprocesses alike, since they stand
first on PYTHONPATH. A file is mutated on disk for that reason, not in a process's memory.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGES = ("sw", "hw", "cosim")
CACHE = Path(".cache", "spikeloom")
OUTER = ("PYTEST_", "COV")


class Tree:
    """A copy of the tracked and new files of a working tree.

    Args:
        root: the working tree.
        folder: where the copy lies; what was there is replaced.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self.root = folder
        self._origin = root
        self._writes = 0
        shutil.rmtree(folder, ignore_errors=True)
        for name in tracked(root):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, folder / name)
        (folder / ".venv").symlink_to(root / ".venv")
        _repository(folder)
        self.take_cache()

    def environment(self) -> dict[str, str]:
        """Variables under which everything runs."""
        paths = [str(self.root / name) for name in (*PACKAGES, "tests")]
        paths.append(str(Path(__file__).parent.parent))
        # A session that is itself started by a test is none of it.
        ours = {name: value for name, value in os.environ.items() if not name.startswith(OUTER)}
        return {
            **ours,
            "PYTHONPATH": os.pathsep.join(paths),
            "OMP_NUM_THREADS": "1",
            "SPIKELOOM_CACHE": str(self.root / CACHE),
            "MPLCONFIGDIR": str(self.root / ".cache" / "matplotlib"),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }

    @contextmanager
    def mutated(self, module: str, text: bytes) -> Iterator[None]:
        """The tree with another text of a module; as it was, afterwards."""
        path = self.root / module
        original, stat = path.read_bytes(), path.stat()
        path.write_bytes(text)
        # Compiled files are told apart by seconds and size alone, and `<` is as long as `>`.
        self._writes += 1
        later = int(stat.st_mtime) + self._writes
        os.utime(path, (later, later))
        try:
            yield
        finally:
            path.write_bytes(original)
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
            for made in set(self._built()) - self._cached:
                _remove(made)

    def give_cache(self) -> None:
        """Add what the sources as they are have built here to the cache of the working tree."""
        _add_entries(self.root / CACHE, self._origin / CACHE)

    def take_cache(self) -> None:
        """Have all that the cache of the working tree has, and keep it."""
        _add_entries(self._origin / CACHE, self.root / CACHE)
        self._cached = set(self._built())

    def _built(self) -> Iterator[Path]:
        """Entries of the cache: `kind/entry`."""
        return (self.root / CACHE).glob("*/*")


def tracked(root: Path) -> list[str]:
    """Files that git knows or would add, which are there."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    return [name for name in dict.fromkeys(listing.split("\0")) if (root / name).is_file()]


def _add_entries(source: Path, target: Path) -> None:
    """Copy the entries of a cache that another lacks."""
    target.mkdir(parents=True, exist_ok=True)
    for entry in source.glob("*/*"):
        place = target / entry.relative_to(source)
        if not place.exists() and not entry.name.startswith("."):
            place.parent.mkdir(exist_ok=True)
            if entry.is_dir():
                shutil.copytree(entry, place, symlinks=True)
            else:
                shutil.copy2(entry, place)


def _repository(folder: Path) -> None:
    """Some tests ask git which files there are."""
    author = ["-c", "user.name=mutation", "-c", "user.email=mutation@localhost"]
    for command in (["init", "-q"], ["add", "-A"], [*author, "commit", "-q", "-m", "copy"]):
        subprocess.run(["git", *command], cwd=folder, check=True)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
