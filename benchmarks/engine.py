"""Networks in one compiled engine: every spike, state and cycle, and what the lanes did meanwhile.

    python benchmarks/engine.py bitstreams/mnist-20k/network.safetensors runs/digits-conv
    python benchmarks/engine.py --layer          # the layer that other cores are measured on

The networks are loaded one after another, without a reset, into the same simulation of the RTL.
Additions are useful where a synapse that is not 0 meets a spike; a convolution's cycles are those
of its scans and of the update of its population. The exit code is 1 when anything differs.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import click
import numpy as np

from spikeloom.cli.console import NETWORK_FILE, Console, json_option, table
from spikeloom.connections import Conv2d, Linear, SparseRows, Window
from spikeloom.datasets.fitting import DataChoice, fitting_dataset
from spikeloom.image import NetworkImage
from spikeloom.image.graph import Graph
from spikeloom.image.population import Population
from spikeloom.lineage import load_network
from spikeloom.neurons import Lif, Source
from spikeloom.reference.graph import GraphTrace, simulate_graph
from spikeloom_cosim.engine.bench import (
    build_engine,
    load_commands,
    play,
    sample_commands,
    trace_words,
    updates,
)
from spikeloom_cosim.samples import first_events
from spikeloom_cosim.toolchain import find_toolchain
from spikeloom_hw.engine.comparison import first_difference
from spikeloom_hw.engine.compiled import EngineProgram
from spikeloom_hw.engine.compiler import compile_graph, compile_network
from spikeloom_hw.engine.inputs import input_events
from spikeloom_hw.engine.lowering import lower_graph
from spikeloom_hw.engine.model import Machine
from spikeloom_hw.engine.params import EngineParams
from spikeloom_hw.engine.program import Opcode, decode_word
from spikeloom_hw.engine.records import Result

BENCH = EngineParams(
    lanes=8,
    weight_words=1 << 14,
    pointer_rows=8,
    pointer_words=1 << 10,
    row_words=63,
    state_bits=24,
    state_words=1 << 11,
    map_words=1 << 12,
    summary_words=1 << 10,
    program_words=1 << 11,
)
"""An engine with room for each network of the examples that has up to some thousand neurons."""

DENSITIES = (1.0, 0.3, 0.1)
RATES = (0.05, 0.1, 0.2)


def useful(program: EngineProgram, reference: GraphTrace, result: Result, sample: int) -> Any:
    """Additions and cycles of the convolutions, and of all."""
    graph = program.lowered.graph
    convolved = [c for c in graph.connections if isinstance(c, Conv2d)]
    names = {c.name for c in convolved}, {c.target for c in convolved}
    cycles = 0
    for at, label in program.labels.items():
        scans = decode_word(program.program[at])[0] is Opcode.SCAN
        cycles += result.spent_at[at] if label in names[not scans] else 0
    # What is held over the steps is added once, and counted by the reference in each.
    once = {
        c.name: program.lowered.time_steps if c.target in program.held else 1
        for c in graph.connections
    }
    done = {
        c.name: int(reference.operations[c.name][sample]) // once[c.name] for c in graph.connections
    }
    return {
        "additions": sum(done.values()),
        "cycles": result.cycles,
        "convolutions": {
            "additions": sum(done[c.name] for c in convolved),
            "cycles": cycles,
        },
    }


def layer(lanes: int, density: float, rate: float, *, balanced: bool, steps: int = 2) -> float:
    """Useful additions a cycle and lane of the layer 32→32, 3×3, on a map of 16×16."""
    rng = np.random.default_rng(0)
    kernel = rng.integers(1, 8, (32, 32, 3, 3)) * rng.choice((-1, 1), (32, 32, 3, 3))
    kernel *= balanced_mask(rng, density, lanes) if balanced else rng.random(kernel.shape) < density
    connection = Conv2d.from_dense(
        kernel,
        window=Window(kernel=(3, 3), padding=(1, 1, 1, 1)),
        name="layer",
        source="in",
        target="out",
        source_shape=(16, 16, 32),
    )
    graph = Graph(
        populations=(
            Population(name="in", shape=(16, 16, 32), neuron=Source()),
            Population(name="out", shape=(16, 16, 32), neuron=Lif(), threshold=np.array([60])),
            Population(name="scores", shape=(1,), neuron=Lif(), spiking=False),
        ),
        connections=(connection, _one("out", "scores", (16, 16, 32))),
    )
    params = EngineParams(
        lanes=lanes,
        weight_words=1 << 15,
        pointer_rows=8,
        pointer_words=1 << 12,
        state_bits=20,
        state_words=1 << 12,
        map_words=1 << 14,
        summary_words=1 << 12,
        program_words=1 << 10,
    )
    program = compile_graph(lower_graph(graph, steps), params)
    events = rng.random((1, steps, 16 * 16 * 32)) < rate
    reference = simulate_graph(graph, events, steps)
    machine = Machine(params, program.program, program.pointers, program.weights)
    result = machine.run(input_events(program, events[0]))
    assert first_difference(program, result.updates, reference, 0) is None
    found = useful(program, reference, result, 0)["convolutions"]
    return found["additions"] / (found["cycles"] * lanes)


def _one(source: str, target: str, shape: tuple[int, ...]) -> Linear:
    """One synapse: something has to be read out."""
    dense = np.zeros((int(np.prod(shape)), 1), dtype=np.int32)
    dense[0] = 1
    return Linear(
        name="end",
        source=source,
        target=target,
        source_shape=shape,
        weights=SparseRows.from_dense(dense),
    )


def balanced_mask(rng: np.random.Generator, density: float, lanes: int) -> np.ndarray:
    """In each line of a kernel, as many synapses of an input channel for every lane."""
    mask = np.zeros((32, 32, 3, 3), dtype=bool)
    places = 32 // lanes * 3
    keep = max(1, round(density * places))
    for channel in range(32):
        for line in range(3):
            for lane in range(lanes):
                for place in rng.permutation(places)[:keep]:
                    group, tap = divmod(int(place), 3)
                    mask[lane + lanes * group, channel, line, tap] = True
    return mask


@click.command(help=(__doc__ or "").splitlines()[0])
@click.argument("networks", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--samples", type=click.IntRange(min=1), default=4, show_default=True)
@click.option("--layer", "with_layer", is_flag=True, help="The layer of the comparison as well.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Folder of the data sets.")
@json_option
def main(
    networks: tuple[Path, ...],
    samples: int,
    with_layer: bool,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Compare, and tell what the lanes did."""
    console = Console(as_json=as_json)
    document: dict[str, Any] = {"networks": {}, "layer": {}}
    differ, failures = 0, []
    made: list[tuple[str, EngineProgram, np.ndarray, GraphTrace]] = []
    lines: list[str] = []
    for place in networks:
        path = place / NETWORK_FILE if place.is_dir() else place
        image = load_network(path)
        program = compile_network(image, BENCH)
        inputs = _inputs(path, image, samples, data_dir)
        lowered = program.lowered
        made.append(
            (str(place), program, inputs, simulate_graph(lowered.graph, inputs, image.time_steps))
        )
        lines += load_commands(program)
        for sample in inputs:
            lines += sample_commands(program, sample)
    if made:
        with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
            engine = build_engine(BENCH, folder=Path(scratch) / "rtl", tools=find_toolchain())
            played = play(
                engine, lines, folder=Path(scratch) / "run", options={"patience": 10_000_000}
            )
        at = number = 0
        for name, program, inputs, reference in made:
            machine = Machine(BENCH, program.program, program.pointers, program.weights)
            totals: Counter[str] = Counter()
            for sample in range(len(inputs)):
                words = trace_words(program)
                (found,) = updates(program, played.trace[at : at + words])
                at += words
                modelled = machine.run(input_events(program, inputs[sample]))
                wrong = first_difference(program, found, reference, sample)
                cycles = played.samples[number].cycles
                if wrong is None and cycles != modelled.cycles:
                    wrong = f"sample {sample}: {cycles} cycles, expected {modelled.cycles}"
                if wrong is not None:
                    differ += 1
                    failures.append(f"{name}: {wrong}")
                share = useful(program, reference, modelled, sample)
                totals["additions"] += share["additions"]
                totals["cycles"] += cycles
                totals["conv additions"] += share["convolutions"]["additions"]
                totals["conv cycles"] += share["convolutions"]["cycles"]
                number += 1
            document["networks"][name] = {
                "order": program.order,
                "samples": len(inputs),
                "cycles": round(totals["cycles"] / len(inputs)),
                "useful": round(totals["additions"] / (totals["cycles"] * BENCH.lanes), 3),
                "useful in convolutions": round(
                    totals["conv additions"] / max(1, totals["conv cycles"] * BENCH.lanes), 3
                ),
                "room": program.room,
            }
    if with_layer:
        for lanes in (8, 16, 32):
            for density, rate, balanced in itertools.product(DENSITIES, RATES, (False, True)):
                kind = "balanced" if balanced else "random"
                name = f"{lanes} lanes, {density:.0%} {kind}, {rate:.0%} spikes"
                found = layer(lanes, density, rate, balanced=balanced)
                document["layer"][name] = round(found, 3)
    document |= {"differ": differ, "failures": failures}
    summary = {
        name: f"{own['samples']} samples, {own['cycles']:,} cycles, {own['useful']} useful "
        f"additions a cycle and lane ({own['useful in convolutions']} in convolutions)"
        for name, own in document["networks"].items()
    }
    summary |= {name: str(value) for name, value in document["layer"].items()}
    summary |= {"differ": str(differ), **{str(at): own for at, own in enumerate(failures)}}
    console.result(document, table("One engine", summary))
    if differ:
        sys.exit(1)


def _inputs(path: Path, image: NetworkImage, samples: int, data_dir: Path | None) -> np.ndarray:
    """Events, or direct values, of the first test samples."""
    dataset = fitting_dataset(path, image, DataChoice(data_dir=data_dir))
    return first_events(dataset, image, split="test", count=samples).events


if __name__ == "__main__":
    main()
