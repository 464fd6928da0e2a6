"""Fuzzes what reads a user's file or a device's answers, guided by coverage (atheris, libFuzzer).

    python -m pip install -c constraints.txt -e '.[fuzz]'
    python benchmarks/fuzz_loaders.py

Whatever is in a file, its loader returns or raises `UserError` of one line: no other exception, no
input that takes ten seconds, no more than two gigabytes in all and half of one at once. An input
that breaks this is written to the working folder (`fuzz-LOADER-…`), and the exit code is 1. A
network's checksum stops nearly all changed files, so `unsealed-network` reads without it; and that
of a frame nearly all changed answers, so `device` is one that seals what the fuzzer makes up.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import click

from fuzzing.loaders import LOADERS
from spikeloom.cli.console import Console, json_option, table
from spikeloom.stamp import stamp, write_result
from spikeloom_hw.synth.tools import available_cores

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "proof" / "fuzz.json"
SHARES = {
    "network": 0.2,
    "unsealed-network": 0.3,
    "config": 0.05,  # twenty times as slow as the others
    "idx": 0.1,
    "idx-gz": 0.1,
    "design": 0.15,
    "device": 0.1,
}
PACKAGES = ("atheris", "numpy", "msgspec", "safetensors")


@click.command()
@click.option("--inputs", type=click.IntRange(min=100), default=1_100_000, show_default=True)
@click.option("--seed", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--jobs", type=click.IntRange(min=1), default=available_cores)
@click.option("--results", type=click.Path(path_type=Path, dir_okay=False), default=RESULTS)
@json_option
def main(inputs: int, seed: int, jobs: int, results: Path, as_json: bool) -> None:
    """Fuzz everything that reads a user's file, and the driver of a device."""
    if find_spec("atheris") is None:
        raise click.UsageError(
            "atheris is missing: python -m pip install -c constraints.txt -e '.[fuzz]'"
        )
    console = Console(as_json=as_json)
    origin = stamp(*PACKAGES)
    console.note(f"{inputs:,} inputs, seed {seed}")

    def fuzz(name: str) -> dict[str, object]:
        done = _fuzz(name, round(inputs * SHARES[name]), seed)
        track.advance()
        return done

    with console.track(len(LOADERS), "loaders") as track, ThreadPoolExecutor(jobs) as pool:
        found = list(pool.map(fuzz, LOADERS))
    document = {
        "schema": 1,
        "seed": seed,
        "inputs": sum(int(str(own["inputs"])) for own in found),
        "loaders": found,
    }
    document = write_result(results, document, origin)
    columns = ["loader", "inputs", "megabytes", "failed"]
    rows = [[own["name"], own["inputs"], own["megabytes"], own["failed"]] for own in found]
    console.result(document, table("Loaders", rows, columns=columns))
    if any(own["failed"] for own in found):
        sys.exit(1)


def _fuzz(name: str, runs: int, seed: int) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-m", "fuzzing.worker", name, str(runs), str(seed)],
        capture_output=True,
        text=True,
        errors="replace",
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, sys.path)])},
    )

    def told(what: str) -> int:
        found = re.search(rf"stat::{what}:\s+(\d+)", done.stderr)
        return int(found[1]) if found else 0

    failed = done.returncode != 0 or told("number_of_executed_units") < runs
    if failed:
        sys.stderr.write(done.stdout + done.stderr)
    return {
        "name": name,
        "inputs": told("number_of_executed_units"),
        "new_units": told("new_units_added"),
        "megabytes": told("peak_rss_mb"),
        "failed": failed,
    }


if __name__ == "__main__":
    main()
