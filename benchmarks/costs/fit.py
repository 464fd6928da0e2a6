"""The coefficients of ``spikeloom_hw.logic``, and how far off it is on designs left out."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from costs.designs import DESIGNS
from costs.synthesis import Record
from spikeloom_hw.core.build import core_params
from spikeloom_hw.core.params import CoreParams
from spikeloom_hw.logic import FamilyModel, counted
from spikeloom_hw.memories import MemoryCost, core_memories
from spikeloom_hw.synth.families import family
from spikeloom_hw.targets import TARGETS, Target

__all__ = ["Foreseen", "Residual", "fit", "foresee"]


@dataclass(frozen=True, kw_only=True)
class Foreseen:
    """A design before synthesis."""

    core: CoreParams
    memories: tuple[MemoryCost, ...]
    target: Target


@dataclass(frozen=True, kw_only=True)
class Residual:
    """A design, and the relative error of a model that was fitted on all others."""

    design: str
    cells: int
    cells_error: float
    clock_mhz: float | None
    clock_error: float | None


def foresee(record: Record) -> Foreseen:
    """The core of a record, made again without synthesis.

    Raises:
        ValueError: the design has another gateware since.
    """
    (design,) = (design for design in DESIGNS if design.name == record.design)
    target = TARGETS[record.target]
    core = core_params(
        design.network(), target=target, lanes=design.lanes, loadable=design.loadable
    )
    if core.layers != record.layers:
        raise ValueError(f"{record.design} for {record.target} has changed: synthesise it again")
    return Foreseen(core=core, memories=tuple(core_memories(core, target)), target=target)


def fit(records: Sequence[Record]) -> tuple[FamilyModel, list[Residual]]:
    """The model of one family, and what it is off on each design when that is left out."""
    foreseen = list(map(foresee, records))
    parts = [counted(own.core, own.memories) for own in foreseen]
    names = [name for name in parts[0] if any(part[name] for part in parts)]
    counts = np.array([[part[name] for name in names] for part in parts], dtype=float)
    cells = np.array([_cells(record) for record in records], dtype=float)
    own = [
        float(counts[left] @ _cell_fit(*_without(left, counts, cells)) / cells[left] - 1)
        for left in range(len(records))
    ]
    clocks = [
        statistics.median(record.fmax_mhz.values()) if record.fmax_mhz else None
        for record in records
    ]
    fill = cells / np.array([own.target.logic_cells for own in foreseen])
    placed = np.array([clock is not None for clock in clocks])
    period = np.array([1000 / clock for clock in clocks if clock is not None])
    line = _line(fill[placed], period)
    off = _clock_errors(fill[placed], period)
    found = dict.fromkeys(parts[0], 0.0) | dict(zip(names, _cell_fit(counts, cells), strict=True))
    model = FamilyModel(
        cells={name: round(float(value), 4) for name, value in found.items()},
        cells_error=_upward(max(map(abs, own))),
        period_ns=round(line[0], 3),
        period_per_fill_ns=round(line[1], 3),
        clock_error=_upward(max(map(abs, off))),
        designs=len(records),
        clocks=len(period),
    )
    errors = iter(off)
    return model, [
        Residual(
            design=record.design,
            cells=int(cells[at]),
            cells_error=round(own[at], 4),
            clock_mhz=clocks[at],
            clock_error=None if clocks[at] is None else round(next(errors), 4),
        )
        for at, record in enumerate(records)
    ]


def _cells(record: Record) -> int:
    own = family(TARGETS[record.target]).resources.values()
    return record.cells[next(iter(own))]


def _cell_fit(counts: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Coefficients of least squared relative error, none of them negative."""
    return nnls(counts / cells[:, None], np.ones(len(cells)))[0]


def _line(fill: np.ndarray, period: np.ndarray) -> tuple[float, float]:
    """Period of an empty device, and what a full one takes more; never less."""
    columns = np.stack([np.ones(len(fill)), fill], axis=1)
    empty, full = nnls(columns / period[:, None], np.ones(len(period)))[0]
    return float(empty), float(full)


def _clock_errors(fill: np.ndarray, period: np.ndarray) -> list[float]:
    errors = []
    for left in range(len(period)):
        empty, full = _line(*_without(left, fill, period))
        errors.append(float(period[left] / (empty + full * fill[left]) - 1))
    return errors


def _without(left: int, *arrays: np.ndarray) -> list[np.ndarray]:
    return [np.delete(array, left, axis=0) for array in arrays]


def _upward(error: float) -> float:
    return float(np.ceil(error * 100) / 100)


def by_family(records: Mapping[tuple[str, str], Record]) -> dict[str, list[Record]]:
    """Records of each device family."""
    found: dict[str, list[Record]] = {}
    for record in records.values():
        found.setdefault(TARGETS[record.target].family, []).append(record)
    return found
