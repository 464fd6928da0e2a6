"""One loader under libFuzzer, in a process of its own: python -m fuzzing.worker LOADER RUNS SEED.

Ends with code 0 when no input made the loader raise anything but `UserError`, hang, or take more
memory than `MEGABYTES`.
"""

from __future__ import annotations

import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

MEMORY = Path("/dev/shm")
"""A file in memory is written ten times as fast."""
MEGABYTES = 2048
SECONDS = 10
LONGEST = 4096
"""Bytes of an input."""


def main(loader: str, runs: int, seed: int) -> None:
    """Fuzz; does not return."""
    # An optional package, without types.
    atheris: Any = import_module("atheris")
    with atheris.instrument_imports(include=["spikeloom", "spikeloom_hw"]):
        from fuzzing.loaders import LOADERS, survive

    chosen = LOADERS[loader]
    folder = Path(
        tempfile.mkdtemp(prefix="spikeloom-fuzz-", dir=MEMORY if MEMORY.is_dir() else None)
    )
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, content in enumerate(chosen.seeds()):
        (corpus / f"seed{number}").write_bytes(content)
    path = folder / chosen.name
    chosen.prepare()

    options = {
        "runs": runs,
        "seed": seed,
        "max_len": LONGEST,
        "len_control": 0,
        "timeout": SECONDS,
        "rss_limit_mb": MEGABYTES,
        "malloc_limit_mb": MEGABYTES // 4,
        "print_final_stats": 1,
        "artifact_prefix": f"{Path.cwd()}/fuzz-{loader}-",
    }
    atheris.Setup(
        [sys.argv[0], *(f"-{name}={value}" for name, value in options.items()), str(corpus)],
        lambda data: survive(chosen, path, data),
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
