"""One rewiring: prune the smallest magnitudes, regrow where the score is largest."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = [
    "capped_counts",
    "exchange_counts",
    "fitted_counts",
    "forget_state",
    "prune_and_regrow",
    "ranks",
    "regrown_counts",
]


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


def fitted_counts(regrow: Tensor, room: Tensor) -> Tensor:
    """Counts to regrow that fit the free places of their scopes; what does not moves to others.

    The excess is shared in proportion to the room that is left, so that the layer's sum stays, or
    becomes all its room where that is less.
    """
    fitting = torch.minimum(regrow, room)
    excess, left = int((regrow - fitting).sum()), room - fitting
    if not excess or not int(left.sum()):
        return fitting
    return fitting + regrown_counts(left, min(1.0, excess / int(left.sum())))


def exchange_counts(prune: Tensor, rho: float, room: Tensor) -> tuple[Tensor, Tensor]:
    """What a layer prunes and regrows of the counts it was given, so that its density holds.

    A layer that is full, or nearly so, cannot regrow all; it prunes so many fewer then, and loses
    sum(prune) (1 - rho) as any other. All int64, of one shape.
    """
    wanted = regrown_counts(prune, rho)
    regrow = fitted_counts(wanted, room)
    lacking = int((wanted - regrow).sum())
    return capped_counts([prune], int(prune.sum()) - lacking)[0], regrow


def capped_counts(prune: list[Tensor], most: int) -> list[Tensor]:
    """The counts, scaled down in proportion where they sum to more than `most`: then to `most`."""
    total = sum(int(count.sum()) for count in prune)
    if total <= most:
        return prune
    scaled = regrown_counts(torch.cat(prune), most / total)
    return list(scaled.split([len(count) for count in prune]))


def prune_and_regrow(
    weight: Tensor, mask: Tensor, score: Tensor, *, prune: Tensor, regrow: Tensor
) -> Tensor:
    """The mask after one rewiring.

    In each scope the `prune` active places of smallest worth go, and the `regrow` places of
    largest score come, among those that were inactive before: what was just pruned stays out.
    Ties go to the lower place. Where fewer places are free than asked for, all of them come.

    Args:
        weight: [neurons, fan-in]; the worth of a place is its magnitude.
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
    return ranks(values, dim=1) < count[:, None]


def ranks(values: Tensor, *, dim: int) -> Tensor:
    """The place of each value among those along `dim`, from the lowest; ties in their order."""
    order = values.argsort(dim=dim, stable=True)
    rank = torch.empty_like(order)
    shape = [1] * values.dim()
    shape[dim] = -1
    places = torch.arange(values.shape[dim], device=values.device).reshape(shape)
    return rank.scatter_(dim, order, places.expand_as(order))
