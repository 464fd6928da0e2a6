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


def design_option(default: str) -> Callable[[F], F]:
    """Add `--design`, of which `default` tells in words; the parameter is `design: Path | None`."""
    return click.option(
        "--design",
        type=click.Path(path_type=Path),
        help="What the board runs: a folder of bitstreams/, one made by generate, or a network.  "
        f"[default: {default}]",
    )


def simulated_place(port: str) -> Path | None:
    """The folder that a port simulates, if it does."""
    return Path(port.removeprefix(SIMULATED)) if port.startswith(SIMULATED) else None
