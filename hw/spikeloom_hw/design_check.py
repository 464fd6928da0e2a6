"""Does a design's folder hold what it says, and of the network that one thinks?"""

import re
from pathlib import Path

from spikeloom.errors import UserError
from spikeloom.image import NetworkImage
from spikeloom.image.identity import network_sha256
from spikeloom.lineage import check_made_from
from spikeloom_hw.generate import Design, MemoryDesign, load_design


def open_design(directory: Path) -> Design:
    """The description of a design, unless it lies in a run folder and is older than the run.

    A loadable one runs any network, so it is never too old.

    Raises:
        UserError: it is older, or the folder has no description, or a damaged one.
    """
    design = load_design(directory)
    if not design.loadable:
        check_made_from(directory, design.network_sha256, verb="generate")
    return design


def check_design(directory: Path, *, image: NetworkImage, network: Path) -> Design:
    """The description of a design that was generated from a network.

    Args:
        directory: the design's folder.
        image: the network.
        network: where it lies, for the message.

    Raises:
        UserError: the folder has no description, a damaged one, or that of another network.
    """
    design = load_design(directory)
    if design.network_sha256 != network_sha256(image):
        raise UserError(
            f"{directory} was generated from another network than {network}; "
            "name the network it was generated from"
        )
    return design


def check_memories(directory: Path, design: Design) -> None:
    """Refuse memory contents that are damaged; any word that the memory can hold is right.

    Raises:
        UserError: a file is missing, has more or fewer lines than the memory has words, or one
            that is no word of the memory; names file and line.
    """
    for memory in design.memories:
        path = directory / memory.file
        if not path.is_file():
            raise UserError(f"{directory} lacks {memory.file}; generate the design again")
        if found := _damage(path.read_text(errors="replace"), memory):
            line, reason = found
            raise UserError(
                f"{path}, line {line}: {reason}; put it right, or generate the design again"
            )


def _damage(text: str, memory: MemoryDesign) -> tuple[int, str] | None:
    """The first line that is wrong, from 1, and how."""
    digits = -(-memory.width // 4)
    word = re.compile(rf"[0-9a-fA-F]{{{digits}}}")
    lines = text.removesuffix("\n").split("\n")
    for number, line in enumerate(lines[: memory.depth], 1):
        if not word.fullmatch(line):
            return number, f"{line[:40]!r} is not a word of {digits} hexadecimal digits"
        if int(line, 16) >> memory.width:
            return number, f"{line!r} has more than the memory's {memory.width} bits"
    if len(lines) != memory.depth:
        reason = f"the file has {len(lines)} lines, and the memory {memory.depth} words"
        return min(len(lines), memory.depth) + 1, reason
    return None
