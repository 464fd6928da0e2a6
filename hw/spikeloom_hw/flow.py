"""Steps of the flow that make hardware, each as one function of a network."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from spikeloom.errors import UserError
from spikeloom.image import NetworkImage
from spikeloom.packing import resolve_lanes
from spikeloom_hw.boards.clock import at_clock
from spikeloom_hw.boards.files import check_top
from spikeloom_hw.estimate import Estimate, check_fits
from spikeloom_hw.estimate import estimate as estimate_cost
from spikeloom_hw.generate import Design
from spikeloom_hw.generate import generate as write_design
from spikeloom_hw.synth.flow import Progress, synthesize
from spikeloom_hw.synth.result import Synthesis
from spikeloom_hw.synth.tools import available_cores
from spikeloom_hw.targets import find_target

__all__ = ["estimate", "generate", "synth"]

Lanes = int | Sequence[int]
Place = str | os.PathLike[str]


def estimate(
    image: NetworkImage,
    target: str = "icebreaker",
    *,
    lanes: Lanes = 8,
    loadable: bool = False,
    encoder: bool = False,
) -> Estimate:
    """What a network costs on a board, without synthesis.

    Raises:
        UserError: there is no such target, or no such core.
    """
    return estimate_cost(
        image,
        target=find_target(target),
        lanes=resolve_lanes(image, lanes),
        loadable=loadable,
        encoder=encoder,
    )


def generate(
    image: NetworkImage,
    directory: Place,
    target: str = "icebreaker",
    *,
    lanes: Lanes = 8,
    loadable: bool = False,
    encoder: bool = False,
) -> Design:
    """Write a network's hardware into a folder, whole or not at all.

    Raises:
        UserError: there is no such target or core, or the folder cannot be written.
    """
    return write_design(
        image,
        target=find_target(target),
        lanes=resolve_lanes(image, lanes),
        directory=Path(directory),
        loadable=loadable,
        encoder=encoder,
    )


def synth(
    image: NetworkImage,
    directory: Place,
    target: str = "icebreaker",
    *,
    lanes: Lanes = 8,
    loadable: bool = False,
    encoder: bool = False,
    clock: float | None = None,
    seeds: Sequence[int] = (1,),
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Synthesis:
    """Build a network's bitstream in a folder.

    Args:
        image: the network.
        directory: where the bitstream and its figures go; replaced as a whole.
        target: the board.
        lanes: of the busiest layer, or one number a layer.
        loadable: the host fills the memories.
        encoder: the board makes the events.
        clock: of the core in MHz; the board's unless given.
        seeds: of the placer; the fastest result is kept.
        jobs: seeds at once; the processor's cores unless given.
        progress: is told of each step.

    Raises:
        UserError: there is no such target or core, it does not fit or misses its clock, or a tool
            is missing.
    """
    preset = find_target(target)
    check_top(preset)
    if not seeds:
        raise UserError("seeds is empty; give at least one, such as (1,)")
    if clock is not None:
        preset = at_clock(preset, clock)
    resolved = resolve_lanes(image, lanes)
    check_fits(image, target=preset, lanes=resolved, loadable=loadable, encoder=encoder)
    progress = progress or _Quiet()
    with tempfile.TemporaryDirectory(prefix="spikeloom-") as scratch:
        folder = Path(scratch) / "design"
        with progress.step(f"generate for {target}"):
            write_design(
                image,
                target=preset,
                lanes=resolved,
                directory=folder,
                loadable=loadable,
                encoder=encoder,
            )
        return synthesize(
            folder,
            target=preset,
            directory=Path(directory),
            seeds=seeds,
            jobs=jobs or available_cores(),
            progress=progress,
        )


class _Quiet:
    """Hears of the steps, and says nothing."""

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        del text
        yield

    @contextmanager
    def track(self, source: int, text: str, /) -> Iterator[_Quiet]:
        del source, text
        yield self

    def advance(self, amount: int = 1, text: str | None = None) -> None:
        del amount, text

    def note(self, text: str) -> None:
        del text
