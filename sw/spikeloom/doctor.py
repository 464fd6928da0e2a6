"""What `spikeloom doctor` asks: which tools are here, in which version, and how to get the rest.

Each package answers for its own tools through the entry points `spikeloom.doctor`: a callable
without arguments that returns a list of `Check`. None of them imports what it looks for, so the
doctor works when everything is missing.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, entry_points, requires, version

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

GROUP = "spikeloom.doctor"
PYTHON = (3, 11)
_CORE = ("numpy", "click", "rich", "msgspec", "safetensors", "scikit-learn", "jinja2", "matplotlib")
_TRAIN = ("torch", "brevitas", "setuptools")
_HOST = ("pyserial", "cobs")
DISTRIBUTION = "spikeloom"


@dataclass(frozen=True, kw_only=True)
class Check:
    """What was found of one tool.

    Attributes:
        name: the tool, as a user knows it.
        ok: it is here, in a version that can be used.
        version: its version, and where it was found if that matters; empty when absent.
        fix: the exact command or step that mends it; empty when ok.
        needed: False for what only an extra that is not installed would use.
    """

    name: str
    ok: bool
    version: str = ""
    fix: str = ""
    needed: bool = True


def installed(package: str) -> str | None:
    """Version of an installed Python package, without importing it."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def accepted(package: str) -> SpecifierSet:
    """The versions of a Python package that Spikeloom takes: those of `pyproject.toml`."""
    try:
        lines = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        lines = []
    ranges = [line for line in map(Requirement, lines) if line.name.lower() == package.lower()]
    return SpecifierSet(",".join(str(line.specifier) for line in ranges if line.specifier))


def takes(package: str, found: str) -> bool:
    """Whether `found`, a version as a tool states it, is one that `accepted` holds.

    Of "0.33+34" or "0.7-54-g1234567" the release counts, 0.33 or 0.7. What states none is not.
    """
    release = re.match(r"\d+(\.\d+)*", found)
    return release is not None and accepted(package).contains(release[0])


def package_checks(packages: Sequence[str], extra: str | None = None) -> list[Check]:
    """One check a Python package.

    An extra of which only shared packages are here was not asked for: what it lacks is listed,
    but not needed. `packages[0]` is the one that tells.
    """
    found = {package: installed(package) for package in packages}
    needed = extra is None or found[packages[0]] is not None
    return [_package_check(package, here, extra, needed) for package, here in found.items()]


def _package_check(package: str, here: str | None, extra: str | None, needed: bool) -> Check:
    if here is None:
        target = DISTRIBUTION if extra is None else f"{DISTRIBUTION}[{extra}]"
        return Check(name=package, ok=False, fix=f"pip install '{target}'", needed=needed)
    if takes(package, here):
        return Check(name=package, ok=True, version=here)
    wanted = f"{package}{accepted(package)}"
    return Check(
        name=package,
        ok=False,
        version=f"{here}, but {wanted} is needed",
        fix=f"pip install '{wanted}'",
        needed=needed,
    )


def program_version(command: Sequence[str]) -> str | None:
    """First line that a program prints about itself, or None when it is not there or fails."""
    if shutil.which(command[0]) is None:
        return None
    try:
        done = subprocess.run(  # fixed commands, no shell
            list(command), capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = [line for line in (done.stdout or done.stderr).splitlines() if line.strip()]
    return lines[0].strip() if done.returncode == 0 and lines else None


def checks() -> list[Check]:
    """This package's own tools: Python, the core dependencies, the extras `host` and `train`."""
    here = sys.version_info[:2]
    python = Check(
        name="python",
        ok=here >= PYTHON,
        version=".".join(map(str, sys.version_info[:3])),
        fix="" if here >= PYTHON else "install Python 3.11 or newer and make a new environment",
    )
    return [
        python,
        *package_checks(_CORE),
        *package_checks(_HOST, "host"),
        *package_checks(_TRAIN, "train"),
    ]


def all_checks() -> list[Check]:
    """Every check of every installed package; a package that cannot answer is a failed check."""
    found = checks()
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name, reverse=True):
        try:
            found += point.load()()
        except Exception as error:  # a doctor reports what is broken and goes on
            reason = " ".join(str(error).split())
            fix = f"{reason}; reinstall: pip install --force-reinstall 'spikeloom[{point.name}]'"
            found.append(Check(name=point.module, ok=False, fix=fix))
    return found
