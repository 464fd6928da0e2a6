"""What decides a reference bitstream, as its folder's `manifest.json` records it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from spikeloom.errors import UserError
from spikeloom_hw.boards.clock import at_clock
from spikeloom_hw.targets import Target, find_target

MANIFEST = "manifest.json"


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """What decides a bitstream, besides its network and the tools.

    Attributes:
        target: name of the preset.
        clock_mhz: clock of the core.
        lanes: of each layer.
        seed: of nextpnr's placer.
        loadable: the host fills the memories.
    """

    target: str
    clock_mhz: float
    lanes: tuple[int, ...]
    seed: int
    loadable: bool = False

    @property
    def board(self) -> Target:
        """The target at the recipe's clock."""
        return at_clock(find_target(self.target), self.clock_mhz)


def read_manifest(folder: Path) -> tuple[dict[str, Any], Recipe]:
    """The manifest of a folder, and what it says to build.

    Raises:
        UserError: there is none, or it is damaged.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise UserError(f"{folder} has no {MANIFEST}; name a folder made by: build.py add")
    try:
        recorded = msgspec.json.decode(path.read_bytes())
        recipe = msgspec.convert({k: recorded[k] for k in Recipe.__struct_fields__}, Recipe)
    except (msgspec.MsgspecError, KeyError) as error:
        raise UserError(f"{path} is damaged ({error}); build it again: build.py add") from None
    return recorded, recipe


def sources_sha256(design: Path) -> str:
    """The sha256 of a generated design's files: Verilog, memories, pins; not its description."""
    digest = hashlib.sha256()
    for file in sorted(path for path in design.iterdir() if path.suffix != ".json"):
        digest.update(f"{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()
