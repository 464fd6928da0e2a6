"""Random networks in one running core: every fault is put down to its network."""

from dataclasses import replace

import numpy as np
import pytest

from spikeloom.image.validation import validate_image
from spikeloom_cosim.build import build_bench
from spikeloom_cosim.campaign.capacity import LoadableCore
from spikeloom_cosim.campaign.draw import draw_core, draw_events, draw_fixed, draw_network
from spikeloom_cosim.campaign.run import run_core, run_fixed
from spikeloom_cosim.checker import check_rounds
from spikeloom_cosim.simulation import MODES, STREAMING, STRESS, Round, Watchdog, run_rounds
from spikeloom_hw.generate import generate
from spikeloom_hw.targets import TARGETS

CORE = 104
SEED = 1
NETWORKS, SAMPLES = 5, 3


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


@pytest.fixture(scope="module")
def cases(core):
    """Networks with events: every synapse is driven, and addresses without a row have events."""
    random = np.random.default_rng(5)
    made = []
    while len(made) < NETWORKS:
        image = draw_network(random, core.params)
        if not image.layers[0].synapses:
            continue
        events = draw_events(random, SAMPLES, image.time_steps, core.core.shape.addresses)
        events[0, 0] = True
        made.append((image, events))
    return made


@pytest.fixture
def run(core, cases, tools, tmp_path):
    """Plays all networks, with the signs of one's first weights turned."""

    def play(mode=STREAMING, *, changed: int | None = None):
        expected = [core.fit(image).expect(events) for image, events in cases]
        rounds = [Round(events=events, loads=core.fit(image).core.loads) for image, events in cases]
        if changed is not None:
            image = cases[changed][0]
            first = replace(image.layers[0], weight=-image.layers[0].weight)
            other = image.with_layers((first, *image.layers[1:]))
            rounds[changed] = replace(rounds[changed], loads=core.fit(other).core.loads)
        recording = run_rounds(
            build_bench(core.core.verilog, core.core.shape, tools=tools),
            core.core,
            rounds,
            mode,
            folder=tmp_path / "run",
            seed=SEED,
            watchdog=Watchdog.of(np.concatenate([own.latency for own in expected])),
        )
        return expected, recording

    return play


@pytest.mark.parametrize("mode", [STREAMING, STRESS], ids=lambda mode: mode.name)
def test_equal_without_a_reset_between(run, core, mode):
    expected, recording = run(mode)
    assert any(spikes.any() for own in expected for spikes in own.trace.spikes)
    verdicts = check_rounds(expected, recording, core.core.shape, mode, seed=SEED)
    assert len(verdicts) == NETWORKS + 1
    assert all(verdict.equal for verdict in verdicts)


@pytest.mark.parametrize("changed", [0, 2, NETWORKS - 1])
def test_a_fault_is_put_down_to_its_network(run, core, changed):
    expected, recording = run(changed=changed)
    *verdicts, _ = check_rounds(expected, recording, core.core.shape, STREAMING)
    assert [number for number, verdict in enumerate(verdicts) if not verdict.equal] == [changed]


@pytest.mark.parametrize("mode", [STREAMING, STRESS], ids=lambda mode: mode.name)
@pytest.mark.parametrize("seed", [CORE, 5], ids=["overlapped", "in place"])
def test_after_a_reset_in_mid_sample_the_next_is_exact(tools, seed, mode):
    done = run_core(mode, core_seed=seed, seed=3, networks=8, samples=2, tools=tools, resets=True)
    assert done.resets == 8
    assert not done.failures


def test_what_a_reset_cut_off_is_not_the_whole(core, cases, tools, tmp_path):
    fitted = [core.fit(image) for image, _ in cases]
    expected = [own.expect(events) for own, (_, events) in zip(fitted, cases, strict=True)]
    rounds = [
        Round(events=events, loads=own.core.loads, strike=1)
        for own, (_, events) in zip(fitted, cases, strict=True)
    ]
    recording = run_rounds(
        build_bench(core.core.verilog, core.core.shape, tools=tools),
        core.core,
        rounds,
        STREAMING,
        folder=tmp_path / "run",
        seed=SEED,
        watchdog=Watchdog.of(np.concatenate([own.latency for own in expected])),
    )
    *verdicts, _ = check_rounds(expected, recording, core.core.shape, STREAMING, seed=SEED)
    assert not any(verdict.equal for verdict in verdicts)


def test_a_lost_sample_is_found(run, core):
    expected, recording = run()
    fewer = replace(
        recording, starts=recording.starts[:-1], scores=recording.scores.part(slice(-8))
    )
    *_, last, _ = check_rounds(expected, fewer, core.core.shape, STREAMING)
    assert last.found is not None
    assert last.found.first.kind in ("beat", "cycle")


def test_a_surplus_beat_is_found(run, core):
    expected, recording = run()
    first = recording.traces[0]
    more = first.part(np.r_[0 : len(first), 0])
    surplus, *_ = check_rounds(
        expected,
        replace(recording, traces=(more, *recording.traces[1:])),
        core.core.shape,
        STREAMING,
    )
    assert surplus.found is not None


def test_a_wrong_count_is_found(run, core):
    expected, recording = run()
    counts = recording.counts.layers.copy()
    counts[0, 0] += 1
    wrong = replace(recording, counts=replace(recording.counts, layers=counts))
    *verdicts, ending = check_rounds(expected, wrong, core.core.shape, STREAMING)
    assert all(verdict.equal for verdict in verdicts)
    assert ending.found is not None
    assert ending.found.first.counter == "events"


def test_one_seed_draws_one_run(tools):
    def once():
        done = run_core(STREAMING, core_seed=CORE, seed=3, networks=2, samples=2, tools=tools)
        return replace_seconds(done)

    assert once() == once()


def replace_seconds(done):
    return {name: getattr(done, name) for name in done.__struct_fields__ if name != "seconds"}


@pytest.mark.parametrize(
    "seed", [pytest.param(4, id="many neurons"), pytest.param(1202413558, id="one, in two lanes")]
)
def test_neurons_with_parameters_of_their_own(seed, tools):
    runs = run_fixed(seed=seed, samples=20, tools=tools)
    assert [run.mode for run in runs] == [mode.name for mode in MODES]
    assert all(run.spikes and not run.failures for run in runs)


@pytest.mark.parametrize("seed", range(40))
def test_what_is_drawn_for_a_fixed_core_is_a_network(seed):
    image = draw_fixed(np.random.default_rng(seed)).image
    validate_image(image)
    assert any((layer.threshold != layer.threshold[0]).any() for layer in image.layers) or (
        max(layer.neurons for layer in image.layers) == 1
    )


@pytest.mark.parametrize("seed", range(40))
def test_what_is_drawn_is_a_network(seed):
    random = np.random.default_rng(seed)
    drawn = draw_core(random)
    validate_image(drawn.image)
    assert len(drawn.lanes) == len(drawn.image.layers)


def test_what_is_drawn_differs(core):
    random = np.random.default_rng(0)
    images = [draw_network(random, core.params) for _ in range(300)]
    weights = [np.concatenate([layer.weight for layer in image.layers]) for image in images]
    for image in images:
        validate_image(image)
    assert any(not len(own) for own in weights)
    assert any(len(own) and (own < 0).all() for own in weights)
    assert any(len(own) and (own > 0).all() for own in weights)
    assert any(image.density > 0.9 for image in images)
    assert any((layer.fan_out == 0).any() for image in images for layer in image.layers)
    assert {image.time_steps for image in images} == set(range(1, core.params.time_steps + 1))
