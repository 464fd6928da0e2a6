"""What can be done with a network, as methods: each is a step of the flow, found by its name.

The steps stand above the image, some in other packages; so they are looked up when they are called,
and their results have the types that the text names.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spikeloom.steps import step

Lanes = int | Sequence[int]
SplitName = Literal["train", "validation", "test"]
Level = Literal["rtl", "netlist", "routed", "bitstream", "host"]
Advance = Callable[[int], object]


def _quiet(_samples: int) -> None:
    """Nobody is told how far a step has come."""


class Verbs:
    """Methods of a `NetworkImage`; `data` is a `Dataset`, a name, a path, or None for its own."""

    def classify(self, samples: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Classes of samples, int64 [n], by the integer reference.

        Args:
            samples: uint8 [n, ...], values of 0 to 255 as the network was trained with.

        Raises:
            UserError: they are of another type or size.
        """
        return step("classify")(self, samples)

    def evaluate(self, data: Any = None, *, split: SplitName = "test") -> Any:
        """Accuracy and cost on a split, by the integer reference.

        Returns:
            `spikeloom.evaluation.Evaluation`.

        Raises:
            UserError: there are no such data, or they do not fit.
        """
        return step("evaluate")(self, data, split=split)

    def inspect(self, *, lanes: Lanes = 8) -> dict[str, Any]:
        """Shapes, ranges, widths, density, bits and origin, as `spikeloom inspect --json`.

        Raises:
            UserError: there cannot be so many lanes.
        """
        return step("inspect")(self, lanes=lanes)

    def estimate(
        self,
        target: str = "icebreaker",
        *,
        lanes: Lanes = 8,
        loadable: bool = False,
        encoder: bool = False,
    ) -> Any:
        """What it costs on a board, without synthesis.

        Returns:
            `spikeloom_hw.estimate.Estimate`.

        Raises:
            UserError: there is no such target, or no such core.
        """
        return step("estimate")(self, target, lanes=lanes, loadable=loadable, encoder=encoder)

    def generate(
        self,
        directory: str | os.PathLike[str],
        target: str = "icebreaker",
        *,
        lanes: Lanes = 8,
        loadable: bool = False,
        encoder: bool = False,
    ) -> Any:
        """Write its hardware: Verilog, memory contents and pins.

        Returns:
            `spikeloom_hw.generate.Design`.

        Raises:
            UserError: there is no such target or core, or the folder cannot be written.
        """
        return step("generate")(
            self, directory, target, lanes=lanes, loadable=loadable, encoder=encoder
        )

    def verify(
        self,
        data: Any = None,
        *,
        split: SplitName = "test",
        samples: int | None = None,
        lanes: Lanes = 8,
        target: str = "icebreaker",
        loadable: bool = False,
        seed: int = 1,
        jobs: int | None = None,
        failure_folder: str | os.PathLike[str] = "verify-failure",
        advance: Advance = _quiet,
    ) -> Any:
        """Simulate the core's Verilog, and compare every spike, membrane, score and cycle.

        If they differ, the waves of the first failing sample go to `failure_folder`.

        Returns:
            `spikeloom_cosim.verify.CoreResult`; its `exact` says whether nothing differs.

        Raises:
            UserError: the data do not fit, or no compiler is there.
            SimulationError: the simulator broke down, which says nothing about the core.
        """
        return step("verify")(
            self,
            data,
            split=split,
            samples=samples,
            lanes=lanes,
            target=target,
            loadable=loadable,
            seed=seed,
            jobs=jobs,
            failure_folder=failure_folder,
            advance=advance,
        )

    def synth(
        self,
        directory: str | os.PathLike[str],
        target: str = "icebreaker",
        *,
        lanes: Lanes = 8,
        loadable: bool = False,
        encoder: bool = False,
        clock: float | None = None,
        seeds: Sequence[int] = (1,),
        jobs: int | None = None,
    ) -> Any:
        """Build the bitstream, by yosys, nextpnr and the packer.

        Returns:
            `spikeloom_hw.synth.result.Synthesis`.

        Raises:
            UserError: it does not fit, it misses its clock, or a tool is missing.
        """
        return step("synth")(
            self,
            directory,
            target,
            lanes=lanes,
            loadable=loadable,
            encoder=encoder,
            clock=clock,
            seeds=seeds,
            jobs=jobs,
        )
