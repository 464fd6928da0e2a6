"""Gradients of the fused kernels of graphs against autograd, step by step."""

import itertools

import pytest
import torch

from spikeloom.neurons import CubaLif, DecayLeak, IntegrateLeak, Lif, ShiftLeak
from spikeloom.nn.dynamics import Settings, Values, dynamics_of
from spikeloom.nn.dynamics.decay import leak, leak_slope
from spikeloom.nn.surrogate import triangle

STEPS, LOW, HIGH = 6, -64, 63
LEAK = DecayLeak(multiplier=3, fraction_bits=3, rounding="nearest")


def through(exact, real):
    return real + (exact - real).detach()


def decayed(state, spec):
    return through(leak(state, spec), state * leak_slope(spec))


def stepwise(neuron, a, values, rest):
    """The equations of `spikeloom.neurons` as autograd records them."""
    threshold, amount = values["threshold"], values["amount"]
    v, i = rest["membrane"], rest.get("current")
    outputs, membranes = [], []
    for arriving in a:
        if i is not None:
            raw = decayed(i, neuron.current_leak) + arriving
            i = arriving = torch.where((raw >= LOW) & (raw <= HIGH), raw, raw.clamp(LOW, HIGH))
        fired_before = (v.detach() >= threshold.detach()).to(v.dtype)
        u = decayed(v, neuron.leak) + arriving + values["drive"]
        if neuron.reset == "subtract-late":
            u = u - fired_before * amount
        fired = (u >= threshold).to(u.dtype).detach()
        firm = threshold.detach()
        bump = triangle(((u - firm) / firm).detach()) / firm
        outputs.append(fired + (u - u.detach() - (threshold - firm)) * bump)
        match neuron.reset:
            case "subtract":
                after = u - fired * amount
            case "subtract-late":
                after = u
            case _:
                after = torch.where(fired.bool(), values["reset_value"], u)
        v = torch.where((after >= LOW) & (after <= HIGH), after, after.detach().clamp(LOW, HIGH))
        membranes.append(v)
    return torch.stack(outputs), torch.stack(membranes)


RESETS = ("subtract", "zero", "value", "subtract-late")
CASES = [
    pytest.param(model, reset, id=f"{model}, {reset}")
    for model, reset in itertools.product(("lif", "cuba-lif"), RESETS)
]


@pytest.mark.parametrize(("model", "reset"), CASES)
@pytest.mark.parametrize("reach", [12, 60], ids=["within the rails", "at the rails"])
def test_gradients_are_those_of_autograd(model, reset, reach):
    neuron = (
        Lif(leak=LEAK, reset=reset)
        if model == "lif"
        else CubaLif(current_leak=ShiftLeak(shift=2), leak=LEAK, reset=reset)
    )
    generator = torch.Generator().manual_seed(4)

    def whole(low, high, *shape):
        return torch.randint(low, high, shape, generator=generator).double()

    a = whole(-reach, reach + 1, STEPS, 3, 2, 2, 2)
    given = {
        "threshold": whole(5, 25, 2, 1, 1),
        "amount": whole(5, 25, 2, 1, 1),
        "drive": whole(-3, 4, 2, 1, 1),
        "reset_value": whole(-5, 5, 2, 1, 1) if reset == "value" else torch.zeros(2, 1, 1).double(),
    }
    rest = {state: whole(-20, 30, 3, 2, 2, 2) for state in neuron.states}
    pull = torch.randn((2, STEPS, 3, 2, 2, 2), generator=generator, dtype=torch.float64)
    settings = Settings(spiking=True, limits={"membrane": (LOW, HIGH), "current": (LOW, HIGH)})
    found = []
    for fused in (True, False):
        leaves = {
            "a": a.clone().requires_grad_(),
            **{name: values.clone().requires_grad_() for name, values in given.items()},
            **{name: values.clone().requires_grad_() for name, values in rest.items()},
        }
        values = {name: leaves[name] for name in given}
        before = {name: leaves[name] for name in rest}
        if fused:
            values["reset_value"] = values["reset_value"].detach()
            outputs, states = dynamics_of(neuron, settings).run(
                leaves["a"], Values(**values), before
            )
            membranes = states["membrane"]
        else:
            outputs, membranes = stepwise(neuron, leaves["a"], values, before)
        (pull[0] * outputs + pull[1] * membranes).sum().backward()
        leaves.pop("reset_value")
        found.append((outputs.detach(), membranes.detach(), leaves))
    assert torch.equal(found[0][0], found[1][0].round())
    assert torch.equal(found[0][1], found[1][1])
    uses_amount = reset in ("subtract", "subtract-late")
    for name, leaf in found[0][2].items():
        expected = found[1][2][name].grad
        if name == "amount" and not uses_amount:
            continue
        assert expected.abs().max() > 0
        assert torch.allclose(leaf.grad, expected, atol=1e-12), name


@pytest.mark.parametrize("model", [Lif(leak=LEAK), CubaLif(current_leak=LEAK, leak=LEAK)])
def test_steps_one_by_one_are_all_steps_at_once(model):
    generator = torch.Generator().manual_seed(5)
    a = torch.randint(-20, 30, (STEPS, 3, 4), generator=generator).float()
    limits = {"membrane": (LOW, HIGH), "current": (LOW, HIGH)}
    dynamics = dynamics_of(model, Settings(spiking=True, limits=limits))
    values = Values(threshold=torch.full((4,), 12.0))
    outputs, states = dynamics.run(a, values)
    before = None
    for step in range(STEPS):
        sent, after = dynamics.run(a[step : step + 1], values, before)
        assert torch.equal(sent[0], outputs[step])
        before = {name: state[-1] for name, state in after.items()}
        for name, state in before.items():
            assert torch.equal(state, states[name][step])


def test_unknown_surrogates_are_refused():
    with pytest.raises(ValueError, match="surrogate must be in"):
        Settings(spiking=True, limits={}, surrogate="step")
    assert leak_slope(IntegrateLeak()) == 1.0
