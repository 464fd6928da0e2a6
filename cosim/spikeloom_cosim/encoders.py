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

from spikeloom.encoding import SampleCode, encode, encoding_inputs
from spikeloom.packing.words import unsigned_bits
from spikeloom_cosim import verilator
from spikeloom_cosim.bench import TOP, render
from spikeloom_cosim.build import Build, build_program
from spikeloom_cosim.toolchain import Toolchain
from spikeloom_hw.encoders import require_encoder
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
    code: SampleCode, *, folder: Path, tools: Toolchain, cache: Path | None = None
) -> Build:
    """Generate an encoder's Verilog, and compile it with its bench, or find it compiled.

    Args:
        code: how samples become events.
        folder: where the Verilog goes; made for it.
        tools: what compiles.
        cache: folder of compiled benches; None takes `spikeloom.files.cache_folder`.

    Raises:
        UserError: the encoding has no gateware, or its Verilog does not compile.
    """
    bits = _address_bits(code)
    encoder = require_encoder(code, address_bits=bits)
    folder.mkdir(parents=True)
    source, *_ = write_verilog(encoder, name=MODULE, directory=folder)
    bench = render(_TEMPLATE, module=MODULE, event_bits=EventLayout(bits).size)
    return build_program(source, bench, tools=tools, cache=cache)


def compare_encoder(
    build: Build,
    code: SampleCode,
    images: NDArray[np.uint8],
    *,
    folder: Path,
    pause: int = 0,
    seed: int = 1,
) -> EncoderOutcome:
    """Run samples through a compiled encoder, and compare every event.

    Args:
        build: of :func:`build_encoder`.
        code: what Python encodes with.
        images: uint8 [S, values].
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
        raise verilator.broke_down(log)
    run = msgspec.json.decode((folder / OUTCOME).read_bytes(), type=_Run)
    got = np.fromfile(folder / EVENTS, dtype="<u4")
    shutil.rmtree(folder)
    at, mismatches = 0, 0
    for wanted in _streams(code, images):
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


def _streams(code: SampleCode, images: NDArray[np.uint8]) -> Iterator[NDArray[np.uint32]]:
    """The events of each sample as the payloads of the stream."""
    bits = _address_bits(code)
    step, last = 1 << bits, 3 << bits
    for first in range(0, len(images), BATCH):
        for sample in encode(code.encoding, images[first : first + BATCH], code.time_steps, first):
            inputs = sample.shape[1]
            closed = np.column_stack([sample, np.ones(code.time_steps, dtype=np.bool_)])
            address = np.flatnonzero(closed).astype(np.uint32) % np.uint32(inputs + 1)
            stream = np.where(address == inputs, np.uint32(step), address)
            stream[-1] = last
            yield stream


def _address_bits(code: SampleCode) -> int:
    return unsigned_bits(encoding_inputs(code.encoding, code.values, code.time_steps) - 1)
