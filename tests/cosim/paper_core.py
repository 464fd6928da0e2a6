"""A core on paper: it reads the files that a test bench plays, and leaves those that one records.

So the whole flow of co-simulation runs, file by file, without a simulator: only the formats of
these files are written down a second time here.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from spikeloom.reference import simulate
from spikeloom_cosim import verilator
from spikeloom_cosim.build import Build
from spikeloom_cosim.core import Core
from spikeloom_cosim.expectation import Expectation, expect
from spikeloom_cosim.monitor import Recording
from spikeloom_cosim.simulation import Mode

from .recordings import IMAGE, OVERLAPPED, PACKED, SHAPE, SIZES, STEPS, off, perfect, with_trace

STEP, LAST = 1 << SHAPE.address_bits, 2 << SHAPE.address_bits
BUILD_SECONDS = 1.25

Settings = Mapping[str, int | None]
Fault = Callable[[Recording, Settings], Recording]


def model(events: np.ndarray) -> Expectation:
    """What the core must do on events."""
    return expect(IMAGE, simulate(IMAGE, events), PACKED, overlapped=OVERLAPPED)


def core_in(folder: Path) -> Core:
    """The core's files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "core.v").write_text("module spikeloom_core;")
    (folder / "weights.mem").write_text("01")
    return Core(
        verilog=folder / "core.v",
        memories=(folder / "weights.mem",),
        shape=SHAPE,
        network_sha256="",
    )


@dataclass
class PaperSimulator:
    """In place of Verilator and cocotb.

    Attributes:
        fault: changes what is recorded.
        built: keywords of each build.
        played: settings of each run.
        events: of each run, as they were played.
        steps: the addresses of each run's steps, in their order.
        broken: the simulator ends without a word.
    """

    fault: Fault = lambda recording, settings: recording
    built: list[dict[str, Any]] = field(default_factory=list)
    played: list[dict[str, int | None]] = field(default_factory=list)
    events: list[np.ndarray] = field(default_factory=list)
    steps: list[list[list[int]]] = field(default_factory=list)
    broken: bool = False

    def build(self, core: Path, shape: object, **how: Any) -> Build:
        """In place of `build_bench`."""
        assert shape == SHAPE
        self.built.append({"core": core, **how})
        return Build(
            folder=Path("compiled"),
            cached=False,
            seconds=BUILD_SECONDS,
            alone=bool(how.get("alone")),
        )

    def run_bench(self, **how: Any) -> tuple[int, int]:
        """In place of `verilator.run_bench`."""
        folder, settings = how["folder"], dict(how["plusargs"])
        assert how["build"] == Path("compiled")
        assert (how["top"], how["module"]) == ("bench", "spikeloom_cosim.play")
        assert how["log"] == folder / "simulation.log"
        self.played.append(settings)
        if self.broken:
            how["log"].write_text("%Error: out of paper\n")
            return 1, 1
        events, steps = read_events(folder / "events.bin")
        self.events.append(events)
        self.steps.append(steps)
        mode = Mode(
            name="",
            isolated="isolated" in settings,
            idle=settings["idle"] or 0,
            stall=settings["stall"] or 0,
        )
        recording = perfect(model(events), mode, seed=settings["random"] or 0, steps=steps)
        recording = self.fault(recording, settings)
        write_recording(recording, folder)
        if "waves_from" in settings:
            (folder / "waves.vcd").write_text(f"from sample {settings['waves_from']}")
        outcome = recording.outcome
        return 1, int(bool(outcome.hung or outcome.unstable))


def read_events(path: Path) -> tuple[np.ndarray, list[list[int]]]:
    """Bool [samples, steps, inputs], and each step's addresses in order, of one round."""
    words = [word for (word,) in struct.iter_unpack(">I", path.read_bytes())]
    assert words[-1] >> 30 == 3
    assert all(word >> 30 & 1 == 0 for word in words[:-1])
    steps: list[list[int]] = [[]]
    ends = []
    for word in words:
        if word & STEP:
            ends.append(bool(word & LAST))
            assert bool(word >> 31) == ends[-1]
            steps.append([])
        else:
            assert word < SIZES[0]
            steps[-1].append(word)
    assert steps.pop() == []
    assert ends == ([False] * (STEPS - 1) + [True]) * (len(steps) // STEPS)
    events = np.zeros((len(steps), SIZES[0]), dtype=bool)
    for step, addresses in enumerate(steps):
        events[step, addresses] = True
    return events.reshape(-1, STEPS, SIZES[0]), steps


def write_recording(recording: Recording, folder: Path) -> None:
    """The files of a recording, word by word, little-endian."""
    for number, beats in enumerate(recording.traces):
        words = []
        for at in range(len(beats)):
            mask = sum(1 << lane for lane, spike in enumerate(beats.spikes[at]) if spike)
            own = [int(value) & 0xFFFFFFFF for value in beats.membranes[at]]
            words += [int(beats.cycle[at]), int(beats.group[at]), mask, *own]
        _write(folder / f"trace{number}.bin", words)
    scores, words = recording.scores, []
    for at in range(len(scores)):
        words += [int(scores.valid[at]), int(scores.taken[at]), int(scores.value[at]) & 0xFFFFFFFF]
        words += [int(scores.best[at]), int(scores.last[at])]
    _write(folder / "scores.bin", words)
    _write(folder / "starts.bin", recording.starts.tolist())
    _write(folder / "rounds.bin", recording.rounds.tolist())
    counts = recording.counts
    _write(folder / "counts.bin", [counts.clock, counts.cycles, *counts.layers.ravel().tolist()])
    if len(recording.looks):
        _write(folder / "looks.bin", recording.looks.tolist())
    (folder / "outcome.json").write_bytes(msgspec.json.encode(recording.outcome))


def _write(path: Path, words: list[int]) -> None:
    path.write_bytes(struct.pack(f"<{len(words)}I", *words))


def membrane_of(beat: int, *, layer: int = 0, when=lambda recording, settings: True):
    """A fault: the first membrane of a beat is one too high."""

    def plant(recording, settings):
        if not when(recording, settings):
            return recording
        membranes = off(recording.traces[layer].membranes, beat, 0)
        return with_trace(recording, layer, membranes=membranes)

    return plant


def stressed(recording, settings):
    return settings["idle"] > 0


def streaming(recording, settings):
    return "isolated" not in settings and settings["idle"] == 0


@pytest.fixture
def paper(monkeypatch) -> PaperSimulator:
    """The simulator of all that this process runs."""
    simulator = PaperSimulator()
    for place in ("verify", "drilldown", "selftest"):
        monkeypatch.setattr(f"spikeloom_cosim.{place}.build_bench", simulator.build)
    monkeypatch.setattr(verilator, "run_bench", simulator.run_bench)
    return simulator
