"""Training throughput against snnTorch and SpikingJelly, interleaved in one run.

    make bench              or      python benchmarks/training_speed.py --data-dir DIR

One network (784-512-10), one batch size, one device, one number of threads, the same MNIST images
as the same latency-coded events, made before the clock starts. What a step is:

| rival        | a step                                                                          |
| ------------ | ------------------------------------------------------------------------------- |
| spikeloom    | the trainer's own: 4-bit weights by Brevitas, masks, traces for regrowth, AdamW |
| snntorch     | float weights, dense, its documented loop; see `training_speed_peers.py`        |
| spikingjelly | float weights, dense, multi-step mode; see `training_speed_peers.py`            |

A rewiring happens once in many steps, so it is timed by itself and its share added to each step.

The peers live in a virtual environment of their own, which this script makes (`--peers`). Each
rival is a process; the processes take turns, a few steps each, so that whatever else the machine
does meets all of them. A round gives one ratio of times for each pair; the medians over the rounds
are reported with their quartiles, by the wall clock and by processor time. On one thread and a
busy machine the latter is the steadier one.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PEERS = {"snntorch": "1.0.0", "spikingjelly": "2.0.0"}
# SpikingJelly asks for torchvision, torchaudio and more, which this network never imports.
NEEDED = ["snntorch==1.0.0", "spikingjelly==2.0.0", "loguru", "tqdm"]
DEMANDED = {"snntorch": 2.0, "spikingjelly": 1.3}
BATCH, BATCHES, WARM_UP = 128, 8, 10


def config_text(time_steps: int, device: str, threads: int) -> str:
    """The TOML of our network: what the peers have, and quantisation and rewiring on top."""
    return f"""
