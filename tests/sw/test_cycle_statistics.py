"""Cycles over a split."""

import numpy as np

from spikeloom.cycle_statistics import BATCH, count_cycles
from spikeloom.datasets import Split
from spikeloom.encoding import encode
from spikeloom.packing import pack_network
from spikeloom.reference import simulate
from spikeloom.reference.cycles import cycle_times


def test_every_sample_counts_once(small_image):
    samples = BATCH + 30
    images = np.random.default_rng(3).integers(0, 256, (samples, 64)).astype(np.uint8)
    numbers = np.arange(samples)
    split = Split(images=images, labels=numbers % 10, index=numbers)
    packed = pack_network(small_image, (2, 1))
    told = []
    found = count_cycles(small_image, split, packed, done=told.append)

    trace = simulate(small_image, encode(small_image.encoding, images, small_image.time_steps))
    latency = np.sort(cycle_times(small_image, trace, packed).latency)
    assert told == [BATCH, 30]
    assert found.samples == samples
    assert found.latency.mean == round(latency.mean(), 2)
    assert found.latency.max == latency[-1]
    assert found.latency.p99 == latency[int(np.ceil(0.99 * samples)) - 1]
    assert found.operations == tuple(trace.operations.mean(axis=0).round(2))
    # Layers work side by side: results follow each other faster than one sample takes.
    assert 0 < found.interval.mean < found.latency.mean
