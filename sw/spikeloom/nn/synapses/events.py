"""Sums over events: what the neurons of a layer receive in each step.

A spike is 0 or 1, so a product of events and weights is a sum of rows of the weight matrix, one
row an event, as on the chip. With few events that is far less work than a dense product, in both
directions: a latency code of 784 pixels has about 120 events in all its steps together.

    a[r, :]  = sum of w[i, :] over the events (r, i) of row r         (r: a step of a sample)
    dw[i, :] = sum of da[r, :] over the events (r, i) of input i

Both are bag sums of torch (`embedding_bag`), whose order of terms is the order of the events: a
sum of integers below 2^24 is the same in any order, and so the forward pass is bit for bit that of
the dense product; the weights' gradients agree with it up to the rounding of float32 sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import embedding_bag, linear

__all__ = ["EventList", "synaptic_sums"]

FEWEST_NEURONS = 64
"""A dense product with fewer columns costs no more than finding the events."""

LARGEST_SHARE = 0.25
"""Above this share of events a dense product may be the faster one."""


@dataclass(frozen=True, kw_only=True)
class EventList:
    """The events of a matrix [rows, inputs], listed row by row and input by input.

    Attributes:
        address: int64 [events], inputs of the events, row after row.
        row_start: int64 [rows], where each row begins in `address`.
        row: int64 [events], rows of the events, input after input.
        address_start: int64 [inputs], where each input begins in `row`.
    """

    address: Tensor
    row_start: Tensor
    row: Tensor
    address_start: Tensor

    @classmethod
    def of(cls, matrix: Tensor) -> EventList:
        """The places of a matrix (any type [rows, inputs], on the CPU) that are not 0."""
        rows, inputs = matrix.shape
        place = np.flatnonzero(matrix.numpy())
        row, address = np.divmod(place, inputs)
        # Of integers of 16 bits numpy's stable sort is a radix sort.
        narrow = address.astype(np.uint16) if inputs <= 1 << 16 else address
        order = np.argsort(narrow, kind="stable")
        return cls(
            address=torch.from_numpy(address),
            row_start=torch.from_numpy(_starts(row, rows)),
            row=torch.from_numpy(row[order]),
            address_start=torch.from_numpy(_starts(address, inputs)),
        )


def synaptic_sums(events: Tensor, weight: Tensor) -> Tensor:
    """The product of events and weights, from a list of events where that is less work.

    Args:
        events: 0 or 1, bool or float [T, B, inputs]; receives gradients when it asks for them.
        weight: float [neurons, inputs]; receives dense gradients.

    Returns:
        [T, B, neurons], of the weights' type.
    """
    if events.device.type == "cpu" and not events.requires_grad and len(weight) >= FEWEST_NEURONS:
        matrix = events.reshape(-1, events.shape[-1])
        if np.count_nonzero(matrix.numpy()) <= LARGEST_SHARE * matrix.numel():
            sums = cast(Tensor, _BagSums.apply(weight, EventList.of(matrix)))
            return sums.view(*events.shape[:-1], -1)
    return linear(events.to(weight.dtype), weight)


class _BagSums(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: Tensor, events: EventList) -> Tensor:
        ctx.events = events
        rows = weight.t().contiguous()
        return embedding_bag(events.address, rows, events.row_start, mode="sum")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        events = cast(EventList, ctx.events)
        grad = grad_outputs[0].contiguous()
        sums = embedding_bag(events.row, grad, events.address_start, mode="sum")
        return sums.t().contiguous(), None


def _starts(sorted_or_not: np.ndarray, length: int) -> np.ndarray:
    counts = np.bincount(sorted_or_not, minlength=length)
    return np.cumsum(counts) - counts
