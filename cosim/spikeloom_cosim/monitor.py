"""Reads what the test bench recorded."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from spikeloom_cosim.outcome import OUTCOME, Outcome
from spikeloom_cosim.shape import CoreShape, LayerShape
from spikeloom_hw.core.counters import LAYER_COUNTS


@dataclass(frozen=True, kw_only=True, eq=False)
class TraceBeats:
    """The trace beats of one layer, in order.

    Attributes:
        cycle: int64 [beats].
        group: int64 [beats].
        spikes: bool [beats, lanes].
        membranes: int32 [beats, lanes].
    """

    cycle: NDArray[np.int64]
    group: NDArray[np.int64]
    spikes: NDArray[np.bool_]
    membranes: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.group)

    def part(self, beats: slice | NDArray[np.bool_]) -> TraceBeats:
        """Some of the beats."""
        return TraceBeats(
            cycle=self.cycle[beats],
            group=self.group[beats],
            spikes=self.spikes[beats],
            membranes=self.membranes[beats],
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoreBeats:
    """The score beats, in order.

    Attributes:
        valid: int64 [beats], cycle in which the beat was first offered.
        taken: int64 [beats], cycle in which it was accepted.
        value: int32 [beats].
        best: int64 [beats], class number, of meaning where `last` is set.
        last: bool [beats].
    """

    valid: NDArray[np.int64]
    taken: NDArray[np.int64]
    value: NDArray[np.int32]
    best: NDArray[np.int64]
    last: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.value)

    def part(self, beats: slice | NDArray[np.bool_]) -> ScoreBeats:
        """Some of the beats."""
        return ScoreBeats(
            valid=self.valid[beats],
            taken=self.taken[beats],
            value=self.value[beats],
            best=self.best[beats],
            last=self.last[beats],
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Counts:
    """What the chip's counters said at the end.

    Attributes:
        cycles: since reset, by the chip.
        clock: since reset, by the bench, at the moment that the chip's count is of.
        layers: int64 [layers, counters], those of `spikeloom_hw.core.counters.LAYER_COUNTS`.
    """

    cycles: int
    clock: int
    layers: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Recording:
    """Everything that one run of the test bench left.

    Attributes:
        starts: int64 [samples], cycle in which each sample's first event was accepted.
        counts: what the chip counted.
        rounds: int64 [rounds], the first cycle of each round.
        looks: int64 [looks], what each look into a loaded memory found.
    """

    outcome: Outcome
    traces: tuple[TraceBeats, ...]
    scores: ScoreBeats
    starts: NDArray[np.int64]
    counts: Counts
    rounds: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, dtype=np.int64))
    looks: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


def read_recording(folder: Path, shape: CoreShape) -> Recording:
    """The recording in the folder that the bench ran in."""
    looks = folder / "looks.bin"
    valid, taken, value, best, last = _words(folder / "scores.bin", 5).T
    return Recording(
        outcome=msgspec.json.decode((folder / OUTCOME).read_bytes(), type=Outcome),
        traces=tuple(
            _trace(folder / f"trace{number}.bin", layer)
            for number, layer in enumerate(shape.layers)
        ),
        scores=ScoreBeats(
            valid=valid.astype(np.int64),
            taken=taken.astype(np.int64),
            value=value.view(np.int32),
            best=best.astype(np.int64),
            last=last.astype(bool),
        ),
        starts=_words(folder / "starts.bin", 1)[:, 0].astype(np.int64),
        counts=_counts(folder / "counts.bin"),
        rounds=_words(folder / "rounds.bin", 1)[:, 0].astype(np.int64),
        looks=(_words(looks, 1)[:, 0] if looks.is_file() else np.zeros(0)).astype(np.int64),
    )


def _counts(path: Path) -> Counts:
    clock, cycles, *_ = words = _words(path, 1)[:, 0].astype(np.int64)
    layers = words[2:].reshape(-1, len(LAYER_COUNTS))
    return Counts(cycles=int(cycles), clock=int(clock), layers=layers)


def _trace(path: Path, layer: LayerShape) -> TraceBeats:
    words = _words(path, 3 + layer.lanes)
    return TraceBeats(
        cycle=words[:, 0].astype(np.int64),
        group=words[:, 1].astype(np.int64),
        spikes=(words[:, 2, None] >> np.arange(layer.lanes, dtype=np.uint32) & 1).astype(bool),
        membranes=words[:, 3:].view(np.int32),
    )


def _words(path: Path, columns: int) -> NDArray[np.uint32]:
    return np.fromfile(path, dtype=np.uint32).reshape(-1, columns)
