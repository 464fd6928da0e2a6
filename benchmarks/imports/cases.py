"""Runs cells of one framework beside their import, inside the framework's own environment.

    python cases.py snntorch 200

Prints one line of JSON for each case: how many spikes differ on random inputs, or the sentence with
which the cell was refused.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spikeloom import importers
from spikeloom.errors import UserError
from spikeloom.importers.layout import memory_order

STEPS, INPUTS, NEURONS = 30, 6, 8
Run = Callable[[nn.Module, Tensor], Tensor]
Build = Callable[[], nn.Module]
MAPS = (2, 7, 9)


def conv(**given: Any) -> list[nn.Conv2d]:
    """An asymmetric kernel, a layer for maps."""
    plain = {"kernel_size": (3, 2), "stride": (1, 2), "padding": (1, 0)}
    return [nn.Conv2d(2, 4, **{**plain, **given})]


def behind_maps(size: int) -> list[nn.Module]:
    """What makes a list of neurons of maps."""
    return [nn.Flatten(), louder(nn.Linear(size, NEURONS))]


def step_by_step(module: nn.Module, x: Tensor) -> Tensor:
    """snnTorch: `x [T, S, …]`, a Sequential whose cells keep their state (`init_hidden`)."""
    return torch.stack([module(frame) for frame in x])


def with_states(module: nn.Module, x: Tensor) -> Tensor:
    """Norse: every cell takes and gives its state."""
    states: list[Any] = [None] * len(list(module.children()))
    out = []
    for frame in x:
        value = frame
        for place, layer in enumerate(module.children()):
            if type(layer).__module__.startswith("norse"):
                value, states[place] = layer(value, states[place])
            else:
                value = layer(value)
        out.append(value)
    return torch.stack(out)


def layer_by_layer(module: nn.Module, x: Tensor) -> Tensor:
    """Sinabs: `[S, T, …]` through the neurons, all steps as one batch through the others."""
    value = x.transpose(0, 1)
    for layer in module.children():
        if hasattr(layer, "spike_fn"):
            value = layer(value)
        else:
            value = layer(value.flatten(0, 1)).unflatten(0, value.shape[:2])
    return value.transpose(0, 1)


def snntorch_cases() -> tuple[Run, Mapping[str, Build]]:
    """Cells of snnTorch with `init_hidden`."""
    import snntorch as snn  # pyright: ignore[reportMissingImports]

    def cell(make: Callable[..., nn.Module], **given: Any) -> Build:
        return lambda: nn.Sequential(nn.Linear(INPUTS, NEURONS), make(init_hidden=True, **given))

    def maps(make: Callable[..., nn.Module], *between: nn.Module, **given: Any) -> Build:
        return lambda: nn.Sequential(
            *conv(), *between, make(init_hidden=True, **given), *behind_maps(112),
            snn.Leaky(beta=0.9, init_hidden=True),
        )  # fmt: skip

    each = torch.rand(NEURONS) * 0.5 + 0.4
    return step_by_step, {
        "Leaky": cell(snn.Leaky, beta=0.9),
        "Leaky, beta 1 (IF)": cell(snn.Leaky, beta=1.0),
        "Leaky, beta 0": cell(snn.Leaky, beta=0.0),
        "Leaky, beta of each neuron": cell(snn.Leaky, beta=each, threshold=each),
        "Leaky, threshold 0.3": cell(snn.Leaky, beta=0.8, threshold=0.3),
        "Leaky, zero": cell(snn.Leaky, beta=0.9, reset_mechanism="zero"),
        "Leaky, none": cell(snn.Leaky, beta=0.9, reset_mechanism="none"),
        "Leaky, zero, no delay": cell(
            snn.Leaky, beta=0.9, reset_mechanism="zero", reset_delay=False
        ),
        "Leaky, subtract, no delay": cell(snn.Leaky, beta=0.9, reset_delay=False),
        "Leaky, inhibition": cell(snn.Leaky, beta=0.9, inhibition=True),
        "Leaky, graded": cell(snn.Leaky, beta=0.9, graded_spikes_factor=2.0),
        "Lapicque": cell(snn.Lapicque, R=5.1, C=0.005, time_step=0.001),
        "Lapicque, subtract": cell(
            snn.Lapicque, beta=0.8, threshold=0.02, reset_mechanism="subtract"
        ),
        "Lapicque, zero": cell(snn.Lapicque, beta=0.8, reset_mechanism="zero"),
        "Synaptic": cell(snn.Synaptic, alpha=0.7, beta=0.9),
        "Synaptic, zero": cell(snn.Synaptic, alpha=0.7, beta=0.9, reset_mechanism="zero"),
        "Synaptic, none": cell(snn.Synaptic, alpha=0.7, beta=0.9, reset_mechanism="none"),
        "Alpha": cell(snn.Alpha, alpha=0.9, beta=0.8),
        "RLeaky": cell(snn.RLeaky, beta=0.9, linear_features=NEURONS),
        "RLeaky, one to one": cell(snn.RLeaky, beta=0.9, all_to_all=False, V=0.5),
        "RLeaky, zero": cell(snn.RLeaky, beta=0.9, linear_features=NEURONS, reset_mechanism="zero"),
        "RSynaptic": cell(snn.RSynaptic, alpha=0.6, beta=0.9, linear_features=NEURONS),
        "Leaky on maps": maps(snn.Leaky, beta=0.9),
        "Leaky on maps with batch norm": maps(snn.Leaky, normed(4), beta=0.9),
        "RLeaky on maps": maps(snn.RLeaky, beta=0.9, conv2d_channels=4, kernel_size=3),
    }


def normed(channels: int) -> nn.Module:
    """A batch norm with statistics of its own."""
    layer = nn.BatchNorm2d(channels)
    for value in (layer.get_buffer("running_mean"), layer.weight, layer.bias):
        nn.init.normal_(value)
    nn.init.uniform_(layer.get_buffer("running_var"), 0.5, 1.5)
    return layer


def norse_cases() -> tuple[Run, Mapping[str, Build]]:
    """Cells of Norse, one step a call."""
    from norse.torch.functional import iaf, lif, lif_box, reset  # pyright: ignore
    from norse.torch.module import iaf as iafs  # pyright: ignore[reportMissingImports]
    from norse.torch.module import leaky_integrator_box as boxes  # pyright: ignore
    from norse.torch.module import lif as lifs  # pyright: ignore[reportMissingImports]
    from norse.torch.module import lif_adex, lsnn  # pyright: ignore[reportMissingImports]
    from norse.torch.module import lif_box as lif_boxes  # pyright: ignore[reportMissingImports]

    def cell(make: Callable[..., nn.Module], *arguments: Any, **given: Any) -> Build:
        return lambda: nn.Sequential(louder(nn.Linear(INPUTS, NEURONS)), make(*arguments, **given))

    def number(value: float) -> Tensor:
        return torch.tensor(value)

    fast = lif.LIFParameters(
        tau_mem_inv=number(200.0), tau_syn_inv=number(300.0), v_th=number(0.4), v_reset=number(-0.1)
    )
    leaking = lif_box.LIFBoxParameters(
        tau_mem_inv=number(300.0), v_leak=number(0.2), v_th=number(0.5), v_reset=number(-0.2)
    )
    subtracting = lif_box.LIFBoxParameters(
        tau_mem_inv=number(300.0), reset_method=reset.reset_subtract
    )
    return with_states, {
        "IAFCell": lambda: nn.Sequential(
            nn.Linear(INPUTS, NEURONS), iafs.IAFCell(iaf.IAFParameters())
        ),
        "IAFCell, reset of its own": lambda: nn.Sequential(
            nn.Linear(INPUTS, NEURONS),
            iafs.IAFCell(iaf.IAFParameters(v_th=number(0.7), v_reset=number(-0.3))),
        ),
        "LIFBoxCell": cell(lif_boxes.LIFBoxCell),
        "LIFBoxCell, leak and reset": cell(lif_boxes.LIFBoxCell, leaking),
        "LIFBoxCell, subtract": cell(lif_boxes.LIFBoxCell, subtracting),
        "LIFBoxCell, dt 1e-4": cell(lif_boxes.LIFBoxCell, leaking, dt=1e-4),
        "LIFCell": cell(lifs.LIFCell),
        "LIFCell, parameters": cell(lifs.LIFCell, fast),
        "LIFRecurrentCell": lambda: nn.Sequential(lifs.LIFRecurrentCell(INPUTS, NEURONS, fast)),
        "LIBoxCell behind LIFBoxCell": lambda: nn.Sequential(
            louder(nn.Linear(INPUTS, NEURONS)), lif_boxes.LIFBoxCell(subtracting),
            nn.Linear(NEURONS, 3), boxes.LIBoxCell(),
        ),
        "LIFBoxCell on maps": lambda: nn.Sequential(
            louder(conv()[0]), lif_boxes.LIFBoxCell(leaking), nn.Flatten(),
            nn.Linear(112, NEURONS), iafs.IAFCell(),
        ),
        "LIFAdExCell": cell(lif_adex.LIFAdExCell),
        "LSNNCell": cell(lsnn.LSNNCell),
    }  # fmt: skip


def louder(layer: nn.Linear | nn.Conv2d) -> nn.Module:
    """Weights that make neurons with a small gain spike."""
    with torch.no_grad():
        layer.weight.mul_(6).add_(1)
    return layer


def sinabs_cases() -> tuple[Run, Mapping[str, Build]]:
    """Layers of Sinabs."""
    import sinabs.activation as sina  # pyright: ignore[reportMissingImports]
    import sinabs.layers as sl  # pyright: ignore[reportMissingImports]

    def cell(make: Callable[..., nn.Module], **given: Any) -> Build:
        return lambda: nn.Sequential(louder(nn.Linear(INPUTS, NEURONS)), make(**given))

    def maps(make: Callable[..., nn.Module], **given: Any) -> Build:
        return lambda: nn.Sequential(*conv(), make(**given), *behind_maps(112), sl.IAF())

    one = {"spike_fn": sina.SingleSpike}
    return layer_by_layer, {
        "IAF": cell(sl.IAF),
        "IAF, one spike": cell(sl.IAF, **one),
        "IAF, lower limit": cell(sl.IAF, min_v_mem=-1.0, spike_threshold=torch.tensor(0.7)),
        "IAF, reset": cell(sl.IAF, reset_fn=sina.MembraneReset()),
        "IAF, reset to a value": cell(sl.IAF, reset_fn=sina.MembraneReset(reset_value=0.2)),
        "IAF, at most three spikes": cell(sl.IAF, spike_fn=sina.MaxSpike(3)),
        "LIF": cell(sl.LIF, tau_mem=10.0),
        "LIF, input as it is": cell(sl.LIF, tau_mem=10.0, norm_input=False),
        "LIF, synapse": cell(sl.LIF, tau_mem=10.0, tau_syn=4.0),
        "LIF, synapse, input as it is, one spike": cell(
            sl.LIF, tau_mem=10.0, tau_syn=4.0, norm_input=False, **one
        ),
        "LIF, alphas": cell(sl.LIF, tau_mem=10.0, train_alphas=True),
        "LIF, subtracts a value": cell(
            sl.LIF, tau_mem=10.0, reset_fn=sina.MembraneSubtract(subtract_value=0.6)
        ),
        "LIFRecurrent": lambda: nn.Sequential(
            louder(nn.Linear(INPUTS, NEURONS)),
            sl.LIFRecurrent(tau_mem=10.0, rec_connect=nn.Linear(NEURONS, NEURONS, bias=False)),
        ),
        "LIFRecurrent with a bias": lambda: nn.Sequential(
            louder(nn.Linear(INPUTS, NEURONS)),
            sl.LIFRecurrent(tau_mem=10.0, rec_connect=nn.Linear(NEURONS, NEURONS)),
        ),
        "IAFRecurrent": lambda: nn.Sequential(
            nn.Linear(INPUTS, NEURONS),
            sl.IAFRecurrent(rec_connect=nn.Linear(NEURONS, NEURONS, bias=False)),
        ),
        "ExpLeak behind LIF": lambda: nn.Sequential(
            louder(nn.Linear(INPUTS, NEURONS)), sl.LIF(tau_mem=10.0),
            nn.Linear(NEURONS, 3), sl.ExpLeak(tau_mem=20.0),
        ),
        "ALIF": cell(sl.ALIF, tau_mem=10.0, tau_adapt=10.0),
        "IAF on maps": maps(sl.IAF),
        "IAF, a sum pool, IAF": lambda: nn.Sequential(
            *conv(), sl.IAF(), sl.SumPool2d((2, 3)), nn.Conv2d(4, 3, (2, 1)), sl.IAF(),
            *behind_maps(6), sl.IAF(),
        ),
    }  # fmt: skip


def spikingjelly_cases() -> tuple[Run, Mapping[str, Build]]:
    """Neurons of SpikingJelly in single-step mode."""
    from spikingjelly.activation_based import layer, neuron  # pyright: ignore

    def cell(make: Callable[..., nn.Module], **given: Any) -> Build:
        return lambda: nn.Sequential(louder(nn.Linear(INPUTS, NEURONS)), make(**given))

    def quiet(make: Callable[..., nn.Module], **given: Any) -> Build:
        return lambda: nn.Sequential(nn.Linear(INPUTS, NEURONS), make(**given))

    return step_by_step, {
        "IFNode": quiet(neuron.IFNode),
        "IFNode, soft": quiet(neuron.IFNode, v_reset=None),
        "IFNode, reset of its own": quiet(neuron.IFNode, v_threshold=0.8, v_reset=-0.2),
        "SimpleIFNode": quiet(neuron.SimpleIFNode),
        "LIFNode": cell(neuron.LIFNode),
        "LIFNode, soft": cell(neuron.LIFNode, v_reset=None),
        "LIFNode, tau 5, input as it is": cell(neuron.LIFNode, tau=5.0, decay_input=False),
        "LIFNode, reset of its own": cell(neuron.LIFNode, tau=3.0, v_reset=0.3, v_threshold=0.9),
        "LIFNode, reset and input as they are": cell(
            neuron.LIFNode, tau=3.0, v_reset=-0.3, decay_input=False
        ),
        "ParametricLIFNode": cell(neuron.ParametricLIFNode, init_tau=3.0),
        "ParametricLIFNode, soft": cell(neuron.ParametricLIFNode, v_reset=None, decay_input=False),
        "QIFNode": cell(neuron.QIFNode),
        "CUBALIFNode": cell(neuron.CUBALIFNode),
        "IFNode on maps, a pool, IFNode": lambda: nn.Sequential(
            louder(layer.Conv2d(2, 4, (3, 2), padding=(1, 0))), normed(4), neuron.IFNode(),
            layer.AvgPool2d(2), louder(layer.Conv2d(4, 3, 3)), neuron.IFNode(), *behind_maps(6),
            neuron.IFNode(),
        ),
        "IFNode on maps, a maximum, flat": lambda: nn.Sequential(
            louder(layer.Conv2d(2, 4, 3, groups=2)), neuron.IFNode(v_reset=None),
            layer.MaxPool2d(2), layer.Flatten(), louder(layer.Linear(24, NEURONS)),
            neuron.LIFNode(tau=4.0),
        ),
    }  # fmt: skip


CASES = {
    "snntorch": snntorch_cases,
    "norse": norse_cases,
    "sinabs": sinabs_cases,
    "spikingjelly": spikingjelly_cases,
}


def compare(framework: str, run: Run, build: Build, samples: int) -> dict[str, Any]:
    """A case: spikes of the framework, and how many of ours differ."""
    torch.manual_seed(1)
    module = build().eval()
    first = next(layer for layer in module.modules() if hasattr(layer, "weight") or hasattr(
        layer, "input_weights"))  # fmt: skip
    shape = MAPS if isinstance(first, nn.Conv2d) else (INPUTS,)
    try:
        foreign = getattr(importers, f"from_{framework}")(module, shape=shape)
    except UserError as error:
        return {"refused": str(error)}
    x = torch.rand(STEPS, samples, *shape) < 0.3
    with torch.no_grad():
        theirs = run(module, x.float()).numpy()
    order = memory_order(shape)
    given = x.numpy().swapaxes(0, 1).reshape(samples, STEPS, -1)[:, :, order]
    trace = foreign.run(given)
    readout = foreign.floats.readout
    assert readout.neuron is not None
    maps = theirs.shape[2:]
    wanted = theirs.swapaxes(0, 1).reshape(samples, STEPS, -1)[:, :, memory_order(maps)]
    if not readout.neuron.spiking:
        off = float(np.abs(trace.membranes[readout.name] - wanted).max())
        return {"largest difference of a membrane": off}
    got = trace.outputs[readout.name]
    return {"spikes": float(wanted.sum()), "differ": float(np.abs(wanted - got).sum())}


def main() -> None:
    """All cases of one framework."""
    framework, samples = sys.argv[1], int(sys.argv[2])
    warnings.simplefilter("ignore")
    run, cases = CASES[framework]()
    versions = {name: version(name) for name in (framework, "torch", "numpy")}
    sys.stdout.write(json.dumps({"versions": versions}) + "\n")
    for name, build in cases.items():
        result = compare(framework, run, build, samples)
        sys.stdout.write(json.dumps({"case": name, **result}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
