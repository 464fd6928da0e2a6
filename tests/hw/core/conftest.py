"""Layers for the tests of the core's blocks."""

import numpy as np
import pytest

from networks import random_network
from spikeloom_hw.core import CoreParams


@pytest.fixture(scope="session")
def layer_of():
    """``layer_of(shape, lanes, …)``: the first layer of a random network, packed."""

    def build(shape, lanes, *, seed=1, **options):
        image = random_network(np.random.default_rng(seed), shape, **options)
        core = CoreParams.from_image(image, (lanes,) * len(image.layers))
        return image.layers[0], core.layers[0], core.contents[0]

    return build
