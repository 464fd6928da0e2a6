"""The driver on a line with noise, against the model of a device and against the Verilog of one.

    python benchmarks/noise.py            # 10,000 frames each, 1 to 2 minutes

On the way to the device and back one byte in 200 is another one, and before every fifth frame there
are up to 300 bytes of garbage. Networks are loaded and read back, and samples
run, until the driver has sent 10,000 frames. Nothing wrong may be accepted: every score and class
must be that of the integer reference. The Verilog is that of `SerialDevice` in Verilator, with bits
of four cycles instead of thirty, so that the time goes into the protocol.

The result is `results/proof/noise.json`; the exit code is 1 when anything differs.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import numpy as np

from spikeloom.arithmetic import ShiftLeak
from spikeloom.cli.console import Console, json_option, table
from spikeloom.encoding import LatencyEncoding, encode
from spikeloom.host.design import HostDesign
from spikeloom.host.device import Device
from spikeloom.host.transport import Transport
from spikeloom.image import Layer, NetworkImage, Provenance
from spikeloom.image.identity import network_sha256
from spikeloom.reference import simulate
from spikeloom.stamp import stamp, write_result
from spikeloom_cosim.board.line import SimulatedLine
from spikeloom_cosim.board.model import Board, Pins
from spikeloom_cosim.toolchain import find_toolchain
from spikeloom_hw.core import CoreInstance
from spikeloom_hw.core.build import core_params
from spikeloom_hw.generate import CORE, VERILOG, write_core
from spikeloom_hw.host.device import SerialDevice
from spikeloom_hw.identity import design_sha256, identify
from spikeloom_hw.source import Source
from spikeloom_hw.targets import TARGETS
from spikeloom_hw.verilog import write_verilog

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))
from device_model import ModelDevice, ModelLine, Noise, model_design  # noqa: E402

RESULT = HERE / "results" / "proof" / "noise.json"
PACKAGES = ("numpy", "amaranth", "verilator", "pyserial", "cobs")
FRAMES = 10_000
ONE_IN = 200
GARBAGE = 0.2
SHAPE = (24, 16, 10)
SAMPLES = 100
PATIENCE = 0.005
_FRAME = re.compile(rb"\0*[^\0]+\0")
DIVISOR = 4


class NoisyLine:
    """A line with noise in both directions.

    Args:
        line: without.
        out, back: what becomes of bytes to the device, and from it.
    """

    def __init__(self, line: Transport, out: Noise, back: Noise) -> None:
        self.name, self.simulated = line.name, line.simulated
        self.seconds_per_byte = line.seconds_per_byte
        self.now, self.line_time, self.heard_time = line.now, line.line_time, line.heard_time
        self.reopen, self.close = line.reopen, line.close
        self._line, self._out, self._back = line, out, back

    def write(self, data: bytes) -> None:
        """See `Transport`."""
        # Frames that are sent together are parted by noise none the less.
        self._line.write(b"".join(map(self._out, _FRAME.findall(data))))

    def read(self) -> bytes:
        """See `Transport`."""
        data = self._line.read()
        return self._back(data) if data else data


@dataclass(kw_only=True)
class Outcome:
    """What came of one device.

    Attributes:
        frames: requests sent.
        repeated: of those, sent again.
        broken: answers that arrived broken.
        refused: requests that the device refused.
        silences: times that nothing came.
        flipped: bytes that noise changed, both ways.
        garbage: bytes that noise added, both ways.
        loads: networks loaded and read back.
        samples: that were run.
        mismatches: scores and classes that differ from the reference.
    """

    frames: int = 0
    repeated: int = 0
    broken: int = 0
    refused: int = 0
    silences: int = 0
    flipped: int = 0
    garbage: int = 0
    loads: int = 0
    samples: int = 0
    mismatches: int = 0


def networks(seed: int) -> tuple[NetworkImage, NetworkImage]:
    """Two networks of one shape."""
    rng = np.random.default_rng(seed)

    def network() -> NetworkImage:
        layers = []
        for number, (inputs, neurons) in enumerate(pairwise(SHAPE)):
            weights = rng.integers(-7, 8, (inputs, neurons)) * (rng.random((inputs, neurons)) < 0.5)
            layers.append(
                Layer.from_dense(
                    weights,
                    name=f"layer{number}",
                    leak=ShiftLeak(shift=2),
                    threshold=9,
                    spiking=number == 0,
                    membrane_bits=10,
                )
            )
        return NetworkImage.chain(
            layers=tuple(layers),
            time_steps=4,
            encoding=LatencyEncoding(),
            readout="membrane",
            provenance=Provenance(dataset="digits", seed=seed),
        )

    return network(), network()


def converse(
    line: Transport,
    design: HostDesign,
    images: tuple[NetworkImage, NetworkImage],
    *,
    seed: int,
    frames: int,
) -> Outcome:
    """Load and run on a line with noise, until so many frames have been sent."""
    out, back = (Noise(seed=seed + way, one_in=ONE_IN, garbage=GARBAGE) for way in range(2))
    rng = np.random.default_rng(seed)
    outcome = Outcome()
    with Device(NoisyLine(line, out, back), design=design, patience=PATIENCE) as device:
        while device.tally.frames < frames:
            image = images[outcome.loads % 2]
            device.load(image)
            outcome.loads += 1
            for _ in range(4):
                samples = rng.integers(0, 256, (SAMPLES, image.inputs)).astype(np.uint8)
                trace = simulate(image, encode(image.encoding, samples, image.time_steps))
                said = device.classify(samples)
                outcome.samples += SAMPLES
                outcome.mismatches += int((said.scores != trace.scores).sum())
                outcome.mismatches += int((said.labels != trace.predictions).sum())
        for name in ("frames", "repeated", "broken", "refused", "silences"):
            setattr(outcome, name, getattr(device.tally, name))
    outcome.flipped, outcome.garbage = out.flipped + back.flipped, out.added + back.added
    return outcome


@contextmanager
def verilog_device(image: NetworkImage) -> Iterator[tuple[SimulatedLine, HostDesign]]:
    """A loadable device in Verilator, with short bits."""
    target = TARGETS["icebreaker"]
    sha256 = network_sha256(image)
    params = core_params(image, target=target, lanes=(8, 1), loadable=True)
    scratch = Path(tempfile.mkdtemp(prefix="spikeloom-"))
    core = write_core(scratch, params)
    made = design_sha256(core, params, target=target, network_sha256=sha256)
    identity = identify(params, target=target, design_sha256=made)
    baud = identity.clock_hz // DIVISOR
    device = SerialDevice(CoreInstance(params), identity=identity, baud=baud)
    (top, *_) = write_verilog(device, name="top", directory=scratch, platform=VERILOG)
    (scratch / "board.v").write_text((scratch / CORE).read_text() + top.read_text())
    pins = Pins(clock="clk", rx="rx", tx="tx", others=("rst", "active", "lost", "label"))
    board = Board(
        folder=scratch,
        source=scratch / "board.v",
        module="top",
        pins=pins,
        divisor=DIVISOR,
        reset_cycles=0,
        clock_hz=identity.clock_hz,
        baud=baud,
    )
    source = Source(
        place=Path("the device in Verilator"),
        folder=None,
        network=image,
        network_sha256=sha256,
        target=target,
        lanes=(8, 1),
        loadable=True,
    )
    line = SimulatedLine(
        board, name="the device in Verilator", tools=find_toolchain(), scratch=scratch
    )
    try:
        yield line, source.host_design()
    finally:
        line.close()


@click.command()
@click.option("--frames", type=click.IntRange(min=1), default=FRAMES, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--results", type=click.Path(path_type=Path, dir_okay=False), default=RESULT)
@json_option
@click.pass_context
def main(context: click.Context, frames: int, seed: int, results: Path, as_json: bool) -> None:
    """Measure what noise does to the link: nothing but delay."""
    console = Console(as_json=as_json)
    origin = stamp(*PACKAGES)
    images = networks(seed)
    outcomes: dict[str, Outcome] = {}
    with console.step(f"{frames} frames to the model"):
        model = ModelDevice(images[0], loadable=True)
        design = model_design(images[0])
        outcomes["model"] = converse(ModelLine(model), design, images, seed=seed, frames=frames)
    with console.step(f"{frames} frames to the Verilog"), verilog_device(images[0]) as (line, own):
        outcomes["rtl"] = converse(line, own, images, seed=seed, frames=frames)
    document: dict[str, Any] = {
        "schema": 1,
        "command": "python benchmarks/noise.py",
        "seed": seed,
        "one_byte_in": ONE_IN,
        "garbage_share": GARBAGE,
        **{
            f"{name}_{key}": value
            for name, outcome in outcomes.items()
            for key, value in vars(outcome).items()
        },
    }
    document = write_result(results, document, origin)
    rows = [(key, *(getattr(each, key) for each in outcomes.values())) for key in vars(Outcome())]
    console.result(document, table("Noise on the line", rows, columns=["", *outcomes]))
    if any(outcome.mismatches for outcome in outcomes.values()):
        context.exit(1)


if __name__ == "__main__":
    main()
