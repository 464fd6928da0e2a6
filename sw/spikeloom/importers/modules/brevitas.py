"""Brevitas: QuantLinear and QuantConv2d, whose integers and scales are taken as they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from spikeloom.importers.modules.pieces import Piece, class_names, numbers, refuse
from spikeloom.importers.modules.torch_layers import convolution_of
from spikeloom.importers.nodes import Floats, Matrix

LAYERS = ("QuantLinear", "QuantConv2d", "QuantConv1d")


def brevitas_layer(module: Any, name: str) -> Piece | None:
    """The piece of a layer with quantised weights; None where the module is none of Brevitas's."""
    kinds = class_names(module, "brevitas")
    if not kinds:
        return None
    if kinds[0] not in LAYERS:
        refuse(module, name, "this layer is not imported", f"use one of {', '.join(LAYERS)}")
    weight, unit = _weights(module, name)
    if kinds[0] == "QuantLinear":
        bias = None if module.bias is None else numbers(module.bias)
        return Piece.of(Matrix(name=name, weight=weight, bias=bias, unit=unit))
    return Piece.of(replace(convolution_of(module, name, weight), unit=unit))


def _weights(module: Any, name: str) -> tuple[Floats, Floats]:
    """Weights, and the size of integer 1 for each output."""
    quantised = module.quant_weight()
    scale, zero = numbers(quantised.scale), numbers(quantised.zero_point)
    if (zero != 0).any():
        refuse(module, name, "its weights have a zero point", "use a symmetric quantiser")
    weight = numbers(quantised.value)
    unit = np.broadcast_to(scale.reshape(-1) if scale.size > 1 else scale.reshape(1), len(weight))
    integers = np.rint(weight / unit.reshape(-1, *(1,) * (weight.ndim - 1)))
    # The value is the integer times the scale, in single precision.
    return integers * unit.reshape(-1, *(1,) * (weight.ndim - 1)), unit
