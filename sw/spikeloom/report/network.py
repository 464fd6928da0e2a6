"""A network image as plain numbers, for `inspect` and for the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from spikeloom.arithmetic import (
    DecayLeak,
    IntegrateLeak,
    Leak,
    ShiftLeak,
    first_leaking,
    rails,
)
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
        "leak_from": first_leaking(layer.leak),
        "leak_share": leak_share(layer),
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


def leak_share(layer: Layer) -> float | None:
    """The share of positive membranes that leak, of those that a neuron can keep between steps.

    These are the values below its threshold, or the rail's where it never spikes. None where there
    is no leak, or no such value.
    """
    smallest = first_leaking(layer.leak)
    if smallest is None:
        return None
    above = layer.threshold.astype(np.int64) if layer.spiking else rails(layer.membrane_bits)[1] + 1
    values = np.sum(np.maximum(0, above - 1))
    return float(np.sum(np.maximum(0, above - smallest)) / values) if values else None


def weak_leak(smallest: int, threshold: Sequence[int] | None) -> str:
    """A sentence about a leak that takes nothing from membranes below `smallest`."""
    below = f"the leak takes nothing from membranes of 0 to {smallest - 1}"
    if threshold is None:
        return below
    low, high = threshold
    spikes = f"the threshold is {low}" if low == high else f"thresholds are {low} to {high}"
    return f"{below}, and {spikes} (docs/training.md, What leaks)"


def goal_rows(trained: Mapping[str, Any]) -> dict[str, str]:
    """What compression was to reach, beside what it has reached, for a table.

    Args:
        trained: the result of `train`; one of an older version says nothing of a goal.
    """
    reached = trained.get("goal_reached")
    if reached is None:
        return {}
    if trained.get("bits") is not None:
        name, got, asked = "bits", f"{trained['bits']:,}", f"{trained['bits_asked']:,}"
    else:
        name, asked = "density", f"{trained['density_asked']:.1%}"
        got = f"{trained['density_active']:.1%} active"
    return {name: f"{got} ({asked} asked for)" if reached else f"{got}: NOT the {asked} asked for"}


def _range(values: np.ndarray) -> tuple[int, int] | None:
    return (int(values.min()), int(values.max())) if values.size else None
