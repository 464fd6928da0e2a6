"""Layers small enough for a solver, made as every layer is: from weights, packed."""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from spikeloom.image import Layer, Leak, Reset, ShiftLeak
from spikeloom.packing import pack
from spikeloom_hw.core import params as core
from spikeloom_hw.core.params import LayerContents, LayerParams


class ShallowParams(LayerParams):
    """A layer whose queue has room for one step and one group more."""

    @property
    def queue_depth(self) -> int:
        """Groups that can wait."""
        return self.groups + 1


@dataclass(frozen=True)
class SmallLayer:
    """A layer as integers, and as gateware."""

    layer: Layer
    params: LayerParams
    contents: LayerContents


def small_layer(
    weights: Any,
    *,
    lanes: int = 1,
    threshold: Any = 3,
    bias: Any = 0,
    leak: Leak | None = None,
    reset: Reset = "subtract",
    spiking: bool = True,
    membrane_bits: int = 4,
    overlapped: bool = False,
    shallow: bool = True,
    **packing: Any,
) -> SmallLayer:
    """The layer of dense ``weights [inputs, neurons]``; ``packing`` goes to ``pack``."""
    layer = Layer.from_dense(
        np.array(weights),
        name="small",
        leak=ShiftLeak(shift=1) if leak is None else leak,
        threshold=threshold,
        bias=bias,
        reset=reset,
        spiking=spiking,
        membrane_bits=membrane_bits,
    )
    packed = pack(layer, lanes, **packing)
    params = core.layer_params(layer, packed)
    if overlapped:
        params = replace(params, overlapped=True, distributed_banks=True)
    if shallow:
        params = ShallowParams(**{f.name: getattr(params, f.name) for f in fields(params)})
    return SmallLayer(layer, params, core.layer_contents(layer, packed))
