"""Products of integers held in floats: where they are exact, and with which kernels.

A sum of integers is exact in float32, in any order, while it stays below 2^24. That holds for
sums alone: Winograd's and Fourier's convolutions compute with other numbers in between, and TF32
drops bits of each factor. Such kernels are switched off, and what a convolution gives is rounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

__all__ = ["EXACT", "exact_kernels", "rounded"]

EXACT = 1 << 24
"""Integers of smaller magnitude are exact in float32."""


@contextmanager
def exact_kernels() -> Iterator[None]:
    """Let torch take products only that are plain sums of products, on any device."""
    cudnn, cuda = torch.backends.cudnn, torch.backends.cuda.matmul
    before = cuda.allow_tf32
    cuda.allow_tf32 = False
    try:
        # cuDNN chooses Winograd's kernels by itself; torch's own convolution is a matrix product.
        with cudnn.flags(enabled=False), torch.backends.nnpack.flags(enabled=False):
            yield
    finally:
        cuda.allow_tf32 = before


def rounded(sums: Tensor) -> Tensor:
    """The integers nearest to `sums`, in their place, with their gradient."""
    with torch.no_grad():
        return sums.round_()
