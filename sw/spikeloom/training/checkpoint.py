"""The file of a trained network: real weights and masks in safetensors, the rest in its header."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import msgspec
import safetensors
import safetensors.torch

from spikeloom import __version__
from spikeloom.config import Config, dump_config, parse_config
from spikeloom.errors import UserError, check_type
from spikeloom.files import atomic_write
from spikeloom.nn import GraphNetwork, Network, build_network
from spikeloom.provenance import DataIdentity
from spikeloom.runfolder import METADATA_KEY, PROGRESS_FILE

__all__ = ["Checkpoint", "load_checkpoint", "save_checkpoint"]


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a checkpoint says besides its tensors.

    `config` is the resolved TOML; `data` is None in files from before it was remembered.
    """

    schema: Literal[1] = 1
    config: str
    inputs: int
    classes: int
    source: tuple[int, ...] = ()
    epoch: int
    accuracy_validation: float
    version: str
    data: DataIdentity | None = None


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A trained network with the run that made it."""

    config: Config
    network: Network
    epoch: int
    accuracy_validation: float
    data: DataIdentity | None = None


def save_checkpoint(path: str | os.PathLike[str], checkpoint: Checkpoint) -> None:
    """Write a checkpoint, whole or not at all.

    Raises:
        TypeError: the arguments are of other types, or in the other order.
        UserError: the place cannot be written.
    """
    check_type("path of save_checkpoint(path, checkpoint)", path, str, os.PathLike)
    check_type("checkpoint of save_checkpoint(path, checkpoint)", checkpoint, Checkpoint)
    network = checkpoint.network
    header = Header(
        config=dump_config(checkpoint.config),
        inputs=network.inputs,
        classes=network.classes,
        source=network.source.shape if isinstance(network, GraphNetwork) else (),
        epoch=checkpoint.epoch,
        accuracy_validation=checkpoint.accuracy_validation,
        version=__version__,
        data=checkpoint.data,
    )
    state = {
        name: value.detach().cpu().contiguous()
        for name, value in checkpoint.network.state_dict().items()
    }
    metadata = {METADATA_KEY: msgspec.json.encode(header).decode()}
    atomic_write(path, safetensors.torch.save(state, metadata))


def load_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read a checkpoint; its network is on the CPU, in eval mode.

    Raises:
        UserError: the file is missing, damaged, or not a checkpoint of this schema.
    """
    path = Path(path)
    command = f"spikeloom train CONFIG -o {path.parent}"
    if not path.is_file():
        if (path.parent / PROGRESS_FILE).is_file():
            raise UserError(f"{path.parent} has not finished training; go on with it: {command}")
        raise UserError(f"there is no checkpoint {path}; make one: {command}")
    again = f"train again: {command} --restart"
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(METADATA_KEY)
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (safetensors.SafetensorError, OSError) as error:
        raise UserError(f"{path} is damaged ({error}); {again}") from None
    if text is None:
        raise UserError(f"{path} is not a checkpoint of spikeloom: its header lacks it; {again}")
    try:
        header = msgspec.json.decode(text, type=Header)
    except msgspec.DecodeError as error:
        raise UserError(f"{path} has a damaged header ({error}); {again}") from None
    config = parse_config(header.config, source=f"{path}, header")
    network = build_network(
        config, inputs=header.inputs, classes=header.classes, source=header.source
    )
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        sentence = " ".join(str(error).split())
        raise UserError(f"{path} does not fit its own header ({sentence}); {again}") from None
    return Checkpoint(
        config=config,
        network=network.eval(),
        epoch=header.epoch,
        accuracy_validation=header.accuracy_validation,
        data=header.data,
    )
