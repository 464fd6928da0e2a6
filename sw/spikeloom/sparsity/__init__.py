"""Sparse structure learning: masks, the PQ index, and rewiring.

A method is a combination of parts: a topology to start from, a ratio (how many to prune), a score
(which: the smallest of it), a regrowth (where new ones come) and a schedule (when, and how far).
Bank balance is a constraint on any of them.
"""

from spikeloom.sparsity.balance import best_words, rebalance, swap_slots, words_of_rows
from spikeloom.sparsity.initial import InitialValues, initialise_masks
from spikeloom.sparsity.layer import Layers, SparseLayer
from spikeloom.sparsity.nonzero import keep_nonzero
from spikeloom.sparsity.pq_index import PQParameters, pq_index, retained_bound, rewiring_count
from spikeloom.sparsity.regrowth import GradientTrace
from spikeloom.sparsity.rewirer import Rewirer, Rewiring
from spikeloom.sparsity.rewiring import (
    capped_counts,
    forget_state,
    prune_and_regrow,
    regrown_counts,
)
from spikeloom.sparsity.schedule import Schedule
from spikeloom.sparsity.score import InputRates
from spikeloom.sparsity.size import PackedSize
from spikeloom.sparsity.topology import layer_counts, random_mask
from spikeloom.sparsity.turning import TurningPoint

__all__ = [
    "GradientTrace",
    "InitialValues",
    "InputRates",
    "Layers",
    "PQParameters",
    "PackedSize",
    "Rewirer",
    "Rewiring",
    "Schedule",
    "SparseLayer",
    "TurningPoint",
    "best_words",
    "capped_counts",
    "forget_state",
    "initialise_masks",
    "keep_nonzero",
    "layer_counts",
    "pq_index",
    "prune_and_regrow",
    "random_mask",
    "rebalance",
    "regrown_counts",
    "retained_bound",
    "rewiring_count",
    "swap_slots",
    "words_of_rows",
]
