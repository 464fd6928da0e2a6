"""The PQ index: how unequal the magnitudes of weights are, and how many of them can go.

Diao et al., "Pruning Deep Neural Networks from a Sparsity Perspective" (SAP), ICLR 2023,
arXiv 2302.05601; its use for spiking networks: Shen, Xu, Pan, Chen, "Improving the Sparse
Structure Learning of Spiking Neural Networks from the View of Compression Efficiency", ICLR 2025,
arXiv 2502.13572. Over the d active weights of a scope, for 0 < p < q, with the power mean
M_s = (mean |w|^s)^(1/s):

    I = 1 - M_p / M_q                               0 (all equal) ... 1 - d^(1/q - 1/p) (one-hot)
    r >= d (1 + eta)^(-q/(q-p)) (1 - I)^(pq/(q-p))  weights to retain
    c = floor(d min(gamma (1 - r/d), beta))         weights to rewire

The power-mean form equals SAP's 1 - d^(1/q - 1/p) |w|_p / |w|_q and stays finite for any d.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["PQParameters", "pq_index", "retained_bound", "rewiring_count"]


@dataclass(frozen=True, kw_only=True)
class PQParameters:
    """Parameters of the index and of the bound, named as in the papers.

    Attributes:
        p, q: orders of the two means, 0 < p < q.
        eta: tolerated loss in the bound, >= 0.
        gamma: scales the fraction that the bound lets go, > 0.
        beta: largest fraction let go, 0 < beta < 1.
    """

    p: float = 0.5
    q: float = 1.0
    eta: float = 0.001
    gamma: float = 1.0
    beta: float = 0.9

    def __post_init__(self) -> None:
        if not 0 < self.p < self.q:
            raise ValueError(f"p and q must be 0 < p < q, not p={self.p!r}, q={self.q!r}")
        if self.eta < 0:
            raise ValueError(f"eta must be at least 0, not {self.eta!r}")
        if self.gamma <= 0:
            raise ValueError(f"gamma must be positive, not {self.gamma!r}")
        if not 0 < self.beta < 1:
            raise ValueError(f"beta must lie between 0 and 1, not {self.beta!r}")


def pq_index(rows: Tensor, active: Tensor, *, p: float, q: float) -> Tensor:
    """PQ index of each row over its active weights.

    Args:
        rows: weights [scopes, n]; a layer is one row, its neurons are its rows.
        active: bool [scopes, n]; the others are not counted, not even as zeros.
        p: order of the mean above, 0 < p < q.
        q: order of the mean below.

    Returns:
        float64 [scopes], 0 ... 1; 0 where nothing is active or every active weight is 0.
    """
    magnitude = torch.where(active, rows.detach().abs().double(), 0.0)
    largest = magnitude.amax(dim=1, keepdim=True)
    # I does not change with scale; dividing by the largest keeps the powers in range.
    relative = magnitude / torch.where(largest > 0, largest, 1.0)
    count = active.sum(dim=1).clamp(min=1)
    mean_p = (_power(relative, active, p).sum(dim=1) / count) ** (1 / p)
    mean_q = (_power(relative, active, q).sum(dim=1) / count) ** (1 / q)
    index = 1 - mean_p / torch.where(mean_q > 0, mean_q, 1.0)
    # Equal magnitudes are exactly 0; rounding may leave the difference of two means just below.
    return torch.where(largest.squeeze(1) > 0, index, 0.0).clamp(min=0)


def _power(relative: Tensor, active: Tensor, s: float) -> Tensor:
    return torch.where(active, relative**s, 0.0)


def retained_bound(count: Tensor, index: Tensor, *, p: float, q: float, eta: float) -> Tensor:
    """Lower bound r on the weights to retain, float64, of the shape of `count` and `index`."""
    return count.double() * (1 + eta) ** (-q / (q - p)) * (1 - index) ** (p * q / (q - p))


def rewiring_count(count: Tensor, index: Tensor, parameters: PQParameters) -> Tensor:
    """How many of `count` active weights (int64 [scopes]) to rewire: int64 [scopes]."""
    bound = retained_bound(
        count, index, p=parameters.p, q=parameters.q, eta=parameters.eta
    ) / count.clamp(min=1)
    fraction = (parameters.gamma * (1 - bound)).clamp(min=0, max=parameters.beta)
    return torch.floor(count * fraction).long()
