"""The torch neuron against `spikeloom.arithmetic`, by equality, and its gradients."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeloom import arithmetic
from spikeloom.arithmetic import DecayLeak, IntegrateLeak, ShiftLeak
from spikeloom.nn.dynamics.membrane import Neuron, integrate_and_fire, leak, leak_slope, neuron_step
from spikeloom.nn.surrogate import SURROGATES

LEAKS = st.one_of(
    st.just(IntegrateLeak()),
    st.builds(ShiftLeak, shift=st.integers(1, 15)),
    st.integers(1, 15).flatmap(
        lambda bits: st.builds(
            DecayLeak, multiplier=st.integers(1, 1 << bits), fraction_bits=st.just(bits)
        )
    ),
)
NEURONS = st.builds(
    Neuron,
    leak=LEAKS,
    reset=st.sampled_from(["subtract", "zero"]),
    spiking=st.booleans(),
    membrane_bits=st.integers(2, 20),
)


def reference(v, a, threshold, neuron):
    return arithmetic.neuron_step(
        v,
        a,
        leak_spec=neuron.leak,
        threshold=threshold,
        reset=neuron.reset,
        spiking=neuron.spiking,
        membrane_bits=neuron.membrane_bits,
    )


@settings(max_examples=300)
@given(neuron=NEURONS, seed=st.integers(0, 2**32 - 1), reach=st.integers(1, 2**20))
def test_step_equals_the_arithmetic(neuron, seed, reach):
    random = np.random.default_rng(seed)
    low, high = arithmetic.rails(neuron.membrane_bits)
    v = random.integers(low, high, 64, endpoint=True)
    v[:2] = low, high
    a = random.integers(-reach, reach, 64, endpoint=True)
    threshold = random.integers(1, reach, 64, endpoint=True)
    # Membranes that meet the threshold exactly must fire.
    met = arithmetic.leak(v, neuron.leak) + a
    threshold[32:] = np.maximum(met, 1)[32:]
    spikes, after = reference(v, a, threshold, neuron)
    floats = [torch.from_numpy(integers).float() for integers in (v, a, threshold)]
    got_spikes, got_after, _ = neuron_step(floats[0], floats[1], floats[2], neuron)
    assert np.array_equal(got_spikes.numpy(), spikes)
    assert np.array_equal(got_after.numpy(), after)


@settings(max_examples=100)
@given(neuron=NEURONS, seed=st.integers(0, 2**32 - 1), steps=st.integers(1, 9))
def test_sequence_equals_the_arithmetic(neuron, seed, steps):
    random = np.random.default_rng(seed)
    a = random.integers(-40, 60, (steps, 3, 5))
    threshold = random.integers(1, 50, 5)
    spikes, membranes = integrate_and_fire(
        torch.from_numpy(a).float(), torch.from_numpy(threshold).float(), neuron
    )
    v = np.zeros((3, 5), dtype=np.int64)
    for t in range(steps):
        fired, v = reference(v, a[t], threshold, neuron)
        assert np.array_equal(spikes[t].numpy(), fired)
        assert np.array_equal(membranes[t].numpy(), v)


def stepwise(a, threshold, neuron, lost=None):
    """The same recurrence as ordinary autograd records it, with the surrogate as a bump."""
    firm = threshold.detach()
    low, high = arithmetic.rails(neuron.membrane_bits)
    width = neuron.surrogate_width * firm
    v, spikes, membranes = torch.zeros_like(a[0]), [], []
    for drive in a:
        slope = leak_slope(neuron.leak) if lost is None else 1 - lost
        u = v * slope + (leak(v, neuron.leak) - v * slope).detach() + drive
        fired = ((u >= threshold) & neuron.spiking).to(u.dtype)
        bump = SURROGATES[neuron.surrogate](((u - firm) / width).detach()) / width
        ahead = u - u.detach() - (threshold - firm)
        soft = fired.detach() + ahead * bump if neuron.spiking else fired
        after = u - fired * firm if neuron.reset == "subtract" else u * (1 - fired)
        inside = (after.detach() >= low) & (after.detach() <= high)
        if neuron.reset == "zero":
            inside = (u.detach() >= low) & (u.detach() <= high)
        v = torch.where(inside, after, after.detach().clamp(low, high))
        spikes.append(soft)
        membranes.append(v)
    return torch.stack(spikes), torch.stack(membranes)


@pytest.mark.parametrize("surrogate", list(SURROGATES))
@pytest.mark.parametrize("reset", ["subtract", "zero"])
@pytest.mark.parametrize("spiking", [True, False], ids=["spiking", "integrating"])
@pytest.mark.parametrize("spec", [IntegrateLeak(), ShiftLeak(shift=2)], ids=["if", "lif"])
def test_fused_gradients_equal_those_of_autograd(surrogate, reset, spiking, spec):
    neuron = Neuron(
        leak=spec, reset=reset, spiking=spiking, membrane_bits=6, surrogate=surrogate,
        surrogate_width=0.8,
    )  # fmt: skip
    generator = torch.Generator().manual_seed(2)
    a = torch.randint(-20, 30, (7, 4, 6), generator=generator).double()
    threshold = torch.randint(5, 25, (6,), generator=generator).double()
    pull = torch.randn((2, 7, 4, 6), generator=generator, dtype=torch.float64)
    gradients = []
    for run in (integrate_and_fire, stepwise):
        leaf = a.clone().requires_grad_()
        spikes, membranes = run(leaf, threshold, neuron)
        (pull[0] * spikes + pull[1] * membranes).sum().backward()
        gradients.append(leaf.grad)
    assert gradients[0].abs().max() > 0
    assert torch.allclose(gradients[0], gradients[1], atol=1e-12)


@pytest.mark.parametrize("reset", ["subtract", "zero"])
@pytest.mark.parametrize("bits", [6, 16], ids=["at the rails", "within the rails"])
@pytest.mark.parametrize("steps", [2, 7])
def test_gradients_of_thresholds_and_leak_equal_those_of_autograd(reset, bits, steps):
    spec = DecayLeak(multiplier=3, fraction_bits=3)
    neuron = Neuron(leak=spec, reset=reset, spiking=True, membrane_bits=bits)
    generator = torch.Generator().manual_seed(3)
    a = torch.randint(-20, 30, (steps, 4, 6), generator=generator).double()
    begin = torch.randint(5, 25, (6,), generator=generator).double()
    pull = torch.randn((2, steps, 4, 6), generator=generator, dtype=torch.float64)
    gradients = []
    for run in (integrate_and_fire, stepwise):
        drive, threshold = a.clone().requires_grad_(), begin.clone().requires_grad_()
        lost = torch.tensor(1 - leak_slope(spec), dtype=torch.float64, requires_grad=True)
        spikes, membranes = run(drive, threshold, neuron, lost=lost)
        (pull[0] * spikes + pull[1] * membranes).sum().backward()
        gradients.append((drive.grad, threshold.grad, lost.grad))
    for mine, theirs in zip(*gradients, strict=True):
        assert mine.abs().max() > 0
        assert torch.allclose(mine, theirs, atol=1e-12)


@pytest.mark.parametrize("name", list(SURROGATES))
def test_surrogates_are_even_peak_at_zero_and_have_area_one(name):
    x = torch.linspace(-4000, 4000, 8_000_001, dtype=torch.float64)
    y = SURROGATES[name](x)
    assert torch.equal(y, y.flip(0))
    assert float(y.max()) == float(y[len(y) // 2])
    assert float(torch.trapezoid(y, x)) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        pytest.param({"membrane_bits": 21}, "2 to 20, not 21", id="bits"),
        pytest.param({"surrogate": "step"}, "not 'step'", id="surrogate"),
    ],
)
def test_wrong_parameters_are_refused(changed, says):
    good = {"leak": IntegrateLeak(), "reset": "zero", "spiking": True, "membrane_bits": 8}
    with pytest.raises(ValueError, match=says):
        Neuron(**{**good, **changed})


@pytest.mark.parametrize("reset", ["subtract", "zero"])
@pytest.mark.parametrize("bits", [5, 16], ids=["at the rails", "within the rails"])
@pytest.mark.parametrize("use", ["spikes", "membranes", "both"])
def test_the_last_step_alone_gives_the_same_numbers_and_gradients(reset, bits, use):
    neuron = Neuron(leak=ShiftLeak(shift=3), reset=reset, spiking=True, membrane_bits=bits)
    generator = torch.Generator().manual_seed(7)
    a = torch.randint(-20, 30, (6, 4, 5), generator=generator).double()
    threshold = torch.randint(5, 25, (5,), generator=generator).double()
    pull = torch.randn((7, 4, 5), generator=generator, dtype=torch.float64)
    gradients = []
    for every_step in (True, False):
        leaf = a.clone().requires_grad_()
        spikes, membranes = integrate_and_fire(leaf, threshold, neuron, every_step=every_step)
        assert len(membranes) == (6 if every_step else 1)
        loss = torch.zeros((), dtype=torch.float64)
        if use != "membranes":
            loss = loss + (pull[:6] * spikes).sum()
        if use != "spikes":
            loss = loss + (pull[6] * membranes[-1]).sum()
        loss.backward()
        gradients.append((spikes.detach(), membranes[-1].detach(), leaf.grad))
    assert gradients[0][2].abs().max() > 0
    for full, last in zip(*gradients, strict=True):
        assert torch.equal(full, last)
