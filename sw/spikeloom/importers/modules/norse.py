"""Norse 1.1: IAF, LIF, LIFBox and their integrators, single steps or sequences, and recurrence."""

from __future__ import annotations

from typing import Any

import numpy as np

from spikeloom.importers.modules.pieces import Piece, class_names, numbers, refuse
from spikeloom.importers.nodes import Matrix, Stepper
from spikeloom.importers.step import StepNeuron, one

CELLS = {
    "IAFCell": "iaf",
    "IAF": "iaf",
    "LIFBoxCell": "box",
    "LIFBox": "box",
    "LIBoxCell": "box",
    "LIBox": "box",
    "LICell": "lif",
    "LI": "lif",
    "LIFCell": "lif",
    "LIF": "lif",
    "LIFRecurrentCell": "lif",
    "LIFRecurrent": "lif",
}
STOCHASTIC = ("logistic", "heavi_tent_noise")


def norse_cell(module: Any, name: str) -> Piece | None:
    """The piece of a cell of Norse; None where the module is none of its cells."""
    kinds = class_names(module, "norse")
    if not kinds:
        return None
    kind = next((own for own in kinds if own in CELLS), None)
    if kind is None or kinds[0] != kind:
        refuse(module, name, "this cell is not imported", f"use one of {', '.join(CELLS)}")
    p = module.p
    if getattr(p, "method", "super") in STOCHASTIC:
        refuse(module, name, f"its method {p.method!r} spikes at random", "use 'super'")
    step = _step(module, name, CELLS[kind], spiking=not kind.startswith("LI") or "LIF" in kind)
    neurons = Stepper(name=name, step=step)
    if not hasattr(module, "recurrent_weights"):
        return Piece.of(neurons)
    inputs = Matrix(name=f"{name}.input", weight=numbers(module.input_weights))
    back = Matrix(name=f"{name}.recurrent", weight=numbers(module.recurrent_weights))
    loop = Piece.recurrent(neurons, back)
    return Piece(
        nodes=(inputs, *loop.nodes),
        edges=((inputs.name, neurons.name), *loop.edges),
        entry=inputs.name,
        exit=neurons.name,
    )


def _step(module: Any, name: str, kind: str, *, spiking: bool) -> StepNeuron:
    p = module.p
    leak = np.atleast_1d(numbers(getattr(p, "v_leak", 0.0)))
    reset = np.atleast_1d(numbers(getattr(p, "v_reset", 0.0)))
    threshold = np.atleast_1d(numbers(getattr(p, "v_th", 1.0)))
    # Membranes start at their leak, those of IAF at their reset.
    start = reset if kind == "iaf" else leak
    if spiking and (threshold <= start).any():
        refuse(module, name, "it starts at or above its threshold", "give it a higher v_th")
    share = one(0.0) if kind == "iaf" else float(module.dt) * numbers(p.tau_mem_inv)
    method = getattr(getattr(p, "reset_method", None), "__name__", "reset_value")
    if method not in ("reset_value", "reset_subtract"):
        refuse(module, name, f"its reset is {method!r}", "use reset_value or reset_subtract")
    current = kind == "lif"
    return StepNeuron(
        keep=np.atleast_1d(1 - share),
        gain=one(1.0) if kind == "iaf" else np.atleast_1d(share),
        drive=one(0.0),
        threshold=threshold - start,
        amount=threshold,
        reset_value=reset - start,
        current_keep=np.atleast_1d(1 - float(module.dt) * numbers(p.tau_syn_inv))
        if current
        else None,
        current_gain=one(1.0) if current else None,
        reset="value" if method == "reset_value" else "subtract",
        spiking=spiking,
    )
