"""The file of a NetworkImage: integer arrays in safetensors, the rest in a JSON header.

A chain is written in schema 1 (`spikeloom.image.schema1`), which earlier releases read as well; any
other graph in schema 2 (`spikeloom.image.schema2`).

The header (metadata key ``spikeloom``) holds schema version, neuron parameters, widths,
encoding, readout, provenance, and a sha256 over its own text and the arrays, so that no byte of a
file can change unnoticed. It is the text that counts, with the sha256 itself left empty: a header
keeps its hash when a later version knows more keys. What names a *network*, wherever it comes
from, is another hash: see :mod:`spikeloom.image.identity`.
"""

import hashlib
import os
from pathlib import Path

import msgspec
import safetensors
import safetensors.numpy

from spikeloom.errors import UserError, check_type
from spikeloom.files import atomic_write, what_lies_there
from spikeloom.image.network import NetworkImage
from spikeloom.image.schema1 import (
    ChainHeader,
    Tensors,
    chain_header,
    chain_image,
    chain_tensors,
    check_chain_widths,
)
from spikeloom.image.schema2 import (
    GraphHeader,
    check_graph_widths,
    graph_header,
    graph_image,
    graph_tensors,
)
from spikeloom.image.validation import validate_image

METADATA_KEY = "spikeloom"

Header = ChainHeader | GraphHeader


class _Schema(msgspec.Struct):
    """The one field by which a header says how to read the others."""

    schema: int = 1


def save_image(path: str | os.PathLike[str], image: NetworkImage) -> None:
    """Validates ``image`` and writes it to ``path``, whole or not at all.

    Raises:
        TypeError: the arguments are of other types, or in the other order.
        UserError: the image is not valid, or the file cannot be written.
    """
    check_type("path of save_image(path, image)", path, str, os.PathLike)
    check_type("image of save_image(path, image)", image, NetworkImage)
    validate_image(image)
    if image.is_chain:
        header, tensors = chain_header(image), chain_tensors(image)
    else:
        header, tensors = graph_header(image), graph_tensors(image)
    header = msgspec.structs.replace(header, sha256=_digest(_text(header), tensors))
    atomic_write(path, safetensors.numpy.save(tensors, {METADATA_KEY: _text(header)}))


def load_image(path: str | Path) -> NetworkImage:
    """Reads and validates the image in ``path``.

    Raises:
        UserError: the file is missing, damaged, or holds no valid image.
    """
    path = Path(path)
    header, text, tensors = _read(path)
    _check_sha256(path, header, text, tensors)
    if isinstance(header, ChainHeader):
        image = chain_image(path, header, tensors)
    else:
        image = graph_image(path, header, tensors)
    try:
        validate_image(image)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    if isinstance(header, ChainHeader):
        check_chain_widths(path, header, image)
    else:
        check_graph_widths(path, header, image)
    return image


def _text(header: Header) -> str:
    return msgspec.json.encode(header).decode()


def _check_sha256(path: Path, header: Header, text: str, tensors: Tensors) -> None:
    # As the text was before the sha256 was put in, at its end.
    unsigned = text.removesuffix(f'"{header.sha256}"}}') + '""}'
    if header.sha256 != _digest(unsigned, tensors):
        raise UserError(
            f"{path}: the contents do not match the sha256 in the header: the file is damaged, "
            "export it again"
        )


def _digest(text: str, tensors: Tensors) -> str:
    """The sha256 of a file: of the header's text with an empty sha256, and of the arrays."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name}:{tensor.dtype.name}:{tensor.shape}".encode())
        digest.update(tensor.astype(tensor.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()


def _read(path: Path) -> tuple[Header, str, Tensors]:
    """The header, its text, and the arrays."""
    if not path.is_file():
        raise UserError(f"{path}: no such file: give the path of an exported network")
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except OSError:
        raise
    except Exception as error:  # safetensors raises types of its own for each kind of damage
        if what := what_lies_there(path):
            raise UserError(
                f"{path}: not a safetensors file, but {what}: give the file that "
                "'spikeloom export' makes"
            ) from None
        raise UserError(
            f"{path}: not a safetensors file, or a damaged one ({error}): export it again"
        ) from None
    if METADATA_KEY not in metadata:
        raise UserError(
            f"{path}: a safetensors file without a {METADATA_KEY!r} header: "
            "give a network made by 'spikeloom export'"
        )
    try:
        text = metadata[METADATA_KEY]
        return _decoded(text), text, tensors
    except msgspec.MsgspecError as error:
        if _is_of_training(metadata[METADATA_KEY]):
            raise UserError(
                f"{path}: a training checkpoint, not a network; make one of it: "
                f"spikeloom export {path.parent}"
            ) from None
        raise UserError(f"{path}: the header is not valid ({error}): export it again") from None


def _is_of_training(header: str) -> bool:
    """Whether it is the header of a training checkpoint, which holds the run's configuration."""
    try:
        return isinstance(msgspec.json.decode(header, type=dict).get("config"), str)
    except msgspec.MsgspecError:
        return False


def _decoded(text: str) -> Header:
    """The header, by its schema.

    Raises:
        msgspec.MsgspecError: it is not valid.
    """
    schema = msgspec.json.decode(text, type=_Schema).schema
    return msgspec.json.decode(text, type=GraphHeader if schema == 2 else ChainHeader)
