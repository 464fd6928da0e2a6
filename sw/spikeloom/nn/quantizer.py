"""Weights as integers: Brevitas in the forward pass, straight through in the backward pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

import torch
from brevitas.core.scaling import ConstScaling
from brevitas.inject.enum import ScalingImplType
from brevitas.nn import QuantConv2d, QuantLinear
from brevitas.quant import Int8WeightPerTensorFloat
from torch import Tensor

__all__ = [
    "IntegerLayer",
    "ScaleKind",
    "integer_weight",
    "integers_of",
    "quantized_linear",
    "quantized_weights",
    "quantizer_scale",
    "straight_through",
]

ScaleKind = Literal["max", "learned", "fixed"]


class ClampThrough(torch.nn.Module):
    """Brevitas' clamp of weights, straight through in the backward pass, in one kernel."""

    # Brevitas' injector reads the signature and takes no catch-all arguments.
    def __init__(self) -> None:
        super().__init__()

    def forward(self, x: Tensor, min_val: Tensor, max_val: Tensor) -> Tensor:
        """`x` within the bounds, with the gradient of `x`."""
        return cast(Tensor, _ClampThrough.apply(x, min_val, max_val))


class _ClampThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, low: Tensor, high: Tensor) -> Tensor:
        # Bounds as tensors take a kernel that is not vectorised.
        return torch.maximum(torch.minimum(x, high), low)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None, None]:
        return grad_outputs[0], None, None


class WeightFromMax(Int8WeightPerTensorFloat):  # pyright: ignore[reportGeneralTypeIssues]
    """Signed, narrow range; scale = largest magnitude of the tensor / largest integer."""

    tensor_clamp_impl = cast(Any, ClampThrough)


class WeightLearnedScale(Int8WeightPerTensorFloat):  # pyright: ignore[reportGeneralTypeIssues]
    """The same with the scale a parameter, begun at the largest magnitude."""

    scaling_impl_type = ScalingImplType.PARAMETER_FROM_STATS


class WeightFixedScale(Int8WeightPerTensorFloat):  # pyright: ignore[reportGeneralTypeIssues]
    """The same with a constant scale: weights beyond its range saturate."""

    scaling_impl_type = ScalingImplType.CONST
    tensor_clamp_impl = cast(Any, ClampThrough)


QUANTIZERS: Mapping[str, type] = {
    "max": WeightFromMax,
    "learned": WeightLearnedScale,
    "fixed": WeightFixedScale,
}


class _KeptParameters:
    """A Brevitas layer that keeps the parameters of its quantiser that never change.

    Brevitas works them out of a dozen of scalar tensors, which takes as long as a small layer.
    """

    weight_bits: int
    _constants: tuple[Tensor, Tensor, Tensor] | None = None

    def quantizer_parameters(self) -> tuple[Tensor, Tensor, Tensor]:
        """Scale (scalar or [outputs, 1, ...]), zero point, bit width; a "fixed" scale is kept."""
        layer = cast(Any, self)
        weight, quantizer = cast(Tensor, layer.weight), layer.weight_quant.tensor_quant
        kept = self._constants
        if kept is not None and kept[0].device == weight.device:
            return kept
        bits = quantizer.msb_clamp_bit_width_impl()
        scale = quantizer.scaling_impl(weight, quantizer.int_scaling_impl(bits))
        parameters = (scale, quantizer.zero_point_impl(weight, scale, bits), bits)
        if isinstance(quantizer.scaling_impl, ConstScaling):
            self._constants = parameters
        return parameters


class IntegerLinear(_KeptParameters, QuantLinear):
    """Weights [neurons, inputs]."""


class IntegerConv2d(_KeptParameters, QuantConv2d):
    """Weights [outputs, inputs / groups, height, width]; the convolution itself is not used."""


IntegerLayer = IntegerLinear | IntegerConv2d


def quantized_linear(
    inputs: int,
    neurons: int,
    *,
    weight_bits: int,
    scale: ScaleKind,
    limit: float,
    per_channel: bool = False,
) -> IntegerLinear:
    """A Brevitas linear layer without bias whose weights are `weight_bits` wide integers.

    `limit` is the real weight of the largest integer when `scale` is "fixed"; `per_channel` gives
    each neuron a scale of its own.
    """
    linear = IntegerLinear(
        inputs, neurons, bias=False, **_quantizer(weight_bits, scale, limit, per_channel)
    )
    linear.weight_bits = weight_bits
    return linear


