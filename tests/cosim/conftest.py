"""What all co-simulation tests share: the tools, found once; and a simulator on paper."""

import pytest

from spikeloom_cosim.toolchain import Toolchain, find_toolchain

from .paper_core import paper

__all__ = ["paper", "tools"]


@pytest.fixture(scope="session")
def tools() -> Toolchain:
    return find_toolchain()
