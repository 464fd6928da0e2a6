"""A process that has imported what others wrote, and forks a child for each session of tests.

    python -m python_mutants.server numpy torch    # a job a line on stdin, a report on stdout

Torch, Amaranth and the rest take seconds to import, a session often less than one. The packages
under test are imported in the child alone, each time anew.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
import tempfile
import time
import warnings
from contextlib import suppress
from pathlib import Path

import msgspec

from python_mutants.job import Job, Report

POLL_S = 0.01


def main() -> None:
    """Import what is named, and serve until stdin ends."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in sys.argv[1:]:
            importlib.import_module(name)
    gc.freeze()
    log = Path(".cache", "session.log")
    for line in sys.stdin:
        report = _session(msgspec.json.decode(line, type=Job), log)
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
        sys.stdout.flush()


def _session(job: Job, log: Path) -> Report:
    started = time.monotonic()
    asked_by = os.getppid()
    with tempfile.NamedTemporaryFile(prefix="spikeloom-report-") as answer:
        child = os.fork()
        if child == 0:
            _child(job, log, Path(answer.name))
        ended = False
        while time.monotonic() - started < job.limit_s and os.getppid() == asked_by:
            ended = os.waitpid(child, os.WNOHANG) != (0, 0)
            if ended:
                break
            time.sleep(POLL_S)
        # What a test has left behind must not disturb the next session.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
        if not ended:
            os.waitpid(child, 0)
            seconds = time.monotonic() - started
            return Report(outcome="timeout", seconds=seconds)
        text = Path(answer.name).read_bytes()
        return msgspec.json.decode(text, type=Report) if text else Report()


def _child(job: Job, log: Path, answer: Path) -> None:
    os.setpgid(0, 0)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    code = 1
    try:
        from python_mutants.session import run

        answer.write_bytes(msgspec.json.encode(run(job)))
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
