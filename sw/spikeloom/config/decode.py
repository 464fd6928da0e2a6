"""TOML to a `Config` and back; every refusal names the table, the key, the value and the fix."""

from __future__ import annotations

import math
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, time
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import msgspec.inspect as inspect

from spikeloom.arithmetic import DecayLeak, IntegrateLeak, ShiftLeak
from spikeloom.config.methods import METHODS, expand
from spikeloom.config.schema import Config, SparsityConfig
from spikeloom.encoding import DeltaEncoding, MultiThresholdEncoding
from spikeloom.errors import UserError, nearest

__all__ = ["dump_config", "load_config", "parse_config"]

T = TypeVar("T", bound=msgspec.Struct)


def load_config(path: str | os.PathLike[str], *, method: str | None = None) -> Config:
    """Read a run's TOML file; `method` as in `parse_config`.

    Raises:
        UserError: the file is missing, is no TOML, or says something that `Config` does not take.
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
    return parse_config(text, source=str(path), method=method)


def parse_config(text: str, *, source: str, method: str | None = None) -> Config:
    """Decode a run's TOML.

    The text's `sparsity.method` stands for keys that others beside it override.

    Args:
        text: the TOML.
        source: names it in messages.
        method: one of `METHODS` in place of the text's, stronger than the keys beside it.

    Raises:
        UserError: as `load_config`.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{source} is not valid TOML: {str(error).lower()}") from None
    _check_known(document, inspect.type_info(Config), "", source)
    document = _expand_method(document, method)
    try:
        config = msgspec.convert(document, Config)
    except msgspec.ValidationError as error:
        raise _refusal(document, str(error), source) from None
    _check_together(config, source)
    return config


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


def dump_config(config: Config) -> str:
    """The TOML of a configuration, every default written out; `parse_config` reads it back."""
    return "\n".join(_tables(msgspec.to_builtins(config), ())).lstrip("\n") + "\n"


def _tables(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    if path:
        yield f"\n[{'.'.join(path)}]"
    nested = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            nested[key] = value
        else:
            # A TOML value of these types (string, number, boolean, array) is written as in JSON.
            yield f"{key} = {msgspec.json.encode(value).decode()}"
    for key, value in nested.items():
        yield from _tables(value, (*path, key))


def _check_known(value: Any, info: inspect.Type, path: str, source: str) -> None:
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
            hint = nearest(key, [*fields, *tag]) or f"; it takes {', '.join([*tag, *fields])}"
            raise UserError(f"{source}: {place} has no key {key!r}{hint}")


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
        f"{source}: {where}: {key} is {_shown(value)}, but it must be {allowed or expected.lower()}"
    )


def _shown(value: Any) -> str:
    """A value as TOML writes it."""
    match value:
        case bool():
            return str(value).lower()
        case list():
            return f"[{', '.join(map(_shown, value))}]"
        case Mapping():
            pairs = ", ".join(f"{key} = {_shown(inner)}" for key, inner in value.items())
            return f"{{ {pairs} }}" if pairs else "{}"
        case date() | time():
            return value.isoformat()
        case _:
            return repr(value)


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
            most = f" of at most {info.max_length} elements" if info.max_length else ""
            return f"a list{most}"
        case inspect.UnionType():
            structs = [member for member in info.types if isinstance(member, inspect.StructType)]
            tags = ", ".join(repr(member.tag) for member in structs)
            return f"a table whose {structs[0].tag_field} is one of {tags}"
        case _:
            return ""


def _check_together(config: Config, source: str) -> None:
    """Rules between keys, and ranges of structs that are not declared with their own."""
    sparsity, training = config.sparsity, config.training
    last = sparsity.last_epoch(training.epochs)
    if sparsity.stop_epoch:
        reason = f"stop_epoch = {last}"
    else:
        reason = f"{last}, three quarters of training.epochs = {training.epochs}"
    rules = [
        (sparsity.p < sparsity.q, "sparsity", "p", sparsity.p, f"less than q = {sparsity.q}"),
        (
            sparsity.density <= sparsity.initial_density,
            "sparsity",
            "density",
            sparsity.density,
            f"at most initial_density = {sparsity.initial_density}",
        ),
        (
            not sparsity.full_words
            or 0 < sparsity.banks * sparsity.blocks <= min(config.network.hidden, default=0),
            "sparsity",
            "banks",
            sparsity.banks,
            "1 to the neurons of the smallest hidden layer where full_words is true, times blocks",
        ),
        (
            sparsity.full_words or sparsity.blocks == 1,
            "sparsity",
            "blocks",
            sparsity.blocks,
            "1 where full_words is false",
        ),
        (
            sparsity.topology != "local"
            or not isinstance(config.data.encoding, MultiThresholdEncoding | DeltaEncoding),
            "sparsity",
            "topology",
            sparsity.topology,
            "'random' with the multithreshold and delta encodings, whose addresses are no pixels",
        ),
        (
            config.quantization.scale != "fixed" or not config.quantization.per_channel,
            "quantization",
            "scale",
            config.quantization.scale,
            "'max' or 'learned' where per_channel is true",
        ),
        (
            not config.network.learn_leak or not isinstance(config.network.leak, IntegrateLeak),
            "network.leak",
            "kind",
            "none",
            "'shift' or 'decay' where learn_leak is true",
        ),
        (
            sparsity.stop_rule != "bits" or sparsity.target_bits > 0,
            "sparsity",
            "target_bits",
            sparsity.target_bits,
            "more than 0 where stop_rule is 'bits'",
        ),
        (
            len(sparsity.target_lanes) in (1, len(config.network.hidden) + 1),
            "sparsity",
            "target_lanes",
            sparsity.target_lanes,
            f"one number, or {len(config.network.hidden) + 1}, one a layer",
        ),
        (
            sparsity.stop_rule != "bits" or sparsity.regrow == "none" or sparsity.rho < 1,
            "sparsity",
            "rho",
            sparsity.rho,
            "less than 1 where stop_rule is 'bits', or nothing is ever compressed",
        ),
        (
            sparsity.stop_epoch <= training.epochs,
            "sparsity",
            "stop_epoch",
            sparsity.stop_epoch,
            f"at most training.epochs = {training.epochs}",
        ),
        (
            sparsity.ratio == "none" or max(1, sparsity.start_epoch) <= max(1, last),
            "sparsity",
            "start_epoch",
            sparsity.start_epoch,
            f"at most {reason}, or nothing is ever rewired",
        ),
        (
            sparsity.ratio == "none" or last > 0,
            "training",
            "epochs",
            training.epochs,
            "at least 2, or nothing is ever rewired",
        ),
    ]
    for key, leak in (
        ("leak", config.network.leak),
        ("readout_leak", config.network.readout_leak),
    ):
        if isinstance(leak, ShiftLeak):
            allowed = "1 to 15"
            rules.append((1 <= leak.shift <= 15, f"network.{key}", "shift", leak.shift, allowed))
        elif isinstance(leak, DecayLeak):
            bits, multiplier = leak.fraction_bits, leak.multiplier
            table = f"network.{key}"
            rules.append((1 <= bits <= 15, table, "fraction_bits", bits, "1 to 15"))
            most = 1 << max(0, min(bits, 15))
            rules.append((1 <= multiplier <= most, table, "multiplier", multiplier, f"1 to {most}"))
    for holds, table, key, value, allowed in rules:
        if not holds:
            raise UserError(
                f"{source}: table [{table}]: {key} is {value!r}, but it must be {allowed}"
            )
