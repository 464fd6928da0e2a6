"""Training: from a configuration to a checked network image."""

from spikeloom.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from spikeloom.training.convert import to_image
from spikeloom.training.equivalence import Divergence, Equivalence, compare
from spikeloom.training.keeper import Keeper
from spikeloom.training.run import checked_image, save_run
from spikeloom.training.trainer import Trained, train_network

__all__ = [
    "Checkpoint",
    "Divergence",
    "Equivalence",
    "Keeper",
    "Trained",
    "checked_image",
    "compare",
    "load_checkpoint",
    "save_checkpoint",
    "save_run",
    "to_image",
    "train_network",
]
