"""A bitstream, and what is known of it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from spikeloom.results import Result
from spikeloom_hw.synth.nextpnr import Attempt, CriticalPath, Usage


@dataclass(frozen=True, kw_only=True)
class SeedResult:
    """What came of one seed of the placer.

    Attributes:
        seed: the seed.
        fmax_mhz: the highest frequency nextpnr vouches for; None when it did not get that far.
        failure: why it did not; None when it did.
    """

    seed: int
    fmax_mhz: float | None
    failure: str | None

    @classmethod
    def of(cls, attempt: Attempt) -> Self:
        """What came of `attempt`."""
        fmax = attempt.placement.fmax_mhz if attempt.placement else None
        return cls(seed=attempt.seed, fmax_mhz=fmax, failure=attempt.failure)


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The highest frequency over the seeds that were placed and routed, in MHz."""

    median: float
    best: float
    worst: float

    @classmethod
    def of(cls, attempts: Sequence[Attempt]) -> Self:
        """Over `attempts`, one of which at least was placed and routed."""
        reached = [each.placement.fmax_mhz for each in attempts if each.placement]
        middle = round(statistics.median(reached), 2)
        return cls(median=middle, best=max(reached), worst=min(reached))


@dataclass(frozen=True, kw_only=True)
class Synthesis(Result):
    """A bitstream, and what is known of it; the content of `synth.json`.

    Attributes:
        target: name of the preset.
        seed: of nextpnr's placer, the fastest of those tried.
        fmax_mhz: the highest frequency nextpnr vouches for.
        constraint_mhz: the frequency the design runs at.
        fmax_spread_mhz: over all seeds tried.
        seeds: what came of each seed, in the order given.
        utilization: used and available, by resource.
        bitstream: path of the bitstream.
        sha256: of the bitstream.
        tools: version of each tool, by name.
        seconds: of the whole flow.
        critical_path: the slowest path of the core's clock.
        network_sha256: the network in it; None for a design that does not say.
        lanes: of each layer; None for a design that does not say.
    """

    target: str
    seed: int
    fmax_mhz: float
    constraint_mhz: float
    fmax_spread_mhz: Spread
    seeds: tuple[SeedResult, ...]
    utilization: dict[str, Usage]
    bitstream: Path
    sha256: str
    tools: dict[str, str]
    seconds: float
    critical_path: CriticalPath | None
    network_sha256: str | None
    lanes: list[int] | None

    def document(self) -> dict[str, Any]:
        """Plain values, as `synth.json` holds them."""
        return asdict(self)
