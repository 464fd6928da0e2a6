"""Schema 2 of a network's file: a graph, its populations and its connections.

=====================================  ============  ==========================================
array                                  type          shape
=====================================  ============  ==========================================
``populations.<name>.<parameter>``     int64         ``[1]``, ``[channels]`` or ``[neurons]``
``connections.<name>.<array>``         int32         as the kind of connection has it
=====================================  ============  ==========================================

A parameter is ``threshold``, ``bias``, ``drive``, ``amount`` or ``reset_value``; one that is left
out has its plain value.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from spikeloom.connections import CONNECTIONS, Connection
from spikeloom.encoding import Encoding
from spikeloom.errors import UserError
from spikeloom.image.graph import Graph
from spikeloom.image.network import NetworkImage, Readout
from spikeloom.image.population import PARAMETERS, Population
from spikeloom.image.provenance import Provenance
from spikeloom.neurons import Neuron

Tensors = dict[str, npt.NDArray[np.signedinteger]]

COMMON = ("name", "source", "target", "source_shape", "delay", "shift", "scale")
"""The fields of every connection, whatever its kind."""


class PopulationHeader(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a population is besides its arrays. The widths are stored, and checked at loading."""

    name: str
    shape: tuple[int, ...]
    neuron: Neuron
    spiking: bool
    membrane_bits: int
    membrane_low: int | None
    current_bits: int
    parameters: tuple[str, ...]
    state_bits: dict[str, int]


class ConnectionHeader(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a connection is besides its arrays."""

    kind: str
    name: str
    source: str
    target: str
    source_shape: tuple[int, ...]
    delay: int
    shift: int
    scale: float
    settings: dict[str, Any]
    arrays: tuple[str, ...]
    synapses: int
    weight_bits: int


class GraphHeader(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The JSON header of a graph."""

    schema: Literal[2]
    time_steps: int
    encoding: Encoding
    readout: Readout
    provenance: Provenance
    populations: tuple[PopulationHeader, ...]
    connections: tuple[ConnectionHeader, ...]
    sha256: str


def graph_header(image: NetworkImage) -> GraphHeader:
    """The header of a graph's file, not signed yet."""
    return GraphHeader(
        schema=2,
        time_steps=image.time_steps,
        encoding=image.encoding,
        readout=image.readout,
        provenance=image.provenance,
        populations=tuple(
            PopulationHeader(
                name=population.name,
                shape=population.shape,
                neuron=population.neuron,
                spiking=population.spiking,
                membrane_bits=population.membrane_bits,
                membrane_low=population.membrane_low,
                current_bits=population.current_bits,
                parameters=tuple(_parameters(population)),
                state_bits=dict(image.graph.state_bits.get(population.name, {})),
            )
            for population in image.graph.populations
        ),
        connections=tuple(
            ConnectionHeader(
                kind=connection.kind,
                settings=connection.settings(),
                arrays=tuple(connection.arrays()),
                synapses=connection.synapses,
                weight_bits=connection.weight_bits,
                **{field: getattr(connection, field) for field in COMMON},
            )
            for connection in image.graph.connections
        ),
        sha256="",
    )


def graph_tensors(image: NetworkImage) -> Tensors:
    """The arrays of a graph's file, by name."""
    tensors: Tensors = {}
    for population in image.graph.populations:
        for field, values in _parameters(population).items():
            tensors[f"populations.{population.name}.{field}"] = values.astype(np.int64)
    for connection in image.graph.connections:
        for field, values in connection.arrays().items():
            name = f"connections.{connection.name}.{field}"
            tensors[name] = np.ascontiguousarray(values, dtype=np.int32)
    return tensors


def _parameters(population: Population) -> Mapping[str, npt.NDArray[np.int64]]:
    values = {field: getattr(population, field) for field in PARAMETERS}
    return {field: array for field, array in values.items() if array is not None}


def graph_image(path: Path, header: GraphHeader, tensors: Tensors) -> NetworkImage:
    """The network that a graph's file holds, not validated yet.

    Raises:
        UserError: an array is missing or of another type, or a kind is not known.
    """
    return NetworkImage(
        graph=Graph(
            populations=tuple(_population(path, own, tensors) for own in header.populations),
            connections=tuple(_connection(path, own, tensors) for own in header.connections),
        ),
        time_steps=header.time_steps,
        encoding=header.encoding,
        readout=header.readout,
        provenance=header.provenance,
    )


def _population(path: Path, header: PopulationHeader, tensors: Tensors) -> Population:
    unknown = set(header.parameters) - set(PARAMETERS)
    if unknown:
        raise UserError(
            f"{path}: population {header.name!r} has the parameter {min(unknown)!r}: it is not "
            f"one of {', '.join(PARAMETERS)}"
        )
    return Population(
        name=header.name,
        shape=header.shape,
        neuron=header.neuron,
        spiking=header.spiking,
        membrane_bits=header.membrane_bits,
        membrane_low=header.membrane_low,
        current_bits=header.current_bits,
        **{
            field: _array(path, f"populations.{header.name}.{field}", tensors, np.int64)
            for field in header.parameters
        },
    )


def _connection(path: Path, header: ConnectionHeader, tensors: Tensors) -> Connection:
    kind = CONNECTIONS.get(header.kind)
    if kind is None:
        raise UserError(
            f"{path}: connection {header.name!r} is of the kind {header.kind!r}: choose from "
            f"{', '.join(CONNECTIONS)}"
        )
    arrays = {
        field: _array(path, f"connections.{header.name}.{field}", tensors, np.int32)
        for field in header.arrays
    }
    common = {field: getattr(header, field) for field in COMMON}
    try:
        return kind.from_file(common, header.settings, arrays)
    except (TypeError, ValueError, KeyError, msgspec.ValidationError) as error:
        raise UserError(
            f"{path}: connection {header.name!r}: its settings or arrays are not those of the "
            f"kind {header.kind!r} ({error}): export it again"
        ) from None


def _array(
    path: Path, name: str, tensors: Tensors, dtype: type[np.signedinteger]
) -> npt.NDArray[np.signedinteger]:
    tensor = tensors.get(name)
    if tensor is None:
        raise UserError(f"{path}: the array {name!r} is missing: export it again")
    if tensor.dtype != dtype or tensor.ndim != 1:
        raise UserError(
            f"{path}: {name} is {tensor.dtype.name} {list(tensor.shape)}: it must be a list of "
            f"{np.dtype(dtype).name}"
        )
    return tensor


def check_graph_widths(path: Path, header: GraphHeader, image: NetworkImage) -> None:
    """Refuse a file whose stored sizes and widths are not those of its arrays.

    Raises:
        UserError: the first that differs.
    """
    expected = graph_header(image)
    pairs = [
        *zip(header.populations, expected.populations, strict=True),
        *zip(header.connections, expected.connections, strict=True),
    ]
    for stored, found in pairs:
        for field in ("state_bits", "synapses", "weight_bits"):
            if getattr(stored, field, None) != getattr(found, field, None):
                raise UserError(
                    f"{path}: {stored.name}.{field} is stored as {getattr(stored, field)}, but "
                    f"the arrays give {getattr(found, field)}: export it again"
                )
