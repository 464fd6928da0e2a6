"""TOML to a `Config` and back; every refusal names the table, the key, the value and the fix."""

from __future__ import annotations

import math
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import msgspec.inspect as inspect

from spikeloom.config.capabilities import graph_capability, missing_capability
from spikeloom.config.methods import METHODS, expand
from spikeloom.config.overrides import with_settings
from spikeloom.config.rules import check_together
from spikeloom.config.schema import Config, SparsityConfig
from spikeloom.config.shown import shown
from spikeloom.config.wiring import check_graph
from spikeloom.errors import UserError, nearest

__all__ = ["assumed_keys", "decode_config", "dump_config", "load_config", "parse_config"]

T = TypeVar("T", bound=msgspec.Struct)


def load_config(
    path: str | os.PathLike[str], *, method: str | None = None, settings: Sequence[str] = ()
) -> Config:
    """Read a run's TOML file; `method` and `settings` as in `parse_config`.

    Raises:
        UserError: the file is missing or empty, is no TOML, or says something that `Config` does
            not take.
    """
    path = Path(path)
    try:
        # Windows editors put a byte order mark first.
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"there is no configuration file {path}; give a TOML file") from None
    except IsADirectoryError:
        resolved = path / "config.toml"
        hint = str(resolved) if resolved.is_file() else "a TOML file"
        raise UserError(f"the configuration {path} is a folder; give {hint}") from None
    except UnicodeDecodeError:
        raise UserError(
            f"the configuration {path} is not UTF-8; save it as UTF-8, as TOML is"
        ) from None
    except OSError as error:
        raise UserError(f"cannot read the configuration {path}: {error}; check the file") from None
    config = parse_config(text, source=str(path), method=method, settings=settings)
    if not settings and not any(_values(tomllib.loads(text))):
        raise UserError(
            f'{path} is empty; name at least the data set, such as name = "digits" in the table '
            "[data]"
        )
    return config


def assumed_keys(path: str | os.PathLike[str], settings: Sequence[str] = ()) -> dict[str, str]:
    """The defaults that a run relies on, of the keys that decide most, as TOML.

    Args:
        path: of its TOML file.
        settings: as in `parse_config`.
    """
    document = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    said = dict(_values(with_settings(document, settings)))
    defaults = dict(_values(msgspec.to_builtins(Config())))
    if "data.source" in said:
        # It is called as its file or folder.
        said.setdefault("data.name", "")
    return {key: shown(defaults[key]) for key in _DECISIVE if key not in said}


_DECISIVE = ("data.name", "network.hidden", "training.epochs")


