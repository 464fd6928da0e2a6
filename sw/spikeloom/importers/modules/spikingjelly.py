"""SpikingJelly 2.0: IFNode, LIFNode and ParametricLIFNode, in single or multi-step mode."""

from __future__ import annotations

from typing import Any

import numpy as np

from spikeloom.importers.modules.pieces import Piece, class_names, numbers, refuse
from spikeloom.importers.nodes import Stepper
from spikeloom.importers.step import StepNeuron, one

CELLS = ("IFNode", "SimpleIFNode", "LIFNode", "SimpleLIFNode", "ParametricLIFNode")
LAYERS = "spikingjelly.activation_based.layer"
"""Its layers are torch's, and read as such."""


def spikingjelly_cell(module: Any, name: str) -> Piece | None:
    """The piece of a neuron of SpikingJelly; None where the module is none."""
    kinds = class_names(module, "spikingjelly")
    if not kinds or type(module).__module__.startswith(LAYERS):
        return None
    if kinds[0] not in CELLS:
        refuse(module, name, "this neuron is not imported", f"use one of {', '.join(CELLS)}")
    return Piece.of(Stepper(name=name, step=_step(module, name, kinds[0])))


def _step(module: Any, name: str, kind: str) -> StepNeuron:
    share = one(0.0)
    if kind in ("LIFNode", "SimpleLIFNode"):
        share = 1 / np.atleast_1d(numbers(module.tau))
    elif kind == "ParametricLIFNode":
        share = np.atleast_1d(1 / (1 + np.exp(-numbers(module.w))))
    decays = kind not in ("IFNode", "SimpleIFNode") and bool(module.decay_input)
    threshold = float(module.v_threshold)
    # A membrane starts where it is reset to, and leaks towards it.
    start = 0.0 if module.v_reset is None else float(module.v_reset)
    if threshold <= start:
        refuse(module, name, f"its threshold is not above {start:g}", "raise v_threshold")
    return StepNeuron(
        keep=1 - share,
        gain=share if decays else one(1.0),
        drive=one(0.0),
        threshold=one(threshold - start),
        amount=one(threshold),
        reset_value=one(0.0),
        strict=False,
        reset="subtract" if module.v_reset is None else "value",
    )
