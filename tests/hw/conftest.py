"""What all gateware tests share."""

import gc

import pytest
from amaranth._unused import MustUse


@pytest.fixture
def refused_components(monkeypatch):
    """For tests of constructors that refuse: what they leave behind is never elaborated."""
    monkeypatch.setattr(MustUse, "_MustUse__silence", True)
    yield
    gc.collect()
