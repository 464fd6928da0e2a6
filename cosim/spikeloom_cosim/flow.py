"""The step of the flow that simulates, as one function of a network."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from spikeloom.datasets import Dataset, SplitName
from spikeloom.datasets.fitting import data_of
from spikeloom.image import NetworkImage
from spikeloom.packing import resolve_lanes
from spikeloom_cosim.fitting import Fitting, fit_design
from spikeloom_cosim.samples import first_events
from spikeloom_cosim.toolchain import find_toolchain
from spikeloom_cosim.verify import CoreResult, verify_core
from spikeloom_hw.generate import generate
from spikeloom_hw.targets import find_target

__all__ = ["FAILURE_FOLDER", "fitting_of", "verify"]

FAILURE_FOLDER = "verify-failure"


def verify(
    image: NetworkImage,
    data: Dataset | str | os.PathLike[str] | None = None,
    *,
    split: SplitName = "test",
    samples: int | None = None,
    lanes: int | Sequence[int] = 8,
    target: str = "icebreaker",
    loadable: bool = False,
    seed: int = 1,
    jobs: int | None = None,
    failure_folder: str | os.PathLike[str] = FAILURE_FOLDER,
    advance: Callable[[int], object] = lambda _samples: None,
) -> CoreResult:
    """Simulate a network's core, and compare it with the integer reference.

    Args:
        image: the network.
        data: the samples: a `Dataset`, a name, a path, or None for the network's own.
        split: of the data.
        samples: how many; None takes all.
        lanes: of the busiest layer, or one number a layer.
        target: the board that the core is made for.
        loadable: make a core that is loaded with the network, and load it.
        seed: of the random pauses.
        jobs: simulations at once; None takes one a processor.
        failure_folder: made if the core fails, with the waves of the first failing sample.
        advance: told how many more samples are done.

    Raises:
        UserError: the data do not fit, there is no such core, or no compiler is there.
        SimulationError: the simulator broke down, which says nothing about the core.
    """
    tools = find_toolchain()
    chosen = first_events(data_of(image, data), image, split=split, count=samples)
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        fitting = fitting_of(
            image, lanes=lanes, target=target, loadable=loadable, folder=Path(scratch) / "design"
        )
        return verify_core(
            fitting.core,
            chosen.events,
            fitting.expect,
            tools=tools,
            seed=seed,
            failure_folder=Path(failure_folder),
            jobs=jobs,
            advance=advance,
        )


def fitting_of(
    image: NetworkImage,
    *,
    lanes: int | Sequence[int],
    target: str,
    loadable: bool,
    folder: Path,
    network: Path = Path("the network"),
) -> Fitting:
    """The network in a core that is generated for it, in `folder`; `network` names its file.

    Raises:
        UserError: there is no such core.
    """
    generate(
        image,
        target=find_target(target),
        lanes=resolve_lanes(image, lanes),
        directory=folder,
        bare=True,
        loadable=loadable,
    )
    return fit_design(folder, image, network=network)
