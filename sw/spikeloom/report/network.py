"""A network image as plain numbers, for `inspect` and for the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from spikeloom.arithmetic import DecayLeak, IntegrateLeak, Leak, ShiftLeak
from spikeloom.image import Layer, NetworkImage
from spikeloom.packing import entropy_bound, pack, packing_cost


def describe_image(image: NetworkImage, lanes: Sequence[int]) -> dict[str, Any]:
    """Shapes, integer ranges, widths, density, bits and provenance of `image`.

    `lanes` has one number a layer. `bits_stored` counts slots, padding and pointers with that
    many slots a word; `bits_entropy` is the bound nnz·(H(d)/d + H(w)); `bits_dense` what the dense
    matrices would take.
    """
    layers = [describe_layer(*each) for each in zip(image.layers, lanes, strict=True)]
    return {
        "inputs": image.inputs,
        "outputs": image.outputs,
        "time_steps": image.time_steps,
        "encoding": msgspec.to_builtins(image.encoding),
        "readout": image.readout,
        "synapses": image.synapses,
        "density": image.density,
        "weight_bits": max(layer.weight_bits for layer in image.layers),
        "lanes": list(lanes),
        "bits_stored": sum(layer["bits_stored"] for layer in layers),
        "bits_entropy": sum(layer["bits_entropy"] for layer in layers),
        "bits_dense": sum(layer["bits_dense"] for layer in layers),
        "layers": layers,
        "provenance": msgspec.to_builtins(image.provenance),
    }


def describe_layer(layer: Layer, lanes: int) -> dict[str, Any]:
    """The numbers of one layer; ranges are (lowest, highest)."""
    cost = packing_cost(layer, pack(layer, lanes))
    return {
        "name": layer.name,
        "inputs": layer.inputs,
        "neurons": layer.neurons,
        "lanes": lanes,
        "synapses": layer.synapses,
        "density": layer.density,
        "weight": _range(layer.weight),
        "bias": _range(layer.bias),
        "threshold": _range(layer.threshold) if layer.spiking else None,
        "spiking": layer.spiking,
        "reset": layer.reset,
        "leak": leak_formula(layer.leak),
        "scale": layer.scale,
        "weight_bits": layer.weight_bits,
        "membrane_bits": layer.membrane_bits,
        "accumulator_bits": layer.accumulator_bits,
        "fan_out": {"mean": float(layer.fan_out.mean()), "max": int(layer.fan_out.max())},
        "index_form": cost.index_form,
        "index_bits": cost.index_bits,
        "words": cost.words,
        "fill": cost.fill,
        "bits_stored": cost.bits,
        "bits_entropy": round(entropy_bound(layer)),
        "bits_dense": layer.inputs * layer.neurons * layer.weight_bits,
    }


def leak_formula(leak: Leak) -> str:
    """What a membrane becomes in a step without input, as the architecture page writes it."""
    match leak:
        case IntegrateLeak():
            return "v"
        case ShiftLeak(shift=shift):
            return f"v - (v >> {shift})"
        case DecayLeak(multiplier=multiplier, fraction_bits=bits):
            return f"v - ((v * {multiplier}) >> {bits})"


def _range(values: np.ndarray) -> tuple[int, int] | None:
    return (int(values.min()), int(values.max())) if values.size else None
