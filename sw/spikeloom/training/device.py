"""Where torch computes, and that it does so repeatably."""

from __future__ import annotations

import os

import torch
from torch.utils import deterministic

from spikeloom.config import TrainingConfig
from spikeloom.errors import UserError
from spikeloom.training.portable import choose_portable_kernels

__all__ = ["choose_device", "make_deterministic"]


def choose_device(name: str) -> torch.device:
    """The device that a configuration names; "auto" takes a GPU when there is one.

    Raises:
        UserError: "cuda" was asked for, and there is none.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError(
            "table [training]: device is 'cuda', but torch sees no GPU here; use 'auto' or 'cpu'"
        )
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def make_deterministic(training: TrainingConfig) -> None:
    """Seed torch, set its threads, and let it take repeatable algorithms only."""
    if training.portable:
        choose_portable_kernels()
    # Without it cuBLAS may choose other kernels from call to call, and torch refuses to run.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    # It would fill each new tensor before it is written; nothing here reads one unwritten.
    deterministic.fill_uninitialized_memory = False  # pyright: ignore[reportAttributeAccessIssue]
    torch.manual_seed(training.seed)
    if training.threads:
        torch.set_num_threads(training.threads)