[data]
name = "mnist"
time_steps = {time_steps}
[network]
hidden = [512]
[quantization]
weight_bits = 4
[sparsity]
ratio = "pq-layer"
regrow = "momentum"
start_epoch = 1
every_epochs = 1
stop_epoch = 1000000
[training]
epochs = 1000000
batch_size = {BATCH}
learning_rate = 1e-3
label_smoothing = 0.0
schedule = "constant"
threads = {threads}
device = "{device}"
"""


class Worker:
    """One rival in a process of its own, which times steps on request."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.about = self._answer()
        self._done = 0

    def steps(self, count: int) -> dict[str, float]:
        """Seconds a step, {"wall": ..., "busy": ...}, and the last loss."""
        answer = self._ask(f"{self._done} {count}")
        self._done += count
        return {
            "wall": answer["wall"] / count,
            "busy": answer["busy"] / count,
            "loss": answer["loss"],
        }

    def rewire(self) -> dict[str, float]:
        """Seconds of one rewiring, {"wall": ..., "busy": ...}."""
        return self._ask("0 0")

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *unused: object) -> None:
        self._process.terminate()
        self._process.wait()

    def _ask(self, request: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(request + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise click.ClickException(f"{self.name} ended: its own message stands above")
        return json.loads(line)


def serve_spikeloom(arrays: Path, time_steps: int, threads: int, device: str) -> None:
    """The worker of our own side: a request "0 0" rewires, any other one trains."""
    import torch

    from spikeloom import __version__
    from spikeloom.config import parse_config
    from spikeloom.datasets import Dataset, Split
    from spikeloom.datasets.split import digit_names
    from spikeloom.training.loop import train_batch
    from spikeloom.training.trainer import begin
    from training_speed_peers import serve

    config = parse_config(config_text(time_steps, device, threads), source="the benchmark")
    empty = Split(
        images=np.zeros((0, 784), dtype=np.uint8),
        labels=np.zeros(0, dtype=np.int64),
        index=np.zeros(0, dtype=np.int64),
    )
    dataset = Dataset(
        name="mnist",
        train=empty,
        validation=empty,
        test=empty,
        shape=(28, 28),
        class_names=digit_names(10),
    )
    state = begin(config, dataset)
    state.network.train()
    loaded = np.load(arrays)
    events = [torch.from_numpy(batch).to(state.device) for batch in loaded["events"]]
    labels = [torch.from_numpy(batch) for batch in loaded["labels"]]

    def step(batch: int) -> float:
        before = state.progress.loss
        train_batch(state, config.training, events[batch % BATCHES], labels[batch % BATCHES])
        return (state.progress.loss - before) / BATCH

    def rewire() -> None:
        state.progress.epoch += 1
        if state.rewirer.after_epoch(state.progress.epoch, state.optimizer) is None:
            raise RuntimeError("no rewiring was due")

    serve(step, __version__, rewire)


def prepare_peers(folder: Path) -> Path:
    """The interpreter of the peers' environment, which is made when it is missing."""
    python = folder / "bin" / "python"
    if not python.exists():
        click.echo(f"making {folder} for the peers", err=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    freeze = [python, "-m", "pip", "freeze"]
    have = subprocess.run(freeze, check=True, capture_output=True, text=True).stdout
    if not all(f"{name}=={version}" in have for name, version in PEERS.items()):
        pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        constraints = ["-c", ROOT / "constraints.txt"]
        subprocess.run([*pip, *constraints, "torch", "numpy"], check=True)
        subprocess.run([*pip, "--no-deps", *NEEDED], check=True)
    return python


def prepare_events(data_dir: Path | None, time_steps: int, path: Path) -> float:
    """Write the batches' events (bool [batches, B, T, 784]) and labels; events a sample."""
    from spikeloom.datasets import load_dataset
    from spikeloom.encoding import LatencyEncoding, encode

    train = load_dataset("mnist", data_dir).train
    count = BATCH * BATCHES
    events = encode(LatencyEncoding(), train.images[:count], time_steps)
    np.savez(
        path,
        events=events.reshape(BATCHES, BATCH, time_steps, -1),
        labels=train.labels[:count].reshape(BATCHES, BATCH),
    )
    return float(events.sum()) / count


def compare(
    workers: dict[str, Worker], rounds: int, steps: int, steps_per_rewiring: int
) -> dict[str, Any]:
    """Let the workers take turns; times in milliseconds a step, and our lead over each peer."""
    for worker in workers.values():
        worker.steps(WARM_UP)
    rewirings = [workers["spikeloom"].rewire() for _ in range(5)]
    rewiring = {clock: statistics.median(r[clock] for r in rewirings) for clock in CLOCKS}
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in workers}
    order = list(workers)
    for turn in range(rounds):
        # Each rival is first, second and last equally often.
        for name in order[turn % len(order) :] + order[: turn % len(order)]:
            measured = workers[name].steps(steps)
            if name == "spikeloom":
                for clock in CLOCKS:
                    measured[clock] += rewiring[clock] / steps_per_rewiring
            seen[name].append(measured)
    return {
        "milliseconds_a_step": {
            name: {clock: _summary([1e3 * m[clock] for m in all_rounds]) for clock in CLOCKS}
            for name, all_rounds in seen.items()
        },
        "rewiring_milliseconds": {clock: 1e3 * rewiring[clock] for clock in CLOCKS},
        "last_loss": {name: all_rounds[-1]["loss"] for name, all_rounds in seen.items()},
        "times_faster_than": {
            peer: {
                clock: _summary(
                    [
                        theirs[clock] / ours[clock]
                        for theirs, ours in zip(seen[peer], seen["spikeloom"], strict=True)
                    ]
                )
                | {
                    "ratio_of_medians": statistics.median(m[clock] for m in seen[peer])
                    / statistics.median(m[clock] for m in seen["spikeloom"])
                }
                for clock in CLOCKS
            }
            for peer in PEERS
        },
    }


CLOCKS = ("wall", "busy")


def _summary(values: Sequence[float]) -> dict[str, float]:
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": middle, "quartile_1": low, "quartile_3": high}


@click.command(help=(__doc__ or "").splitlines()[0])
@click.option("--data-dir", type=click.Path(path_type=Path), help="Folder above mnist/.")
@click.option("--time-steps", type=int, multiple=True, default=(4, 16), show_default=True)
@click.option("--rounds", default=15, show_default=True, help="Turns of each rival.")
@click.option("--steps", default=20, show_default=True, help="Optimiser steps a turn.")
@click.option("--threads", default=1, show_default=True)
@click.option("--device", default="cpu", show_default=True)
@click.option(
    "--peers",
    type=click.Path(path_type=Path),
    default=ROOT / ".cache" / "peers",
    help="Virtual environment of the peers; made when it is missing.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=HERE / "results" / "training_speed.json",
)
@click.option("--serve", type=click.Path(path_type=Path), hidden=True)
def main(
    data_dir: Path | None,
    time_steps: tuple[int, ...],
    rounds: int,
    steps: int,
    threads: int,
    device: str,
    peers: Path,
    output: Path,
    serve: Path | None,
) -> None:
    """Compare, or serve as the worker of our own side."""
    if serve:
        serve_spikeloom(serve, time_steps[0], threads, device)
        return
    from spikeloom.stamp import stamp, write_result

    python = prepare_peers(peers)
    started, origin = time.perf_counter(), stamp("torch", "brevitas", "numpy")
    results: dict[str, Any] = {}
    about: dict[str, Any] = {}
    for count in time_steps:
        with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
            arrays = Path(scratch) / "events.npz"
            events = prepare_events(data_dir, count, arrays)
            ours = [sys.executable, __file__, "--serve", arrays, "--time-steps", count]
            commands: dict[str, list[Any]] = {
                "spikeloom": [*ours, "--threads", threads, "--device", device]
            }
            for peer in PEERS:
                script = HERE / "training_speed_peers.py"
                commands[peer] = [python, script, peer, arrays, threads, device]
            workers = {
                name: stack.enter_context(Worker(name, [str(part) for part in command]))
                for name, command in commands.items()
            }
            about = {name: worker.about for name, worker in workers.items()}
            # 55,000 training images; the default configuration rewires every second epoch.
            measured = compare(workers, rounds, steps, steps_per_rewiring=2 * 55_000 // BATCH)
        results[str(count)] = {"events_a_sample": events, **measured}
        for peer, lead in measured["times_faster_than"].items():
            click.echo(
                f"T = {count}: {lead['wall']['ratio_of_medians']:.2f} x {peer} by the clock, "
                f"{lead['busy']['ratio_of_medians']:.2f} x by processor time "
                f"(demanded: {DEMANDED[peer]})",
                err=True,
            )
    document = {
        "schema": 1,
        "benchmark": "training_speed",
        "seconds": round(time.perf_counter() - started, 1),
        "load_average": os.getloadavg()[0],
        "rivals": about,
        "setting": {
            "network": [784, 512, 10],
            "batch": BATCH,
            "device": device,
            "threads": threads,
            "rounds": rounds,
            "steps_a_round": steps,
            "encoding": "latency",
            "optimizer": "AdamW, fused",
            "spikeloom": "4-bit weights (Brevitas), PQ rewiring, dense gradient traces",
            "peers": "float weights, dense, no rewiring",
        },
        "demanded": DEMANDED,
        "time_steps": results,
    }
    write_result(output, document, origin)


if __name__ == "__main__":
    main()
