"""What ranks absent synapses for regrowth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor

__all__ = ["GradientTrace", "Regrow"]

Regrow = Literal["momentum", "gradient", "random", "none"]


class GradientTrace:
    """Follows the dense gradients of all layers and scores every place, active or not.

    "momentum" scores |m|, m <- decay * m + g over all batches (Dettmers and Zettlemoyer, "Sparse
    Networks from Scratch", arXiv 1907.04840); "gradient" scores the last batch's |g| (Evci et al.,
    RigL, ICML 2020); "random" is a seeded draw (Mocanu et al., SET, 2018);
    "none" tells no place from another.
    """

    def __init__(
        self, kind: Regrow, generator: torch.Generator, *, momentum_decay: float = 0.9
    ) -> None:
        self.kind: Regrow = kind
        self._generator = generator
        self._decay = momentum_decay if kind == "momentum" else 0.0
        self._trace: list[Tensor] = []

    def state_dict(self) -> dict[str, Any]:
        """The trace of each layer; the generator is its owner's to keep."""
        return {"trace": list(self._trace)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        self._trace = list(state["trace"])

    def observe(self, gradients: Sequence[Tensor]) -> None:
        """Take a batch's dense gradients, before any mask is applied to them."""
        if self.kind in ("random", "none"):
            return
        if not self._trace:
            self._trace = [gradient.detach().clone() for gradient in gradients]
            return
        for trace, gradient in zip(self._trace, gradients, strict=True):
            trace.mul_(self._decay).add_(gradient.detach())

    def scores(self, like: Sequence[Tensor]) -> list[Tensor]:
        """A score for each place of tensors shaped like `like`, larger is better.

        Raises:
            RuntimeError: no gradient was observed.
        """
        if self.kind == "random":
            return [
                torch.rand(tensor.shape, generator=self._generator).to(tensor.device)
                for tensor in like
            ]
        if self.kind == "none":
            return [torch.zeros_like(tensor) for tensor in like]
        if not self._trace:
            raise RuntimeError("regrowth needs gradients: observe at least one batch first")
        return [trace.abs() for trace in self._trace]
