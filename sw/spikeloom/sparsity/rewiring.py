"""One rewiring: prune the smallest magnitudes, regrow where the score is largest."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["forget_state", "prune_and_regrow", "regrown_counts"]


def regrown_counts(pruned: Tensor, rho: float) -> Tensor:
    """Share round(rho * sum(pruned)) regrown synapses over scopes, int64 like `pruned`.

    Rho = regrown / pruned, so that density <- density (1 - c (1 - rho)), exact to one synapse of
    the layer: what rounding down leaves goes to the scopes with the largest remainders.
    """
    exact = pruned.double() * rho
    counts = exact.floor().long()
    missing = round(float(pruned.sum()) * rho) - int(counts.sum())
    order = (counts - exact).argsort(stable=True)
    counts[order[:missing]] += 1
    return counts


def prune_and_regrow(
    weight: Tensor, mask: Tensor, score: Tensor, *, prune: Tensor, regrow: Tensor
) -> Tensor:
    """The mask after one rewiring.

    In each scope the `prune` active weights of smallest magnitude go, and the `regrow` places of
    largest score come, among those that were inactive before: what was just pruned stays out.
    Ties go to the lower place. Where fewer places are free than asked for, all of them come.

    Args:
        weight: [neurons, fan-in].
        mask: bool, active places, of the same shape.
        score: rank of absent places, larger is better, same shape.
        prune: int64 [1] (scope: the layer) or [neurons] (scope: each row).
        regrow: int64, the shape of `prune`.

    Returns:
        The new mask; `mask` is left alone.

    Raises:
        ValueError: `prune` has another length, or asks for more than is active.
    """
    if len(prune) not in (1, len(mask)):
        raise ValueError(f"prune must have length 1 or {len(mask)}, not {len(prune)!r}")
    rows = (len(prune), -1)
    active = mask.reshape(rows)
    if bool((prune > active.sum(dim=1)).any()):
        raise ValueError(f"prune is {prune.tolist()!r}: more than the active weights of a scope")
    magnitude = torch.where(active, weight.detach().abs().reshape(rows), torch.inf)
    wanted = torch.where(active, -torch.inf, score.reshape(rows))
    regrow = torch.minimum(regrow, (~active).sum(dim=1))
    gone = _lowest(magnitude, prune)
    come = _lowest(-wanted, regrow)
    return ((active & ~gone) | come).reshape(mask.shape)


def forget_state(
    optimizer: torch.optim.Optimizer, parameter: torch.nn.Parameter, places: Tensor
) -> None:
    """Zero the optimiser's memory (moments, momentum) of a parameter at bool `places`.

    Without it a pruned weight's momentum would move the weight again once it is regrown.
    """
    for value in optimizer.state.get(parameter, {}).values():
        if isinstance(value, Tensor) and value.shape == parameter.shape:
            value[places] = 0


def _lowest(values: Tensor, count: Tensor) -> Tensor:
    """Bool mask of the `count[i]` lowest values of each row."""
    order = values.argsort(dim=1, stable=True)
    rank = torch.empty_like(order)
    rank.scatter_(1, order, torch.arange(values.shape[1], device=values.device).expand_as(order))
    return rank < count[:, None]