def quantized_weights(
    shape: Sequence[int],
    *,
    weight_bits: int,
    scale: ScaleKind,
    limit: float,
    per_channel: bool = False,
) -> IntegerLayer:
    """A Brevitas layer that holds weights of `shape`, outputs first; see `quantized_linear`."""
    if len(shape) == 2:
        return quantized_linear(
            shape[1],
            shape[0],
            weight_bits=weight_bits,
            scale=scale,
            limit=limit,
            per_channel=per_channel,
        )
    outputs, inputs, *kernel = shape
    layer = IntegerConv2d(
        inputs,
        outputs,
        (kernel[0], kernel[1]),
        bias=False,
        **_quantizer(weight_bits, scale, limit, per_channel),
    )
    layer.weight_bits = weight_bits
    return layer


def _quantizer(
    weight_bits: int, scale: ScaleKind, limit: float, per_channel: bool
) -> dict[str, Any]:
    fixed: dict[str, Any] = {"weight_scaling_init": limit} if scale == "fixed" else {}
    return {
        "weight_quant": cast(Any, QUANTIZERS[scale]),
        "weight_bit_width": weight_bits,
        "weight_scaling_per_output_channel": per_channel,
        **fixed,
    }


def quantizer_scale(layer: IntegerLayer) -> Tensor:
    """The real weight of integer 1 by Brevitas: scalar, or [outputs], detached."""
    scale = layer.quantizer_parameters()[0].detach()
    return scale.reshape(-1) if scale.dim() > 1 else scale


def integers_of(layer: IntegerLayer, unit: Tensor) -> Tensor:
    """The integers of a layer whose real weight of integer 1 is `unit`, scalar or [outputs].

    They are Brevitas' own where `unit` is the scale of its quantiser; several layers may have to
    share one. The gradient is as in `integer_weight`.
    """
    largest = float((1 << (layer.weight_bits - 1)) - 1)
    shape = (-1, *[1] * (layer.weight.dim() - 1))
    return cast(Tensor, _ToIntegers.apply(layer.weight, unit.reshape(shape), largest))


def integer_weight(linear: IntegerLinear) -> tuple[Tensor, Tensor]:
    """The integers that Brevitas quantises a layer's weights to, and their scale.

    Exact integers held in float32. The gradient is that of quantised / scale with the scale taken
    as constant, so that with the threshold counted in the same unit the loss sees the ratio
    weight / threshold, and no gradient depends on the unit.

    Returns:
        (integers [neurons, inputs], scale: positive, scalar or [neurons], detached).
    """
    scale, zero, bits = linear.quantizer_parameters()
    quantizer, unit = cast(Any, linear.weight_quant).tensor_quant.int_quant, scale.detach()
    if scale.requires_grad:
        # Brevitas' real weights know the scale's gradient; the integers are theirs over the scale.
        real = quantizer(scale, zero, bits, linear.weight)
        return cast(Tensor, _WholeUnits.apply(real, unit)), unit.squeeze()
    # What quantizer.to_int does, in a third of its time.
    largest = float((1 << (linear.weight_bits - 1)) - 1)
    return cast(Tensor, _ToIntegers.apply(linear.weight, unit, largest)), unit.squeeze()


class _ToIntegers(torch.autograd.Function):
    """Brevitas' integers of a narrow range and a constant scale, straight through."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, unit: Tensor, largest: float) -> Tensor:
        ctx.save_for_backward(unit)
        return torch.div(weight, unit).round_().clamp_(-largest, largest)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None, None]:
        (unit,) = ctx.saved_tensors
        return grad_outputs[0] / unit, None, None


class _WholeUnits(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, unit: Tensor) -> Tensor:
        ctx.save_for_backward(unit)
        return torch.div(value, unit).round_()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        (unit,) = ctx.saved_tensors
        return grad_outputs[0] / unit, None


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, _real: Tensor, exact: Tensor) -> Tensor:
        return exact.detach().clone()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        return grad_outputs[0], None


def straight_through(real: Tensor, exact: Tensor) -> Tensor:
    """The value of `exact`, bit for bit, with the gradient of `real`.

    (real + (exact - real).detach() would not do: its float sum may miss the integer.)
    """
    return cast(Tensor, _StraightThrough.apply(real, exact))
