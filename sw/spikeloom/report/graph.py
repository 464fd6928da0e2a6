"""A network that is a graph as plain numbers, for `inspect`."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from spikeloom.connections import Connection
from spikeloom.image import NetworkImage
from spikeloom.image.population import Population
from spikeloom.report.network import leak_formula

__all__ = ["describe_graph"]


def describe_graph(image: NetworkImage) -> dict[str, Any]:
    """Populations, connections and provenance of `image`; ranges are (lowest, highest)."""
    return {
        "inputs": image.inputs,
        "outputs": image.outputs,
        "time_steps": image.time_steps,
        "encoding": msgspec.to_builtins(image.encoding),
        "readout": image.readout,
        "synapses": image.synapses,
        "density": image.density,
        "weight_bits": image.weight_bits,
        "populations": [
            {**_population(own), "state_bits": dict(image.graph.state_bits.get(own.name, {}))}
            for own in image.graph.populations
        ],
        "connections": [_connection(own) for own in image.graph.connections],
        "provenance": msgspec.to_builtins(image.provenance),
    }


def _population(own: Population) -> dict[str, Any]:
    plain = {"name": own.name, "shape": list(own.shape), "model": own.model_name}
    if own.stateless:
        return plain
    leak = getattr(own.neuron, "leak", None)
    return {
        **plain,
        "neuron": msgspec.to_builtins(own.neuron),
        "leak": None if leak is None else leak_formula(leak),
        "spiking": own.spiking,
        "threshold": _range(own.threshold) if own.spiking else None,
        "bias": _range(own.bias),
        "membrane_bits": own.membrane_bits,
    }


def _connection(own: Connection) -> dict[str, Any]:
    weights = own.arrays().get("weight")
    return {
        "name": own.name,
        "source": own.source,
        "target": own.target,
        "kind": own.kind,
        "delay": own.delay,
        "shift": own.shift,
        "synapses": own.synapses,
        "density": own.synapses / own.places if own.places else None,
        "weight": None if weights is None else _range(weights),
        "fan_out": {"mean": float(own.fan_out.mean()), "max": int(own.fan_out.max())},
    }


def _range(values: np.ndarray) -> tuple[int, int] | None:
    return (int(values.min()), int(values.max())) if values.size else None
