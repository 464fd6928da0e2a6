"""The options that several verbs about hardware take."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from spikeloom_hw.targets import TARGETS

F = TypeVar("F", bound=Callable[..., Any])


def target_option(text: str) -> Callable[[F], F]:
    """Add `--target`, with `text` as its help; it arrives as the parameter `target: str`."""
    return click.option(
        "--target",
        type=click.Choice(list(TARGETS)),
        default="icebreaker",
        show_default=True,
        help=text,
    )


def loadable_option(text: str) -> Callable[[F], F]:
    """Add the flag `--loadable`, with `text` as its help; it arrives as `loadable: bool`."""
    return click.option("--loadable", is_flag=True, help=text)


def encoder_option(text: str) -> Callable[[F], F]:
    """Add the flag `--encoder`, with `text` as its help; it arrives as `encoder: bool`."""
    return click.option("--encoder", is_flag=True, help=text)


def output_option(text: str) -> Callable[[F], F]:
    """Add `-o`, with `text` as its help; it arrives as the parameter `output: Path | None`."""
    return click.option("-o", "--output", type=click.Path(path_type=Path), help=text)
