"""snnTorch 1.0: Leaky, Lapicque, Synaptic, and the recurrent RLeaky and RSynaptic."""

from __future__ import annotations

from typing import Any

import numpy as np

from spikeloom.importers.modules.pieces import Piece, class_names, numbers, refuse
from spikeloom.importers.modules.torch_layers import convolution_of
from spikeloom.importers.nodes import Matrix, Node, Scaling, Stepper
from spikeloom.importers.step import Floats, Reset, StepNeuron, one

CELLS = ("Leaky", "Lapicque", "Synaptic", "RLeaky", "RSynaptic")
RESETS = {0: "subtract", 1: "zero", 2: "none"}
LATE_ZERO = ("Lapicque", "Synaptic", "RLeaky", "RSynaptic")
"""Cells whose reset to zero, one step late, takes away the input of that step as well."""


def snntorch_cell(module: Any, name: str) -> Piece | None:
    """The piece of a cell of snnTorch; None where the module is none of its cells."""
    kinds = class_names(module, "snntorch")
    if not kinds:
        return None
    kind = kinds[0]
    if kind not in CELLS:
        refuse(module, name, "this cell is not imported", f"use one of {', '.join(CELLS)}")
    for field in ("inhibition", "state_quant"):
        if getattr(module, field, False):
            refuse(module, name, f"{field} is set", "train without it")
    if (numbers(getattr(module, "graded_spikes_factor", 1.0)) != 1).any():
        refuse(module, name, "its spikes are graded", "graded_spikes_factor = 1 sends 0 or 1")
    neurons = Stepper(name=name, step=_step(module, name, kind), shape=_shape(module))
    if not kind.startswith("R"):
        return Piece.of(neurons)
    return Piece.recurrent(neurons, _back(module, name))


def _shape(module: Any) -> tuple[int, ...] | None:
    """What its parameters of several values say."""
    for field in ("beta", "alpha", "threshold"):
        value = numbers(getattr(module, field, 0.0))
        if value.size > 1:
            return value.shape
    return None


def _step(module: Any, name: str, kind: str) -> StepNeuron:
    threshold = numbers(module.threshold)
    reset, amount = _reset(module, name, kind, threshold)
    if kind == "Lapicque":
        rate = float(module.time_step) / (numbers(module.R) * numbers(module.C))
        keep, gain = 1 - rate, numbers(module.R) * rate
    else:
        keep, gain = np.clip(numbers(module.beta), 0, 1), one(1.0)
    current = kind in ("Synaptic", "RSynaptic")
    return StepNeuron(
        keep=np.atleast_1d(keep),
        gain=np.atleast_1d(gain),
        drive=one(0.0),
        threshold=np.atleast_1d(threshold),
        amount=np.atleast_1d(amount),
        reset_value=one(0.0),
        current_keep=np.atleast_1d(np.clip(numbers(module.alpha), 0, 1)) if current else None,
        current_gain=one(1.0) if current else None,
        strict=True,
        reset=reset,
    )


def _reset(module: Any, name: str, kind: str, threshold: Floats) -> tuple[Reset, Floats]:
    mechanism = RESETS[int(module.reset_mechanism_val)]
    late = bool(getattr(module, "reset_delay", True))
    if not late and (mechanism == "subtract" or kind == "RSynaptic"):
        refuse(
            module,
            name,
            "with reset_delay=False it compares a membrane that is still above its threshold with "
            "a second one",
            "train with reset_delay=True, the default",
        )
    if mechanism == "zero" and late and kind in LATE_ZERO:
        refuse(
            module,
            name,
            "its reset to zero takes away the input of the next step, which no integer neuron does",
            "train with reset_mechanism='subtract'",
        )
    match mechanism:
        case "subtract":
            return "subtract-late", threshold
        case "zero":
            # One step late or not, a membrane of 0 meets the next input.
            return "value", threshold
        case _:
            return "subtract", np.zeros_like(threshold)


def _back(module: Any, name: str) -> Node:
    """The connection of a recurrent cell to itself."""
    back = module.recurrent
    inner = f"{name}.recurrent"
    if hasattr(back, "V"):
        return Scaling(name=inner, factor=np.atleast_1d(numbers(back.V)))
    weight = numbers(back.weight)
    if weight.ndim > 2:
        return convolution_of(back, inner, weight)
    bias = None if back.bias is None else numbers(back.bias)
    return Matrix(name=inner, weight=weight, bias=bias)
