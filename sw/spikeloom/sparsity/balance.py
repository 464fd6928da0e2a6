"""Bank balance: each presynaptic row spreads its synapses evenly over the membrane banks.

Neuron n lives in bank n mod L, and a word holds one synapse for each bank, so a row takes as many
words as its fullest bank has synapses. A row of k synapses is balanced when that is ceil(k / L):
no bank holds a word open that the others could have closed. Where k is a multiple of L its words
are full: no slot is without a synapse (`best_words`).
"""

from __future__ import annotations

import torch
from torch import Tensor

from spikeloom.sparsity.rewiring import ranks

__all__ = ["best_words", "rebalance", "swap_slots", "words_of_rows"]


def words_of_rows(synapses: Tensor, banks: int) -> Tensor:
    """Words that each presynaptic row takes: int64 [fan-in] for a bool [neurons, fan-in]."""
    return _by_bank(synapses.T.long(), banks, 0).sum(dim=1).amax(dim=1)


def best_words(
    score: Tensor, *, candidates: Tensor, count: int, banks: int, blocks: int = 1
) -> Tensor:
    """The best full words of a layer.

    The unit is a word: the j-th of a row has the j-th best candidate of each bank, and is worth
    the sum of their scores. A word that some bank has no candidate for does not exist.

    With interleaved blocks, a row's words take their places from block 0, 1, ... and 0 again, and
    there is no word without those before it: of two words in turn, the later counts no more than
    the earlier.

    Args:
        score: rank of the candidates, larger is better, [neurons, fan-in].
        candidates: bool, places that may be chosen, same shape.
        count: places to choose; what is left of it after the last whole word stays unused.
        banks: L, at least 1.
        blocks: B; the neuron at address a of its bank lies in block a mod B.

    Returns:
        Bool, same shape: floor(count / L) words, or all there are; every row has equally many
        places in each bank of a block.
    """
    slots = torch.where(candidates, score.double(), -torch.inf).T
    slots = _by_bank(slots, banks * blocks, -torch.inf)
    sorted_slots = slots.sort(dim=1, descending=True, stable=True)
    rows, levels, _ = slots.shape
    # [words, rows], so that of equal words the one nearer the beginning of its row comes first.
    worth = sorted_slots.values.reshape(rows, levels * blocks, banks).sum(dim=2).T
    if blocks > 1:
        worth = worth.cummin(dim=0).values
    worth = worth.contiguous()
    words = _best(worth, worth > -torch.inf, count // banks).T
    places = words.reshape(rows, levels, blocks).repeat_interleave(banks, dim=2)
    chosen = torch.zeros_like(slots, dtype=torch.bool)
    chosen.scatter_(1, sorted_slots.indices, places)
    return chosen.reshape(rows, -1)[:, : len(score)].T.contiguous()


def swap_slots(
    mask: Tensor, *, worth: Tensor, wish: Tensor, candidates: Tensor, count: int, banks: int
) -> Tensor:
    """The mask after its worst places were exchanged for better ones of the same row and bank.

    So words stay as full as they were. Where a bank has no candidate left, nothing goes.

    Args:
        mask: bool [neurons, fan-in], active places.
        worth: of the active places, the smallest go first, same shape.
        wish: rank of the candidates, larger is better, same shape.
        candidates: bool, places that may come, none of them active.
        count: places that are to go.
        banks: L, at least 1.
    """
    going = _by_bank(_best(-worth, mask, count).T, banks, False)
    free = _by_bank(candidates.T, banks, False)
    exchanged = torch.minimum(going.sum(dim=1), free.sum(dim=1))[:, None]
    cost = torch.where(going, _by_bank(worth.T, banks, 0), torch.inf)
    gain = torch.where(free, _by_bank(wish.T, banks, 0), -torch.inf)
    gone = going & (ranks(cost, dim=1) < exchanged)
    come = free & (ranks(-gain, dim=1) < exchanged)
    new = (_by_bank(mask.T, banks, False) & ~gone) | come
    return new.reshape(len(new), -1)[:, : len(mask)].T.contiguous()


def rebalance(
    wanted: Tensor, *, score: Tensor, candidates: Tensor, base: Tensor, banks: int
) -> Tensor:
    """The choice nearest to `wanted` with which every row is balanced.

    Rows keep as many places as were wanted of them, if their banks allow; what a full bank turns
    away goes to the best places of words that are open anyway, then to new words.

    Args:
        wanted: bool [neurons, fan-in], a choice among `candidates` without regard to banks.
        score: rank of the candidates, larger is better, same shape.
        candidates: bool, places that may be chosen.
        base: bool, places that are taken already, balanced, none of them a candidate.
        banks: L, at least 1.

    Returns:
        Bool, as many as wanted; fewer only where no balanced choice has more candidates.
    """
    wanted, score, candidates, base = (x.T for x in (wanted, score, candidates, base))
    goal = int(wanted.sum())
    chosen = torch.zeros_like(wanted)
    while (missing := goal - int(chosen.sum())) > 0:
        rest = candidates & ~chosen
        added = _fill(wanted & rest, score, rest, base | chosen, banks, missing)
        if not bool(added.any()):
            break
        chosen = chosen | added
        # In the next round the rows of the best that are left ask for one place more each.
        wanted = _best(score, rest & ~added, goal - int(chosen.sum()))
    return chosen.T.contiguous()


def _fill(
    wanted: Tensor, score: Tensor, candidates: Tensor, base: Tensor, banks: int, count: int
) -> Tensor:
    """Up to `count` candidates that fit the words their rows get; all are [rows, neurons]."""
    rank = _rank(wanted, score, candidates)
    level = _levels(rank, candidates, base, banks)
    taken, fullest = base.sum(dim=1), _by_bank(base.long(), banks, 0).sum(dim=1).amax(dim=1)
    quota = wanted.sum(dim=1)
    while True:
        words = torch.maximum((taken + quota + banks - 1) // banks, fullest)
        fits = candidates & (level < words[:, None])
        possible = torch.minimum(quota, fits.sum(dim=1))
        if torch.equal(possible, quota):
            break
        quota = possible
    in_row = ranks(torch.where(fits, rank, rank.numel()), dim=1)
    chosen = fits & (in_row < quota[:, None])
    return chosen | _best(-rank, fits & ~chosen, count - int(chosen.sum()))


def _rank(wanted: Tensor, score: Tensor, candidates: Tensor) -> Tensor:
    """Places from best to worst, int64: the wanted, the other candidates, the rest."""
    flat = score.reshape(-1).argsort(descending=True, stable=True)
    kind = (2 - candidates.long() - (candidates & wanted).long()).reshape(-1)
    order = flat[kind[flat].argsort(stable=True)]
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order), device=order.device)
    return rank.reshape(score.shape)


def _levels(rank: Tensor, candidates: Tensor, base: Tensor, banks: int) -> Tensor:
    """The word of its row that each candidate would be in, if its betters in the bank came too."""
    last = rank.numel()
    in_bank = ranks(_by_bank(torch.where(candidates, rank, last), banks, last), dim=1)
    below = _by_bank(base.long(), banks, 0).sum(dim=1, keepdim=True)
    return (in_bank + below).reshape(len(rank), -1)[:, : rank.shape[1]]


def _by_bank(rows: Tensor, banks: int, padding: float) -> Tensor:
    """[rows, neurons] as [rows, addresses, banks]: neuron n at address n div L of bank n mod L."""
    missing = -rows.shape[1] % banks
    padded = torch.nn.functional.pad(rows, (0, missing), value=padding)
    return padded.reshape(len(rows), -1, banks)


def _best(score: Tensor, candidates: Tensor, count: int) -> Tensor:
    """The `count` candidates of largest score."""
    places = candidates.reshape(-1).nonzero().squeeze(1)
    order = score.reshape(-1)[places].argsort(descending=True, stable=True)
    best = torch.zeros_like(candidates).reshape(-1)
    best[places[order[:count]]] = True
    return best.reshape(candidates.shape)
