"""Nested states of modules and optimisers as one safetensors file: tensors, and JSON for the rest.

The file is written whole or not at all, and carries a checksum of everything in it: safetensors
notices a file that is cut short, but not one whose bytes have changed.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from spikeloom.errors import UserError
from spikeloom.files import atomic_write
from spikeloom.runfolder import METADATA_KEY, RESTART

__all__ = ["load_tree", "save_tree"]

CHECKSUM_KEY = "crc32"
PLACE = "$tensor"
"""Key of the mapping that stands in the JSON where a tensor was."""


def save_tree(path: Path, header: Mapping[str, Any], tree: Mapping[str, Any]) -> None:
    """Write a tree of mappings (string keys), sequences, tensors and JSON's plain values.

    Args:
        path: the file.
        header: plain values that can be read without the tensors.
        tree: the state.

    Raises:
        TypeError: the tree holds something else.
        UserError: the place cannot be written.
    """
    tensors: dict[str, Tensor] = {}
    # Python's JSON, since a loss may be infinite, and floats must come back bit for bit.
    text = json.dumps({**header, "tree": _plain(tree, "", tensors)})
    metadata = {METADATA_KEY: text, CHECKSUM_KEY: _checksum(text, tensors)}
    atomic_write(path, safetensors.torch.save(tensors, metadata))


def load_tree(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and tree of a file by `save_tree`; tuples come back as lists.

    Raises:
        UserError: the file is damaged.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            # Copies: the file may be replaced while they are in use.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        text = metadata[METADATA_KEY]
        if metadata[CHECKSUM_KEY] != _checksum(text, tensors):
            raise ValueError("its checksum is wrong")
        header = json.loads(text)
        return header, _nested(header.pop("tree"), tensors)
    except (safetensors.SafetensorError, OSError, ValueError, KeyError) as error:
        raise UserError(f"{path} is damaged ({error}); {RESTART}") from None


def _plain(value: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, Tensor):
        tensors[path] = value.detach().cpu().contiguous()
        return {PLACE: path}
    if isinstance(value, Mapping):
        return {key: _plain(inner, f"{path}/{key}", tensors) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(inner, f"{path}/{i}", tensors) for i, inner in enumerate(value)]
    return value


def _nested(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(value, dict):
        if value.keys() == {PLACE}:
            return tensors[value[PLACE]]
        return {key: _nested(inner, tensors) for key, inner in value.items()}
    return [_nested(inner, tensors) for inner in value] if isinstance(value, list) else value


def _checksum(text: str, tensors: Mapping[str, Tensor]) -> str:
    crc = zlib.crc32(text.encode())
    for name in sorted(tensors):
        crc = zlib.crc32(tensors[name].reshape(-1).view(torch.uint8).numpy().data, crc)
    return f"{crc:08x}"
