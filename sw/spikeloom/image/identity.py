"""What tells one network from another: a hash over all that the hardware computes.

Two files may hold the same integers and differ in where these come from: another seed of the same
result, a new key in the configuration, the names of the layers. The hardware made of them is the
same, so designs, results and run folders name a network by `network_sha256`. The file has a hash of
its own, over its provenance too, which finds damage (`spikeloom.image.file`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from spikeloom.arithmetic import DecayLeak, IntegrateLeak, Leak, ShiftLeak
from spikeloom.encoding import (
    DeltaEncoding,
    Encoding,
    LatencyEncoding,
    MultiThresholdEncoding,
    RateEncoding,
)
from spikeloom.image.model import Layer, NetworkImage

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
    for layer in image.layers:
        yield from _layer(layer)


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


def _leak_text(leak: Leak) -> str:
    match leak:
        case IntegrateLeak():
            return "none"
        case ShiftLeak(shift=shift):
            return f"shift {shift}"
        case DecayLeak(multiplier=multiplier, fraction_bits=fraction_bits):
            return f"decay {multiplier} >> {fraction_bits}"
