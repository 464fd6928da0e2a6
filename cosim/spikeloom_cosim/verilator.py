"""The only module that knows the simulator: compiles a test bench and runs it.

A bench drives itself, or a C++ program drives it, or cocotb does, which means Python. Each is one
call of Verilator, which calls make; so all that decides a program stands in `Compilation`. The
variables that cocotb takes are those of its documentation ("Environment variables").
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import find_libpython
from cocotb_tools import config
from cocotb_tools.check_results import get_results

from spikeloom.files import cache_folder
from spikeloom_cosim import objects
from spikeloom_cosim.environment import own_environment
from spikeloom_cosim.toolchain import Toolchain

LOG = "build.log"
FAILED = "failed"
"""Folder of the cache with the logs of what failed."""

COMPILER_FLAGS = ("-CFLAGS", "-std=c++20", "-LDFLAGS", "-pthread")
# The bench names the few signals that Python touches; public ones everywhere cost half the speed.
FLAGS = (
    "--cc",
    "--exe",
    "--build",
    "--timing",
    "--x-assign", "unique",
    *COMPILER_FLAGS,
    "-Wno-TIMESCALEMOD",  # generated Verilog has no time scale
    "-Wno-UNOPTFLAT",  # a matter of speed only
)  # fmt: skip
COVERAGE = (
    "--coverage-line",
    "--coverage-toggle",
    "--fno-inline",  # a module that is inlined into its parent loses its points
)
COCOTB = (
    "--vpi",
    "--prefix", "Vtop",
    "-LDFLAGS", f"-Wl,-rpath,{config.libs_dir} -L{config.libs_dir} -lcocotbvpi_verilator",
)  # fmt: skip
# One file: shared headers and many files are of use where there are many processors.
ALONE = ("--output-split", "0")
GENERATED = """`verilator_config
lint_off -file "*/{name}"
"""
"""Control file for a generated source: words of unequal width and constant comparisons are the
everyday of a generator, and nobody's mistake. What is an error stays one."""
CONTROL = "generated.vlt"
HARNESS = "harness.cpp"
OBJECTS = "objects"
ODD = "surrogateescape"
"""Whatever bytes a person has put into a comment are compiled as they are."""
MAKE_VARIABLES = {
    "OPT_FAST": "-O1",
    "OPT_SLOW": "-O0",
    "OPT_GLOBAL": "-O1",
    # A Verilator configured without a compiler leaves this empty, and then no design compiles that
    # is large enough for precompiled headers.
    "CFG_CXXFLAGS_PCH_I": "-include",
}


class CompileError(Exception):
    """The sources do not compile; the message is the first error.

    Attributes:
        of_verilog: Verilator refuses the Verilog; else the C++ compiler or the linker failed.
    """

    def __init__(self, log: Path) -> None:
        kind, line = _complaint(_text(log))
        self.of_verilog = kind in ("verilog", "style")
        super().__init__(line)


class SimulationError(Exception):
    """The simulation ended without a result; the message is the first error in its log."""


def broke_down(log: Path) -> SimulationError:
    """What a simulation's log says of its end; the log is kept."""
    return SimulationError(f"{first_error(log)} (its log: {keep_log(log)})")


@dataclass(frozen=True, kw_only=True, eq=False)
class Compilation:
    """What is compiled, and how: all that decides the program, besides the tools.

    Attributes:
        sources: contents of each Verilog file, by its name. Verilator's advice on style is not
            asked for in the first, which is generated.
        top: the top module; the program is named after it.
        program: name of what is made.
        cocotb: Python drives the top module.
        harness: text of the C++ program that drives the top module. With neither it drives itself,
            and starts in milliseconds.
        waves: able to write a VCD file.
        coverage: the program counts the lines that ran and the bits that toggled.
    """

    sources: Mapping[str, str]
    top: str
    program: str
    cocotb: bool = False
    harness: str | None = None
    waves: bool = False
    coverage: bool = False

    @property
    def files(self) -> dict[str, str]:
        """Everything that is compiled, by name: what is told to Verilator, in its order."""
        generated, *_ = self.sources
        harness = {} if self.harness is None else {HARNESS: self.harness}
        return {CONTROL: GENERATED.format(name=generated), **self.sources, **harness}

    @property
    def flags(self) -> list[str]:
        """Of Verilator."""
        own = [*FLAGS, "--top-module", self.top, "-o", self.program]
        own += COCOTB if self.cocotb else ALONE
        if not self.cocotb and self.harness is None:
            own.append("--main")
        own += ["--trace"] if self.waves else []
        return [*own, *(COVERAGE if self.coverage else ())]

    def key(self, tools: Toolchain) -> str:
        """A hash of all that decides the program."""
        make = tools.environment(make_variables=MAKE_VARIABLES)["MAKEFLAGS"]
        parts = [self.flags, self.files, make, tools.fingerprint]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


def compile_program(tools: Toolchain, what: Compilation, *, folder: Path, cache: Path) -> None:
    """Compile a test bench with the design in it.

    Args:
        tools: what compiles.
        what: to compile.
        folder: where all of it happens, without a space in its path; afterwards it holds the
            program and `LOG`.
        cache: folder that keeps the objects of Verilator's run-time library.

    Raises:
        CompileError: Verilator or the compiler refuses the sources.
    """
    for name, text in what.files.items():
        (folder / name).write_text(text, errors=ODD)
    variables = {**MAKE_VARIABLES, "OBJCACHE": str(_object_cache(tools, folder, cache))}
    command = [str(tools.verilator), *what.flags, "--Mdir", str(folder)]
    command += ["--build-jobs", str(os.cpu_count() or 1)]
    if what.cocotb:
        command.append(str(config.share_dir / "lib" / "verilator" / "verilator.cpp"))
    command += [str(folder / name) for name in what.files]
    with (folder / LOG).open("wb") as log:
        done = subprocess.run(
            command,
            cwd=folder,
            env=tools.environment(make_variables=variables),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        raise CompileError(folder / LOG)


def _object_cache(tools: Toolchain, folder: Path, cache: Path) -> Path:
    """A script that make calls in front of the compiler; its name has no space."""
    program = [sys.executable, "-I", "-S", objects.__file__]
    words = [*program, str(cache.resolve()), json.dumps(tools.fingerprint)]
    script = folder / OBJECTS
    script.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    script.chmod(0o755)
    return script


def run_program(
    program: Path, *, folder: Path, log: Path, plusargs: Mapping[str, int | None]
) -> None:
    """Run a program that needs no Python, in `folder`.

    Raises:
        SimulationError: the simulator broke down.
    """
    code = _run(program, folder=folder, log=log, plusargs=plusargs, environment=own_environment())
    if code != 0:
        raise broke_down(log)


def run_bench(
    *,
    build: Path,
    top: str,
    module: str,
    folder: Path,
    log: Path,
    plusargs: Mapping[str, int | None],
) -> tuple[int, int]:
    """Run a compiled test bench with its cocotb test.

    Args:
        build: the folder that holds the program.
        top: the top module.
        module: Python module of the cocotb test.
        folder: the simulation's working folder.
        log: where its output goes.
        plusargs: settings of the bench; None is a flag without a value.

    Returns:
        Number of cocotb tests that ran, and of those that failed.

    Raises:
        SimulationError: the simulator ended before cocotb could report.
    """
    results = folder.resolve() / "results.xml"
    environment = own_environment(
        COCOTB_TOPLEVEL=top,
        COCOTB_TEST_MODULES=module,
        COCOTB_RESULTS_FILE=str(results),
        TOPLEVEL_LANG="verilog",
        GPI_USERS=f"{find_libpython.find_libpython()};{config.pygpi_entry_point()}",
        PYGPI_PYTHON_BIN=sys.executable,
        PYTHONPATH=os.pathsep.join(sys.path),
    )
    # The results tell which tests failed, so the exit code tells nothing more.
    _run(build / top, folder=folder, log=log, plusargs=plusargs, environment=environment)
    try:
        return get_results(results)
    except RuntimeError:
        raise broke_down(log) from None


def _run(
    program: Path,
    *,
    folder: Path,
    log: Path,
    plusargs: Mapping[str, int | None],
    environment: Mapping[str, str],
) -> int:
    words = [
        f"+{name}" if value is None else f"+{name}={value}" for name, value in plusargs.items()
    ]
    with log.open("wb") as output:
        return subprocess.run(
            [str(program), *words],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode


_ERRORS = {
    "verilog": re.compile(r"^%Error[^:\n]*: (?!Exiting|Command Failed|make )(.+)", re.MULTILINE),
    # The compiler, the linker, the loader; not what make and the linker's driver add.
    "program": re.compile(
        r"^((?!collect2|make|clang(?:\+\+)?: error: linker).*"
        r"(?:\b(?:fatal )?error: |undefined reference to|undefined symbol|cannot find -l|"
        r"multiple definition of|not found \(required by|No such file or directory).*)",
        re.MULTILINE,
    ),
    "style": re.compile(r"^%Warning[^:\n]*: (.+)", re.MULTILINE),
}
"""Lines that say what failed, by what they are about, the gravest kind first."""


def first_error(log: Path) -> str:
    """The first line in a log of this module that says what failed."""
    return _complaint(_text(log))[1]


def _complaint(text: str) -> tuple[str | None, str]:
    for kind, pattern in _ERRORS.items():
        if found := pattern.search(text):
            return kind, found[1].strip()
    return None, (text.strip().splitlines() or ["it left no message"])[-1]


def keep_log(log: Path, cache: Path | None = None) -> Path:
    """A copy of a log that goes with its folder, which stays: in the cache, by its contents."""
    folder = (cache_folder("verilator") if cache is None else cache) / FAILED
    kept = folder / f"{hashlib.sha256(_text(log).encode()).hexdigest()[:12]}.log"
    with suppress(OSError):  # what failed is to be told even where the cache cannot be written
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(log, kept)
    return kept


def _text(log: Path) -> str:
    return log.read_text(errors="replace") if log.exists() else ""
