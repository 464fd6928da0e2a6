"""The encoders' generated Verilog against `spikeloom.encoding`, every event of many samples.

What is compared is the stream itself: the addresses of each step in rising order, then its STEP.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from spikeloom.encoding import Encoding, encode, encoding_inputs
from spikeloom.errors import UserError
from spikeloom.packing.words import unsigned_bits
from spikeloom_cosim import verilator
from spikeloom_cosim.bench import TOP, render
from spikeloom_cosim.build import Build, build_program
from spikeloom_cosim.toolchain import Toolchain
from spikeloom_hw.encoders import make_encoder
from spikeloom_hw.events import EventLayout
from spikeloom_hw.verilog import write_verilog

MODULE = "encoder"
VALUES, EVENTS, OUTCOME = "values.bin", "events.bin", "outcome.json"
BATCH = 500
_TEMPLATE = "encoder.sv.j2"


class EncoderOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a comparison found.

    Attributes:
        samples: that went in.
        events: spikes and STEPs that were expected.
        got: that came.
        mismatches: samples of which an event differs, and 1 if too few or too many came.
        cycles: length of the run.
        hung: the encoder no longer moved.
    """

    samples: int
    events: int
    got: int
    mismatches: int
    cycles: int
    hung: bool

    @property
    def identical(self) -> bool:
        """Every event is as in Python, and there is no other."""
        return not (self.mismatches or self.hung) and self.got == self.events


class _Run(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    cycles: int
    hung: bool


def build_encoder(
    encoding: Encoding,
    *,
    values: int,
    time_steps: int,
    folder: Path,
    tools: Toolchain,
    cache: Path | None = None,
) -> Build:
    """Generate an encoder's Verilog, and compile it with its bench, or find it compiled.

    Args:
        encoding: the code.
        values: of a sample.
        time_steps: T.
        folder: where the Verilog goes; made for it.
        tools: what compiles.
        cache: folder of compiled benches; None takes `spikeloom.files.cache_folder`.

    Raises:
        UserError: the encoding has no gateware, or its Verilog does not compile.
    """
    bits = _address_bits(encoding, values, time_steps)
    encoder = make_encoder(encoding, values=values, time_steps=time_steps, address_bits=bits)
    if encoder is None:
        raise UserError(f"{encoding!r} has no gateware; take a latency or a delta encoding")
    folder.mkdir(parents=True)
    source, *_ = write_verilog(encoder, name=MODULE, directory=folder)
    bench = render(_TEMPLATE, module=MODULE, event_bits=EventLayout(bits).size)
    return build_program(source, bench, tools=tools, cache=cache)


def compare_encoder(
    build: Build,
    encoding: Encoding,
    images: NDArray[np.uint8],
    time_steps: int,
    *,
    folder: Path,
    pause: int = 0,
    seed: int = 1,
) -> EncoderOutcome:
    """Run samples through a compiled encoder, and compare every event.

    Args:
        build: of :func:`build_encoder`.
        encoding: what Python encodes with.
        images: uint8 [S, values].
        time_steps: T.
        folder: made for this run, and removed afterwards.
        pause: in 256ths, how often each side pauses for a cycle.
        seed: of the pauses.

    Raises:
        SimulationError: the simulator broke down.
    """
    samples, values = images.shape
    folder.mkdir(parents=True)
    images.tofile(folder / VALUES)
    log = folder / "simulation.log"
    plusargs = {
        "samples": samples,
        "patience": 10_000 + 4 * values,
        "pause": pause,
        "seed": seed,
    }
    verilator.run_program(build.folder / TOP, folder=folder, log=log, plusargs=plusargs)
    if not (folder / OUTCOME).exists():
        raise verilator.SimulationError(verilator.first_error(log))
    run = msgspec.json.decode((folder / OUTCOME).read_bytes(), type=_Run)
    got = np.fromfile(folder / EVENTS, dtype="<u4")
    shutil.rmtree(folder)
    at, mismatches = 0, 0
    for wanted in _streams(encoding, images, time_steps):
        own = got[at : at + len(wanted)]
        at += len(wanted)
        mismatches += not np.array_equal(own, wanted)
    return EncoderOutcome(
        samples=samples,
        events=at,
        got=len(got),
        mismatches=mismatches + (len(got) != at),
        cycles=run.cycles,
        hung=run.hung,
    )


def _streams(
    encoding: Encoding, images: NDArray[np.uint8], time_steps: int
) -> Iterator[NDArray[np.uint32]]:
    """The events of each sample as the payloads of the stream."""
    bits = _address_bits(encoding, images.shape[1], time_steps)
    step, last = 1 << bits, 3 << bits
    for first in range(0, len(images), BATCH):
        for sample in encode(encoding, images[first : first + BATCH], time_steps, first):
            inputs = sample.shape[1]
            closed = np.column_stack([sample, np.ones(time_steps, dtype=np.bool_)])
            address = np.flatnonzero(closed).astype(np.uint32) % np.uint32(inputs + 1)
            stream = np.where(address == inputs, np.uint32(step), address)
            stream[-1] = last
            yield stream


def _address_bits(encoding: Encoding, values: int, time_steps: int) -> int:
    return unsigned_bits(encoding_inputs(encoding, values, time_steps) - 1)
