"""What co-simulation tests share: the tools, found once; a simulator on paper; a faked verb."""

import pytest

from spikeloom_cosim.toolchain import Toolchain, find_toolchain

from .paper_core import paper
from .verb_fakes import calls, verb

__all__ = ["calls", "paper", "tools", "verb"]


@pytest.fixture(scope="session")
def tools() -> Toolchain:
    return find_toolchain()
