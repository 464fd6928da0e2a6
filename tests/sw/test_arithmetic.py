"""The neuron equations against a scalar model that reads like DESIGN's text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from networks import leaks
from spikeloom.arithmetic import (
    DecayLeak,
    IntegrateLeak,
    ShiftLeak,
    leak,
    neuron_step,
    rails,
)


def naive_step(v, a, *, leak_spec, threshold, reset, spiking, membrane_bits):
    match leak_spec:
        case ShiftLeak(shift=k):
            leaked = v - v // 2**k
        case DecayLeak(multiplier=d, fraction_bits=q):
            leaked = v - (v * d) // 2**q
        case _:
            leaked = v
    u = leaked + a
    spike = spiking and u >= threshold
    if spike:
        u = u - threshold if reset == "subtract" else 0
    low, high = -(2 ** (membrane_bits - 1)), 2 ** (membrane_bits - 1) - 1
    return spike, max(low, min(high, u))


@given(
    leak_spec=leaks,
    threshold=st.integers(1, 300),
    reset=st.sampled_from(["subtract", "zero"]),
    spiking=st.booleans(),
    membrane_bits=st.integers(2, 12),
    data=st.data(),
)
def test_step_equals_the_scalar_model(leak_spec, threshold, reset, spiking, membrane_bits, data):
    low, high = rails(membrane_bits)
    v = data.draw(st.lists(st.integers(low, high), min_size=1, max_size=20))
    a = data.draw(st.lists(st.integers(-500, 500), min_size=len(v), max_size=len(v)))
    parameters = {
        "leak_spec": leak_spec,
        "reset": reset,
        "spiking": spiking,
        "membrane_bits": membrane_bits,
    }
    spikes, after = neuron_step(
        np.array(v), np.array(a), threshold=np.full(len(v), threshold), **parameters
    )
    expected = [naive_step(x, y, threshold=threshold, **parameters) for x, y in zip(v, a)]  # noqa: B905
    assert list(zip(spikes.tolist(), after.tolist(), strict=True)) == expected


@pytest.mark.parametrize(
    ("spec", "before", "after"),
    [
        pytest.param(IntegrateLeak(), -7, -7, id="integrate keeps"),
        pytest.param(ShiftLeak(shift=2), 7, 6, id="shift floors a positive"),
        pytest.param(ShiftLeak(shift=2), -7, -5, id="shift floors a negative"),
        pytest.param(ShiftLeak(shift=2), -1, 0, id="shift reaches zero from below"),
        pytest.param(ShiftLeak(shift=2), 3, 3, id="shift stops short of zero from above"),
        pytest.param(DecayLeak(multiplier=3, fraction_bits=3), 10, 7, id="decay floors"),
        pytest.param(DecayLeak(multiplier=3, fraction_bits=3), -10, -6, id="decay, negative"),
        pytest.param(DecayLeak(multiplier=8, fraction_bits=3), 99, 0, id="decay forgets all"),
    ],
)
def test_leak(spec, before, after):
    assert leak(np.array([before]), spec).tolist() == [after]


@given(spec=leaks, membrane_bits=st.integers(2, 12))
def test_leak_is_monotone_as_the_width_bound_needs(spec, membrane_bits):
    low, high = rails(membrane_bits)
    assert (np.diff(leak(np.arange(low, high + 1), spec)) >= 0).all()


def test_spikes_at_the_threshold_itself():
    spikes, v = neuron_step(
        np.array([0, 0]),
        np.array([9, 8]),
        leak_spec=IntegrateLeak(),
        threshold=np.array([9, 9]),
        reset="subtract",
        spiking=True,
        membrane_bits=8,
    )
    assert spikes.tolist() == [True, False]
    assert v.tolist() == [0, 8]
