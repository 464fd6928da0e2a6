"""Estimates are exact where they say so."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from networks import random_events, random_network
from spikeloom.encoding import RateEncoding
from spikeloom.errors import UserError
from spikeloom.image import Layer, ShiftLeak
from spikeloom.packing import pack, pack_network, propose_lanes
from spikeloom.reference import cycle_times, simulate
from spikeloom.reference.cycles import STEP_TO_WALK, resume_stage
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
    # The readout never spikes: it has no use for thresholds.
    for layer, lanes, own in (("layer0", 4, {"thresholds"}), ("layer1", 1, set())):
        expected = {"pointers", "weights", "biases"} | own
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


def test_the_activity_of_each_layer_is_its_own(small_image):
    found = estimate(small_image, target=ICEBREAKER, lanes=(2, 1))
    assert [own.name for own in found.activity] == ["hidden", "readout"]
    assert [own.events for own in found.activity] == [28.0, 9.0]
    assert found.activity[0].words != found.activity[1].words > 0
    assert found.interval_cycles == max(own.busy_cycles for own in found.activity)
    # A clock of the core's own, other than the oscillator's.
    assert ICEBREAKER.core_clock_mhz != ICEBREAKER.board_clock_mhz
    assert found.interval_microseconds == found.interval_cycles / ICEBREAKER.core_clock_mhz
    # Of a network that has no record, each input spikes once in a sample.
    silent = msgspec.structs.replace(small_image.provenance, input_events=())
    unknown = estimate(replace(small_image, provenance=silent), target=ICEBREAKER, lanes=(2, 1))
    assert [own.events for own in unknown.activity] == [64.0, 12.0]


@pytest.mark.parametrize("target", ["icebreaker", "ulx3s-85f"], ids=["one bank", "sums apart"])
def test_a_layer_is_busy_with_rows_and_updates(small_image, target):
    """One after the other, where they share a bank; at once, where the sums stand apart."""
    found = estimate(small_image, target=TARGETS[target], lanes=(2, 1))
    steps = small_image.time_steps
    for layer, own, lanes in zip(small_image.layers, found.activity, (2, 1), strict=True):
        groups = -(-layer.neurons // lanes)
        walks = steps * (STEP_TO_WALK + groups + resume_stage(layer.leak))
        together = max(own.words, walks) + steps
        assert own.busy_cycles == (together if target == "ulx3s-85f" else own.words + walks)


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


def test_an_encoder_is_one_memory_more():
    image = random_network(np.random.default_rng(1), [784, 32, 10], density=0.1, time_steps=8)
    plain, encoding = (
        estimate(image, target=ICEBREAKER, lanes=(8, 1), encoder=encoder)
        for encoder in (False, True)
    )
    (encoder,) = (own for own in encoding.memories if own not in plain.memories)
    assert (encoder.name, encoder.width, encoder.depth) == ("host.encoder", 4, 784)
    assert encoding.blocks == plain.blocks + encoder.blocks == plain.blocks + 1


def test_a_code_without_gateware_is_refused():
    drawn = random_network(np.random.default_rng(1), [8, 4, 3])
    with pytest.raises(UserError, match="the rate encoding has no gateware"):
        estimate(
            replace(drawn, encoding=RateEncoding()), target=ICEBREAKER, lanes=(1, 1), encoder=True
        )


def test_a_host_fills_single_port_ram():
    image = random_network(np.random.default_rng(1), [64, 64, 10], density=0.2)
    found = estimate(image, target=ICEBREAKER, lanes=(8, 1), loadable=True)
    (weights,) = (own for own in found.memories if own.kind == "single-port")
    assert weights.name == "layer0.weights"
    assert found.single_ports == weights.blocks == -(-weights.width // 16)


def test_words_wider_than_single_port_ram_spill_into_block_ram():
    random = np.random.default_rng(1)
    image = random_network(random, [64, 256, 10])
    # Three of the 32 neurons of each bank: full words, and gaps too long for few bits.
    places = random.random((64, 32, 8)).argsort(axis=1) < 3
    weights = random.choice([-7, 7], (64, 32, 8)) * places
    hidden = Layer.from_dense(weights.reshape(64, 256), name="layer0", leak=ShiftLeak(shift=2))
    image = image.with_layers((hidden, *image.layers[1:]))
    found = estimate(image, target=ICEBREAKER, lanes=(8, 1), loadable=True)
    memories = {own.name: own for own in found.memories}
    weights, spilled = memories["layer0.weights"], memories["layer0.weights.spilled"]
    assert (weights.kind, weights.width, weights.blocks) == ("single-port", 64, 4)
    assert spilled.kind == "block"
    assert spilled.width == found.layers[0].word_bits - 64 > 0
    assert spilled.depth == weights.depth >= found.layers[0].words
    assert spilled.blocks == -(-spilled.width * spilled.depth // 4096)


def test_a_loadable_core_holds_the_network_it_is_made_for():
    """With few lanes a word is narrow, and there are more of them than one RAM is deep."""
    image = random_network(np.random.default_rng(1), [784, 128, 10], density=0.4)
    found = estimate(image, target=ICEBREAKER, lanes=(2, 1), loadable=True)
    (weights,) = (own for own in found.memories if own.kind == "single-port")
    assert weights.depth == 2 * 2**14 >= found.layers[0].words > 2**14
    assert found.single_ports == 2 * -(-weights.width // 16)


def test_more_lanes_take_more_cells():
    image = random_network(np.random.default_rng(1), [64, 64, 10], density=0.2)
    few, many = (estimate(image, target=ICEBREAKER, lanes=(own, 1)) for own in (2, 16))
    assert few.cells.median < many.cells.median
    for band in (few.cells, few.clock_mhz):
        assert band.low < band.median < band.high


REMEDIES = [
    pytest.param(
        [256, 128, 10], (8, 1), 0.9, False, ("--loadable", "--target ulx3s-25f"), id="load"
    ),
    pytest.param(
        [64, 192, 10], (16, 2), 0.16, False, ("--lanes 8", "--target ulx3s-25f"), id="lanes"
    ),
    pytest.param([8, 8, 300], (1, 1), 0.5, False, (), id="nothing"),
]


@pytest.mark.parametrize(("shape", "lanes", "density", "loadable", "expected"), REMEDIES)
def test_what_would_make_it_fit_is_told_and_does(shape, lanes, density, loadable, expected):
    image = random_network(np.random.default_rng(1), shape, density=density)
    found = estimate(image, target=ICEBREAKER, lanes=lanes, loadable=loadable)
    assert found.remedies == expected
    with pytest.raises(UserError, match=expected[0] if expected else "fewer synapses"):
        check_fits(image, target=ICEBREAKER, lanes=lanes, loadable=loadable)
    for option in expected:
        name, _, value = option.partition(" ")
        tried = estimate(
            image,
            target=TARGETS[value] if name == "--target" else ICEBREAKER,
            lanes=propose_lanes(image, int(value)) if name == "--lanes" else lanes,
            loadable=loadable or name == "--loadable",
        )
        assert tried.fits


def test_more_cells_than_the_device_has_are_refused():
    image = random_network(np.random.default_rng(1), [64, 64, 10], density=0.1)
    found = estimate(image, target=replace(ICEBREAKER, logic_cells=900), lanes=(2, 1))
    assert not found.fits
    assert "LC and icebreaker has 900" in found.exceeds[0]
