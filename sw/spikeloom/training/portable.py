"""The same last bits on every x86-64 processor that has AVX2.

torch and MKL choose their kernels by the processor. Each kernel adds in an order of its own, so
that a gradient's last bits differ between processors, and after some epochs the weights do. With
the kernels named here a training repeats bit for bit on another machine; a step takes up to half
as long again.
"""

from __future__ import annotations

import hashlib
import os

import numpy as np
import torch

__all__ = ["choose_portable_kernels", "sums_are_portable"]

KERNELS = {"ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "COMPATIBLE", "ONEDNN_MAX_CPU_ISA": "AVX2"}
PROBE = "c471147f09a1dfea2d0b7e3e1f4a5faba0bce912cf6522e1614eeaceb1fa0434"
"""sha256 of what `_probe` computes with these kernels (torch 2.13.0)."""


def choose_portable_kernels() -> None:
    """Ask for the kernels; torch and MKL read it once, when they first compute in a process."""
    os.environ.update(KERNELS)


def sums_are_portable() -> bool:
    """Whether sums here have the bits that they have wherever the kernels are the portable ones.

    They have not where torch had computed before it was asked, on another kind of processor, or
    with another version of torch.
    """
    return hashlib.sha256(_probe()).hexdigest() == PROBE


def _probe() -> bytes:
    """A product (MKL's) and logarithms of shares (torch's): both differ from kernel to kernel."""
    random = np.random.default_rng(0)
    left, right = (torch.from_numpy(random.random((256, 256), np.float32)) for _ in range(2))
    shares = torch.log_softmax(left, dim=1)
    return (left @ right).numpy().tobytes() + shares.numpy().tobytes()
