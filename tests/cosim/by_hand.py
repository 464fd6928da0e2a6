"""The core written by hand (`core_by_hand.v`), its network, and its cycles."""

from pathlib import Path

import numpy as np

from spikeloom.arithmetic import IntegrateLeak
from spikeloom.encoding import LatencyEncoding
from spikeloom.image import Layer, NetworkImage, Provenance
from spikeloom.reference import simulate
from spikeloom_cosim.core import Core
from spikeloom_cosim.expectation import Expectation
from spikeloom_cosim.shape import CoreShape, LayerShape

VERILOG = Path(__file__).with_name("core_by_hand.v")
SILENT, ENDLESS, HESITANT, FORGETFUL = "1", "2", "4", "8"
"""Its mistakes: contents of the memory `mistakes`."""
OUTPUTS, GROUPS = 3, 2
WEIGHTS = np.array([[3, -2, 1], [2, 4, -1], [1, 1, 5], [-3, 2, 2]])
THRESHOLDS = (4, 5, 3)
SHAPE = CoreShape(
    address_bits=2,
    score_bits=8,
    label_bits=2,
    layers=(LayerShape(name="only", neurons=3, lanes=2, group_bits=1, membrane_bits=8),),
)
IMAGE = NetworkImage.chain(
    layers=(
        Layer.from_dense(
            WEIGHTS,
            name="only",
            leak=IntegrateLeak(),
            threshold=np.array(THRESHOLDS),
            membrane_bits=8,
            scale=1.0,
        ),
    ),
    time_steps=5,
    encoding=LatencyEncoding(),
    readout="count",
    provenance=Provenance(dataset="digits", seed=0),
)


def random_events(samples: int, *, seed: int = 0) -> np.ndarray:
    """Bool [samples, 5, 4]; the first sample is empty, the second full."""
    events = np.random.default_rng(seed).random((samples, IMAGE.time_steps, 4)) < 0.5
    events[:1], events[1:2] = False, True
    return events


def expectation(events: np.ndarray) -> Expectation:
    """An event takes two cycles, a result three; nothing overlaps.

    An event is accepted in the second of its cycles: a sample's first one counts for one.
    """
    spikes = events.sum(axis=(1, 2), dtype=np.int64)
    cycles = 2 * (spikes + IMAGE.time_steps) + OUTPUTS
    trace = simulate(IMAGE, events)
    return Expectation(
        trace=trace,
        latency=cycles - 1,
        results=cycles.cumsum() - 1,
        counted=np.stack([spikes, GROUPS * spikes, OUTPUTS * spikes], axis=1)[:, None],
        busy=np.array([1]),
    )


def write_core(folder: Path, *, replace: tuple[str, str] = ("", ""), **memories: str) -> Core:
    """The core in `folder`, with a text of its source or whole memories replaced."""
    source = VERILOG.read_text()
    assert replace[0] in source
    padded = np.pad(WEIGHTS, ((0, 0), (0, 1))).ravel()
    contents = {
        "weights": " ".join(f"{weight & 0xFF:02x}" for weight in padded),
        "thresholds": " ".join(f"{value:02x}" for value in (*THRESHOLDS, 127)),
        "mistakes": "0",
        **memories,
    }
    folder.mkdir(exist_ok=True)
    (folder / "core.v").write_text(source.replace(*replace) if replace[0] else source)
    for name, text in contents.items():
        (folder / f"{name}.mem").write_text(text + "\n")
    return Core(
        verilog=folder / "core.v",
        memories=tuple(sorted(folder.glob("*.mem"))),
        shape=SHAPE,
        network_sha256="",
    )
