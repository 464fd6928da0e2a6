"""A run's configuration: one TOML file, decoded strictly, saved with every default written out."""

from spikeloom.config.decode import assumed_keys, dump_config, load_config, parse_config
from spikeloom.config.keywords import configure
from spikeloom.config.methods import METHODS
from spikeloom.config.schema import (
    Config,
    DataConfig,
    NetworkConfig,
    QuantizationConfig,
    SparsityConfig,
    TrainingConfig,
)

__all__ = [
    "METHODS",
    "Config",
    "DataConfig",
    "NetworkConfig",
    "QuantizationConfig",
    "SparsityConfig",
    "TrainingConfig",
    "assumed_keys",
    "configure",
    "dump_config",
    "load_config",
    "parse_config",
]
