"""What every file of results says of its origin: commit, date, versions and machine.

A figure can be made again only if it is known what it was made with. So nothing writes a result but
`write_result`, and it takes a `Stamp`.
"""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from spikeloom import __version__
from spikeloom.files import atomic_write, to_json

DIRTY = "-dirty"
UNKNOWN = "unknown"
_ROOT = Path(__file__).parents[2]
_CODE = (
    "sw",
    "hw",
    "cosim",
    "tests",
    "examples",
    "benchmarks",
    "bitstreams/build.py",
    "pyproject.toml",
    ":(exclude)benchmarks/results",
)
_DIGITS = 12


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """Where a result comes from.

    Attributes:
        commit: of the code; it ends in "-dirty" if a file of the code differs from it, and is
            "unknown" outside of a clone.
        date: when the work began, in UTC.
        versions: of Python, Spikeloom, and the packages and tools that matter.
        machine: processor, its cores, and system.
    """

    commit: str
    date: str
    versions: dict[str, str]
    machine: str


def stamp(*packages: str, **tools: str) -> Stamp:
    """The stamp of work that begins now, with the code as it is now.

    Make it before the work: a commit made meanwhile is not the one that did it.

    Args:
        packages: Python packages whose version matters.
        tools: version of each other tool that matters, by its name.
    """
    return Stamp(
        commit=_commit(),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        versions={
            "python": platform.python_version(),
            "spikeloom": __version__,
            **{name: _version(name) for name in packages},
            **tools,
        },
        machine=f"{_processor()}, {os.cpu_count()} cores, {platform.system()}",
    )


def write_result(
    path: str | os.PathLike[str], document: Mapping[str, Any], origin: Stamp
) -> dict[str, Any]:
    """Write a result with its stamp as JSON, whole or not at all, and return what was written.

    Args:
        path: the file.
        document: the result.
        origin: where it comes from.

    Raises:
        UserError: the place cannot be written.
        ValueError: the document has a key of the stamp.
    """
    stamped = asdict(origin)
    if taken := sorted(stamped.keys() & document.keys()):
        raise ValueError(f"The document has {taken[0]!r}, which is the stamp's")
    whole = {**document, **stamped}
    atomic_write(path, to_json(whole))
    return whole


def in_history(commit: str) -> bool:
    """Whether a stamp's commit is one that the code here has grown from, with nothing upon it."""
    try:
        _git("merge-base", "--is-ancestor", commit, "HEAD")
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def _commit() -> str:
    try:
        changed = _git("status", "--porcelain", "--", *_CODE)
        return _git("rev-parse", f"--short={_DIGITS}", "HEAD") + (DIRTY if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return UNKNOWN


def _git(*words: str) -> str:
    command = ["git", "-C", str(_ROOT), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
