"""The steps of the flow as functions, found by entry point.

As the verbs of the command line are (`spikeloom.cli.app`), so each step is found by its name: what
trains needs nothing of what synthesises, and a package adds a step without being imported here.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

from spikeloom.errors import UserError
from spikeloom.extras import missing_module

__all__ = ["STEPS", "step"]

STEPS = "spikeloom.steps"


def step(name: str) -> Callable[..., Any]:
    """The function of a step, which takes a network first.

    Raises:
        UserError: what it needs is not installed.
    """
    for point in entry_points(group=STEPS, name=name):
        try:
            return point.load()
        except ModuleNotFoundError as error:
            if (sentence := missing_module(error)) is None:
                raise
            raise UserError(f"{name}: {sentence}") from None
    raise UserError(f"no installed package brings the step {name!r}; install spikeloom again")
