"""A data set and a run so small that a training takes a fraction of a second."""

import numpy as np

from spikeloom.datasets import Dataset, Split

SHAPE = (4, 4)
CLASSES = 3
TEXT = """
[data]
time_steps = 3
[network]
hidden = [6]
[sparsity]
start_epoch = 1
every_epochs = 1
stop_epoch = 3
[training]
epochs = 4
batch_size = 16
learning_rate = 0.02
gain = 2.5
"""


def tiny_split(samples, seed):
    """Images with as many levels as there are; a class is brighter in some pixels."""
    random = np.random.default_rng(seed)
    labels = np.arange(samples) % CLASSES
    levels = random.integers(0, 130, (samples, SHAPE[0] * SHAPE[1]))
    pixels = np.arange(SHAPE[0] * SHAPE[1])
    levels += 125 * (pixels % CLASSES == labels[:, None])
    return Split(
        images=levels.astype(np.uint8), labels=labels.astype(np.int64), index=np.arange(samples)
    )


def tiny_dataset():
    """40 training, 23 validation and 17 test samples of 4 x 4 pixels: no two sizes are alike."""
    return Dataset(
        name="tiny",
        train=tiny_split(40, 1),
        validation=tiny_split(23, 2),
        test=tiny_split(17, 3),
        shape=SHAPE,
        class_names=("low", "middle", "high"),
    )