def _values(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted name and value of each key."""
    for key, value in table.items():
        place = f"{path}.{key}".lstrip(".")
        if isinstance(value, Mapping):
            yield from _values(value, place)
        else:
            yield place, value


def parse_config(
    text: str, *, source: str, method: str | None = None, settings: Sequence[str] = ()
) -> Config:
    """Decode a run's TOML.

    The text's `sparsity.method` stands for keys that others beside it override.

    Args:
        text: the TOML.
        source: names it in messages.
        method: one of `METHODS` in place of the text's, stronger than the keys beside it.
        settings: `key=value` each, in place of the text's (`spikeloom.config.overrides`).

    Raises:
        UserError: as `load_config`.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{source} is not valid TOML: {str(error).lower()}") from None
    return decode_config(with_settings(document, settings), source=source, method=method)


def decode_config(document: dict[str, Any], *, source: str, method: str | None = None) -> Config:
    """Decode a run's tables.

    Args:
        document: the tables, as TOML gives them.
        source: names them in messages.
        method: as in `parse_config`.

    Raises:
        UserError: they say something that `Config` does not take.
    """
    _check_known(document, inspect.type_info(Config), "", source)
    document = _without_default_hidden(_expand_method(document, method))
    try:
        config = msgspec.convert(document, Config)
    except msgspec.ValidationError as error:
        raise _refusal(document, str(error), source) from None
    config = _named(config, document)
    check_together(config, source)
    if config.network.is_graph:
        check_graph(config, source)
    else:
        _check_chain(config, source)
    return config


def _named(config: Config, document: dict[str, Any]) -> Config:
    """A source that has no name is called as its file or folder."""
    data = config.data
    if not data.source or "name" in document["data"]:
        return config
    name = Path(data.source).stem
    return msgspec.structs.replace(config, data=msgspec.structs.replace(data, name=name))


def _expand_method(document: dict[str, Any], override: str | None) -> dict[str, Any]:
    """The document with the keys that its method, or the one given instead, stands for."""
    table = document.get("sparsity", {})
    if not isinstance(table, dict):
        return document
    method = override or table.get("method", "custom")
    density = table.get("density", SparsityConfig().density)
    if method not in METHODS or not isinstance(density, int | float):
        return document
    keys = expand(method, density)
    table = {**table, **keys, "method": method} if override else {**keys, **table}
    return {**document, "sparsity": table}


def _without_default_hidden(document: dict[str, Any]) -> dict[str, Any]:
    """The document of a graph with no hidden layers but those that it names."""
    network = document.get("network")
    if not isinstance(network, dict) or not {"preset", "populations"} & network.keys():
        return document
    return {**document, "network": {"hidden": [], **network}}


GRAPH_KEYS = {
    "network": (
        "preset",
        "stages",
        "pooling",
        "populations",
        "connections",
        "batch_norm",
        "fraction_bits",
    ),
    "sparsity": ("exempt",),
}
"""Keys of graphs by their table: the file of a chain does not speak of them."""


def _check_chain(config: Config, source: str) -> None:
    """Refuse keys that mean nothing in a chain."""
    given, default = (msgspec.to_builtins(each) for each in (config, Config()))
    for table, keys in GRAPH_KEYS.items():
        for key in keys:
            if given[table][key] != default[table][key]:
                raise UserError(
                    f"{source}: table [{table}]: {key} has no meaning in a chain; leave it out, or "
                    "give a preset or populations in table [network]"
                )


def dump_config(config: Config) -> str:
    """The TOML of a configuration, every default written out; `parse_config` reads it back."""
    tables = msgspec.to_builtins(config)
    if not config.network.is_graph:
        for name, keys in GRAPH_KEYS.items():
            tables[name] = {k: v for k, v in tables[name].items() if k not in keys}
    return "\n".join(_tables(tables, ())).lstrip("\n") + "\n"


def _tables(
    table: Mapping[str, Any], path: tuple[str, ...], *, of_list: bool = False
) -> Iterator[str]:
    if path:
        name = ".".join(path)
        yield f"\n[[{name}]]" if of_list else f"\n[{name}]"
    nested: dict[str, Mapping[str, Any]] = {}
    lists: dict[str, Sequence[Mapping[str, Any]]] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            nested[key] = value
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            lists[key] = value
        else:
            # A TOML value of these types (string, number, boolean, array) is written as in JSON.
            yield f"{key} = {msgspec.json.encode(value).decode()}"
    for key, value in nested.items():
        yield from _tables(value, (*path, key))
    for key, values in lists.items():
        for value in values:
            yield from _tables(value, (*path, key), of_list=True)


def _check_known(value: Any, info: inspect.Type, path: str, source: str) -> None:
    if isinstance(value, list) and isinstance(info, inspect.ListType):
        for position, inner in enumerate(value):
            _check_known(inner, info.item_type, f"{path}[{position}]", source)
    if not isinstance(value, Mapping):
        return
    struct = _struct_for(value, info)
    if struct is None:
        return
    fields = {field.encode_name: field.type for field in struct.fields}
    tag = {struct.tag_field} if struct.tag_field else set()
    place = f"table [{path}]" if path else "the top level"
    for key, inner in value.items():
        if isinstance(inner, float) and not math.isfinite(inner):
            raise UserError(f"{source}: {place}: {key} is {inner}, but it must be a finite number")
        if key in fields:
            _check_known(inner, fields[key], f"{path}.{key}".lstrip("."), source)
        elif key not in tag:
            raise UserError(f"{source}: {place} has no key {key!r}{_hint(key, [*tag, *fields])}")


def _hint(key: str, known: Sequence[str]) -> str:
    """What to do about an unknown key."""
    if absent := missing_capability(key):
        return f": Spikeloom has no {absent}; take the key out"
    if found := graph_capability(key):
        return f": for {found}, describe a graph in [[network.populations]] and connections"
    return nearest(key, known) or f"; it takes {', '.join(known)}"


def _struct_for(value: Mapping[str, Any], info: inspect.Type) -> inspect.StructType | None:
    """The struct that `value` stands for; of a tagged union, the one its tag names."""
    if isinstance(info, inspect.StructType):
        return info
    if isinstance(info, inspect.UnionType):
        structs = [member for member in info.types if isinstance(member, inspect.StructType)]
        return next((s for s in structs if s.tag_field and value.get(s.tag_field) == s.tag), None)
    return None


def _refusal(document: Mapping[str, Any], message: str, source: str) -> UserError:
    """Turn msgspec's "Expected `int` <= 8 - at `$.a.b`" into a sentence with key and value."""
    match = re.match(r"(.*?)(?: - at `(?:key in )?\$(.*)`)?$", message, re.DOTALL)
    expected, path = (match[1], match[2] or "") if match else (message, "")
    table, _, key = path.lstrip(".").rpartition(".")
    where = f"table [{table}]" if table else "the top level"
    if absent := re.match(r"Object missing required field `(\w+)`", expected):
        return UserError(f"{source}: table [{path.lstrip('.')}] lacks the key {absent[1]!r}")
    value, info = _at(document, path)
    allowed = _allowed(info) if info is not None else ""
    return UserError(
        f"{source}: {where}: {key} is {shown(value)}, but it must be {allowed or expected.lower()}"
    )


def _at(document: Mapping[str, Any], path: str) -> tuple[Any, inspect.Type | None]:
    """Value and declared type at a path such as ".network.hidden[1]"."""
    value: Any = document
    info: inspect.Type | None = inspect.type_info(Config)
    for name, position in re.findall(r"\.(\w+)|\[(\d+)\]", path):
        if position:
            value = value[int(position)]
            info = info.item_type if isinstance(info, inspect.ListType) else None
            continue
        struct = _struct_for(value, info) if info is not None else None
        if struct is None and isinstance(info, inspect.UnionType):
            tags = tuple(m.tag for m in info.types if isinstance(m, inspect.StructType))
            return value.get(name, "absent"), inspect.LiteralType(tags)
        value = value.get(name, "absent")
        fields = {field.encode_name: field.type for field in struct.fields} if struct else {}
        info = fields.get(name)
    return value, info


def _allowed(info: inspect.Type) -> str:
    match info:
        case inspect.LiteralType():
            return "one of " + ", ".join(repr(value) for value in info.values)
        case inspect.IntType() | inspect.FloatType():
            kind = "a whole number" if isinstance(info, inspect.IntType) else "a number"
            words = {"ge": "at least", "gt": "greater than", "le": "at most", "lt": "less than"}
            limits = [
                f"{word} {getattr(info, name):g}"
                for name, word in words.items()
                if getattr(info, name) is not None
            ]
            return " ".join([kind, " and ".join(limits)]).strip()
        case inspect.BoolType():
            return "true or false"
        case inspect.StrType():
            return "a string"
        case inspect.StructType():
            return "a table"
        case inspect.ListType():
            if info.min_length and info.min_length == info.max_length:
                return f"a list of {info.min_length} elements"
            most = f" of at most {info.max_length} elements" if info.max_length else ""
            return f"a list{most}"
        case inspect.UnionType():
            structs = [member for member in info.types if isinstance(member, inspect.StructType)]
            if not structs:
                return " or ".join(_allowed(member) for member in info.types)
            tags = ", ".join(repr(member.tag) for member in structs)
            return f"a table whose {structs[0].tag_field} is one of {tags}"
        case _:
            return ""
