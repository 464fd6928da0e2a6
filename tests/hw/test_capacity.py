"""What a device holds, at its limits, below and above; the model of logic, written down once."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from networks import random_network
from spikeloom.errors import UserError
from spikeloom.image import DecayLeak, IntegrateLeak, ShiftLeak
from spikeloom.packing import pack_network
from spikeloom_hw import capacity
from spikeloom_hw.capacity import beyond, beyond_the_link
from spikeloom_hw.core.build import core_params
from spikeloom_hw.estimate import advice, check_fits, estimate
from spikeloom_hw.logic import Band, FamilyModel, clock_mhz, counted, logic_cells, models
from spikeloom_hw.memories import MemoryCost, core_memories
from spikeloom_hw.targets import TARGETS

ICE40, ECP5 = TARGETS["icebreaker"], TARGETS["ulx3s-25f"]
IMAGE = random_network(np.random.default_rng(1), [40, 30, 10], density=0.2)
CORE = core_params(IMAGE, target=ICE40, lanes=(4, 1))
MEMORIES = (
    MemoryCost(name="small", width=8, depth=8, blocks=3),
    MemoryCost(name="large", width=8, depth=8, blocks=7),
    MemoryCost(name="next", width=8, depth=8, blocks=6),
    MemoryCost(name="port", width=16, depth=9, kind="single-port", blocks=9),
    MemoryCost(name="logic", width=16, depth=9, kind="distributed"),
)


def too_large(**capacities) -> tuple[str, ...]:
    """What is beyond a device of other capacities, of `MEMORIES` and a model of 1,000 cells."""
    roomy = {"block_ram_count": 1000, "sprams": 1000, "logic_cells": 10**6}
    return beyond(CORE, MEMORIES, replace(ICE40, **{**roomy, **capacities}))


@pytest.mark.parametrize(
    ("capacities", "says"),
    [
        ({"block_ram_count": 17}, ""),
        ({"block_ram_count": 16}, ""),
        (
            {"block_ram_count": 15},
            "the network needs 16 EBR blocks and icebreaker has 15: 1 too many, 7 of them for "
            "large; lower the density, the neurons or --lanes, or choose a larger target",
        ),
        ({"sprams": 10}, ""),
        ({"sprams": 9}, ""),
        (
            {"sprams": 7},
            "port needs 9 single-port RAMs and icebreaker has 7, 2 too many: lower the density",
        ),
        ({"logic_cells": 901}, ""),
        ({"logic_cells": 900}, ""),
        (
            {"logic_cells": 899},
            "the network needs about 1000 LC and icebreaker has 899: lower --lanes, or choose a "
            "larger target",
        ),
    ],
)
def test_limits_of_a_device(monkeypatch, capacities, says):
    band = Band(low=900.0, median=1000.2, high=1100.0)
    monkeypatch.setattr(capacity, "logic_cells", lambda *_: band)
    assert too_large(**capacities) == ((says,) if says else ())


def test_all_that_is_too_large_is_told(monkeypatch):
    band = Band(low=900.0, median=1000.0, high=1100.0)
    monkeypatch.setattr(capacity, "logic_cells", lambda *_: band)
    told = too_large(block_ram_count=1, sprams=1, logic_cells=1)
    assert [sentence.split()[0] for sentence in told] == ["the", "port", "the"]


@pytest.mark.parametrize(
    ("outputs", "layers", "says"),
    [
        (256, 12, []),
        (
            257,
            12,
            ["the network has 257 outputs and the host link of icebreaker names 256 classes"],
        ),
        (256, 13, ["the network has 13 layers with 66 counters and the host link of icebreaker"]),
        (257, 13, ["the network has 13 layers", "the network has 257 outputs"]),
    ],
)
def test_limits_of_the_host_link(outputs, layers, says):
    told = list(beyond_the_link(outputs, layers, ICE40))
    assert len(told) == len(says)
    assert all(sentence.startswith(start) for sentence, start in zip(told, says, strict=True))
    assert not list(beyond_the_link(outputs, layers, replace(ICE40, has_top=False)))


def test_the_counters_that_the_host_link_names():
    (told,) = beyond_the_link(10, 13, ICE40)
    assert " names 61: " in told


# What an estimate says.


def test_every_field_of_an_estimate():
    found = estimate(IMAGE, target=ICE40, lanes=(4, 1))
    packed = pack_network(IMAGE, (4, 1))
    memories = tuple(core_memories(CORE, ICE40))
    assert (found.target, found.lanes, found.loadable) == ("icebreaker", (4, 1), False)
    assert found.bits_stored == sum(words.bits for words in packed)
    assert [cost.name for cost in found.layers] == ["layer0", "layer1"]
    assert found.memories == memories
    assert found.blocks == sum(own.blocks for own in memories if own.kind == "block")
    assert (found.blocks_available, found.single_ports_available) == (30, 4)
    assert (found.single_ports, found.cells_available) == (0, 5280)
    assert found.cells == logic_cells(CORE, memories, ICE40)
    assert found.clock_mhz == clock_mhz(ICE40)
    assert [layer.name for layer in found.activity] == ["layer0", "layer1"]
    assert found.interval_cycles == max(layer.busy_cycles for layer in found.activity)
    assert (found.fits, found.exceeds, found.remedies) == (True, (), ())
    loaded = estimate(IMAGE, target=ICE40, lanes=(4, 1), loadable=True)
    assert loaded.loadable
    assert loaded.single_ports == sum(
        own.blocks for own in loaded.memories if own.kind == "single-port"
    )
    assert loaded.single_ports > 0
    assert loaded.blocks == sum(own.blocks for own in loaded.memories if own.kind == "block")


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_time_is_that_of_the_core_s_clock(target):
    slower = replace(target, core_clock_mhz=20, board_clock_mhz=50)
    for own in (target, slower):
        found = estimate(IMAGE, target=own, lanes=(4, 1))
        assert found.interval_microseconds * own.core_clock_mhz == pytest.approx(
            found.interval_cycles
        )


@pytest.mark.parametrize(
    ("recorded", "events"),
    [
        pytest.param((17.0, 6.5), (17.0, 6.5), id="of each layer"),
        pytest.param((17.0,), (17.0, 30.0), id="of the first alone"),
        pytest.param((), (40.0, 30.0), id="of none: each input once"),
    ],
)
def test_the_events_of_each_layer(recorded, events):
    provenance = msgspec.structs.replace(IMAGE.provenance, input_events=recorded)
    image = replace(IMAGE, provenance=provenance)
    found = estimate(image, target=ICE40, lanes=(4, 1))
    assert tuple(layer.events for layer in found.activity) == events


LEAKS = [
    pytest.param(IntegrateLeak(), 0, id="integrate"),
    pytest.param(ShiftLeak(shift=2), 0, id="shift"),
    pytest.param(DecayLeak(multiplier=5, fraction_bits=4), 1, id="decay"),
]


@pytest.mark.parametrize(("leak", "more"), LEAKS)
@pytest.mark.parametrize("density", [0.05, 0.9], ids=["mostly walks", "mostly words"])
def test_busy_cycles(leak, more, density):
    """A walk takes five cycles and one a group; beside it rows are read, or not."""
    image = random_network(
        np.random.default_rng(2), [40, 30, 10], density=density, leak=leak, time_steps=3
    )
    for target in (ICE40, ECP5):
        found = estimate(image, target=target, lanes=(4, 1))
        for layer, groups in zip(found.activity, (8, 10), strict=True):
            walk = 5 + groups + more
            if target is ICE40:
                assert layer.busy_cycles == pytest.approx(layer.words + 3 * walk)
            else:
                assert layer.busy_cycles == pytest.approx(max(layer.words + 3, 3 * walk + 3))
    assert found.activity[0].words > 0


def test_the_memory_of_an_encoder(monkeypatch):
    asked = []
    monkeypatch.setattr(
        "spikeloom_hw.estimate.core_memories", lambda core, target, code: asked.append(code) or ()
    )
    for encoder in (False, True):
        estimate(IMAGE, target=ICE40, lanes=(4, 1), encoder=encoder)
    assert asked == [None, IMAGE.sample_code]


@pytest.mark.parametrize("options", [{}, {"loadable": True}, {"encoder": True}])
@pytest.mark.parametrize("fits", [True, False])
def test_what_is_refused_is_what_was_asked_for(monkeypatch, options, fits):
    found = msgspec.structs.replace(
        estimate(IMAGE, target=ICE40, lanes=(4, 1)), fits=fits, exceeds=("too", "large")
    )
    asked = []

    def note(image, **how):
        asked.append(how)
        return found

    monkeypatch.setattr("spikeloom_hw.estimate.estimate", note)
    if fits:
        check_fits(IMAGE, target=ECP5, lanes=(2, 1), **options)
    else:
        with pytest.raises(UserError, match=r"^too; large; no other lanes"):
            check_fits(IMAGE, target=ECP5, lanes=(2, 1), **options)
    nothing = {"loadable": False, "encoder": False}
    assert asked == [{"target": ECP5, "lanes": (2, 1), **nothing, **options}]


def test_advice():
    found = estimate(IMAGE, target=ICE40, lanes=(4, 1))
    some = msgspec.structs.replace(found, remedies=("--loadable", "--target x"))
    assert advice(some) == "it fits with --loadable or with --target x"
    assert "it needs fewer synapses or neurons" in advice(found)


# The model of logic.

COUNTED = [
    # A lane of the first layer: 2 + 3·4 + 3.5·3 of a slot, 7·9 of its potential, 3·8 of a leaking
    # membrane: 111.5; of the second, which only integrates, 28 + 5·9 + 24 = 97.
    # Control of the first: 12 + 1.5·2·3 + 2·8 of pointers, 3·8 + 3·3 of words, 5·3 + 6·4: 109.
    pytest.param(
        "icebreaker",
        (4, 1),
        False,
        {"shared": False, "leak": ShiftLeak(shift=2)},
        {"lanes": 4 * 111.5 + 97, "gaps": 4 * 3 + 4, "control": 109 + 95},
        id="thresholds of each neuron",
    ),
    pytest.param(
        "icebreaker",
        (16, 2),
        True,
        {"leak": IntegrateLeak()},
        {"lanes": 1805.0, "gaps": 6, "control": 294.0, "loader": 24},
        id="loaded",
    ),
    # Sums apart: 4·8 + 2·3 more a lane, a decay's 3·8, and no gaps in the first layer.
    pytest.param(
        "ulx3s-25f",
        (4, 1),
        False,
        {"leak": DecayLeak(multiplier=5, fraction_bits=4), "density": 0.1},
        {"lanes": 827.0, "gaps": 4, "control": 178.0, "distributed": 3 * 5 * 8},
        id="sums apart",
    ),
    pytest.param(
        "ulx3s-25f",
        (1, 1),
        False,
        {"leak": ShiftLeak(shift=1), "density": 0.1},
        {"lanes": 289.5, "gaps": 4, "control": 175.0, "distributed": 3 * 8 * (2 + 1)},
        id="banks of more than sixteen words",
    ),
]


@pytest.mark.parametrize(("name", "lanes", "loadable", "network", "expected"), COUNTED)
def test_what_the_model_counts(name, lanes, loadable, network, expected):
    image = random_network(np.random.default_rng(1), [40, 30, 10], **network)
    core = core_params(image, target=TARGETS[name], lanes=lanes, loadable=loadable)
    multiplexed = [MemoryCost(name="", width=1, depth=1, multiplexed=own) for own in (0, 5, 7)]
    nothing = dict.fromkeys(("loader", "distributed"), 0)
    assert counted(core, multiplexed) == {
        "core": 1,
        "layer": 2,
        "multiplexers": 12,
        **nothing,
        **expected,
    }


def test_cells_and_clock_are_those_of_the_family():
    for target in (ICE40, ECP5):
        model = models()[target.family]
        core = core_params(IMAGE, target=target, lanes=(4, 1))
        memories = tuple(core_memories(core, target))
        cells = sum(model.cells[name] * own for name, own in counted(core, memories).items())
        assert logic_cells(core, memories, target) == Band.around(cells, model.cells_error)
        assert clock_mhz(target) == Band.around(model.clock_mhz, model.clock_error)
        assert isinstance(model, FamilyModel)
    assert clock_mhz(ICE40) != clock_mhz(ECP5)


def test_a_band():
    assert Band.around(200, 0.25) == Band(low=150.0, median=200.0, high=250.0)
    assert Band.around(100.06, 0.1) == Band(low=90.1, median=100.1, high=110.1)


# Every memory, written down.

ICE40_FIXED = [
    ("layer0.pointers", 14, 20, "block", 1),
    ("layer0.weights", 24, 176, "block", 2),
    *((f"layer0.bank_{lane}", 9, 8, "block", 1) for lane in range(4)),
    ("layer0.thresholds", 16, 8, "block", 1),
    ("layer0.biases", 12, 8, "block", 1),
    ("layer1.pointers", 15, 15, "block", 1),
    ("layer1.weights", 6, 123, "block", 1),
    ("layer1.bank_0", 9, 10, "block", 1),
    ("layer1.biases", 2, 10, "block", 1),
    ("layer0.spikes", 9, 256, "block", 1),
    ("readout", 8, 10, "block", 1),
]
ECP5_APART = [
    ("layer0.pointers", 14, 10, "block", 1),
    ("layer0.weights", 28, 50, "block", 1),
    *(
        (f"layer0.{name}", 8, 8, "distributed", 0)
        for lane in range(4)
        for name in (f"membranes_{lane}", f"bank_{lane}_0", f"bank_{lane}_1")
    ),
    ("layer1.pointers", 11, 15, "block", 1),
    ("layer1.weights", 7, 28, "block", 1),
    *(
        (f"layer1.{name}", 8, 10, "distributed", 0)
        for name in ("membranes_0", "bank_0_0", "bank_0_1")
    ),
    ("layer0.spikes", 9, 256, "block", 1),
    ("readout", 8, 10, "block", 1),
]
HOST = [
    ("host.received", 8, 512, "block", 1),
    ("host.sent", 8, 256, "block", 1),
    ("host.results", 8, 32, "block", 1),
]


@pytest.mark.parametrize(
    ("target", "network", "expected"),
    [
        pytest.param(ICE40, {"shared": False, "leak": ShiftLeak(shift=2)}, ICE40_FIXED, id="fixed"),
        pytest.param(
            ECP5,
            {"leak": DecayLeak(multiplier=5, fraction_bits=4), "density": 0.1},
            ECP5_APART,
            id="sums apart",
        ),
    ],
)
def test_every_memory(target, network, expected):
    image = random_network(np.random.default_rng(1), [40, 30, 10], **network)
    for own, host in ((target, HOST), (replace(target, has_top=False), [])):
        core = core_params(image, target=own, lanes=(4, 1))
        memories = core_memories(core, own)
        assert [
            (memory.name, memory.width, memory.depth, memory.kind, memory.blocks)
            for memory in memories
        ] == expected + host


def test_what_the_presets_hold():
    """Lattice's data sheets: FPGA-DS-02008 (iCE40 UltraPlus), FPGA-DS-02012 (ECP5)."""
    ice40 = ("up5k", "sg48", 0, 12, 30, 5280, 30, 4096, 4, 8, 0)
    small, large = (24288, 56, 18432, 0, 28, 64), (83640, 208, 18432, 0, 156, 64)
    assert {
        name: (
            *(own.device, own.package, own.speed, own.board_clock_mhz, own.core_clock_mhz),
            *(own.logic_cells, own.block_ram_count, own.block_ram_bits),
            *(own.sprams, own.dsps, own.distributed_depth),
        )
        for name, own in TARGETS.items()
    } == {
        "icebreaker": ice40,
        "upduino": ice40,
        "icesugar": ice40,
        "ulx3s-25f": ("25k", "CABGA381", 6, 25, 80, *small),
        "ulx3s-85f": ("85k", "CABGA381", 6, 25, 80, *large),
        "orangecrab": ("25k", "CSFBGA285", 8, 48, 80, *small),
        "colorlight-i5": ("25k", "CABGA381", 6, 25, 80, *small),
        "ecpix5-85f": ("um5g-85k", "CABGA554", 8, 100, 80, *large),
    }
    assert [own.name for own in TARGETS.values()] == list(TARGETS)
    assert all(own.has_top for own in TARGETS.values())
    assert [(own.family, own.cell_name) for own in (ICE40, ECP5)] == [
        ("ice40", "LC"),
        ("ecp5", "LUT4"),
    ]
