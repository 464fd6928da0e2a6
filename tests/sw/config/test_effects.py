"""Every key of a configuration changes what it should: none is read in vain.

A new key fails here until it has an entry.
"""

from functools import cache

import pytest
from msgspec import inspect

from spikeloom.config import Config, dump_config, parse_config

from . import effects_of_graphs, effects_of_networks, effects_of_training
from .effects import Run, declared, with_keys

KEYS = effects_of_networks.KEYS | effects_of_training.KEYS | effects_of_graphs.KEYS
"""By key; of a table that is one of several kinds, the kind stands before its own keys."""


@cache
def run_of(text: str) -> Run:
    return Run(parse_config(text, source="x"))


def test_every_key_is_here():
    assert sorted(KEYS) == sorted(declared(inspect.type_info(Config), ""))


@pytest.mark.parametrize("name", KEYS)
def test_a_key_has_its_effect(name):
    key = KEYS[name]
    tables = name.split(".")
    place = key.place or (".".join([*tables[:2], tables[3]]) if len(tables) == 4 else name)
    base = with_keys(key.text, key.beside)
    before, after = run_of(base), run_of(with_keys(base, {place: key.value} | key.also))
    assert dump_config(before.config) != dump_config(after.config)
    assert key.effect(before, after)
    assert not key.effect(before, before)
