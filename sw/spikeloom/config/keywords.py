"""A configuration from Python: the keys of the TOML as keywords, whatever table they stand in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from spikeloom.config.decode import decode_config
from spikeloom.config.schema import (
    Config,
    DataConfig,
    NetworkConfig,
    QuantizationConfig,
    SparsityConfig,
    TrainingConfig,
)
from spikeloom.errors import UserError, nearest
from spikeloom.provenance import DataSource

__all__ = ["configure"]

TABLES: Mapping[str, type[msgspec.Struct]] = {
    "data": DataConfig,
    "quantization": QuantizationConfig,
    "sparsity": SparsityConfig,
    "training": TrainingConfig,
}
"""Those whose keys are keywords; the network's are given as a `NetworkConfig`."""


def configure(network: NetworkConfig, *, data: DataSource, source: str, **settings: Any) -> Config:
    """The configuration of a run, checked as one from a file is.

    Args:
        network: its table.
        data: which samples.
        source: names the caller in messages.
        settings: keys of the other tables by their names (`density=0.1`, `epochs=20`), or a whole
            table as a mapping (`training={"epochs": 20}`).

    Raises:
        UserError: a key is unknown or given twice, or the values do not fit together.
    """
    document: dict[str, dict[str, Any]] = {name: {} for name in TABLES}
    document["data"] = {"name": data.name, **_given(data)}
    for key, value in settings.items():
        if key in TABLES:
            if not isinstance(value, Mapping):
                raise UserError(f"{source}: {key} is a table: give a mapping of its keys")
            tables = {key: dict(value)}
        else:
            tables = {_table_of(key, source): {key: value}}
        for table, values in tables.items():
            if twice := document[table].keys() & values.keys():
                raise UserError(f"{source}: {min(twice)!r} is given twice")
            document[table].update(msgspec.to_builtins(values))
    document["network"] = _given_network(network)
    return decode_config(document, source=source)


def _table_of(key: str, source: str) -> str:
    for name, table in TABLES.items():
        if key in table.__struct_fields__:
            return name
    if key in NetworkConfig.__struct_fields__:
        raise UserError(f"{source}: {key!r} belongs to the network: Network({key}=…)")
    known = [key for table in TABLES.values() for key in table.__struct_fields__]
    raise UserError(f"{source}: there is no setting {key!r}{nearest(key, known) or ''}")


def _given(table: msgspec.Struct) -> dict[str, Any]:
    """The keys of a table that are not at their defaults."""
    default = msgspec.to_builtins(type(table)())
    return {k: v for k, v in msgspec.to_builtins(table).items() if v != default[k]}


def _given_network(network: NetworkConfig) -> dict[str, Any]:
    """The network's keys: a graph has those alone that were given, and a chain its layers."""
    given = _given(network)
    return given if network.is_graph else {"hidden": network.hidden, **given}
