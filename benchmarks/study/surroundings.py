"""Where a run was made: machine, versions, and the commit of the code that it used."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

import spikeloom

__all__ = ["surroundings"]

PACKAGES = ("torch", "brevitas", "numpy", "scikit-learn")
CODE = ("sw", "benchmarks/study")


def surroundings(
    packages: Sequence[str] = PACKAGES, code: Sequence[str] = CODE
) -> dict[str, object]:
    """Machine, versions, commit; a commit with uncommitted `code` upon it ends in "-dirty"."""
    return {
        "machine": f"{_processor()}, {os.cpu_count()} cores, {platform.system()}",
        "versions": {
            "python": platform.python_version(),
            "spikeloom": spikeloom.__version__,
            **{name: importlib.metadata.version(name) for name in packages},
        },
        "commit": _commit(Path(spikeloom.__file__).parents[2], code),
    }


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def _commit(root: Path, code: Sequence[str]) -> str:
    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", *code)
        return git("rev-parse", "--short=12", "HEAD") + ("-dirty" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
