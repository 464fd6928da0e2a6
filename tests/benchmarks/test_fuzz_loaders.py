"""What is fuzzed: the loaders stand the seeds and simple damage, and a fault of theirs is seen."""

from dataclasses import replace

import numpy as np
import pytest

from fuzzing.loaders import LOADERS, Loader, survive
from spikeloom.errors import UserError

DAMAGED = 300


def damaged(seeds: list[bytes]) -> list[bytes]:
    """Seeds cut off, and with bytes changed."""
    random = np.random.default_rng(1)
    made = []
    for number in range(DAMAGED):
        content = bytearray(seeds[number % len(seeds)])
        for _ in range(int(random.integers(1, 4))):
            content[int(random.integers(len(content)))] = int(random.integers(256))
        made.append(
            bytes(content[: int(random.integers(len(content) + 1))] if number % 3 else content)
        )
    return made


@pytest.mark.parametrize("name", LOADERS)
def test_seeds_are_read(name, tmp_path):
    loader = LOADERS[name]
    seeds = loader.seeds()
    assert seeds
    for content in seeds:
        path = tmp_path / loader.name
        path.write_bytes(content)
        loader.read(path)


@pytest.mark.parametrize("name", [name for name in LOADERS if name != "unsealed-network"])
def test_damage_is_survived(name, tmp_path):
    loader = LOADERS[name]
    for content in damaged(loader.seeds()):
        survive(loader, tmp_path / loader.name, content)


@pytest.mark.parametrize(
    "error", [KeyError("x"), UnicodeDecodeError("utf-8", b"", 0, 1, "x"), UserError("two\nlines")]
)
def test_a_fault_is_seen(tmp_path, error):
    def read(_path):
        raise error

    with pytest.raises((type(error), AssertionError)):
        survive(Loader(read=read, name="x", seeds=list), tmp_path / "x", b"")


def test_a_refusal_is_no_fault(tmp_path):
    def read(_path):
        raise UserError("the file is damaged: fetch it again")

    survive(replace(LOADERS["idx"], read=read), tmp_path / "x", b"")


def test_a_text_that_is_no_unicode_is_refused(tmp_path):
    path = tmp_path / "design.json"
    path.write_bytes(b'{"file": "\xff"}')
    with pytest.raises(UserError, match="is damaged"):
        LOADERS["design"].read(path)
