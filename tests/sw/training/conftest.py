import pytest

from spikeloom.config import parse_config
from spikeloom.datasets import load_dataset
from spikeloom.training import train_network

QUICK = """
    [data]
    time_steps = 4
    [network]
    hidden = [24]
    [sparsity]
    start_epoch = 2
    every_epochs = 1
    stop_epoch = 5
    rho = 0.0
    density = 0.35
    [training]
    epochs = 7
    learning_rate = 0.03
    seed = 11
"""


@pytest.fixture(scope="session")
def digits():
    return load_dataset("digits")


@pytest.fixture(scope="session")
def config():
    return parse_config(QUICK, source="quick.toml")


@pytest.fixture(scope="session")
def trained(config, digits):
    return train_network(config, digits)
