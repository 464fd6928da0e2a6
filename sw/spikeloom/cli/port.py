"""What the verbs that speak to a device have in common."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

SIMULATED = "sim:"


def port_option(function: F) -> F:
    """Add `--port`; it arrives as the parameter `port: str`."""
    option = click.option(
        "--port",
        required=True,
        help="Serial port of the board, as /dev/ttyUSB1; or sim:FOLDER, which simulates the board.",
    )
    return option(function)


def design_option(function: F) -> F:
    """Add `--design`; it arrives as the parameter `design: Path | None`."""
    option = click.option(
        "--design",
        type=click.Path(path_type=Path),
        help="What the board runs: a folder of bitstreams/, one made by generate, or a network.  "
        "[default: what is simulated, or NETWORK]",
    )
    return option(function)


def simulated_place(port: str) -> Path | None:
    """The folder that a port simulates, if it does."""
    return Path(port.removeprefix(SIMULATED)) if port.startswith(SIMULATED) else None
