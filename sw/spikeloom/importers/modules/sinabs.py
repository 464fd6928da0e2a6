"""Sinabs 3.1: IAF, LIF, ExpLeak, squeezed or not, and their recurrent forms."""

from __future__ import annotations

from typing import Any

import numpy as np

from spikeloom.importers.modules.pieces import Piece, class_names, numbers, refuse
from spikeloom.importers.modules.torch_layers import layer
from spikeloom.importers.nodes import Stepper
from spikeloom.importers.step import Floats, Reset, StepNeuron, one

PLAIN = ("SumPool2d", "Merge", "Conv2d", "Linear")
CELLS = ("IAF", "LIF", "ExpLeak", "IAFRecurrent", "LIFRecurrent")


def sinabs_cell(module: Any, name: str) -> Piece | None:
    """The piece of a layer of Sinabs with neurons; None where it has none."""
    kinds = class_names(module, "sinabs")
    if not kinds or kinds[0] == "SumPool2d":
        return None
    kind = kinds[0].removesuffix("Squeeze")
    if kind not in CELLS:
        refuse(module, name, "this layer is not imported", f"use one of {', '.join(CELLS)}")
    step = _step(module, name, integrates=kind == "ExpLeak", leaks=not kind.startswith("IAF"))
    neurons = Stepper(name=name, step=step)
    back = getattr(module, "rec_connect", None)
    if back is None:
        return Piece.of(neurons)
    found = layer(back, f"{name}.rec_connect")
    if found is None or len(found.nodes) != 1:
        refuse(module, name, f"its rec_connect is {type(back).__name__}", "use torch.nn.Linear")
    if getattr(found.nodes[0], "bias", None) is not None:
        refuse(
            module,
            name,
            "its rec_connect has a bias, which Sinabs adds from the second step on",
            "use bias=False there",
        )
    return Piece.recurrent(neurons, found.nodes[0])


def _step(module: Any, name: str, *, integrates: bool, leaks: bool) -> StepNeuron:
    keep = numbers(module.alpha_mem_calculated) if leaks else one(1.0)
    synapse = getattr(module, "tau_syn", None) is not None or (
        getattr(module, "alpha_syn", None) is not None
    )
    kept = np.atleast_1d(numbers(module.alpha_syn_calculated)) if synapse else None
    gain = 1 - keep if leaks and module.norm_input else one(1.0)
    threshold = one(1.0) if integrates else np.atleast_1d(numbers(module.spike_threshold))
    many = False
    reset: Reset = "subtract"
    amount: Floats = threshold
    if not integrates:
        many = _many(module, name)
        reset, amount = _reset(module, name, threshold)
    low = None if module.min_v_mem is None else np.atleast_1d(numbers(module.min_v_mem))
    return StepNeuron(
        keep=np.atleast_1d(keep),
        gain=np.atleast_1d(gain),
        drive=one(0.0),
        threshold=threshold,
        amount=amount,
        reset_value=one(0.0),
        current_keep=kept,
        # An input joins the current before the current decays.
        current_gain=kept,
        strict=False,
        many=many,
        reset=reset,
        low=low,
        spiking=not integrates,
    )


def _many(module: Any, name: str) -> bool:
    spikes = getattr(module.spike_fn, "__name__", type(module.spike_fn).__name__)
    if spikes not in ("MultiSpike", "SingleSpike"):
        refuse(module, name, f"its spike_fn is {spikes}", "use MultiSpike or SingleSpike")
    return spikes == "MultiSpike"


def _reset(module: Any, name: str, threshold: Floats) -> tuple[Reset, Floats]:
    reset = module.reset_fn
    kind = type(reset).__name__
    if kind == "MembraneSubtract":
        value = reset.subtract_value
        return "subtract", threshold if value is None else np.atleast_1d(numbers(value))
    if kind != "MembraneReset":
        refuse(module, name, f"its reset_fn is {kind}", "use MembraneSubtract or MembraneReset")
    if float(reset.reset_value) != 0:
        refuse(module, name, "its reset adds a value to all neurons", "use reset_value = 0")
    return "value", threshold
