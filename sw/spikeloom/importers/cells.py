"""Neurons of NIR: which fields each type has, and what they may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from spikeloom.importers.nodes import Cell, Floats, Model

if TYPE_CHECKING:
    from spikeloom.importers.nir import Fields

CELLS: Mapping[str, tuple[Model, tuple[str, ...]]] = {
    "I": ("if", ("r",)),
    "IF": ("if", ("r", "v_threshold", "v_reset")),
    "LI": ("li", ("tau", "r", "v_leak")),
    "LIF": ("lif", ("tau", "r", "v_leak", "v_threshold", "v_reset")),
    "CubaLI": ("cuba-li", ("tau_syn", "tau_mem", "r", "v_leak", "w_in")),
    "CubaLIF": (
        "cuba-lif",
        ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset", "w_in"),
    ),
}
"""Model and fields of each type."""

OPTIONAL = {"v_reset": 0.0, "w_in": 1.0}
"""Fields that older writers left out."""

POSITIVE = ("tau", "tau_syn", "tau_mem", "r", "w_in", "v_threshold")


def cell(fields: Fields, kind: str) -> Cell:
    """The neurons of one node, their fields brought to one shape.

    Raises:
        UserError: a field is missing, or has values that make no neuron.
    """
    model, names = CELLS[kind]
    found: dict[str, Floats] = {}
    for name in names:
        if name in OPTIONAL and not fields.has(name):
            if name == "w_in":
                fields.notes.append(f"{fields.place}: w_in is missing and was taken as 1")
            continue
        found[name] = fields.number_array(name)
        if name in POSITIVE and (found[name] <= 0).any():
            fields.refuse(f"{name} is {found[name].min():g}", "it must be positive")
    shapes = {values.shape for values in found.values() if values.ndim}
    if len(shapes) > 1:
        odd = ", ".join(f"{name} {values.shape}" for name, values in found.items())
        fields.refuse(f"its fields differ in shape ({odd})", "write one value for each neuron")
    shape = shapes.pop() if shapes else ()
    scalars = [name for name, values in found.items() if not values.ndim]
    if scalars:
        fields.notes.append(f"{fields.place}: {', '.join(scalars)} stands once for all neurons")
    if len(shape) > 1 and shape[0] == 1 and len(shape) in (2, 4):
        fields.notes.append(f"{fields.place}: a leading axis of 1 was taken as the batch")
        shape, found = shape[1:], {name: v.reshape(v.shape[1:]) for name, v in found.items()}
    for name, default in OPTIONAL.items():
        if name in names:
            found.setdefault(name, np.array(default))
    if "v_threshold" in found and (found["v_threshold"] <= found["v_reset"]).any():
        at = np.argmax(np.broadcast_to(found["v_threshold"] <= found["v_reset"], shape))
        threshold, reset = (
            np.broadcast_to(found[name], shape).flat[at] if shape else found[name]
            for name in ("v_threshold", "v_reset")
        )
        fields.refuse(
            f"v_threshold {float(threshold):g} is not above v_reset {float(reset):g}",
            "such a neuron never stops spiking: write other values",
        )
    parameters = {name: np.broadcast_to(values, shape) for name, values in found.items()}
    return Cell(name=fields.name, model=model, parameters=parameters)
