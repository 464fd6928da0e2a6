"""What a key of the configuration changes: a run with it, and one without.

Each key has a value, and an effect that must follow from it in a short training.
"""

import json
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from msgspec import inspect

from spikeloom.config import Config
from spikeloom.training import train_network
from spikeloom.training.batches import training_batches
from spikeloom.training.convert import to_image
from spikeloom.training.trainer import begin
from tiny import TEXT, tiny_dataset

DATASET = tiny_dataset()


class Run:
    """What came of a configuration: before the first batch, and after the last."""

    def __init__(self, config: Config) -> None:
        self.config = config

    @cached_property
    def start(self) -> Any:
        return begin(self.config, DATASET)

    @cached_property
    def masks(self):
        return [layer.mask for layer in self.start.network.layers]

    @cached_property
    def weights(self):
        return [layer.weight.detach() for layer in self.start.network.layers]

    @cached_property
    def batches(self):
        """Events of all batches of the first epoch."""
        return [
            events
            for events, _ in training_batches(
                DATASET, self.config.data, self.config.training, epoch=1
            )
        ]

    @cached_property
    def trained(self) -> Any:
        return train_network(self.config, DATASET)

    @cached_property
    def image(self) -> Any:
        return to_image(self.trained.network, self.config)

    @cached_property
    def final(self):
        return torch.cat([layer.weight.detach().flatten() for layer in self.trained.network.layers])

    @cached_property
    def drawn(self) -> Any:
        """The image of the network before it is trained."""
        return to_image(self.start.network, self.config)

    def history(self, *names):
        """Of each epoch, the value at a path such as "layers", 0, "pruned"."""
        found = []
        for record in self.trained.history:
            value = record
            for name in names:
                value = value[name]
            found.append(value)
        return found

    def pruned(self):
        return [[layer["pruned"] for layer in record["layers"]] for record in self.trained.history]

    def regrown(self):
        return [[layer["regrown"] for layer in record["layers"]] for record in self.trained.history]


def with_keys(text: str, keys: dict[str, Any]) -> str:
    """A configuration with some keys set: `{"network.bias": True, "network.hidden.0": 1}`."""
    document = tomllib.loads(text)
    for path, value in keys.items():
        *tables, key = path.split(".")
        table: Any = document
        for name in tables:
            table = table[int(name)] if name.isdigit() else table.setdefault(name, {})
        table[key] = value
    return "\n".join(lines(document))


def lines(table: dict[str, Any], above: str = "") -> Iterator[str]:
    """TOML, a key a line."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from lines(value, f"{above}{key}.")
        else:
            yield f"{above}{key} = {inline(value)}"


def inline(value: Any) -> str:
    """A value in TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {inline(own)}" for key, own in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    return json.dumps(value)


@dataclass(frozen=True, kw_only=True)
class Key:
    """A key, and what follows from it.

    `effect` holds of (the run without it, the run with it), and not of (that without it, itself).

    Attributes:
        value: of the key.
        effect: see above.
        beside: keys of both runs.
        also: keys that the one with it needs besides.
        place: where the key stands, if not where its name says.
        text: the configuration of both.
    """

    value: Any
    effect: Callable[[Run, Run], Any]
    beside: dict[str, Any] = field(default_factory=dict)
    also: dict[str, Any] = field(default_factory=dict)
    place: str = ""
    text: str = TEXT


def differ(first, second):
    return not all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def declared(info: inspect.Type, path: str) -> list[str]:
    """All keys below a type: of a union's tables, with the kind in between."""
    match info:
        case inspect.StructType():
            above = f"{path}.{info.tag}" if info.tag else path
            keys = []
            for key in info.fields:
                below = f"{above}.{key.encode_name}".lstrip(".")
                is_table = isinstance(key.type, inspect.StructType)
                keys += [] if is_table else [below]
                keys += declared(key.type, below)
            return keys
        case inspect.UnionType():
            return [key for member in info.types for key in declared(member, path)]
        case inspect.ListType():
            return declared(info.item_type, path)
        case _:
            return []
