"""Compiles a core with its test bench, once for each text, way of compiling and set of tools.

The memory files (`*.mem`) take no part: the simulator reads them when it starts, in the folder it
runs in. So another network of the same shape, or a fault planted in a weight, needs no compilation.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from spikeloom.errors import UserError
from spikeloom.files import cache_folder
from spikeloom_cosim.bench import TOP, render_bench
from spikeloom_cosim.shape import CoreShape
from spikeloom_cosim.toolchain import Toolchain
from spikeloom_cosim.verilator import (
    LOG,
    ODD,
    Compilation,
    CompileError,
    compile_program,
    keep_log,
)

KEPT = 200
"""Compiled benches kept in the cache; the one longest unused goes first."""

CORE = "core.v"
BENCH = f"{TOP}.sv"
ALONE = Path(__file__).parent / "templates" / "alone.sv"
"""The top module of a bench without cocotb."""


@dataclass(frozen=True, kw_only=True)
class Build:
    """A compiled test bench.

    Attributes:
        folder: holds the program and the log of its compilation.
        cached: it had been compiled before.
        seconds: what it took now.
        alone: the program runs without cocotb.
    """

    folder: Path
    cached: bool
    seconds: float
    alone: bool = False


def build_bench(
    core: Path,
    shape: CoreShape,
    *,
    tools: Toolchain,
    waves: bool = False,
    alone: bool = False,
    coverage: bool = False,
    cache: Path | None = None,
) -> Build:
    """Compile a core with its test bench, or find it compiled in the cache.

    Args:
        core: a Verilog file with the module `spikeloom_core`.
        shape: its ports.
        tools: what compiles.
        waves: able to write a VCD file, and slower for it; not `alone`.
        alone: without cocotb, so that a run takes milliseconds to start: for many short ones.
        coverage: counts lines and toggles; only `alone`.
        cache: folder of compiled benches; None takes `spikeloom.files.cache_folder`.

    Raises:
        UserError: the file is missing or does not compile, or the cache cannot be written.
    """
    sources = {CORE: _read(core), BENCH: render_bench(shape, waves=waves)}
    if alone:
        sources[ALONE.name] = ALONE.read_text()
    what = Compilation(
        sources=sources,
        top=ALONE.stem if alone else TOP,
        program=TOP,
        cocotb=not alone,
        waves=waves,
        coverage=coverage,
    )
    return _cached(core, what, tools=tools, cache=cache)


def build_program(
    source: Path, bench: str, *, tools: Toolchain, cache: Path | None = None
) -> Build:
    """Compile a Verilog file with a bench that needs nothing else, or find it compiled.

    Args:
        source: the file.
        bench: text of the bench, the module `TOP`; it ends the simulation by itself.
        tools: what compiles.
        cache: folder of compiled benches; None takes `spikeloom.files.cache_folder`.

    Raises:
        UserError: the file is missing or does not compile, or the cache cannot be written.
    """
    what = Compilation(sources={CORE: _read(source), BENCH: bench}, top=TOP, program=TOP)
    return _cached(source, what, tools=tools, cache=cache)


def build_harness(
    source: Path, bench: str, harness: Path, *, tools: Toolchain, cache: Path | None = None
) -> Build:
    """Compile a Verilog file with a bench that a C++ program drives, or find it compiled.

    Args:
        source: the file.
        bench: text of the bench, the module `TOP`.
        harness: the program's `main`.
        tools: what compiles.
        cache: folder of compiled benches; None takes `spikeloom.files.cache_folder`.

    Raises:
        UserError: the file is missing or does not compile, or the cache cannot be written.
    """
    what = Compilation(
        sources={CORE: _read(source), BENCH: bench},
        top=TOP,
        program=TOP,
        harness=harness.read_text(),
    )
    return _cached(source, what, tools=tools, cache=cache)


def _read(core: Path) -> str:
    try:
        return core.read_text(errors=ODD)
    except OSError as error:
        raise UserError(
            f"cannot read {core}: {error.strerror}; generate the design again"
        ) from error


def _cached(core: Path, what: Compilation, *, tools: Toolchain, cache: Path | None) -> Build:
    """Compile, or find what was compiled in the same way of the same texts with the same tools."""
    started = time.perf_counter()
    cache = cache_folder("verilator") if cache is None else cache
    with _writing(cache):
        cache.mkdir(parents=True, exist_ok=True)
    place = cache / f"bench-{what.key(tools)}"
    cached = (place / what.program).is_file()
    if cached:
        os.utime(place)
    else:
        _compile(core, what, tools=tools, place=place)
        _prune(cache)
    seconds = time.perf_counter() - started
    return Build(folder=place, cached=cached, seconds=seconds, alone=not what.cocotb)


def _compile(core: Path, what: Compilation, *, tools: Toolchain, place: Path) -> None:
    # make refuses a folder with a space in its path, which a user's cache may have.
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        work = Path(scratch)
        try:
            compile_program(tools, what, folder=work, cache=place.parent)
        except CompileError as error:
            reason = str(error).replace(f"{work}{os.sep}", "")
            log = keep_log(work / LOG, place.parent)
            if error.of_verilog:
                sentence = f"{core} does not compile: {reason}; generate the design again"
            else:
                sentence = (
                    f"{tools.compiler} fails on the simulation of {core}: {reason}; "
                    "'spikeloom doctor' lists the tools"
                )
            raise UserError(f"{sentence}; the whole log is {log}") from None
        _store(place, [work / what.program, work / LOG])


def _store(place: Path, files: list[Path]) -> None:
    """Make the folder `place` of `files`, whole or not at all, whoever else does the same."""
    with (
        _writing(place.parent),
        tempfile.TemporaryDirectory(dir=place.parent, prefix=".new-") as scratch,
    ):
        new = Path(scratch) / place.name
        new.mkdir()
        for file in files:
            shutil.copy2(file, new)
        try:
            new.rename(place)
        except OSError:
            if not place.is_dir():  # else another process was first, with the same content
                raise


@contextmanager
def _writing(cache: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(
            f"cannot write the cache {cache}: {error.strerror}; "
            "set SPIKELOOM_CACHE to a folder that can be written"
        ) from error


def _prune(cache: Path) -> None:
    by_age = sorted(cache.glob("bench-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in by_age[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
