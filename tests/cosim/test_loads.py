"""What a host loads in whatever order is there, and what it reads back is what it loaded."""

from dataclasses import replace

import numpy as np
import pytest

from spikeloom_cosim.build import build_bench
from spikeloom_cosim.campaign.capacity import LoadableCore
from spikeloom_cosim.campaign.draw import draw_core, draw_network
from spikeloom_cosim.checker import check
from spikeloom_cosim.loads import scrambled, with_looks
from spikeloom_cosim.simulation import STREAMING, Round, Watchdog, run_rounds
from spikeloom_hw.core.loading import load_sequence
from spikeloom_hw.generate import generate
from spikeloom_hw.targets import TARGETS


@pytest.fixture(scope="module")
def core(tmp_path_factory) -> LoadableCore:
    drawn = draw_core(np.random.default_rng(5))
    folder = tmp_path_factory.mktemp("core") / "design"
    generate(
        drawn.image,
        target=TARGETS[drawn.target],
        lanes=drawn.lanes,
        directory=folder,
        bare=True,
        loadable=True,
    )
    return LoadableCore.of(folder)


@pytest.fixture(scope="module")
def image(core):
    random = np.random.default_rng(2)
    drawn = (draw_network(random, core.params) for _ in range(100))
    return next(own for own in drawn if own.layers[0].synapses)


def test_scrambled_is_the_same_but_for_order_and_padding(core, image):
    loads = load_sequence(image, core.params)
    other = scrambled(loads, core.params, np.random.default_rng(1))
    assert sorted(own[:3] for own in other) == sorted(own[:3] for own in loads)
    assert [own[:3] for own in other] != [own[:3] for own in loads]
    _, found = with_looks(loads, core.params, np.random.default_rng(2))
    _, again = with_looks(other, core.params, np.random.default_rng(2))
    assert sorted(found) == sorted(again)
    assert {own[:3]: own[3] for own in other} != {own[:3]: own[3] for own in loads}


@pytest.fixture(scope="module")
def recorded(core, image, tools, tmp_path_factory):
    random = np.random.default_rng(3)
    sequence = scrambled(load_sequence(image, core.params), core.params, random)
    loads, looks = with_looks(sequence, core.params, random)
    fitting = core.fit(image)
    events = random.random((3, image.time_steps, core.core.shape.addresses)) < 0.3
    expected = fitting.expect(events)
    recording = run_rounds(
        build_bench(core.core.verilog, core.core.shape, tools=tools),
        replace(core.core, loads=loads),
        [Round.of(replace(core.core, loads=loads), events)],
        STREAMING,
        folder=tmp_path_factory.mktemp("loads") / "run",
        seed=1,
        watchdog=Watchdog.of(expected.latency),
    )
    return expected, recording, looks


def test_what_is_read_back_is_what_was_loaded(core, recorded):
    expected, recording, looks = recorded
    assert len(looks) > 10
    assert check(expected, recording, core.core.shape, mode=STREAMING, looks=looks).equal


@pytest.mark.parametrize("fault", ["a wrong chunk", "one too few", "one too many"])
def test_another_chunk_is_found(core, recorded, fault):
    expected, recording, looks = recorded
    got = {
        "a wrong chunk": np.where(np.arange(len(looks)) == 4, looks ^ 1, looks),
        "one too few": looks[:-1],
        "one too many": np.append(looks, 0),
    }[fault]
    other = replace(recording, looks=got)
    verdict = check(expected, other, core.core.shape, mode=STREAMING, looks=looks)
    assert verdict.mismatches["look"] == 1
    assert verdict.found is not None
    assert verdict.found.first.kind == "look"
