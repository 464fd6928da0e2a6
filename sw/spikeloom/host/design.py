"""What a host knows of the design that a device runs, besides what the device says itself.

A package that can make designs registers, in the entry points `spikeloom.designs`, a callable that
takes the path of one and returns a :class:`HostDesign`, or None when the path is none of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import cast

from spikeloom.encoding import SampleCode
from spikeloom.errors import UserError
from spikeloom.image import NetworkImage

GROUP = "spikeloom.designs"

Load = tuple[int, int, int, int]
"""Layer, kind of memory, address of a chunk, and its sixteen bits."""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a host puts into a device's memories.

    Attributes:
        loads: every chunk, in the order to load.
        readable: those of them that can be read back.
    """

    loads: Sequence[Load]
    readable: Sequence[Load]


@dataclass(frozen=True, kw_only=True)
class HostDesign:
    """A design, as far as a host is concerned.

    Attributes:
        source: where it lies, for messages.
        board: what it was made for.
        design_hash: first bytes of its hash, as the device tells them.
        loadable: a host fills its memories.
        network: the network that lies with it, if there is one.
        contents: what to load so that the device runs a network; nothing if it is in there already.
            Raises UserError if the network is beyond the device, or not the one in there.
        count_names: what each of the device's counts counts.
        encoder: what becomes of the values that the device takes in place of events, if it does.
    """

    source: str
    board: str
    design_hash: bytes
    loadable: bool
    network: NetworkImage | None
    contents: Callable[[NetworkImage], Contents]
    count_names: tuple[str, ...]
    encoder: SampleCode | None = None


Finder = Callable[[Path], HostDesign | None]


def find_design(path: str | Path) -> HostDesign:
    """The design at a path: a folder of `bitstreams/`, or what `spikeloom generate` made.

    Raises:
        UserError: there is none, or it is damaged.
    """
    place = Path(path)
    if not place.exists():
        raise UserError(
            f"there is no design {place}; name a folder of bitstreams/, or generate one"
        )
    points = list(entry_points(group=GROUP))
    for point in points:
        if (found := cast(Finder, point.load())(place)) is not None:
            return found
    if not points:
        raise UserError("nothing here knows designs; run: pip install 'spikeloom[hw]'")
    raise UserError(
        f"{place} is no design; name a folder of bitstreams/, a folder made by 'spikeloom "
        "generate', or a network"
    )
