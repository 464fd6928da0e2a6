"""What the verb `verify` calls, faked: each notes what it was asked; all numbers differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from spikeloom.image.identity import network_sha256
from spikeloom_cosim import flow
from spikeloom_cosim.cli import selftest as selftest_cli
from spikeloom_cosim.cli import verify as cli
from spikeloom_cosim.divergence import Divergence
from spikeloom_cosim.measurement import BusiestLayer, Cycles
from spikeloom_cosim.selftest import Finding, SelftestResult
from spikeloom_cosim.verify import CoreResult, ModeTotal
from spikeloom_cosim.verilator import SimulationError
from spikeloom_cosim.work import LayerWork, Shares

EVENTS = np.zeros((6, 8, 64), dtype=bool)
FIRST = Divergence(
    kind="membrane", mode="stress", sample=4, step=1, layer="layer0", neuron=3, got=7, expected=8
)


def core_result(lanes: tuple[int, ...], number: int = 0, **changes: Any) -> CoreResult:
    """A result whose every number is of its own."""
    base = 100 * number
    shares = Shares(synapses=0.5, padding=0.125, update=0.25, blocked=0.0625, idle=0.0625)
    layer = LayerWork(
        name="layer0",
        lanes=lanes[0],
        cycles=base + 41,
        events=base + 42,
        words=base + 43,
        operations=base + 44,
        updating=base + 45,
        blocked=base + 46,
        sop_per_cycle_per_lane=0.375,
        shares=shares,
    )
    cycles = Cycles(
        mean=base + 11.5,
        max=base + 13,
        p99=base + 12,
        interval=base + 14.5,
        sop_per_cycle_per_lane=0.3125,
        busiest_layer=BusiestLayer(name="layer0", sop_per_cycle_per_lane=0.4375),
    )
    return CoreResult(
        lanes=lanes,
        loaded=False,
        samples=6 + number,
        modes=(ModeTotal(name="stress", mismatches=Counter(), cycles=base + 31, seconds=1.25),),
        cycles=cycles,
        layers=(layer,),
        build_seconds=base + 2.5,
        seconds=base + 3.5,
        **changes,
    )


@dataclass
class Calls:
    """What the verb asked of the parts under it.

    Attributes:
        network: sha256 of what is to be verified.
        results: what each core comes to; by its number.
        broken: number of the core that the simulator breaks down on.
        passed: what the selftest comes to.
    """

    network: str
    results: Callable[[tuple[int, ...], int], CoreResult] = core_result
    broken: int | None = None
    generated: list[dict[str, Any]] = field(default_factory=list)
    fitted: list[tuple[Path, Path]] = field(default_factory=list)
    samples: list[dict[str, Any]] = field(default_factory=list)
    cores: list[dict[str, Any]] = field(default_factory=list)
    selftests: list[dict[str, Any]] = field(default_factory=list)
    levels: list[dict[str, Any]] = field(default_factory=list)
    found: tuple[bool, ...] = (True, True)
    sound: Divergence | None = None

    def generate(self, image: object, **how: Any) -> None:
        assert network_sha256(cast("Any", image)) == self.network
        how["directory"].mkdir()
        self.generated.append(how)

    def fit(self, folder: Path, image: object, *, network: Path) -> SimpleNamespace:
        self.fitted.append((folder, network))
        lanes = self.generated[len(self.fitted) - 1]["lanes"] if self.generated else (16, 16)
        return SimpleNamespace(core=SimpleNamespace(lanes=lanes), expect=f"model {lanes}")

    def sample(self, network: Path, image: object, **how: Any) -> SimpleNamespace:
        self.samples.append(how)
        return SimpleNamespace(events=EVENTS, available=359, dataset="digits")

    def verify(
        self, core: SimpleNamespace, events: object, model: object, **how: Any
    ) -> CoreResult:
        assert events is EVENTS
        number = len(self.cores)
        self.cores.append({"lanes": core.lanes, "model": model, **how})
        how["advance"](len(EVENTS))
        if self.broken == number:
            raise SimulationError("it fell over")
        return self.results(core.lanes, number)

    def selftest(self, fitting: SimpleNamespace, events: object, **how: Any) -> SelftestResult:
        assert events is EVENTS
        self.selftests.append({"lanes": fitting.core.lanes, **how})
        how["found"](1, 2)
        findings = tuple(
            Finding(
                kind=f"kind{number}",
                planted="logic",
                where=f"net{number}",
                samples=8 + number,
                first=FIRST if found else None,
            )
            for number, found in enumerate(self.found)
        )
        return SelftestResult(
            lanes=fitting.core.lanes, sound=self.sound, findings=findings, build_seconds=4.75
        )


@pytest.fixture
def calls(monkeypatch, small_image) -> Calls:
    made = Calls(network=network_sha256(small_image))
    for module, place, fake in (
        (cli, "find_toolchain", lambda: "tools"),
        (flow, "generate", made.generate),
        (flow, "fit_design", made.fit),
        (cli, "fit_design", made.fit),
        (cli, "sample_events", made.sample),
        (cli, "verify_core", made.verify),
    ):
        monkeypatch.setattr(module, place, fake)
    monkeypatch.setattr(selftest_cli, "selftest", made.selftest)

    def level(name: str, code: int):
        def verify(console, network, *level, **how):
            made.levels.append({"by": name, "network": network, "level": level, **how})
            return code

        return verify

    monkeypatch.setattr(cli, "verify_level", level("chip", 0))
    monkeypatch.setattr(cli, "verify_host", level("host", 3))
    return made


@pytest.fixture
def verb(spikeloom, calls, network):
    """`verb(...)`: what the verb says with these options; it must end with `code`."""

    def run(*options: object, code: int = 0):
        result = spikeloom("verify", network.parent, *options)
        assert result.exit_code == code, result.stderr
        return result

    return run
