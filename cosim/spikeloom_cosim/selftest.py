"""The check, checked: faults are planted in a core, one at a time, and each must be reported.

What runs is what `verify` runs, bench, player, reference and comparison, but for cocotb, which
takes a second to start: the faults are many and their runs are short. All faults in the logic are
in one compiled core, in which at most one is on; those in memory contents are other files for it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from spikeloom_cosim.build import Build, build_bench
from spikeloom_cosim.chunk import Bench, Chunk
from spikeloom_cosim.core import Core
from spikeloom_cosim.divergence import Divergence
from spikeloom_cosim.expectation import Expectation
from spikeloom_cosim.faults.contents import content_faults
from spikeloom_cosim.faults.logic import LogicFault, logic_faults
from spikeloom_cosim.faults.netlist import Netlist
from spikeloom_cosim.faults.plant import LEAST_FAULT, plant_logic, with_fault
from spikeloom_cosim.faults.synthesised import synthesise
from spikeloom_cosim.fitting import Fitting
from spikeloom_cosim.simulation import MODES
from spikeloom_cosim.toolchain import Toolchain

FIRST_SAMPLES, GROWTH = 8, 4
"""A fault is sought in a few samples first; what hides there, in ever more."""
NOISE_SAMPLES = 64
"""What no sample of a data set brings about, such as the same membrane twice, noise may."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What became of one fault.

    Attributes:
        kind: of the fault.
        planted: "contents" of a memory, or "logic".
        where: in which memory or net.
        samples: in how many samples it was sought.
        first: the first difference that was reported; None: the fault escaped.
    """

    kind: str
    planted: str
    where: str
    samples: int
    first: Divergence | None

    def document(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "kind": self.kind,
            "planted": self.planted,
            "where": self.where,
            "samples": self.samples,
            "found": self.first is not None,
            "first_divergence": None if self.first is None else msgspec.to_builtins(self.first),
        }


@dataclass(frozen=True, kw_only=True)
class SelftestResult:
    """What became of all faults.

    Attributes:
        lanes: of each layer.
        sound: the difference found with no fault on; must be None, or nothing is proved.
        findings: of each fault.
        build_seconds: compilation of the core that carries the faults.
    """

    lanes: tuple[int, ...]
    sound: Divergence | None
    findings: tuple[Finding, ...]
    build_seconds: float

    @property
    def escaped(self) -> tuple[Finding, ...]:
        """The faults that nothing reported."""
        return tuple(finding for finding in self.findings if finding.first is None)

    @property
    def passed(self) -> bool:
        """No difference without a fault, and one with each."""
        return self.sound is None and bool(self.findings) and not self.escaped


def selftest(
    fitting: Fitting,
    events: NDArray[np.bool_],
    *,
    tools: Toolchain,
    seed: int,
    jobs: int,
    level: str = "rtl",
    found: Callable[[int, int], object] = lambda _done, _of: None,
) -> SelftestResult:
    """Plant every fault that a core can have, and look whether the check sees it.

    Args:
        fitting: the core, and the network in it.
        events: bool [samples, steps, inputs]; as many of the first ones are used as it takes,
            and after them noise.
        tools: what compiles.
        seed: of the stress mode's pauses and orders.
        jobs: simulations at once.
        level: "rtl", or "netlist": the faults are planted, then synthesised with the core.
        found: told after each fault how many are done, and how many there are.

    Raises:
        UserError: the core does not compile.
        SimulationError: the simulator broke down.
    """
    events = np.concatenate([events, noise(events.shape[1:], seed=seed)])
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        work = Path(scratch)
        logic: list[LogicFault] = []

        def plant(netlist: Netlist) -> None:
            trace = fitting.expect(events).trace
            logic.extend(logic_faults(netlist, fitting.params, fitting.packed, trace))
            for number, fault in enumerate(logic, LEAST_FAULT):
                fault.plant(netlist, number)

        planted = plant_logic(fitting.core, plant, folder=work / "planted")
        if level == "netlist":
            planted = synthesise(planted, folder=work / "netlist")
        build = build_bench(planted.verilog, planted.shape, tools=tools, alone=True)
        trial = _Trial(fitting, build, events, seed=seed)
        folders = (work / f"fault{number}" for number in count())
        healthy = with_fault(planted, 0, folder=next(folders))
        sound, _ = trial(healthy, sizes=[len(trial.expected(FIRST_SAMPLES).trace.events)])

        trace = trial.expected(FIRST_SAMPLES).trace
        cases: list[tuple[str, str, str, Core]] = []
        for fault in content_faults(fitting, fitting.params, trace):
            # After synthesis, contents are in the cells; only what is loaded can still be wrong.
            if level == "netlist" and (fault.loaded is None or healthy.loads is None):
                continue
            core = fault.plant(healthy, fitting.params, folder=next(folders))
            cases.append((fault.kind, "contents", fault.where, core))
        for number, fault in enumerate(logic, LEAST_FAULT):
            core = with_fault(planted, number, folder=next(folders))
            cases.append((fault.kind, "logic", fault.where, core))
        findings = []
        with ThreadPoolExecutor(jobs) as pool:
            searched = pool.map(trial, [core for *_, core in cases])
            for (kind, where_planted, where, _), (first, samples) in zip(
                cases, searched, strict=True
            ):
                findings.append(
                    Finding(
                        kind=kind, planted=where_planted, where=where, samples=samples, first=first
                    )
                )
                found(len(findings), len(cases))
    return SelftestResult(
        lanes=fitting.core.lanes,
        sound=sound,
        findings=tuple(findings),
        build_seconds=build.seconds,
    )


def noise(shape: tuple[int, ...], *, seed: int) -> NDArray[np.bool_]:
    """Samples of random events, from few to nearly all: bool [`NOISE_SAMPLES`, steps, inputs]."""
    rates = np.linspace(0.02, 0.9, NOISE_SAMPLES)[:, None, None]
    return np.random.default_rng(seed).random((NOISE_SAMPLES, *shape)) < rates


class _Trial:
    """Runs a core on more and more samples, mode by mode, until a difference is reported."""

    def __init__(
        self, fitting: Fitting, build: Build, events: NDArray[np.bool_], *, seed: int
    ) -> None:
        self._build, self._events, self._seed = build, events, seed
        # Known before the threads start: each would reckon for itself otherwise.
        self.expected = cache(lambda samples: fitting.expect(events[:samples]))

    def __call__(
        self, core: Core, sizes: Sequence[int] | None = None
    ) -> tuple[Divergence | None, int]:
        for samples in sizes or self._sizes():
            for mode in MODES:
                bench = Bench(
                    build=self._build,
                    core=core,
                    model=lambda events: self._model(len(events)),
                    modes=[mode],
                    threads=1,
                )
                chunk = Chunk(start=0, events=self._events[:samples], seed=self._seed)
                (run,) = bench(chunk).modes
                if run.verdict.found is not None:
                    return run.verdict.found.first, samples
        return None, len(self._events)

    def _model(self, samples: int) -> Expectation:
        return self.expected(samples)

    def _sizes(self) -> Iterator[int]:
        size = FIRST_SAMPLES
        while size < len(self._events):
            yield size
            size *= GROWTH
        yield len(self._events)
