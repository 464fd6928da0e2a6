import math

import pytest
import safetensors.torch
import torch

from spikeloom.errors import UserError
from spikeloom.training.tree import load_tree, save_tree

TREE = {
    "weights": torch.arange(6, dtype=torch.float64).reshape(2, 3).T,
    "mask": torch.tensor([True, False]),
    "step": torch.tensor(3.5),
    "none": torch.zeros(0, 4),
    "words": ["a", 1, None, True, {"deep": [torch.tensor([7], dtype=torch.uint8)]}],
    "numbers": {"third": 1 / 3, "worst": math.inf, "tuple": (1, 2)},
    "empty": {},
}


@pytest.fixture
def path(tmp_path):
    save_tree(tmp_path / "tree.safetensors", {"config": "x"}, TREE)
    return tmp_path / "tree.safetensors"


def same(left, right):
    if isinstance(left, torch.Tensor):
        return left.dtype == right.dtype and left.shape == right.shape and torch.equal(left, right)
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


def test_round_trip(path):
    header, tree = load_tree(path)
    assert header == {"config": "x"}
    assert same(TREE, tree)
    assert [file.name for file in path.parent.iterdir()] == ["tree.safetensors"]


def truncated(data):
    return data[:-1]


def emptied(_data):
    return b""


def a_bit_of_a_tensor(data):
    return data[:-1] + bytes([data[-1] ^ 1])


def a_digit_of_the_header(data):
    assert b"0.333333" in data
    return data.replace(b"0.333333", b"0.333334")


def foreign(_data):
    return safetensors.torch.save({"a": torch.zeros(2)})


@pytest.mark.parametrize(
    "damage", [truncated, emptied, a_bit_of_a_tensor, a_digit_of_the_header, foreign]
)
def test_damage_is_one_sentence(path, damage):
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=r"tree\.safetensors is damaged .*--restart"):
        load_tree(path)


def test_what_json_does_not_know_is_refused(tmp_path):
    with pytest.raises(TypeError):
        save_tree(tmp_path / "x", {}, {"object": object()})
    assert not list(tmp_path.iterdir())
