"""What tells one network from another: a hash over all that the hardware computes.

Two files may hold the same integers and differ in where these come from: another seed of the same
result, a new key in the configuration, the names of the layers. The hardware made of them is the
same, so designs, results and run folders name a network by `network_sha256`. The file has a hash of
its own, over its provenance too, which finds damage (`spikeloom.image.file`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from spikeloom.arithmetic import DecayLeak, IntegrateLeak, Leak, ShiftLeak
from spikeloom.connections import Connection
from spikeloom.encoding import (
    DeltaEncoding,
    DirectEncoding,
    Encoding,
    FramesEncoding,
    LatencyEncoding,
    MultiThresholdEncoding,
    RateEncoding,
)
from spikeloom.image.layer import Layer
from spikeloom.image.network import NetworkImage
from spikeloom.image.population import Population
from spikeloom.neurons import CubaLif, Lif, Relay, Rounding, Source

Value = int | str | npt.NDArray[np.signedinteger]


def network_sha256(image: NetworkImage) -> str:
    """The sha256 of what `image` computes, in hexadecimal; it names the network."""
    digest = hashlib.sha256()
    for name, value in computed(image):
        if isinstance(value, np.ndarray):
            digest.update(f"{name}: {value.size} integers\n".encode())
            digest.update(value.astype("<i8").tobytes())
        else:
            digest.update(f"{name}: {value}\n".encode())
    return digest.hexdigest()


def computed(image: NetworkImage) -> Iterator[tuple[str, Value]]:
    """All that decides what the hardware computes of a sample, in a fixed order.

    The names are part of the hash, and are no names of Python's: renaming a field changes no
    network. Whatever new feature changes a result has to be listed here.
    """
    yield "time steps", image.time_steps
    yield "inputs", image.inputs
    yield "code", code_text(image.encoding)
    yield "readout", image.readout
    if image.is_chain:
        for layer in image.layers:
            yield from _layer(layer)
        return
    number = {population.name: place for place, population in enumerate(image.graph.populations)}
    for population in image.graph.populations:
        yield from _population(population)
    for connection in image.graph.connections:
        yield "from", number[connection.source]
        yield "to", number[connection.target]
        yield from _connection(connection)


def code_text(encoding: Encoding) -> str:
    """The code of the inputs, in words that do not change with its class."""
    match encoding:
        case LatencyEncoding(threshold=threshold):
            return f"latency, threshold {threshold}"
        case RateEncoding(seed=seed, gain=gain):
            return f"rate, seed {seed}, gain {gain}"
        case MultiThresholdEncoding(levels=levels):
            return f"multithreshold, levels {levels}"
        case DeltaEncoding(delta=delta):
            return f"delta, delta {delta}"
        case FramesEncoding(threshold=threshold):
            return f"frames, threshold {threshold}"
        case DirectEncoding():
            return "direct"


def _layer(layer: Layer) -> Iterator[tuple[str, Value]]:
    yield "neurons", layer.neurons
    yield "first synapse of each row", layer.row_ptr
    yield "targets", layer.target
    yield "weights", layer.weight
    yield "biases", layer.bias
    yield "leak", _leak_text(layer.leak)
    yield "membrane bits", layer.membrane_bits
    yield "spikes", "yes" if layer.spiking else "no"
    # A layer that never spikes compares with no threshold and is never reset.
    if layer.spiking:
        yield "thresholds", layer.threshold
        yield "reset", layer.reset


def _population(population: Population) -> Iterator[tuple[str, Value]]:
    yield "shape", "x".join(map(str, population.shape))
    match population.neuron:
        case Source(highest=highest):
            yield "source, up to", highest
            return
        case Relay():
            yield "relay", ""
            yield "biases", population.bias
            return
        case Lif(leak=leak, reset=reset):
            yield "neuron", "lif"
        case CubaLif(current_leak=current_leak, leak=leak, reset=reset):
            yield "neuron", "cuba-lif"
            yield "current leak", _leak_text(current_leak)
            yield "current bits", population.current_bits
    yield "leak", _leak_text(leak)
    yield "biases", population.bias
    yield "drives", population.drive
    low, high = population.limits["membrane"]
    yield "membrane", f"{low} to {high}"
    yield "spikes", "yes" if population.spiking else "no"
    if population.spiking:
        yield "thresholds", population.threshold
        yield "reset", reset
        if reset in ("subtract", "subtract-late"):
            amount = population.amount
            yield "amounts", population.threshold if amount is None else amount
        if reset == "value":
            yield "reset values", population.reset_value


def _connection(connection: Connection) -> Iterator[tuple[str, Value]]:
    yield "kind", connection.kind
    yield "delay", connection.delay
    yield "shift", connection.shift
    for name, setting in sorted(connection.settings().items()):
        yield name, json.dumps(setting, sort_keys=True)
    for name, values in sorted(connection.arrays().items()):
        yield name, values


def _leak_text(leak: Leak) -> str:
    match leak:
        case IntegrateLeak():
            return "none"
        case ShiftLeak(shift=shift, rounding=rounding):
            return f"shift {shift}{_rounding_text(rounding)}"
        case DecayLeak(multiplier=multiplier, fraction_bits=fraction_bits, rounding=rounding):
            return f"decay {multiplier} >> {fraction_bits}{_rounding_text(rounding)}"


def _rounding_text(rounding: Rounding) -> str:
    return "" if rounding == "floor" else f", {rounding}"
