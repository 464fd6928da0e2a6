"""What makes a NetworkImage valid: each rule names the field, the value and the fix."""

from collections.abc import Sequence

import numpy as np

from spikeloom.arithmetic import DecayLeak, IntegrateLeak, Leak, ShiftLeak
from spikeloom.encoding import encoding_pixels
from spikeloom.errors import UserError
from spikeloom.image.graph_validation import validate_graph
from spikeloom.image.layer import Layer
from spikeloom.image.names import NAME, NAME_RULE
from spikeloom.image.network import NetworkImage

MEMBRANE_BITS = range(2, 33)
ACCUMULATOR_BITS_LIMIT = 32
TIME_STEPS = range(1, 4097)
ACTIVITY_LIMIT = 1e12
INPUTS_LIMIT = 1 << 15
"""An event's address has 15 bits on the host link."""


def _require(condition: bool, field: str, value: object, fix: str) -> None:
    if not condition:
        raise UserError(f"network image: {field} is {value!r}: {fix}")


def validate_image(image: NetworkImage) -> None:
    """Refuses an image that the arithmetic, the packer or the core could not take.

    Raises:
        UserError: the field, its value, and what it has to be.
    """
    if image.is_chain:
        _validate_layers(image)
    else:
        validate_graph(image.graph)
    _require(
        image.time_steps in TIME_STEPS,
        "time_steps",
        image.time_steps,
        f"it must be {TIME_STEPS.start} to {TIME_STEPS.stop - 1}",
    )
    _require(
        1 <= image.inputs <= INPUTS_LIMIT, "inputs", image.inputs, f"it must be 1 to {INPUTS_LIMIT}"
    )
    try:
        encoding_pixels(image.encoding, image.inputs, image.time_steps)
    except UserError as error:
        raise UserError(f"network image: encoding: {error}") from None
    _validate_provenance(image)
    last = image.graph.readout
    _require(
        last.spiking == (image.readout == "count"),
        f"{last.name}.spiking",
        last.spiking,
        f"with readout {image.readout!r} the last layer "
        + ("must spike" if image.readout == "count" else "must not spike"),
    )


def _validate_layers(image: NetworkImage) -> None:
    _require(len(image.layers) > 0, "layers", 0, "a network needs at least one layer")
    names = [layer.name for layer in image.layers]
    _require(len(set(names)) == len(names), "layers.name", names, "names must be unique")
    for before, layer in zip(image.layers, image.layers[1:], strict=False):
        _require(
            layer.inputs == before.neurons,
            f"{layer.name}.inputs",
            layer.inputs,
            f"it must equal the {before.neurons} neurons of {before.name}",
        )
    for layer in image.layers:
        validate_layer(layer)
    for layer in image.layers[:-1]:
        _require(layer.spiking, f"{layer.name}.spiking", False, "only the last layer may not spike")


def validate_layer(layer: Layer) -> None:
    """Refuses a layer whose arrays or parameters contradict each other.

    Raises:
        UserError: the field, its value, and what it has to be.
    """
    name = layer.name
    _require(
        NAME.fullmatch(name) is not None,
        "a layer's name",
        name,
        NAME_RULE,
    )
    _require(
        1 <= layer.inputs <= INPUTS_LIMIT, f"{name}.inputs", layer.inputs, f"1 to {INPUTS_LIMIT}"
    )
    _require(layer.neurons >= 1, f"{name}.neurons", layer.neurons, "at least one neuron")
    _validate_rows(layer)
    _require(
        layer.membrane_bits in MEMBRANE_BITS,
        f"{name}.membrane_bits",
        layer.membrane_bits,
        f"it must be {MEMBRANE_BITS.start} to {MEMBRANE_BITS.stop - 1}",
    )
    _validate_leak(name, layer.leak)
    _require(
        layer.threshold.shape == layer.bias.shape,
        f"{name}.threshold",
        layer.threshold.shape,
        f"one for each of the {layer.neurons} neurons",
    )
    lowest = int(layer.threshold.min())
    _require(lowest > 0, f"{name}.threshold", lowest, "thresholds must be positive")
    _require(
        bool(np.isfinite(layer.scale)) and layer.scale > 0,
        f"{name}.scale",
        layer.scale,
        "it must be a positive number",
    )
    _require(
        layer.accumulator_bits <= ACCUMULATOR_BITS_LIMIT,
        f"{name}.accumulator_bits",
        layer.accumulator_bits,
        f"lower membrane_bits or the bias until {ACCUMULATOR_BITS_LIMIT} bits suffice",
    )


def _validate_rows(layer: Layer) -> None:
    name = layer.name
    row_ptr, target, weight = layer.row_ptr, layer.target, layer.weight
    _require(int(row_ptr[0]) == 0, f"{name}.row_ptr[0]", int(row_ptr[0]), "it must be 0")
    # In 64 bits, as the difference of two 32-bit pointers may wrap.
    falls = np.flatnonzero(np.diff(row_ptr.astype(np.int64)) < 0)
    if falls.size:
        row = int(falls[0])
        _require(False, f"{name}.row_ptr[{row + 1}]", int(row_ptr[row + 1]), "pointers never fall")
    _require(
        int(row_ptr[-1]) == len(target) == len(weight),
        f"{name}.row_ptr[-1]",
        int(row_ptr[-1]),
        f"it must equal the number of targets ({len(target)}) and of weights ({len(weight)})",
    )
    if not len(target):
        return
    for extreme in (int(target.min()), int(target.max())):
        _require(
            0 <= extreme < layer.neurons, f"{name}.target", extreme, f"0 to {layer.neurons - 1}"
        )
    within_row = layer.row[1:] == layer.row[:-1]
    disorder = np.flatnonzero(within_row & (np.diff(target) <= 0))
    if disorder.size:
        at = int(disorder[0]) + 1
        _require(False, f"{name}.target[{at}]", int(target[at]), "targets of a row must ascend")
    zeros = np.flatnonzero(weight == 0)
    if zeros.size:
        _require(False, f"{name}.weight[{int(zeros[0])}]", 0, "a zero weight is no synapse")


def _validate_leak(name: str, leak: Leak) -> None:
    match leak:
        case IntegrateLeak():
            pass
        case ShiftLeak(shift=shift):
            _require(1 <= shift <= 15, f"{name}.leak.shift", shift, "it must be 1 to 15")
        case DecayLeak(multiplier=multiplier, fraction_bits=bits):
            _require(1 <= bits <= 15, f"{name}.leak.fraction_bits", bits, "it must be 1 to 15")
            _require(
                1 <= multiplier <= 1 << bits,
                f"{name}.leak.multiplier",
                multiplier,
                f"it must be 1 to {1 << bits}",
            )


def _validate_provenance(image: NetworkImage) -> None:
    claimed = image.provenance
    driven = len(image.graph.populations) - 1
    _validate_activity("input_events", claimed.input_events, driven)
    _validate_activity("operations", claimed.operations, driven)
    for field in ("accuracy_validation", "accuracy_test"):
        accuracy = getattr(claimed, field)
        _require(accuracy is None or 0 <= accuracy <= 1, f"provenance.{field}", accuracy, "0 to 1")


def _validate_activity(field: str, means: Sequence[float], layers: int) -> None:
    _require(
        len(means) in (0, layers), f"provenance.{field}", means, f"one for each of {layers} layers"
    )
    for mean in means:
        _require(
            0 <= mean <= ACTIVITY_LIMIT, f"provenance.{field}", mean, f"0 to {ACTIVITY_LIMIT:.0e}"
        )
