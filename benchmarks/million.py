"""A million samples of 784 bytes, more than a run should hold: memory, speed, and a killed run.

The samples lie in an uncompressed npz, which is mapped. A run is killed within its epoch and taken
up again; its peak of memory, mapped pages included, is that of the process (`ru_maxrss`).

    python benchmarks/million.py
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np

from spikeloom.stamp import stamp, write_result

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "benchmarks" / "results" / "million.json"
PACKAGES = ("torch", "numpy")
SIDE, CLASSES = 28, 10
CHUNK = 10_000
TRAINED = 0.8 * 0.8
"""Share of the samples that train: what the test and validation splits leave."""
MAIN = [sys.executable, "-c", "from spikeloom.cli.app import main; main()"]
TOML = """
[data]
time_steps = 2
[network]
hidden = [32]
[sparsity]
method = "static"
density = 0.2
[training]
epochs = 1
batch_size = 1000
checkpoint_seconds = 2.0
"""


def make(path: Path, samples: int) -> None:
    """An npz of noise with a bright row for each class, written in chunks."""
    random = np.random.default_rng(0)
    folder = path.parent
    x = np.lib.format.open_memmap(folder / "x.npy", "w+", np.uint8, (samples, SIDE, SIDE))
    y = np.arange(samples) % CLASSES
    for start in range(0, samples, CHUNK):
        own = slice(start, min(start + CHUNK, samples))
        values = random.integers(0, 120, (own.stop - start, SIDE, SIDE), dtype=np.uint8)
        values[np.arange(len(values)), 2 * y[own] + 4] = 220
        x[own] = values
    x.flush()
    np.savez(path, x=x, y=y)
    (folder / "x.npy").unlink()


def run(command: list[str], *, kill_when: Path | None = None) -> tuple[float, int, int]:
    """Seconds, exit status and peak kilobytes of a command; killed when a file is there."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    if kill_when is not None:
        while not kill_when.exists() and process.poll() is None:
            time.sleep(0.2)
        time.sleep(5.0)
        process.send_signal(signal.SIGKILL)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if kill_when is None:
        click.echo(said, err=True)
    return time.perf_counter() - started, status, usage.ru_maxrss


@click.command()
@click.option("--samples", type=int, default=1_000_000, show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), default=RESULT, show_default=True)
def main(samples: int, output: Path) -> None:
    """Train on a million samples, killed once, and write what it took."""
    origin = stamp(*PACKAGES)
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        folder = Path(scratch)
        data, toml, out = folder / "million.npz", folder / "run.toml", folder / "run"
        make(data, samples)
        toml.write_text(TOML)
        command = [*MAIN, "train", str(toml), "-o", str(out), "--data", str(data)]
        killed = run(command, kill_when=out / "progress.safetensors")
        finished = run(command)
        trained = folder / "run" / "train.json"
        if finished[1] or not trained.is_file():
            raise click.ClickException("the run that was taken up again did not finish")
        history = (out / "history.jsonl").read_text().splitlines()
        document = {
            "samples": samples,
            "bytes_a_sample": SIDE * SIDE,
            "killed": {"seconds": round(killed[0], 1), "peak_mib": killed[2] // 1024},
            "resumed": {"seconds": round(finished[0], 1), "peak_mib": finished[2] // 1024},
            "epoch": json.loads(history[-1]),
        }
    epoch = document["epoch"]
    # An epoch trains on what is left after 20 % test and 20 % validation, and validates.
    document["samples_per_second"] = round(TRAINED * samples / epoch["seconds"])
    write_result(output, document, origin)
    click.echo(f"{document['samples_per_second']:,} samples a second, peak {finished[2] >> 10} MiB")


if __name__ == "__main__":
    main()
