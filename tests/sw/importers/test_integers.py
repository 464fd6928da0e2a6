"""Integers of an import: their bounds, their widths, and the network image."""

import numpy as np
import pytest

from foreign_graphs import PROFILES, events, random_graph
from nir_files import (
    EULER_SPIKES,
    EXPONENTIAL_SPIKES,
    LIF_STEPS,
    affine,
    chain,
    conv2d,
    end,
    entry,
    lif_input,
    linear,
    neurons,
    one_lif,
)
from spikeloom.encoding import FramesEncoding
from spikeloom.errors import UserError
from spikeloom.image import load_image, save_image
from spikeloom.image.graph_validation import validate_graph
from spikeloom.image.identity import network_sha256
from spikeloom.importers import Widths, from_nir
from spikeloom.importers.bounds import certify
from spikeloom.importers.calibrate import state_bits
from spikeloom.reference import simulate
from spikeloom.reference.graph import simulate_graph


def imported(foreign, widths, steps=LIF_STEPS):
    network = foreign.integers(widths)
    return foreign.image(network, time_steps=steps, encoding=FramesEncoding())


@pytest.mark.parametrize(
    ("framework", "expected"),
    [
        pytest.param("norse", EULER_SPIKES, id="norse"),
        pytest.param("rockpool", EXPONENTIAL_SPIKES, id="rockpool"),
    ],
)
@pytest.mark.parametrize(
    "widths",
    [
        pytest.param(Widths(), id="widest"),
        pytest.param(
            Widths.for_weights(4, state_bits=16, decay_bits=12), id="states of 16, decays of 12"
        ),
    ],
)
def test_spikes_of_the_recorded_traces(nir_file, framework, expected, widths):
    foreign = from_nir(nir_file(*one_lif()), profile=framework, dt=1e-4)
    trace = simulate(imported(foreign, widths), lif_input())
    assert np.flatnonzero(trace.spikes[-1][0, :, 0]).tolist() == expected


WIDTHS = (
    Widths(),
    Widths.for_weights(12),
    Widths.for_weights(8),
    Widths.for_weights(4),
    Widths.for_weights(8, rounding="floor"),
    Widths.for_weights(8, rounding="toward-zero", fraction_bits=3),
)


def bounded(foreign, widths, samples):
    """Whether integers stay within the bounds while spikes are equal; `(certain, equal)`."""
    network = foreign.integers(widths)
    validate_graph(network.graph)
    found = certify(foreign.floats, network, samples)
    trace = simulate_graph(network.graph, samples, samples.shape[1])
    equal = np.ones(len(samples), dtype=bool)
    for name in network.populations:
        equal &= (trace.outputs[name] == found.trace.outputs[name]).all(axis=(1, 2))
    for name, made in network.populations.items():
        # After a reset as well, up to where a spike may differ.
        off = np.abs(trace.states[name]["membrane"] - found.trace.membranes[name] / made.unit)
        for sample, first in enumerate(found.first):
            allowed = found.error[name][sample, :first] + 1
            assert (off[sample, :first] <= allowed).all()
    assert equal[found.certain].all()
    return found.certain, equal


@pytest.mark.parametrize("framework", PROFILES)
@pytest.mark.parametrize(
    "graphs",
    [pytest.param(12, id="12"), pytest.param(125, id="125", marks=pytest.mark.slow)],
)
def test_the_bound_is_never_exceeded(nir_file, framework, graphs):
    """Random graphs in every form: where the bound lies below the margin, all spikes are equal."""
    certain = equal = count = 0
    for seed in range(graphs):
        nodes, edges, inputs = random_graph([seed, len(framework)])
        foreign = from_nir(nir_file(nodes, edges), profile=framework, **PROFILES[framework])
        sure, same = bounded(foreign, WIDTHS[seed % len(WIDTHS)], events(seed, inputs))
        certain, equal, count = certain + sure.sum(), equal + same.sum(), count + len(same)
    assert certain > 0
    assert certain <= equal <= count


def test_the_widest_form_is_certain(nir_file):
    certain = count = 0
    for seed in range(10):
        nodes, edges, inputs = random_graph([seed, 99])
        foreign = from_nir(nir_file(nodes, edges), profile="norse", dt=1e-3)
        sure, same = bounded(foreign, Widths(), events(seed, inputs))
        certain, count = certain + sure.sum(), count + len(sure)
        assert same.all()
    assert certain >= 0.9 * count


def test_a_lower_limit_is_one_integer_for_all(nir_file):
    """Thresholds differ from channel to channel, and the limit lies at minus the threshold."""
    threshold = np.array([0.5, 1.0, 2.0])
    node = {**neurons("IF", 3), "v_threshold": threshold}
    weight = np.array([[1.0, -0.9], [0.3, -2.0], [0.7, -0.7]])
    graph = chain(entry(2), linear(weight), node, end(3))
    foreign = from_nir(nir_file(*graph), profile="sinabs", spikes="one")
    network = foreign.integers(Widths.for_weights(8))
    population = network.graph.readout
    assert population.membrane_low is not None
    assert population.membrane_low == -int(population.threshold.max())
    assert len(population.threshold) == 1
    samples = np.random.default_rng(1).random((4, 80, 2)) < 0.4
    floats = foreign.run(samples)
    got = simulate_graph(network.graph, samples, 80)
    low = floats.membranes["n1"].min(axis=(0, 1))
    assert np.allclose(low, -threshold)
    assert np.abs(got.outputs["n1"].sum() - floats.outputs["n1"].sum()) <= 3


