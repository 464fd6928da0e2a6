"""The coefficients of ``spikeloom_hw.logic``, and how far off it is on designs left out."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

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

__all__ = ["Foreseen", "Placed", "Residual", "by_family", "fit", "foresee", "reference_builds"]

BITSTREAMS = Path(__file__).parents[2] / "bitstreams"


@dataclass(frozen=True, kw_only=True)
class Foreseen:
    """A design before synthesis."""

    core: CoreParams
    memories: tuple[MemoryCost, ...]
    target: Target


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A design that was placed and routed, and the median of its clocks."""

    name: str
    clock_mhz: float


class Residual(NamedTuple):
    """A design, and the relative error of a model that was fitted on all others."""

    design: str
    cells: int | None
    cells_error: float | None
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


def fit(
    records: Sequence[Record], placed: Sequence[Placed] = ()
) -> tuple[FamilyModel, list[Residual]]:
    """The model of one family, and what it is off on each design when that is left out.

    Args:
        records: the designs; those that were placed and routed serve for the clock, too.
        placed: more of them for the clock, such as the reference builds.
    """
    foreseen = list(map(foresee, records))
    parts = [counted(own.core, own.memories) for own in foreseen]
    names = [name for name in parts[0] if any(part[name] for part in parts)]
    counts = np.array([[part[name] for name in names] for part in parts], dtype=float)
    cells = np.array([_cells(record) for record in records], dtype=float)
    own = [
        float(counts[left] @ _cell_fit(*_without(left, counts, cells)) / cells[left] - 1)
        for left in range(len(records))
    ]
    found = dict.fromkeys(parts[0], 0.0) | dict(zip(names, _cell_fit(counts, cells), strict=True))
    clocks = [
        *(_placed(record) for record in records if record.fmax_mhz),
        *placed,
    ]
    off = _clock_errors([each.clock_mhz for each in clocks])
    model = FamilyModel(
        cells={name: round(float(value), 4) for name, value in found.items()},
        cells_error=_upward(max(map(abs, own))),
        clock_mhz=round(statistics.median(each.clock_mhz for each in clocks), 2),
        clock_error=_upward(max(map(abs, off))),
        designs=len(records),
        clocks=len(clocks),
    )
    errors = {each.name: (each.clock_mhz, error) for each, error in zip(clocks, off, strict=True)}
    return model, [
        *(
            Residual(
                record.design, int(cells[at]), own[at], *errors.pop(record.design, (None, None))
            )
            for at, record in enumerate(records)
        ),
        *(Residual(name, None, None, *error) for name, error in errors.items()),
    ]


def reference_builds(name: str) -> list[Placed]:
    """The bitstreams of ``bitstreams/`` for the device family ``name``."""
    reports = {path: json.loads(path.read_text()) for path in BITSTREAMS.glob("*/report.json")}
    return [
        Placed(name=path.parent.name, clock_mhz=report["fmax_spread_mhz"]["median"])
        for path, report in sorted(reports.items())
        if TARGETS[report["target"]].family == name
    ]


def _placed(record: Record) -> Placed:
    return Placed(name=record.design, clock_mhz=statistics.median(record.fmax_mhz.values()))


def _cells(record: Record) -> int:
    own = family(TARGETS[record.target]).resources.values()
    return record.cells[next(iter(own))]


def _cell_fit(counts: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Coefficients of least squared relative error, none of them negative."""
    return nnls(counts / cells[:, None], np.ones(len(cells)))[0]


def _clock_errors(clocks: Sequence[float]) -> list[float]:
    return [
        statistics.median([*clocks[:left], *clocks[left + 1 :]]) / clock - 1
        for left, clock in enumerate(clocks)
    ]


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
