"""The file of a NetworkImage: integer arrays in safetensors, the rest in a JSON header.

==========================  =====  ======================================================
array                       type   shape
==========================  =====  ======================================================
``<layer>.row_ptr``         int32  ``[inputs + 1]``
``<layer>.target``          int32  ``[synapses]``
``<layer>.weight``          int16  ``[synapses]``
``<layer>.bias``            int32  ``[neurons]``
``<layer>.threshold``       int32  ``[neurons]``
==========================  =====  ======================================================

The header (metadata key ``spikeloom``) holds schema version, neuron parameters, widths,
encoding, readout, provenance, and a sha256 over its own text and the arrays, so that no byte of a
file can change unnoticed. It is the text that counts, with the sha256 itself left empty: a header
keeps its hash when a later version knows more keys. What names a *network*, wherever it comes
from, is another hash: see :mod:`spikeloom.image.identity`.
"""

import hashlib
import os
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from spikeloom.arithmetic import Leak, Reset
from spikeloom.encoding import Encoding
from spikeloom.errors import UserError, check_type
from spikeloom.files import atomic_write, what_lies_there
from spikeloom.image.model import Layer, NetworkImage, Provenance, Readout
from spikeloom.image.validation import validate_image

SCHEMA = 1
METADATA_KEY = "spikeloom"
ARRAYS: dict[str, type[np.signedinteger]] = {
    "row_ptr": np.int32,
    "target": np.int32,
    "weight": np.int16,
    "bias": np.int32,
    "threshold": np.int32,
}

Tensors = dict[str, npt.NDArray[np.signedinteger]]


class LayerHeader(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a layer is besides its arrays. The widths are stored, and checked at loading."""

    name: str
    inputs: int
    neurons: int
    synapses: int
    leak: Leak
    reset: Reset
    spiking: bool
    membrane_bits: int
    weight_bits: int
    accumulator_bits: int
    scale: float


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The JSON header of the file."""

    schema: Literal[1]
    time_steps: int
    encoding: Encoding
    readout: Readout
    provenance: Provenance
    layers: tuple[LayerHeader, ...]
    sha256: str


def save_image(path: str | os.PathLike[str], image: NetworkImage) -> None:
    """Validates ``image`` and writes it to ``path``, whole or not at all.

    Raises:
        TypeError: the arguments are of other types, or in the other order.
        UserError: the image is not valid, or the file cannot be written.
    """
    check_type("path of save_image(path, image)", path, str, os.PathLike)
    check_type("image of save_image(path, image)", image, NetworkImage)
    validate_image(image)
    header, tensors = _header(image), _tensors(image)
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
    image = NetworkImage(
        layers=tuple(_layer(path, layer, tensors) for layer in header.layers),
        time_steps=header.time_steps,
        encoding=header.encoding,
        readout=header.readout,
        provenance=header.provenance,
    )
    try:
        validate_image(image)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    for stored, layer in zip(header.layers, image.layers, strict=True):
        _check_widths(path, stored, layer)
    return image


def _tensors(image: NetworkImage) -> Tensors:
    return {
        f"{layer.name}.{array}": np.ascontiguousarray(getattr(layer, array), dtype=dtype)
        for layer in image.layers
        for array, dtype in ARRAYS.items()
    }


def _header(image: NetworkImage) -> Header:
    return Header(
        schema=SCHEMA,
        time_steps=image.time_steps,
        encoding=image.encoding,
        readout=image.readout,
        provenance=image.provenance,
        layers=tuple(
            LayerHeader(**{field: getattr(layer, field) for field in LayerHeader.__struct_fields__})
            for layer in image.layers
        ),
        sha256="",
    )


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
        return msgspec.json.decode(text, type=Header), text, tensors
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


def _layer(path: Path, header: LayerHeader, tensors: Tensors) -> Layer:
    arrays = {}
    for array, dtype in ARRAYS.items():
        name = f"{header.name}.{array}"
        tensor = tensors.get(name)
        if tensor is None:
            raise UserError(f"{path}: the array {name!r} is missing: export it again")
        if (
            tensor.dtype != dtype
            or tensor.ndim != 1
            or (tensor.size == 0 and array != "target" and array != "weight")
        ):
            raise UserError(
                f"{path}: {name} is {tensor.dtype.name} {list(tensor.shape)}: "
                f"it must be a list of {np.dtype(dtype).name}"
            )
        arrays[array] = tensor
    return Layer(
        name=header.name,
        leak=header.leak,
        reset=header.reset,
        spiking=header.spiking,
        membrane_bits=header.membrane_bits,
        scale=header.scale,
        **arrays,
    )


def _check_widths(path: Path, stored: LayerHeader, layer: Layer) -> None:
    for field in ("inputs", "neurons", "synapses", "weight_bits", "accumulator_bits"):
        if getattr(stored, field) != getattr(layer, field):
            raise UserError(
                f"{path}: {layer.name}.{field} is stored as {getattr(stored, field)}, but the "
                f"arrays give {getattr(layer, field)}: export it again"
            )