def test_integer_weights_stay_what_they_are(nir_file):
    """Weights that fill their width exactly have no error, and a threshold at an integer is it."""
    weight = np.array([[7.0, -7.0, 3.0], [1.75, 1.0, -0.25]])
    node = {**neurons("IF", 2), "v_threshold": np.array([5.0, 1.5])}
    graph = chain(entry(3), linear(weight), node, end(2))
    for framework, given, expected in (
        ("norse", {}, [6, 7]),
        ("spikingjelly", {"reset": "value", "if_gain": "r"}, [5, 6]),
    ):
        foreign = from_nir(nir_file(*graph), profile=framework, **given)
        network = foreign.integers(Widths.for_weights(4, fraction_bits=0))
        dense = network.graph.connections[0].drive(np.eye(3, dtype=bool))
        assert dense.T.tolist() == [[7, -7, 3], [7, 4, -1]]
        # More than 5 is 6 or more; at least 5 is 5.
        assert network.graph.readout.threshold.tolist() == expected


def test_each_channel_has_its_scale(nir_file):
    kernel = np.ones((2, 2, 3, 3))
    kernel[1] *= 100
    flat = {"type": "Flatten", "start_dim": 0, "end_dim": -1}
    graph = chain(
        entry(2, 3, 3), conv2d(kernel), neurons("IF", (2, 1, 1)), flat, linear(np.ones((1, 2))),
        neurons("IF", 1), end(1),
    )  # fmt: skip
    network = from_nir(nir_file(*graph), profile="norse").integers(Widths.for_weights(4))
    weights = network.graph.connections[0].arrays()["weight"]
    assert set(weights.tolist()) == {7}
    first, second = network.graph.by_name["n1"].threshold.tolist()
    assert first == pytest.approx(100 * second, rel=0.2)


def test_calibration_leaves_room_and_changes_nothing(nir_file):
    nodes, edges, inputs = random_graph([5, 5])
    foreign = from_nir(nir_file(nodes, edges), profile="norse", dt=1e-3)
    samples = events(5, inputs)
    wide = foreign.integers(Widths.for_weights(8))
    bits = state_bits(wide, [samples[:1], samples[1:]])
    narrow = foreign.integers(Widths.for_weights(8), states=bits)
    assert all(width < 24 for states in bits.values() for width in states.values())
    before, after = (simulate_graph(own.graph, samples, samples.shape[1]) for own in (wide, narrow))
    for name in wide.populations:
        assert np.array_equal(before.outputs[name], after.outputs[name])
        for state, values in before.states[name].items():
            assert np.array_equal(values, after.states[name][state])


REFUSED = {
    "decays that differ": (
        {**neurons("LIF", 2), "tau": np.array([0.01, 0.02])},
        Widths(),
        "its neurons decay differently",
    ),
    "a decay too slow for its bits": (
        neurons("LIF", 2, tau=9.0),
        Widths.for_weights(8),
        "less than 12 bits of decay can say",
    ),
    "a threshold beyond the states": (
        neurons("LIF", 2, v_threshold=100.0),
        Widths.for_weights(8, state_bits=12),
        "beyond states of 12 bits: give more --state-bits",
    ),
    "weights of 40 bits": (neurons("LIF", 2), Widths(weight_bits=40), "weight bits is 40"),
    "states and decays of 64 bits": (
        neurons("LIF", 2),
        Widths(state_bits=40, decay_bits=24),
        "together they may have 62",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_integers_is_refused(nir_file, name):
    node, widths, expected = REFUSED[name]
    graph = chain(entry(2), linear(np.eye(2)), node, end(2))
    foreign = from_nir(nir_file(*graph), profile="norse", dt=1e-3)
    with pytest.raises(UserError, match=expected):
        foreign.integers(widths)


def test_an_image_keeps_its_profile_and_names_the_network_without_it(nir_file, tmp_path):
    path = nir_file(*chain(entry(2), affine(np.eye(2), np.zeros(2)), neurons("LIF", 2), end(2)))
    found = []
    for framework in ("norse", "nir"):
        foreign = from_nir(path, profile=framework, dt=1e-3)
        image = imported(foreign, Widths(), steps=10)
        save_image(tmp_path / "network.safetensors", image)
        again = load_image(tmp_path / "network.safetensors")
        assert again.provenance.imported == foreign.origin
        found.append(network_sha256(again))
    # Both profiles mean the same step here: the integers are the same network.
    assert found[0] == found[1]


def test_several_spikes_become_one_and_the_profile_says_so(nir_file):
    foreign = from_nir(nir_file(*one_lif()), profile="rockpool", dt=1e-4)
    assert foreign.sends_many
    single = foreign.single()
    assert not single.sends_many
    entry_of = {own.name: own for own in single.origin.entries}
    assert entry_of["spikes"].value == "one"
    assert "sends as many as fit, and integers one" in entry_of["spikes"].why


def test_wide_states_make_no_chain(nir_file, tmp_path):
    """What the chain core has no registers for stays a graph, and is saved as one."""
    graph = chain(entry(2), affine(np.eye(2), np.zeros(2)), neurons("LIF", 2), end(2))
    foreign = from_nir(nir_file(*graph), profile="norse", dt=1e-3)
    plain = {"rounding": "floor", "fraction_bits": 0}
    for state_bits_, chained in ((32, True), (33, False)):
        image = imported(foreign, Widths.for_weights(8, state_bits=state_bits_, **plain), steps=4)
        assert image.is_chain is chained
        save_image(tmp_path / "network.safetensors", image)
        assert load_image(tmp_path / "network.safetensors").is_chain is chained
    biased = chain(entry(2), affine(np.eye(2), np.full(2, 1e8)), neurons("LIF", 2), end(2))
    foreign = from_nir(nir_file(*biased), profile="norse", dt=1e-3)
    assert not imported(foreign, Widths.for_weights(8, state_bits=32, **plain), steps=4).is_chain
