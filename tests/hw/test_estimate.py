"""Estimates are exact where they say so."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from networks import random_events, random_network
from spikeloom.errors import UserError
from spikeloom.packing import pack, pack_network
from spikeloom.reference import cycle_times, simulate
from spikeloom_hw.estimate import check_fits, estimate
from spikeloom_hw.targets import TARGETS

ICEBREAKER = TARGETS["icebreaker"]


def test_bits_and_words_are_those_of_the_packing():
    image = random_network(np.random.default_rng(1), [40, 30, 10], density=0.2)
    found = estimate(image, target=ICEBREAKER, lanes=(8, 1))
    packed = [pack(image.layers[0], 8), pack(image.layers[1], 1)]
    assert found.bits_stored == sum(words.bits for words in packed)
    assert [cost.words for cost in found.layers] == [words.words for words in packed]


def test_every_memory_is_counted_once():
    image = random_network(np.random.default_rng(1), [40, 30, 10], shared=False)
    found = estimate(image, target=ICEBREAKER, lanes=(4, 1))
    names = [memory.name for memory in found.memories]
    assert len(names) == len(set(names))
    assert found.blocks == sum(memory.blocks for memory in found.memories)
    for layer, lanes in (("layer0", 4), ("layer1", 1)):
        expected = {"pointers", "weights", "thresholds", "biases"}
        expected |= {f"bank_{lane}" for lane in range(lanes)}
        got = {name.split(".")[1] for name in names if name.startswith(f"{layer}.")}
        assert got - {"spikes"} == expected


def test_cycles_are_near_the_exact_model_when_activity_is_uniform():
    """The estimate is the busiest layer's work; samples at full rate take that long each."""
    rng = np.random.default_rng(3)
    image = random_network(rng, [64, 96, 10], density=0.3, time_steps=6)
    events = random_events(rng, image, 40, 0.2)
    trace = simulate(image, events)
    results = cycle_times(image, trace, pack_network(image, (8, 1))).results
    measured = (results[-1] - results[0]) / (len(results) - 1)
    operations = tuple(trace.operations.mean(axis=0).tolist())
    provenance = msgspec.structs.replace(image.provenance, operations=operations)
    recorded = replace(image, provenance=provenance)
    found = estimate(recorded, target=ICEBREAKER, lanes=(8, 1))
    assert 0.9 * measured < found.interval_cycles < 1.1 * measured


def test_what_does_not_fit_is_told_with_numbers():
    image = random_network(np.random.default_rng(1), [256, 256], density=0.9)
    found = estimate(image, target=ICEBREAKER, lanes=(8,))
    assert not found.fits
    excess = found.blocks - ICEBREAKER.block_ram_count
    with pytest.raises(UserError, match=f"{found.blocks} EBR .* {excess} too many"):
        check_fits(image, target=ICEBREAKER, lanes=(8,))


def test_what_fits_passes():
    image = random_network(np.random.default_rng(1), [64, 32, 10], density=0.2)
    assert estimate(image, target=ICEBREAKER, lanes=(8, 1)).fits
    check_fits(image, target=ICEBREAKER, lanes=(8, 1))
