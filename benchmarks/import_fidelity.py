"""Published graphs of NIR: what their import computes, in real numbers and in integers.

    python benchmarks/import_fidelity.py --nir DIR --data DIR/nmnist-small

| graph                     | samples                          | what is measured            |
| ------------------------- | -------------------------------- | --------------------------- |
| lif_norse.nir             | the input of the published trace | spike times of two profiles |
| braille_noDelay_bias_zero | random bursts, 200 × 256 steps   | spikes and classes by width |
| cnn_sinabs.nir            | N-MNIST's recordings, 300 × 1 ms | accuracy by width           |

The recordings are cut into milliseconds of their own clock, as the network was trained with, and
several events of a pixel count as one. `DIR` of `--nir` has the files of the repository of NIR.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from spikeloom.datasets.sources.recordings import read_recording
from spikeloom.importers import ForeignNetwork, Widths, from_nir
from spikeloom.importers.fidelity import Fidelity
from spikeloom.reference.graph import simulate_graph
from spikeloom.stamp import stamp, write_result

HERE = Path(__file__).resolve().parent
MILLISECONDS, SENSOR = 300, 34
BRAILLE_SAMPLES, BRAILLE_STEPS = 200, 256


def lif(folder: Path) -> dict[str, Any]:
    """Spike times under two profiles, in real numbers and in 16-bit states with 12-bit decays."""
    rows = np.loadtxt(folder / "trace_lif_norse.csv", delimiter=",")
    events = rows[None, :, :1] > 0
    found: dict[str, Any] = {}
    for framework in ("norse", "rockpool"):
        foreign = from_nir(folder / "lif_norse.nir", profile=framework, dt=1e-4)
        widths = Widths.for_weights(4, state_bits=16, decay_bits=12)
        network = foreign.integers(widths)
        spikes = foreign.run(events).outputs[foreign.floats.readout.name]
        trace = simulate_graph(network.graph, events, events.shape[1])
        found[framework] = {
            "float": np.flatnonzero(spikes).tolist(),
            "integers": np.flatnonzero(trace.outputs[foreign.floats.readout.name]).tolist(),
        }
    return found


def bursts(samples: int, steps: int, inputs: int) -> NDArray[np.bool_]:
    """Random bursts: a channel is silent, or spikes with 0.2, for 16 steps at a time."""
    random = np.random.default_rng(0)
    loud = np.repeat(random.random((samples, steps // 16, inputs)) < 0.35, 16, axis=1)
    return random.random((samples, steps, inputs)) < 0.2 * loud


def braille(folder: Path) -> dict[str, Any]:
    """By weight bits: samples with every spike equal, and with the same class."""
    path = folder / "braille_noDelay_bias_zero.nir"
    foreign = from_nir(path, profile="snntorch", reset="zero")
    samples = bursts(BRAILLE_SAMPLES, BRAILLE_STEPS, 12)
    return {
        str(bits or "widest"): measured(foreign, bits, [(samples, None)])
        for bits in (None, 16, 12, 8)
    }


def measured(foreign: ForeignNetwork, bits: int | None, batches: Any) -> dict[str, Any]:
    """The fidelity of one width over batches of samples and labels."""
    widths = Widths.for_weights(bits)
    fidelity = Fidelity(foreign=foreign, network=foreign.integers(widths))
    for samples, labels in batches:
        fidelity.add(samples, labels)
    return {"widths": asdict(widths), **fidelity.document()}


def recordings(folder: Path) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.int64]]]:
    """The test recordings, one at a time: bool `[1, 300, 34·34·2]`, and the digit."""
    for path in sorted((folder / "Test").rglob("*.bin")):
        events = read_recording(path)
        frames = np.zeros((1, MILLISECONDS, SENSOR, SENSOR, 2), dtype=np.bool_)
        inside = events[events["t"] < 1000 * MILLISECONDS]
        step, polarity = inside["t"] // 1000, (inside["p"] > 0).astype(int)
        frames[0, step, inside["y"], inside["x"], polarity] = True
        yield frames.reshape(1, MILLISECONDS, -1), np.array([int(path.parent.name)])


def digits(folder: Path, data: Path) -> dict[str, Any]:
    """Accuracy of the convolutional network, by weight bits, with one spike a step."""
    path = folder / "cnn_sinabs.nir"
    foreign = from_nir(path, profile="sinabs", spikes="one", clamp="none")
    kinds = {
        bits: Fidelity(foreign=foreign, network=foreign.integers(Widths.for_weights(bits)))
        for bits in (8, 4)
    }
    with click.progressbar(list(recordings(data)), file=None) as batches:
        for samples, labels in batches:
            for fidelity in kinds.values():
                fidelity.add(samples, labels)
    return {str(bits): fidelity.document() for bits, fidelity in kinds.items()}


@click.command()
@click.option("--nir", type=click.Path(path_type=Path, exists=True), required=True)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="N-MNIST's folder; left out, two graphs are run.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=HERE / "results" / "import_fidelity.json",
)
def main(nir: Path, data: Path | None, output: Path) -> None:
    """Measure all, and write the result."""
    origin = stamp("numpy", "h5py")
    document: dict[str, Any] = {
        "schema": 1,
        "benchmark": "import_fidelity",
        "lif_norse": lif(nir),
        "braille_noDelay_bias_zero": braille(nir),
        "cnn_sinabs": None if data is None else digits(nir, data),
    }
    write_result(output, document, origin)
    for name, own in document["braille_noDelay_bias_zero"].items():
        click.echo(
            f"Braille, {name}: {own['samples_with_every_spike_equal']} of {own['samples']} samples "
            f"with every spike equal, {own['class_agreement']:.1%} of the classes"
        )
    for name, own in (document["cnn_sinabs"] or {}).items():
        click.echo(f"N-MNIST, {name} bits: {own['accuracy']}")


if __name__ == "__main__":
    main()
