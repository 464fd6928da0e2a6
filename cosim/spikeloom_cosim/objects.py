"""Compiles a C++ file, or takes what an earlier compilation by the very same command made.

    objects.py CACHE TOOLS COMMAND …

Verilator's run-time library is most of a first compilation, and the same for every design. `make`
calls this in place of the compiler. What is kept is named after a hash of the whole command, the
text of the file and the versions of the tools, so that a flag that differs cannot be forgotten.
Every other file is just compiled.

It runs as a program of its own, once a file, and imports nothing that takes long.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

RULES = "verilated.mk"
"""Lies beside the sources of Verilator's run-time library."""


def main(cache: Path, tools: str, command: list[str]) -> int:
    """Run a compiler's command, or save it; returns the exit code."""
    source = Path(command[-1])
    if "-o" not in command or not (source.parent / RULES).is_file():
        os.execvp(command[0], command)
    output = Path(command[command.index("-o") + 1])
    kept = cache / f"object-{_digest(tools.encode(), *map(os.fsencode, command), _read(source))}.o"
    if kept.is_file():
        shutil.copyfile(kept, output)
        return 0
    code = subprocess.run(command, check=False).returncode
    if code == 0:
        _keep(output, kept)
    return code


def _read(source: Path) -> bytes:
    try:
        return source.read_bytes()
    except OSError:
        return b""  # the compiler says what is wrong


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:24]


def _keep(made: Path, kept: Path) -> None:
    """Copy an object into the cache, whole or not at all, whoever else does the same."""
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".new-") as scratch:
        copy = Path(scratch) / made.name
        shutil.copyfile(made, copy)
        copy.replace(kept)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
