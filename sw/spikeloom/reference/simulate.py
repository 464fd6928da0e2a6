"""Runs a NetworkImage on events, in integers, and keeps every spike and membrane."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spikeloom.arithmetic import Integers, neuron_step
from spikeloom.image import Layer, NetworkImage

Spikes = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Trace:
    """Everything that a network did on S samples in T steps.

    Attributes:
        events: bool ``[S, T, inputs]``, what went in.
        spikes: for each layer bool ``[S, T, neurons]``.
        membranes: for each layer int32 ``[S, T, neurons]``, after the step.
        operations: int64 ``[S, layers]``, synapses that an event drove.
        scores: int64 ``[S, outputs]``: membranes after the last step, or spike counts.
        predictions: int64 ``[S]``, argmax of the scores; a tie goes to the lowest index.
    """

    events: Spikes
    spikes: tuple[Spikes, ...]
    membranes: tuple[npt.NDArray[np.int32], ...]
    operations: Integers
    scores: Integers
    predictions: Integers

    def inputs_of(self, layer: int) -> Spikes:
        """Bool ``[S, T, inputs]``: the events that entered layer number ``layer``."""
        return self.events if layer == 0 else self.spikes[layer - 1]


def simulate(image: NetworkImage, events: Spikes) -> Trace:
    """Runs ``image`` on ``events``, bool ``[samples, time_steps, inputs]``.

    Raises:
        ValueError: the shape of ``events`` does not fit the image.
    """
    expected = (image.time_steps, image.inputs)
    if events.ndim != 3 or events.shape[1:] != expected:
        raise ValueError(f"events are {events.shape!r}: they must be [samples, *{expected!r}]")
    spikes, membranes, operations = [], [], []
    arriving = events
    for layer in image.layers:
        operations.append(arriving.sum(axis=1, dtype=np.int64) @ layer.fan_out)
        arriving, membrane = _run_layer(layer, arriving)
        spikes.append(arriving)
        membranes.append(membrane)
    if image.readout == "membrane":
        scores = membranes[-1][:, -1].astype(np.int64)
    else:
        scores = spikes[-1].sum(axis=1, dtype=np.int64)
    return Trace(
        events=events,
        spikes=tuple(spikes),
        membranes=tuple(membranes),
        operations=np.stack(operations, axis=1),
        scores=scores,
        predictions=scores.argmax(axis=1),
    )


def _run_layer(layer: Layer, arriving: Spikes) -> tuple[Spikes, npt.NDArray[np.int32]]:
    samples, steps, _ = arriving.shape
    # Products of 0/1 with integers far below 2**53 are exact in float64, and BLAS is fast.
    weights = layer.dense().astype(np.float64)
    threshold = layer.threshold.astype(np.int64)
    spikes = np.empty((samples, steps, layer.neurons), dtype=bool)
    membranes = np.empty((samples, steps, layer.neurons), dtype=np.int32)
    v = np.zeros((samples, layer.neurons), dtype=np.int64)
    for step in range(steps):
        drive = (arriving[:, step].astype(np.float64) @ weights).astype(np.int64)
        spikes[:, step], v = neuron_step(
            v,
            drive + layer.bias,
            leak_spec=layer.leak,
            threshold=threshold,
            reset=layer.reset,
            spiking=layer.spiking,
            membrane_bits=layer.membrane_bits,
        )
        membranes[:, step] = v
    return spikes, membranes
