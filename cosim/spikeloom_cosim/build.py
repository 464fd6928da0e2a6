"""Compiles a core with its test bench, once for each distinct source text.

The memory files (`*.mem`) take no part: the simulator reads them when it starts, in the folder it
runs in. So another network of the same shape, or a fault planted in a weight, needs no compilation.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from spikeloom.errors import UserError
from spikeloom.files import cache_folder
from spikeloom_cosim import verilator
from spikeloom_cosim.bench import TOP, render_bench
from spikeloom_cosim.shape import CoreShape
from spikeloom_cosim.toolchain import Toolchain

KEPT = 200
"""Compiled benches kept in the cache; the one longest unused goes first."""

CORE = "core.v"
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
    bench = render_bench(shape, waves=waves)
    compiler = _compiler(tools)
    texts = [str(waves)]
    how = partial(_compile_bench, waves=waves)
    if alone:
        compiler += ["alone", *(verilator.COVERAGE if coverage else ())]
        texts += [ALONE.read_text()]
        how = partial(_compile_alone, coverage=coverage)
    return _cached(core, bench, texts, compiler, how=how, tools=tools, alone=alone, cache=cache)


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
    compiler = [*_compiler(tools), "alone", str(False)]
    return _cached(
        source, bench, [], compiler, how=_compile_program, tools=tools, alone=True, cache=cache
    )


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
    compiler = [*_compiler(tools), "alone", str(False)]
    texts = [harness.read_text()]
    how = partial(_compile_program, harness=harness)
    return _cached(source, bench, texts, compiler, how=how, tools=tools, alone=True, cache=cache)


def _compiler(tools: Toolchain) -> list[str]:
    return [*verilator.COMPILER_FLAGS, *verilator.MAKE_VARIABLES.values(), *tools.fingerprint]


def _cached(
    core: Path,
    bench: str,
    texts: Sequence[str],
    compiler: Sequence[str],
    *,
    how: Callable[[Toolchain, Path, Path | None], None],
    tools: Toolchain,
    alone: bool,
    cache: Path | None,
) -> Build:
    """Compile, or find what was compiled of the same texts; `compiler` decides the run-time."""
    started = time.perf_counter()
    cache = cache_folder("verilator") if cache is None else cache
    try:
        source = core.read_bytes()
    except OSError as error:
        raise UserError(
            f"cannot read {core}: {error.strerror}; generate the design again"
        ) from error
    with _writing(cache):
        cache.mkdir(parents=True, exist_ok=True)
    parts = [bench, *texts, verilator.GENERATED, *verilator.FLAGS, *compiler]
    place = cache / f"bench-{_digest(source, *map(str.encode, parts))}"
    cached = (place / TOP).is_file()
    if cached:
        os.utime(place)
    else:
        runtime = cache / f"runtime-{_digest(*map(str.encode, compiler))}"
        _compile(core, source, bench, how=how, tools=tools, place=place, runtime=runtime)
        _prune(cache)
    seconds = time.perf_counter() - started
    return Build(folder=place, cached=cached, seconds=seconds, alone=alone)


def _compile(
    core: Path,
    source: bytes,
    bench: str,
    *,
    how: Callable[[Toolchain, Path, Path | None], None],
    tools: Toolchain,
    place: Path,
    runtime: Path,
) -> None:
    # make refuses a folder with a space in its path, which a user's cache may have.
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        work = Path(scratch)
        (work / CORE).write_bytes(source)
        (work / f"{TOP}.sv").write_text(bench)
        kept = runtime / verilator.RUNTIME
        try:
            how(tools, work, kept if kept.is_file() else None)
        except verilator.CompileError as error:
            reason = str(error).replace(f"{work}{os.sep}", "")
            raise UserError(
                f"{core} does not compile: {reason}; generate the design again"
            ) from None
        if not kept.is_file():
            _store(runtime, [work / verilator.RUNTIME])
        _store(place, [work / TOP, work / verilator.LOG])


def _compile_bench(tools: Toolchain, work: Path, runtime: Path | None, *, waves: bool) -> None:
    verilator.compile_bench(
        tools,
        work / CORE,
        work / f"{TOP}.sv",
        top=TOP,
        folder=work,
        waves=waves,
        runtime=runtime,
    )


def _compile_alone(tools: Toolchain, work: Path, runtime: Path | None, *, coverage: bool) -> None:
    (work / ALONE.name).write_text(ALONE.read_text())
    verilator.compile_program(
        tools,
        work / CORE,
        [work / f"{TOP}.sv", work / ALONE.name],
        top=ALONE.stem,
        program=TOP,
        folder=work,
        coverage=coverage,
        runtime=runtime,
    )


def _compile_program(
    tools: Toolchain, work: Path, runtime: Path | None, *, harness: Path | None = None
) -> None:
    verilator.compile_program(
        tools,
        work / CORE,
        [work / f"{TOP}.sv"],
        top=TOP,
        program=TOP,
        folder=work,
        coverage=False,
        harness=harness,
        runtime=runtime,
    )


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


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:24]
