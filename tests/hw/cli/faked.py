"""What the verbs about hardware call, faked: each notes what it was asked; all numbers differ."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

from networks import random_network
from spikeloom.cycle_statistics import CycleStatistics
from spikeloom.datasets import Split
from spikeloom.datasets.fitting import DataChoice
from spikeloom.image import save_image
from spikeloom_hw import estimate as costs
from spikeloom_hw import flow
from spikeloom_hw.cli import estimate as estimate_cli
from spikeloom_hw.cli import flash as flash_cli
from spikeloom_hw.cli import generate as generate_cli
from spikeloom_hw.cli import synth as synth_cli
from spikeloom_hw.generate import Design, load_design
from spikeloom_hw.generate import generate as write_design
from spikeloom_hw.synth.nextpnr import CriticalPath, Usage
from spikeloom_hw.synth.result import SeedResult, Spread, Synthesis
from spikeloom_hw.targets import TARGETS

SPLIT = Split(
    images=np.arange(640, dtype=np.uint8).reshape(10, 64) % 200,
    labels=np.arange(10),
    index=np.arange(10),
)
CYCLES = msgspec.convert(
    {
        "samples": 7,
        "operations": (3.0, 4.0),
        "latency": {"mean": 101.25, "p99": 111, "max": 121},
        "interval": {"mean": 60.0, "p99": 71, "max": 81},
    },
    CycleStatistics,
    strict=False,
)


SYNTHESIS = Synthesis(
    target="icebreaker",
    seed=3,
    fmax_mhz=41.256,
    constraint_mhz=30,
    fmax_spread_mhz=Spread(median=38.5, best=41.25, worst=35.75),
    seeds=(
        SeedResult(seed=3, fmax_mhz=41.25, failure=None),
        SeedResult(seed=4, fmax_mhz=None, failure="no"),
    ),
    utilization={"LC": Usage(used=1320, available=5280)},
    bitstream=Path("top.bin"),
    sha256="ab" * 32,
    tools={"yosys": "1"},
    seconds=2.5,
    critical_path=CriticalPath(
        start="a", end="b", delay_ns=24.24, logic_ns=10.04, routing_ns=14.2, through=("c", "d")
    ),
    network_sha256="cd" * 32,
    lanes=[8, 4],
)


@dataclass(kw_only=True)
class Calls:
    """What the verbs asked of the parts under them, in order.

    Attributes:
        fits: what an estimate comes to.
        described: what every design says of itself.
    """

    estimated: list[dict[str, Any]] = field(default_factory=list)
    counted: list[dict[str, Any]] = field(default_factory=list)
    datasets: list[DataChoice] = field(default_factory=list)
    generated: list[dict[str, Any]] = field(default_factory=list)
    synthesized: list[dict[str, Any]] = field(default_factory=list)
    written: list[list[str]] = field(default_factory=list)
    fits: bool = True
    described: Design


@pytest.fixture(scope="session")
def a_design(tmp_path_factory) -> Path:
    """A design's folder, of some network."""
    image = random_network(np.random.default_rng(1), [64, 12, 10])
    folder = tmp_path_factory.mktemp("designs") / "design"
    write_design(image, target=TARGETS["icebreaker"], lanes=(1, 1), directory=folder)
    return folder


@pytest.fixture
def calls(monkeypatch, a_design) -> Calls:
    made = Calls(described=load_design(a_design))

    def estimate(image, **how):
        made.estimated.append(how)
        found = costs.estimate(image, **how)
        if made.fits:
            return found
        return msgspec.structs.replace(found, fits=False, exceeds=("too large",), remedies=())

    def cycles(image, split, **how):
        made.counted.append({"split": split, **how})
        how["done"](len(split))
        return CYCLES

    def dataset(path, image, data):
        made.datasets.append(data)
        return SimpleNamespace(test=SPLIT, name=data.name)

    def generate(image, **how):
        made.generated.append(how)
        shutil.copytree(a_design, how["directory"], dirs_exist_ok=True)
        return made.described

    monkeypatch.setattr(estimate_cli, "estimate_cost", estimate)
    monkeypatch.setattr(generate_cli, "estimate", estimate)
    monkeypatch.setattr(estimate_cli, "core_cycles", cycles)
    for cli in (estimate_cli, generate_cli):
        monkeypatch.setattr(cli, "fitting_dataset", dataset)
    monkeypatch.setattr(generate_cli, "write_design", generate)
    monkeypatch.setattr(flow, "write_design", generate)

    def synthesize(folder, **how):
        made.synthesized.append({"folder": folder, **how})
        return SYNTHESIS

    def check_fits(image, **how):
        made.estimated.append(how)

    for place in (synth_cli, flow):
        monkeypatch.setattr(place, "synthesize", synthesize)
    monkeypatch.setattr(flow, "check_fits", check_fits)

    def write_bitstream(command, *, tell):
        made.written.append(list(command))
        tell("half ")
        tell("all\n")

    monkeypatch.setattr(flash_cli, "write_bitstream", write_bitstream)
    return made


@pytest.fixture
def verb(spikeloom):
    """`verb(...)`: what a verb says, which must end with `code`."""

    def run(*arguments: object, code: int = 0):
        result = spikeloom(*arguments)
        assert result.exit_code == code, result.stderr
        return result

    return run


def loadable_network(network: Path, small_image) -> None:
    """The same, with one threshold."""
    hidden, last = small_image.layers
    hidden = replace(hidden, threshold=np.full_like(hidden.threshold, 7))
    save_image(network, small_image.with_layers((hidden, last)))
