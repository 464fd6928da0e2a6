"""A cell of the study: part, arm, density, banks and seed, and the configuration that it means."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from spikeloom.config import Config, dump_config, parse_config
from spikeloom.config.methods import expand
from study.budget import FRACTION_ITERATIVE, Timing, planned_epochs, timing
from study.settings import PARTS, SCHEMA

__all__ = ["Cell", "cells"]

RHO = 0.3
# Rewound weights lie above what was pruned, so their index is low: with SAP's own gamma of 1 a
# pilot run spent its budget above a density of 35 %.
GAMMA_SAP = 3.0
KEEPING = ("dense", "static", "set", "rigl", "esl")
FROM_DENSE = ("sap", "one-shot", "iterative")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One run that the study wants."""

    part: str
    arm: str
    density: float
    seed: int
    banks: int = 0

    @property
    def final_density(self) -> float:
        """Density that the network ends with; dense is the ceiling at every budget."""
        return 1.0 if self.arm == "dense" else self.density

    def planned_epochs(self) -> int:
        """Epochs before any correction; see `study.budget`."""
        part, final = PARTS[self.part], self.final_density
        if self.arm in KEEPING:
            initial, kept = final, 0.0
        elif self.arm in FROM_DENSE:
            fraction = {"one-shot": 1.0, "iterative": FRACTION_ITERATIVE}
            initial, kept = 1.0, 1 - fraction.get(self.arm, part.ratio.get("sap", 0.0))
        else:
            ratio = part.ratio.get(self.arm, part.ratio["pq-layer"])
            initial, kept = max(0.5, final), 1 - ratio * (1 - RHO)
        return planned_epochs(
            budget=part.budget,
            density=final,
            initial=initial,
            kept=kept,
            when=self._timing(),
        )

    def _timing(self) -> Timing:
        part = PARTS[self.part]
        return timing(self.arm, part.budget, every=part.every, exchange=part.exchange)

    def config(self, epochs: int | None = None) -> Config:
        """The resolved configuration, with the planned epochs unless others are given."""
        return parse_config(self._toml(epochs), source=str(self))

    def resolved(self) -> str:
        """Hash of the resolved configuration, every default of the trainer included."""
        return _hash(dump_config(self.config()))

    def _toml(self, epochs: int | None = None) -> str:
        part = PARTS[self.part]
        when = self._timing()
        method = "pq-layer" if self.arm == "constant" else self.arm
        lines = [
            f"epochs = {epochs or self.planned_epochs()}",
            f"seed = {self.seed}",
            "[sparsity]",
            f'method = "{method}"',
            f"density = {self.final_density}",
            f"start_epoch = {when.start}",
            f"every_epochs = {when.every}",
            f"stop_epoch = {when.stop}",
            f"banks = {self.banks}",
            "nonzero = true",
        ]
        if self.arm == "constant":
            lines += ['ratio = "constant"', f"fraction = {part.ratio['pq-layer']}"]
        if self.arm == "sap":
            lines.append(f"gamma = {GAMMA_SAP}")
        if self.arm.startswith("pq-") or self.arm == "constant":
            lines.append(f"rho = {RHO}")
        return part.base + "\n".join(lines)

    def key(self) -> str:
        """Hash of what the study fixes: configuration, method, subset, budget and schema.

        A key that the trainer takes on with a default that changes nothing leaves it alone, and
        shows in `resolved`. Cells of two parts that are the same run have one key, and are run
        once.
        """
        part = PARTS[self.part]
        method = "pq-layer" if self.arm == "constant" else self.arm
        keys = sorted(expand(method, self.final_density).items())
        return _hash(f"{SCHEMA}\n{part.subset}\n{part.budget}\n{keys}\n{self._toml()}")

    def __str__(self) -> str:
        banks = f", {self.banks} banks" if self.banks else ""
        return f"{self.part} {self.arm} {self.density:.0%}{banks}, seed {self.seed}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def cells(part: str) -> Iterator[Cell]:
    """All cells of a part, seed by seed, so that an unfinished study is a balanced one."""
    plan = PARTS[part]
    for seed in range(plan.seeds):
        for density in plan.densities:
            for arm in plan.arms:
                for banks in plan.banks:
                    yield Cell(part=part, arm=arm, density=density, seed=seed, banks=banks)
