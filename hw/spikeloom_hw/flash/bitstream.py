"""Finds a bitstream, and the board that it was built for.

=============================  ================================================
given                          taken
=============================  ================================================
a file                         that file
a folder made by `synth`       its `top.bin` or `top.bit`
a folder of `bitstreams/`      the same
a run folder                   that of `synth/<target>` in it
=============================  ================================================

What was built for which board is told by the record beside the file: `synth.json`, which `synth`
writes, or the `manifest.json` of a reference build. The record's sha256 must be the file's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from spikeloom.errors import UserError
from spikeloom.files import file_sha256
from spikeloom.lineage import check_built_from, check_made_from
from spikeloom_hw.synth.families import family
from spikeloom_hw.synth.manifest import MANIFEST
from spikeloom_hw.targets import Target, find_target

FILES = ("top.bin", "top.bit")
SYNTHESIS = "synth.json"
_HEADER_BYTES = 65536
"""The preamble follows a comment of any length."""


@dataclass(frozen=True, kw_only=True)
class Bitstream:
    """A bitstream and its board.

    Attributes:
        path: the file.
        target: what it was built for.
    """

    path: Path
    target: Target


@dataclass(frozen=True, kw_only=True)
class _Record:
    path: Path
    target: str
    sha256: str
    network: str | None


def find_bitstream(place: Path, target: str | None) -> Bitstream:
    """The bitstream that `place` means, for the board it was built for.

    Args:
        place: a file or a folder, as in the table above.
        target: name of the preset it is meant for; None takes what its record says.

    Raises:
        UserError: there is no bitstream, or several; it was built for another target, is not what
            its record tells of, is older than its network, or nothing says what it was built for.
    """
    path = place if place.is_file() else _in_folder(place, target)
    record = _record(path)
    if record is None and target is None:
        raise UserError(f"nothing beside {path} says which board it is for: name it with --target")
    if record is not None:
        if target is not None and record.target != target:
            raise UserError(
                f"{path} was built for {record.target}, not for {target}: "
                f"build it with: spikeloom synth NETWORK --target {target}"
            )
        if file_sha256(path) != record.sha256:
            raise UserError(
                f"{path} is not the bitstream that {record.path} tells of, as its sha256 is "
                "another: build it again"
            )
        if record.path.name == MANIFEST:
            check_built_from(path.parent, record.network)
        else:
            check_made_from(path.parent, record.network, verb="synth")
    board = find_target(record.target if record else str(target))
    wanted = Path(family(board).bitstream).suffix
    if path.suffix != wanted:
        raise UserError(f"{path} is no bitstream for {board.name}, which takes a file *{wanted}")
    if family(board).preamble not in path.read_bytes()[:_HEADER_BYTES]:
        raise UserError(
            f"{path} is no bitstream for {board.name}, as it does not begin like one: build it "
            "again"
        )
    return Bitstream(path=path, target=board)


def _in_folder(folder: Path, target: str | None) -> Path:
    if not folder.exists():
        raise UserError(f"there is no {folder}: give a bitstream, or a folder that holds one")
    if found := _files(folder):
        return found[0]
    built = [path for each in sorted(folder.glob("synth/*")) for path in _files(each)]
    if target is not None and len(built) > 1:
        built = [path for path in built if path.parent.name == target]
    if len(built) > 1:
        names = ", ".join(path.parent.name for path in built)
        raise UserError(f"{folder} has bitstreams for {names}: choose one with --target")
    if not built:
        named = target or "TARGET"
        raise UserError(
            f"{folder} has no bitstream; make one with: spikeloom synth NETWORK --target {named}"
        )
    return built[0]


def _files(folder: Path) -> Sequence[Path]:
    return [path for name in FILES if (path := folder / name).is_file()]


def _record(bitstream: Path) -> _Record | None:
    """What the folder of `bitstream` says of it, if anything."""
    for name in (MANIFEST, SYNTHESIS):
        path = bitstream.parent / name
        if not path.is_file():
            continue
        try:
            data: dict[str, Any] = msgspec.json.decode(path.read_bytes())
            if name == MANIFEST:
                digest, network = data["sha256"]["bitstream"], data["sha256"].get("network")
            else:
                digest, network = data["sha256"], data.get("network_sha256")
            return _Record(
                path=path, target=str(data["target"]), sha256=str(digest), network=network
            )
        except (msgspec.MsgspecError, KeyError, TypeError) as error:
            raise UserError(f"{path} is damaged ({error}): build the bitstream again") from None
    return None
