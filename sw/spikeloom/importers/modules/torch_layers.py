"""Layers of torch itself, and those that the frameworks derive from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from spikeloom.importers.modules.pieces import Piece, class_names, numbers, refuse
from spikeloom.importers.nir import same_padding
from spikeloom.importers.nodes import (
    Convolution,
    Flattening,
    Matrix,
    Pair,
    Pooling,
    PoolKind,
    Scaling,
)


def layer(module: Any, name: str) -> Piece | None:
    """The piece of a layer of torch; None where it is none that is known."""
    for kind in class_names(module, "torch.nn", "sinabs"):
        if kind in LAYERS:
            return LAYERS[kind](module, name)
    return None


def _bias(module: Any) -> np.ndarray | None:
    return None if module.bias is None else numbers(module.bias)


def matrix(module: Any, name: str) -> Piece:
    """`torch.nn.Linear`."""
    return Piece.of(Matrix(name=name, weight=numbers(module.weight), bias=_bias(module)))


def pair(value: Any) -> Pair:
    """One number for both axes, or one for each."""
    if isinstance(value, int):
        return value, value
    first, *more = (int(own) for own in value)
    return first, more[0] if more else first


def convolution(module: Any, name: str) -> Piece:
    """`torch.nn.Conv1d` and `Conv2d`."""
    return Piece.of(convolution_of(module, name, numbers(module.weight)))


def convolution_of(module: Any, name: str, weight: np.ndarray) -> Convolution:
    """A convolution with the geometry of `module`."""
    if module.padding_mode != "zeros":
        refuse(module, name, f"padding_mode is {module.padding_mode!r}", "pad with zeros")
    flat = weight.ndim == 3
    stride, dilation = pair(module.stride), pair(module.dilation)
    if flat:
        weight, stride, dilation = weight[:, :, None], (1, stride[1]), (1, dilation[1])
    match module.padding:
        case "same":
            padding = same_padding((weight.shape[2], weight.shape[3]), dilation)
        case "valid":
            padding = (0, 0, 0, 0)
        case own:
            down, across = pair(own)
            down = 0 if flat else down
            padding = (down, down, across, across)
    return Convolution(
        name=name,
        weight=weight,
        bias=_bias(module),
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=int(module.groups),
        flat=flat,
    )


def norm(module: Any, name: str) -> Piece:
    """Batch norm as it is in evaluation: a factor and an offset for each channel."""
    if module.running_mean is None:
        refuse(module, name, "it keeps no running mean", "train with track_running_stats=True")
    deviation = np.sqrt(numbers(module.running_var) + float(module.eps))
    gain = np.ones_like(deviation) if module.weight is None else numbers(module.weight)
    shift = np.zeros_like(deviation) if module.bias is None else numbers(module.bias)
    factor = gain / deviation
    axes = {"BatchNorm1d": 0, "BatchNorm2d": 2}[class_names(module, "torch.nn")[0]]
    shape = (-1, *(1,) * axes)
    return Piece.of(
        Scaling(
            name=name,
            factor=factor.reshape(shape),
            offset=(shift - factor * numbers(module.running_mean)).reshape(shape),
        )
    )


def _pooling(kind: PoolKind) -> Callable[[Any, str], Piece]:
    def read(module: Any, name: str) -> Piece:
        for field, plain in (
            ("ceil_mode", False),
            ("return_indices", False),
            ("dilation", 1),
            ("divisor_override", None),
        ):
            if getattr(module, field, plain) != plain:
                refuse(module, name, f"{field} is {getattr(module, field)!r}", "leave it as it is")
        kernel = pair(module.kernel_size)
        stride = kernel if module.stride is None else pair(module.stride)
        return Piece.of(
            Pooling(
                name=name,
                kind=kind,
                kernel=kernel,
                stride=stride,
                padding=pair(getattr(module, "padding", 0)),
            )
        )

    return read


def _sum_pool(module: Any, name: str) -> Piece:
    if float(module.norm_type) != 1:
        refuse(module, name, f"norm_type is {module.norm_type}", "1 sums up a window")
    return _pooling("sum")(module, name)


def _flatten(module: Any, name: str) -> Piece:
    # Torch counts the batch, which stays as it is.
    start, end = int(module.start_dim), int(module.end_dim)
    if start < 1:
        refuse(module, name, f"start_dim is {start}", "1 leaves the batch alone")
    return Piece.of(Flattening(name=name, start=start - 1, end=end - 1 if end > 0 else end))


def _nothing(_module: Any, _name: str) -> Piece:
    return Piece(nodes=())


LAYERS: Mapping[str, Callable[[Any, str], Piece]] = {
    "Linear": matrix,
    "Conv1d": convolution,
    "Conv2d": convolution,
    "BatchNorm1d": norm,
    "BatchNorm2d": norm,
    "SumPool2d": _sum_pool,
    "LPPool2d": _sum_pool,
    "AvgPool2d": _pooling("average"),
    "MaxPool2d": _pooling("max"),
    "Flatten": _flatten,
    "Identity": _nothing,
    "Dropout": _nothing,
    "Dropout2d": _nothing,
}
"""By the name of the class; dropout does nothing in evaluation."""
