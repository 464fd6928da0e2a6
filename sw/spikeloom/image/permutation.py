"""Hidden neurons in another order: another image of the same network."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from spikeloom.image.layer import Layer
from spikeloom.image.network import NetworkImage

Order = npt.NDArray[np.int64]
"""Int64 ``[neurons]``: which neuron comes to stand at each position."""


def permute_hidden(image: NetworkImage, orders: Sequence[Order]) -> NetworkImage:
    """``image`` with the neurons of its hidden layers in new ``orders``, one for each.

    Neuron ``orders[l][n]`` of layer ``l`` becomes neuron ``n``: its synapses, bias and threshold
    move with it, and so does its row in layer ``l + 1``. Scores stay as they are, and spikes and
    membranes stay but for the order. Outputs are never moved, as their numbers are the classes.

    Raises:
        ValueError: there is not one order for each hidden layer, or one is no permutation.
    """
    if len(orders) != len(image.layers) - 1:
        raise ValueError(f"{len(orders)} orders for {len(image.layers) - 1} hidden layers")
    hidden = [_checked(*pair) for pair in zip(orders, image.layers, strict=False)]
    ins = [np.arange(image.inputs), *hidden]
    outs = [*hidden, np.arange(image.outputs)]
    moved = (_move(*each) for each in zip(image.layers, ins, outs, strict=True))
    return image.with_layers(tuple(moved))


def _checked(order: Order, layer: Layer) -> Order:
    if not np.array_equal(np.sort(order), np.arange(layer.neurons)):
        raise ValueError(f"the order of {layer.name} is no permutation of {layer.neurons} neurons")
    return order


def _move(layer: Layer, rows: Order, neurons: Order) -> Layer:
    row, target = np.argsort(rows)[layer.row], np.argsort(neurons)[layer.target]
    ascending = np.lexsort((target, row))
    row_ptr = np.concatenate([[0], np.cumsum(layer.fan_out[rows])])
    return replace(
        layer,
        row_ptr=row_ptr.astype(np.int32),
        target=target[ascending].astype(np.int32),
        weight=layer.weight[ascending],
        bias=layer.bias[neurons],
        threshold=layer.threshold[neurons],
    )
