"""Keys of a configuration that the command line sets: `--set training.epochs=20`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from spikeloom.config.schema import Config
from spikeloom.errors import UserError, nearest

__all__ = ["with_settings"]


def with_settings(document: Mapping[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    """A TOML's tables with other values for some keys; the tables given stay as they are.

    Args:
        document: the tables.
        settings: `key=value` each. A key may leave out its table where only one table has it;
            a value is TOML, or text where it is no TOML (`method=rigl`).

    Raises:
        UserError: a setting is no `key=value`, or its key is unknown.
    """
    changed = _copied(document)
    for setting in settings:
        key, equals, text = (part.strip() for part in setting.partition("="))
        if not (key and equals and text):
            raise UserError(f"--set {setting}: give key=value, such as training.epochs=20")
        *path, last = _path(key)
        table = changed
        for name in path:
            table = table.setdefault(name, {})
            if not isinstance(table, dict):
                raise UserError(f"--set {setting}: {name} is no table")
        table[last] = _value(text)
    return changed


def _path(key: str) -> list[str]:
    """The tables on the way to a key, and the key."""
    if "." in key:
        return key.split(".")
    known = dict(_keys())
    if key not in known:
        raise UserError(f"--set {key}: no table has this key{nearest(key, known)}")
    return [known[key], key]


def _keys() -> Iterator[tuple[str, str]]:
    """Every key of the tables at the top, with its table; no two tables share one."""
    for table in msgspec.structs.fields(Config):
        for field in msgspec.structs.fields(table.type):
            yield field.encode_name, table.encode_name


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _copied(document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _copied(value) if isinstance(value, Mapping) else value
        for key, value in document.items()
    }
