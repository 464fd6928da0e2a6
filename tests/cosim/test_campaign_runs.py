"""What a run of random networks plays and tells, on a faked simulator."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from spikeloom_cosim.campaign import run as campaign
from spikeloom_cosim.campaign.capacity import LoadableCore
from spikeloom_cosim.campaign.draw import draw_core
from spikeloom_cosim.campaign.run import CoreRun, Failure, run_core, seeds_of, total
from spikeloom_cosim.divergence import Divergence
from spikeloom_cosim.simulation import SEEDS, STRESS, Watchdog
from spikeloom_hw.generate import generate
from spikeloom_hw.targets import TARGETS

CORE, CYCLES = 104, 4321
TOOLS = cast("Any", "tools")
NETWORKS, SAMPLES = 3, 4


@pytest.fixture(scope="module")
def core(tmp_path_factory) -> LoadableCore:
    drawn = draw_core(np.random.default_rng(CORE))
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


@pytest.fixture
def play(monkeypatch, core):
    """`play(wrong, …)`: a run in which the rounds `wrong` differ; -1 is the end of the run."""

    def once(*wrong: int, **options) -> SimpleNamespace:
        made, seen = [], SimpleNamespace()

        def run_rounds(build, own, rounds, mode, **arguments):
            seen.__dict__.update(arguments, core=own, rounds=rounds, mode=mode, build=build)
            return SimpleNamespace(outcome=SimpleNamespace(cycles=CYCLES))

        def check_rounds(expected, recording, shape, mode, *, seed, looks):
            seen.__dict__.update(expected=expected, looks=looks, checked=(shape, mode, seed))
            numbers = [*range(len(expected)), -1]
            return [SimpleNamespace(found=found(n) if n in wrong else None) for n in numbers]

        monkeypatch.setattr(campaign, "generate", lambda image, **given: made.append(given))
        monkeypatch.setattr(campaign.LoadableCore, "of", lambda folder: core)
        monkeypatch.setattr(campaign, "build_bench", lambda *_, tools: tools)
        monkeypatch.setattr(campaign, "run_rounds", run_rounds)
        monkeypatch.setattr(campaign, "check_rounds", check_rounds)
        given = {"core_seed": CORE, "seed": SEEDS + 4, "networks": NETWORKS, "samples": SAMPLES}
        seen.done = run_core(STRESS, **{**given, **options}, tools=TOOLS)
        (seen.made,) = made
        return seen

    return once


def found(number: int) -> SimpleNamespace:
    return SimpleNamespace(first=difference(number))


def difference(number: int) -> Divergence:
    return Divergence(kind="score", mode="stress", sample=number)


def test_what_is_played(play, core):
    seen = play()
    drawn = draw_core(np.random.default_rng(CORE))
    assert (seen.made["target"], seen.made["lanes"]) == (TARGETS[drawn.target], drawn.lanes)
    assert seen.made["loadable"]
    assert seen.made["bare"]
    assert (seen.core, seen.build, seen.mode) == (core.core, TOOLS, STRESS)
    assert seen.seed == 4
    assert seen.checked == (core.core.shape, STRESS, 4)
    assert len(seen.rounds) == len(seen.expected) == NETWORKS
    latency = np.concatenate([own.latency for own in seen.expected])
    assert seen.watchdog == Watchdog.of(latency)
    for own, expected in zip(seen.rounds, seen.expected, strict=True):
        assert own.strike == 0
        assert own.events.shape[0] == expected.samples == SAMPLES
        assert np.array_equal(own.events, expected.trace.events)
    # Each chunk of each network is read back.
    assert 0 < len(seen.looks) < sum(len(own.loads) for own in seen.rounds)


def test_what_is_told(play):
    seen = play()
    done: CoreRun = seen.done
    spikes = [own for each in seen.expected for own in each.trace.spikes]
    assert (done.core_seed, done.seed, done.mode) == (CORE, SEEDS + 4, "stress")
    assert (done.networks, done.resets, done.samples) == (NETWORKS, 0, NETWORKS * SAMPLES)
    assert done.neuron_steps == sum(own.size for own in spikes) > done.spikes
    assert done.spikes == sum(int(own.sum()) for own in spikes) > 0
    assert (done.cycles, done.failures) == (CYCLES, ())
    assert done.core.count(" lanes ") == len(seen.core.shape.layers)


@pytest.mark.parametrize("number", range(NETWORKS))
def test_a_difference_is_that_network_s(play, number):
    assert play(number).done.failures == (Failure(network=number, first=difference(number)),)


def test_a_difference_at_the_end_is_no_network_s(play):
    assert play(-1).done.failures == (Failure(network=None, first=difference(-1)),)


def test_with_resets_each_network_is_struck_and_then_whole(play):
    seen = play(1, 4, resets=True)
    assert seen.done.resets == NETWORKS
    assert [own is None for own in seen.expected] == [True, False] * NETWORKS
    assert len(seen.rounds) == 2 * NETWORKS
    whole = seen.expected[1::2]
    for struck, after, expected in zip(seen.rounds[::2], seen.rounds[1::2], whole, strict=True):
        assert 1 <= struck.strike <= expected.results[-1]
        assert after.strike == 0
        assert np.array_equal(struck.events, after.events)
        assert len(struck.loads) > len(after.loads) == 1
    latency = np.concatenate([own.latency for own in whole])
    assert seen.watchdog == Watchdog.of(np.concatenate([latency, latency]))
    # The rounds 1 and 4 are those of the networks 0 and 2.
    assert [own.network for own in seen.done.failures] == [0, 2]


def test_enough_networks_for_so_many_cycles(play):
    few = play(networks=50, cycles=1)
    assert len(few.rounds) == 1
    whole = int(few.expected[0].results[-1])
    assert len(play(networks=50, cycles=whole).rounds) == 1
    assert len(play(networks=50, cycles=whole + 1).rounds) == 2
    assert len(play(networks=2, cycles=10**9).rounds) == 2


def test_seeds():
    assert seeds_of(1, 5) == seeds_of(1, 6)[:5] != seeds_of(2, 5)
    assert len(set(seeds_of(1, 1000))) == 1000
    assert all(0 <= seed < SEEDS for seed in seeds_of(1, 1000))
    assert max(seeds_of(1, 1000)) > SEEDS // 2


def test_sums_over_runs():
    def run(core_seed: int, **numbers: int) -> CoreRun:
        given = {"failures": (), **numbers}
        words = {"core": "", "mode": "", "seed": 0, "seconds": 1.0}
        return CoreRun(core_seed=core_seed, **words, **given)  # pyright: ignore[reportArgumentType]

    names = ("networks", "resets", "samples", "neuron_steps", "spikes", "cycles", "beyond")
    first = run(1, **{name: place for place, name in enumerate(names, 1)})
    second = run(1, **{name: 10 * place for place, name in enumerate(names, 1)})
    failing: Any = {"failures": (Failure(network=0, first=difference(0)),) * 3}
    third = run(2, **dict.fromkeys(names, 0), **failing)
    assert total([first, second, third]) == {
        "cores": 2,
        **{name: 11 * place for place, name in enumerate(names, 1)},
        "failures": 3,
    }
