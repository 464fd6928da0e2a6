"""Schema 1 of a network's file: a chain, layer by layer.

==========================  =====  ======================================================
array                       type   shape
==========================  =====  ======================================================
``<layer>.row_ptr``         int32  ``[inputs + 1]``
``<layer>.target``          int32  ``[synapses]``
``<layer>.weight``          int16  ``[synapses]``
``<layer>.bias``            int32  ``[neurons]``
``<layer>.threshold``       int32  ``[neurons]``
==========================  =====  ======================================================
"""

from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from spikeloom.arithmetic import Leak, Reset
from spikeloom.encoding import Encoding
from spikeloom.errors import UserError
from spikeloom.image.layer import Layer
from spikeloom.image.network import NetworkImage, Readout
from spikeloom.image.provenance import Provenance

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


class ChainHeader(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The JSON header of a chain."""

    schema: Literal[1]
    time_steps: int
    encoding: Encoding
    readout: Readout
    provenance: Provenance
    layers: tuple[LayerHeader, ...]
    sha256: str


def chain_header(image: NetworkImage) -> ChainHeader:
    """The header of a chain's file, not signed yet."""
    return ChainHeader(
        schema=1,
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


def chain_tensors(image: NetworkImage) -> Tensors:
    """The arrays of a chain's file, by name."""
    return {
        f"{layer.name}.{array}": np.ascontiguousarray(getattr(layer, array), dtype=dtype)
        for layer in image.layers
        for array, dtype in ARRAYS.items()
    }


def chain_image(path: Path, header: ChainHeader, tensors: Tensors) -> NetworkImage:
    """The network that a chain's file holds, not validated yet.

    Raises:
        UserError: an array is missing, or of another type or shape.
    """
    return NetworkImage.chain(
        layers=tuple(_layer(path, layer, tensors) for layer in header.layers),
        time_steps=header.time_steps,
        encoding=header.encoding,
        readout=header.readout,
        provenance=header.provenance,
    )


def check_chain_widths(path: Path, header: ChainHeader, image: NetworkImage) -> None:
    """Refuse a file whose stored sizes and widths are not those of its arrays.

    Raises:
        UserError: the first that differs.
    """
    for stored, layer in zip(header.layers, image.layers, strict=True):
        for field in ("inputs", "neurons", "synapses", "weight_bits", "accumulator_bits"):
            if getattr(stored, field) != getattr(layer, field):
                raise UserError(
                    f"{path}: {layer.name}.{field} is stored as {getattr(stored, field)}, but the "
                    f"arrays give {getattr(layer, field)}: export it again"
                )


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
