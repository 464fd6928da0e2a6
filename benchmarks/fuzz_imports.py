"""Damaged files of NIR for the importer: each is read, or refused in one sentence.

    python benchmarks/fuzz_imports.py --inputs 1000000

The reader of HDF5 has a process of its own in Spikeloom, since the library behind it hangs or
crashes on some files. Here one process reads many files, with a time limit for each; where a file
ends it, that is counted as `broke the reader`, which a user is told as a damaged file, and the next
process goes on. Whatever the reader says then goes through the rest of the importer, which may
raise `UserError` of one line and nothing else.
"""

from __future__ import annotations

import itertools
import json
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import click
import h5py
import numpy as np

from spikeloom.errors import UserError
from spikeloom.importers import hdf5
from spikeloom.importers.hdf5_child import answer
from spikeloom.importers.nir import read_nir
from spikeloom.stamp import stamp, write_result

HERE = Path(__file__).resolve().parent
WORDS = (b"\xff" * 8, bytes(8), (1 << 40).to_bytes(8, "little"), (1 << 63).to_bytes(8, "little"))


def node(kind: str, **fields: Any) -> dict[str, Any]:
    """A node of a graph."""
    return {"type": kind, **{name: np.asarray(value) for name, value in fields.items()}}


def seeds(folder: Path) -> list[bytes]:
    """Two sound files: a recurrent layer, and a convolution with a pool."""
    cuba = {"tau_syn": 0.01, "tau_mem": 0.02, "r": 1.0, "w_in": 1.0, "v_leak": 0, "v_threshold": 1}
    whole = {name: np.full(3, value) for name, value in cuba.items()}
    recurrent = {
        "in": node("Input", shape=[2]),
        "fc": node("Affine", weight=np.ones((3, 2)), bias=np.zeros(3)),
        "lif": node("CubaLIF", **whole),
        "back": node("Linear", weight=np.ones((3, 3))),
        "out": node("Output", shape=[3]),
    }
    fire = {"r": np.ones((3, 4, 4)), "v_threshold": np.ones((3, 4, 4))}
    maps = {
        "in": node("Input", shape=[2, 6, 6]),
        "conv": node("Conv2d", weight=np.ones((3, 2, 3, 3)), stride=[1, 1], padding=[0, 0]),
        "fire": node("IF", **fire),
        "pool": node("SumPool2d", kernel_size=[2, 2], stride=[2, 2], padding=[0, 0]),
        "flat": node("Flatten", start_dim=0, end_dim=-1),
        "fc": node("Linear", weight=np.ones((2, 12))),
        "last": node("IF", r=np.ones(2), v_threshold=np.ones(2)),
        "out": node("Output", shape=[2]),
    }
    loop = [("in", "fc"), ("fc", "lif"), ("lif", "back"), ("back", "lif"), ("lif", "out")]
    line = list(itertools.pairwise(maps))
    found = []
    for place, (nodes, edges) in enumerate(((recurrent, loop), (maps, line))):
        path = folder / f"seed{place}.nir"
        with h5py.File(path, "w") as file:
            group = file.create_group("node")
            group["type"] = "NIRGraph"
            group["edges"] = np.array(edges, dtype=h5py.string_dtype())
            for name, own in nodes.items():
                for field, value in own.items():
                    group[f"nodes/{name}/{field}"] = value
        read_nir(path)
        found.append(path.read_bytes())
    return found


def mutated(generator: random.Random, data: bytes) -> bytes:
    """Some bytes of `data` changed, or left out."""
    changed, kind = bytearray(data), generator.random()
    for _ in range(generator.choice((1, 1, 2, 4, 8, 30))):
        at = generator.randrange(len(changed))
        if kind < 0.5:
            changed[at] = generator.randrange(256)
        elif kind < 0.7:
            changed[at] ^= 1 << generator.randrange(8)
        elif kind < 0.85:
            changed[at : at + 8] = generator.choice(WORDS)
        else:
            del changed[at : at + generator.randrange(64)]
    return bytes(changed)


def work(first: int, last: int, seed: int) -> None:
    """Read inputs `first` to `last`; a line before each: the last tells who ended it."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    hdf5._run = lambda path: answer(str(path))
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        originals = seeds(Path(name))
        path = Path(name) / "graph.nir"
        for number in range(first, last):
            generator = random.Random(f"{seed} {number}")
            path.write_bytes(mutated(generator, generator.choice(originals)))
            sys.stdout.write(f"{json.dumps([number, counts, peak()])}\n")
            sys.stdout.flush()
            signal.setitimer(signal.ITIMER_REAL, 5)
            try:
                read_nir(path)
                counts["read"] += 1
            except UserError as error:
                counts["refused"] += 1
                if "\n" in str(error):
                    counts["not one sentence"] += 1
            except Exception as error:
                sys.stderr.write(f"{number}: {type(error).__name__}: {error}\n")
                counts["failed"] += 1
            signal.setitimer(signal.ITIMER_REAL, 0)
    sys.stdout.write(f"{json.dumps([last, counts, peak()])}\n")


def peak() -> int:
    """Kilobytes that this process has had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@click.command()
@click.option("--inputs", default=1_000_000, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--minutes", default=600.0, show_default=True, help="Stop after so long.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=HERE / "results" / "proof" / "fuzz_imports.json",
)
def main(inputs: int, seed: int, minutes: float, output: Path) -> None:
    """Read damaged files until all inputs are done, and write what became of them."""
    origin = stamp("numpy", "h5py")
    until = time.monotonic() + 60 * minutes
    total: Counter[str] = Counter()
    at = highest = 0
    while at < inputs and time.monotonic() < until:
        stop = min(inputs, at + 5000)
        command = [sys.executable, __file__, "work", str(at), str(stop), str(seed)]
        done = subprocess.run(command, capture_output=True, text=True)
        sys.stderr.write(done.stderr)
        number, counts, kilobytes = json.loads(done.stdout.splitlines()[-1])
        total.update(counts)
        highest = max(highest, kilobytes)
        broke = number < stop
        total["broke the reader"] += broke
        at = number + broke
    document = {
        "schema": 1,
        "benchmark": "fuzz_imports",
        "seed": seed,
        "inputs": at,
        "peak_kilobytes": highest,
        **total,
    }
    write_result(output, document, origin)
    click.echo(f"{at:,} inputs: {dict(total)}, {highest / 1024:.0f} MiB at most")
    sys.exit(1 if total["failed"] or total["not one sentence"] else 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["work"]:
        work(*map(int, sys.argv[2:5]))
    else:
        main()
