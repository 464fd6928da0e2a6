"""How many lanes each layer gets."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from networks import random_network
from spikeloom.errors import UserError
from spikeloom.packing import propose_lanes, resolve_lanes


@pytest.fixture(scope="module")
def image():
    image = random_network(np.random.default_rng(0), [64, 128, 10], density=0.2)
    active = msgspec.structs.replace(image.provenance, operations=(1000.0, 40.0))
    return replace(image, provenance=active)


def test_the_busiest_layer_gets_all_and_the_others_no_more_than_they_need(image):
    assert propose_lanes(image, 8) == (8, 1)
    assert propose_lanes(image, 1) == (1, 1)


def test_a_layer_as_busy_gets_as_many():
    twin = random_network(np.random.default_rng(0), [32, 32, 32], density=1.0)
    assert propose_lanes(twin, 4) == (4, 4)


@pytest.mark.parametrize(
    ("requested", "resolved"),
    [((8,), (8, 1)), ((2, 4), (2, 4))],
    ids=["the busiest", "each"],
)
def test_resolved(image, requested, resolved):
    assert resolve_lanes(image, requested) == resolved


@pytest.mark.parametrize(
    ("requested", "message"),
    [
        pytest.param((3,), "lanes is 3: choose one of 1, 2, 4, 8, 16, 32", id="not built"),
        pytest.param((8, 3), "lanes is 3", id="not built, each"),
        pytest.param((8, 8, 8), "lanes has 3 numbers for 2 layers", id="too many"),
    ],
)
def test_refused(image, requested, message):
    with pytest.raises(UserError, match=message):
        resolve_lanes(image, requested)
