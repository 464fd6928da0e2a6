"""Random graphs in torch against the integer reference: every output, membrane and current.

    python benchmarks/random_graphs.py                         # 10,000 graphs
    python benchmarks/random_graphs.py --graphs 200 --results /tmp/graphs

Each seed draws a graph (maps and lists; convolutions, pooling, branches, loops, synaptic currents;
events or direct values; every reset, rounding and granularity of parameters) and its samples. The
results, `random_graphs.json`, are written every few hundred graphs; the same command goes on from
there. The seeds run from `--first` on, so that any graph can be drawn again. The exit code is 1
when anything differs.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch

from spikeloom.cli.console import Console, json_option, table
from spikeloom.errors import UserError
from spikeloom.image.graph import Graph
from spikeloom.neurons import CubaLif, IntegrateLeak, Lif
from spikeloom.nn.integer_graph import run_integers
from spikeloom.reference.graph import simulate_graph
from spikeloom.stamp import stamp, write_result

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from kinds.graphs import (  # noqa: E402  # pyright: ignore[reportMissingImports]
    random_graph,
    random_samples,
)

RESULTS = ROOT / "benchmarks" / "results" / "proof"
PACKAGES = ("numpy", "torch")
BATCH = 250
STEPS = (1, 6)
SAMPLES = (1, 3)


def compare(seed: int) -> tuple[Counter[str], int, int]:
    """One graph: what it has, values compared, and how many of them differ."""
    rng = np.random.default_rng(seed)
    graph = random_graph(rng)
    steps = int(rng.integers(STEPS[0], STEPS[1] + 1))
    count = int(rng.integers(SAMPLES[0], SAMPLES[1] + 1))
    samples = random_samples(rng, graph, samples=count, time_steps=steps)
    expected = simulate_graph(graph, samples, steps)
    got = run_integers(graph, samples, steps)
    pairs = [(got.outputs[p.name], expected.outputs[p.name]) for p in graph.populations[1:]]
    for name, states in expected.states.items():
        pairs += [(got.states[name][state], values) for state, values in states.items()]
    differ = sum(int((mine != theirs).sum()) for mine, theirs in pairs)
    return features(graph), sum(theirs.size for _, theirs in pairs), differ


def features(graph: Graph) -> Counter[str]:
    """What a graph has; `several` where it combines two or more of the harder parts."""
    found = {connection.kind for connection in graph.connections}
    hard = {"conv2d", "sum_pool2d", "max_pool2d", "identity"} & found
    found |= {"delay"} if any(c.delay for c in graph.connections) else set()
    found |= {"shift"} if any(c.shift for c in graph.connections) else set()
    if any(graph.loops(part) for part in graph.components):
        found.add("recurrence")
        hard.add("recurrence")
    if int(graph.highest[graph.source.name].max()) > 1:
        found.add("direct")
        hard.add("direct")
    if any(len(edges) > 1 for edges in graph.incoming.values()):
        found.add("joined")
    for population in graph.populations[1:]:
        neuron = population.neuron
        if isinstance(neuron, Lif | CubaLif):
            found.add(population.model_name)
            found.add(f"reset {neuron.reset}")
            for leak in (neuron.leak, getattr(neuron, "current_leak", neuron.leak)):
                if not isinstance(leak, IntegrateLeak):
                    found.add(f"rounding {leak.rounding}")
            counts = {1: "population", population.channels: "channel", population.neurons: "neuron"}
            found |= {
                f"each {counts[len(getattr(population, name))]}"
                for name in ("threshold", "bias", "drive", "reset_value")
            }
        if isinstance(neuron, CubaLif):
            hard.add("cuba")
        if population.stateless:
            found.add("relay")
    if len(hard) > 1:
        found.add("several")
    return Counter(found)


@click.command(help=(__doc__ or "").splitlines()[0])
@click.option("--graphs", type=click.IntRange(min=1), default=10_000, show_default=True)
@click.option("--first", type=click.IntRange(min=0), default=0, show_default=True, help="Seed.")
@click.option(
    "--results",
    type=click.Path(path_type=Path, file_okay=False),
    default=RESULTS,
    help="Folder of the results.",
)
@json_option
def main(graphs: int, first: int, results: Path, as_json: bool) -> None:
    """Compare, going on where an earlier call stopped."""
    console = Console(as_json=as_json)
    torch.set_num_threads(1)
    path = results / "random_graphs.json"
    origin = stamp(*PACKAGES)
    done: dict[str, Any] = {
        "schema": 1,
        "first_seed": first,
        "graphs": 0,
        "values": 0,
        "differ": 0,
        "failed_seeds": [],
        "with": {},
        "seconds": 0.0,
    }
    if path.is_file():
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["first_seed"] != first or found["commit"] != origin.commit:
            raise UserError(
                f"{path} is of another commit or first seed; remove it, or give another --results"
            )
        done = {key: found[key] for key in done}
    seen = Counter(done["with"])
    path.parent.mkdir(parents=True, exist_ok=True)
    with console.track(graphs, "random graphs") as track:
        track.advance(done["graphs"])
        while done["graphs"] < graphs:
            started = time.perf_counter()
            for _ in range(min(BATCH, graphs - done["graphs"])):
                seed = first + done["graphs"]
                features_of, values, differ = compare(seed)
                seen += features_of
                done["graphs"] += 1
                done["values"] += values
                done["differ"] += differ
                done["failed_seeds"] += [seed] if differ else []
            done["with"] = dict(sorted(seen.items()))
            done["seconds"] = round(done["seconds"] + time.perf_counter() - started, 1)
            write_result(path, done, origin)
            track.advance(min(BATCH, graphs))
    summary = {
        "graphs": f"{done['graphs']:,}, seeds {first} to {first + done['graphs'] - 1}",
        "values compared": f"{done['values']:,}",
        "differ": done["differ"],
        **{f"with {name}": count for name, count in done["with"].items()},
    }
    console.result(done, table("Torch and the integer reference", summary))
    if done["differ"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
