"""The float reference: each primitive against an independent loop, and recorded traces."""

import numpy as np
import pytest

from nir_files import (
    EULER_SPIKES,
    EXPONENTIAL_SPIKES,
    affine,
    chain,
    end,
    entry,
    lif_input,
    linear,
    neurons,
    one_lif,
)
from spikeloom.errors import UserError
from spikeloom.importers import from_nir

DT = 1e-4


@pytest.mark.parametrize(
    ("framework", "expected"),
    [
        pytest.param("nir", EULER_SPIKES, id="nir"),
        pytest.param("norse", EULER_SPIKES, id="norse"),
        pytest.param("rockpool", EXPONENTIAL_SPIKES, id="rockpool"),
        pytest.param("lava", [step + 1 for step in EULER_SPIKES], id="lava"),
    ],
)
def test_spikes_of_the_recorded_traces(nir_file, framework, expected):
    foreign = from_nir(nir_file(*one_lif()), profile=framework, dt=DT)
    trace = foreign.run(lif_input())
    assert np.flatnonzero(trace.outputs["n1"][0, :, 0]).tolist() == expected


def test_the_smallest_margin(nir_file):
    """At step 450 the membrane is 0.09984 of 0.1: what splits the platforms."""
    trace = from_nir(nir_file(*one_lif()), profile="norse", dt=DT).run(lif_input())
    assert trace.margin["n1"][0] == pytest.approx(0.00156, abs=1e-5)


W = np.array([[1.0, -0.4], [0.7, 0.9], [-0.3, 1.1]])
B = np.array([0.05, 0.0, -0.02])


def samples(steps=60):
    return np.random.default_rng(3).random((4, steps, 2)) < 0.4


def loop(x, step, outputs=3):
    """Runs a step written out for one neuron over samples."""
    spikes = np.zeros((*x.shape[:2], outputs))
    for s in range(len(x)):
        for n in range(outputs):
            state = {"v": 0.0, "i": 0.0, "s": 0.0}
            for t in range(x.shape[1]):
                spikes[s, t, n] = step(state, float(W[n] @ x[s, t] + B[n]))
    return spikes


def euler(state, a):
    tau, leak, reset, threshold = 0.002, 0.03, -0.1, 0.15
    state["v"] += DT / tau * (leak - state["v"] + 2 * a)
    fired = state["v"] > threshold
    state["v"] = reset if fired else state["v"]
    return fired


def exponential(state, a):
    state["v"] = np.exp(-1 / 5.0) * state["v"] + a
    count = np.trunc(state["v"] / 0.8) if state["v"] >= 0.8 else 0
    state["v"] = max(state["v"] - count * 0.8, -0.8)
    return count


def cuba(state, a):
    state["i"] += DT / 0.0005 * (-state["i"] + 1.5 * a)
    state["v"] += DT / 0.001 * (-state["v"] + 2 * state["i"])
    state["v"] -= state["s"] * 0.3
    state["s"] = state["v"] > 0.3
    return state["s"]


def integrate(state, a):
    state["v"] += a
    fired = state["v"] >= 1.0
    state["v"] = 0.0 if fired else state["v"]
    return fired


@pytest.mark.parametrize(
    ("node", "framework", "given", "step"),
    [
        pytest.param(
            neurons("LIF", 3, tau=0.002, r=2.0, v_leak=0.03, v_threshold=0.15, v_reset=-0.1),
            "nir",
            {"dt": DT},
            euler,
            id="LIF, leak and reset of its own",
        ),
        pytest.param(
            neurons("LIF", 3, tau=5.0, v_threshold=0.8),
            "sinabs",
            {},
            exponential,
            id="LIF, several spikes and a lower limit",
        ),
        pytest.param(
            neurons("CubaLIF", 3, tau_syn=5e-4, tau_mem=1e-3, r=2.0, w_in=1.5, v_threshold=0.3),
            "snntorch",
            {"dt": DT, "reset": "subtract-late"},
            cuba,
            id="CUBA, reset one step late",
        ),
        pytest.param(
            neurons("IF", 3),
            "spikingjelly",
            {"reset": "value", "if_gain": "r"},
            integrate,
            id="IF, at the threshold",
        ),
    ],
)
def test_each_primitive_against_a_loop(nir_file, node, framework, given, step):
    graph = chain(entry(2), affine(W, B), node, end(3))
    trace = from_nir(nir_file(*graph), profile=framework, **given).run(samples())
    expected = loop(samples(), step)
    assert expected.sum() > 20
    assert np.array_equal(trace.outputs["n1"], expected)


def test_recurrence_takes_a_step(nir_file):
    nodes, edges = chain(entry(1), linear([[2.0]]), neurons("IF", 1), end(1))
    nodes["back"] = linear([[-3.0]])
    edges += [("1", "back"), ("back", "1")]
    foreign = from_nir(nir_file(nodes, edges), profile="norse")
    spikes = foreign.run(np.ones((1, 6, 1), dtype=bool)).outputs["n1"][0, :, 0]
    # 2 spikes; then 2 - 3 = -1, 1 does not exceed 1, 3 does.
    assert spikes.tolist() == [1, 0, 0, 1, 0, 0]


def test_a_membrane_that_starts_at_its_leak(nir_file):
    graph = chain(
        entry(1), linear([[1.0]]), neurons("LIF", 1, tau=0.01, v_leak=0.5, v_threshold=0.6), end(1)
    )
    silent = np.zeros((1, 9, 1), dtype=bool)
    start = {"norse": 0.0, "nir": None}
    for framework, expected in start.items():
        trace = from_nir(nir_file(*graph), profile=framework, dt=DT).run(silent)
        moved = trace.membranes["n1"][0, :, 0]
        if expected is not None:
            assert np.abs(moved).max() == expected
        else:
            assert moved[0] == pytest.approx(0.01 * 0.5)


def test_a_neuron_that_starts_above_its_threshold_is_refused(nir_file):
    nodes, edges = one_lif(v_leak=1.2)
    with pytest.raises(UserError, match=r"it starts at 1.2 \(leak\), at or above its threshold"):
        from_nir(nir_file(nodes, edges), profile="norse", dt=DT)


def test_self_spiking_neurons(nir_file):
    """A leak of 1.2 above a threshold of 1 drives a neuron without any input: 179 steps a spike."""
    graph = chain(entry(1), linear([[1.0]]), neurons("LIF", 1, tau=0.01, v_leak=1.2), end(1))
    trace = from_nir(nir_file(*graph), profile="nir", dt=DT).run(np.zeros((1, 400, 1), dtype=bool))
    times = np.flatnonzero(trace.outputs["n1"][0, :, 0])
    assert times.tolist() == [178, 357]


def test_samples_of_another_shape(nir_file):
    foreign = from_nir(nir_file(*one_lif()), profile="norse", dt=DT)
    with pytest.raises(ValueError, match=r"they must be \[samples, steps, 1\]"):
        foreign.run(np.zeros((1, 5, 2), dtype=bool))
