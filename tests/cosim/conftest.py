"""What all co-simulation tests share: the tools, found once."""

import pytest

from spikeloom_cosim.toolchain import Toolchain, find_toolchain


@pytest.fixture(scope="session")
def tools() -> Toolchain:
    return find_toolchain()
