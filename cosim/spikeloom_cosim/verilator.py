"""The only module that knows the simulator: compiles a test bench and runs it, through cocotb.

Verilator's own run-time library is most of a first compilation. Its objects do not depend on the
design, so they are kept and linked into every later build (`runtime`).
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from cocotb_tools.check_results import get_results
from cocotb_tools.runner import get_runner

from spikeloom_cosim.toolchain import Toolchain

RUNTIME = "runtime.o"
LOG = "build.log"

COMPILER_FLAGS = ("-CFLAGS", "-std=c++20", "-LDFLAGS", "-pthread")
# The bench names the few signals that Python touches; public ones everywhere cost half the speed.
FLAGS = (
    "--no-public-flat-rw",
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
GENERATED = """`verilator_config
lint_off -file "*/{name}"
"""
"""Control file for a generated source: words of unequal width and constant comparisons are the
everyday of a generator, and nobody's mistake. What is an error stays one."""
MAKE_VARIABLES = {
    "OPT_FAST": "-O1",
    "OPT_SLOW": "-O0",
    "OPT_GLOBAL": "-O1",
    # A Verilator configured without a compiler leaves this empty, and then no design compiles that
    # is large enough for precompiled headers.
    "CFG_CXXFLAGS_PCH_I": "-include",
}
WAVE_OBJECT = "verilated_vcd_c"

_ENVIRONMENT = threading.Lock()


class CompileError(Exception):
    """The sources do not compile; the message is the first error that Verilator reported."""


class SimulationError(Exception):
    """The simulation ended without a result; the message is the end of its log."""


def compile_bench(
    tools: Toolchain,
    generated: Path,
    bench: Path,
    *,
    top: str,
    folder: Path,
    waves: bool,
    runtime: Path | None = None,
) -> None:
    """Compile a test bench with the design in it.

    Args:
        tools: what compiles.
        generated: a Verilog file, in which Verilator's advice on style is not asked for.
        bench: the SystemVerilog file with the top module, in which it is.
        top: the top module; the program is named after it.
        folder: where all of it happens; afterwards it holds the program, `LOG` and `RUNTIME`.
        waves: able to write a VCD file.
        runtime: `RUNTIME` of an earlier compilation with the same tools.

    Raises:
        CompileError: Verilator or the compiler refuses the sources.
    """
    control = folder / "generated.vlt"
    control.write_text(GENERATED.format(name=generated.name))
    variables = dict(MAKE_VARIABLES)
    if runtime is not None:
        (folder / RUNTIME).write_bytes(runtime.read_bytes())
        variables |= {
            "VM_GLOBAL_FAST": WAVE_OBJECT if waves else "",
            "VM_GLOBAL_SLOW": "",
            "USER_LDLIBS": RUNTIME,
        }
    runner = get_runner("verilator")
    with _environment(tools.environment(make_variables=variables)):
        try:
            runner.build(
                sources=[control, generated, bench],
                hdl_toplevel=top,
                build_args=FLAGS,
                waves=waves,
                build_dir=folder,
                log_file=folder / LOG,
            )
        except RuntimeError:
            raise CompileError(first_error(folder / LOG)) from None
    if runtime is None:
        _keep_runtime(tools, folder)


def compile_program(
    tools: Toolchain,
    generated: Path,
    sources: Sequence[Path],
    *,
    top: str,
    program: str,
    folder: Path,
    coverage: bool,
    harness: Path | None = None,
    runtime: Path | None = None,
) -> None:
    """Compile a test bench that needs no Python: it starts in milliseconds.

    Args:
        tools: what compiles.
        generated: a Verilog file, in which Verilator's advice on style is not asked for.
        sources: the other files; the top module is in one of them.
        top: the top module.
        program: name of what is made.
        folder: where all of it happens; afterwards it holds the program, `LOG` and `RUNTIME`.
        coverage: the program counts the lines that ran and the bits that toggled.
        harness: a C++ file with `main`, which drives the top module; None lets it drive itself.
        runtime: `RUNTIME` of an earlier compilation with the same tools and `coverage`.

    Raises:
        CompileError: Verilator or the compiler refuses the sources.
    """
    control = folder / "generated.vlt"
    control.write_text(GENERATED.format(name=generated.name))
    variables = dict(MAKE_VARIABLES)
    if runtime is not None:
        (folder / RUNTIME).write_bytes(runtime.read_bytes())
        variables |= {"VM_GLOBAL_FAST": "", "VM_GLOBAL_SLOW": "", "USER_LDLIBS": RUNTIME}
    # One file: shared headers and many files are of use where there are many processors.
    kind = ["--binary"] if harness is None else ["--cc", "--exe", "--build"]
    command = [str(tools.verilator), *kind, "--output-split", "0"]
    command += ["--Mdir", str(folder), "--top-module", top]
    command += ["-o", program, *FLAGS, *(COVERAGE if coverage else ())]
    command += [str(path) for path in (control, generated, *sources)]
    command += [str(harness)] if harness else []
    environment = {**os.environ, **tools.environment(make_variables=variables)}
    with (folder / LOG).open("wb") as log:
        done = subprocess.run(
            command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode != 0:
        raise CompileError(first_error(folder / LOG))
    if runtime is None:
        _keep_runtime(tools, folder)


def run_program(
    program: Path, *, folder: Path, log: Path, plusargs: Mapping[str, int | None]
) -> None:
    """Run what `compile_program` made, in `folder`.

    Raises:
        SimulationError: the simulator broke down.
    """
    with log.open("wb") as output:
        done = subprocess.run(
            [str(program), *_plusargs(plusargs)],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        raise SimulationError(first_error(log))


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
    # The runner raises, or under pytest exits, when a test failed: the results file tells it all.
    with suppress(RuntimeError, SystemExit):
        get_runner("verilator").test(
            test_module=module,
            hdl_toplevel=top,
            hdl_toplevel_lang="verilog",
            build_dir=build,
            test_dir=folder,
            results_xml=str(results),
            log_file=log,
            plusargs=_plusargs(plusargs),
        )
    try:
        return get_results(results)
    except RuntimeError:
        raise SimulationError(first_error(log)) from None


def _keep_runtime(tools: Toolchain, folder: Path) -> None:
    objects = sorted(path.name for path in folder.glob("verilated*.o") if path.stem != WAVE_OBJECT)
    subprocess.run(
        [str(tools.compiler), "-r", "-nostdlib", "-o", RUNTIME, *objects],
        cwd=folder,
        check=True,
        capture_output=True,
    )


def _plusargs(settings: Mapping[str, int | None]) -> list[str]:
    return [f"+{name}" if value is None else f"+{name}={value}" for name, value in settings.items()]


def first_error(log: Path) -> str:
    """The first error in a log of this module, in one line."""
    text = log.read_text(errors="replace") if log.exists() else ""
    for pattern in (r"%Error[^:]*: (?!Exiting)(.+)", r"%Warning[^:]*: (.+)", r"(.*\berror: .+)"):
        if found := re.search(pattern, text):
            return found[1].strip()
    return (text.strip().splitlines() or ["it left no message"])[-1]


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for a while: cocotb's runner looks for its tools there."""
    with _ENVIRONMENT:
        before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
