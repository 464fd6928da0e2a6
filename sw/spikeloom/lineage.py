"""What in a run folder is made from what, and the refusal of whatever is older than that.

```
checkpoint ──export──► network ──generate──► design/<target>
                          └──────synth─────► synth/<target>, or the bitstream of a reference build
```

Each holds the hash of what it was made from, and that is compared: the time of a file says nothing
once it was copied or cloned. Every verb reads its network by `load_network`, and asks
`check_made_from` about a design or a bitstream, so that after another training none of them goes on
with what the training before left.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from spikeloom.errors import UserError
from spikeloom.files import file_sha256
from spikeloom.image import NetworkImage, load_image
from spikeloom.image.identity import network_sha256
from spikeloom.runfolder import CHECKPOINT_FILE, CONFIG_FILE, NETWORK_FILE, PROGRESS_FILE


def load_network(path: Path) -> NetworkImage:
    """The network in `path`, which is no older than the training it lies beside.

    Raises:
        UserError: it is missing, damaged, or older.
    """
    image = load_image(path)
    run = path.parent
    if _is_older(image, run):
        again = "" if path.name == NETWORK_FILE else f", and then make {path.name} again"
        raise UserError(
            f"{path} is older than the training in {run}; run: spikeloom export {run}{again}"
        )
    if not (run / CHECKPOINT_FILE).is_file() and (run / PROGRESS_FILE).is_file():
        raise UserError(
            f"{path} is older than the training in {run}, which is not finished; go on with it: "
            f"spikeloom train {run / CONFIG_FILE} -o {run}"
        )
    return image


def load(path: str | os.PathLike[str]) -> NetworkImage:
    """The network in a file, or in a run folder or a folder of `bitstreams/`.

    Raises:
        UserError: it is missing, damaged, or older than the training it lies beside.
    """
    place = Path(path)
    return load_network(place / NETWORK_FILE if place.is_dir() else place)


def check_made_from(
    folder: Path, network: str | None, *, verb: Literal["generate", "synth"]
) -> None:
    """Refuse a design or a bitstream in a run folder that is older than the networks there.

    Args:
        folder: of the design, or of the bitstream; outside of a run folder nothing is known.
        network: the sha256 of the network that it was made from; None if it does not say.
        verb: what made it.

    Raises:
        UserError: no network there is the one that it was made from and no older than its training.
    """
    place = folder.resolve()
    run, kind = folder.parent.parent, "design" if verb == "generate" else "synth"
    networks = sorted(run.glob("*.safetensors")) if place.parent.name == kind else []
    networks = [path for path in networks if path.name not in (CHECKPOINT_FILE, PROGRESS_FILE)]
    if not networks or network in map(_current, networks):
        return
    # Says so if the network itself is older than its training.
    load_network(networks[0])
    target = "--top core" if place.name == "core" else f"--target {place.name}"
    raise UserError(
        f"{folder} is older than {networks[0]}; run: spikeloom {verb} {networks[0]} {target}"
    )


def check_built_from(folder: Path, network: str | None) -> None:
    """Refuse a reference build whose bitstream is older than the network beside it.

    Args:
        folder: of the build.
        network: the sha256 of the network that its manifest records, if it does.

    Raises:
        UserError: the network there is another.
    """
    source = folder / NETWORK_FILE
    if network is None or not source.is_file():
        return
    if network_sha256(load_image(source)) != network:
        raise UserError(
            f"the bitstream in {folder} is older than {source}; build it again: bitstreams/build.py"
        )


def _current(path: Path) -> str | None:
    """The sha256 of the network in a file, if it is one, and no older than its training."""
    try:
        return network_sha256(load_network(path))
    except UserError:
        return None


def _is_older(image: NetworkImage, run: Path) -> bool:
    """Whether there is a finished training in `run`, and the network is not from it."""
    checkpoint, config = run / CHECKPOINT_FILE, run / CONFIG_FILE
    claimed = image.provenance
    if checkpoint.is_file() and claimed.checkpoint_sha256:
        return file_sha256(checkpoint) != claimed.checkpoint_sha256
    # Networks from before the checkpoint was remembered still know their configuration.
    if config.is_file() and claimed.config:
        return config.read_text(encoding="utf-8") != claimed.config
    return False
