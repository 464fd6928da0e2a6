"""Sparse structure learning: masks, the PQ index, and rewiring.

A method is a combination of parts: a topology to start from, a ratio (how many to prune), a score
(which: the smallest magnitudes), a regrowth (where new ones come) and a schedule (when).
"""

from spikeloom.sparsity.pq_index import PQParameters, pq_index, retained_bound, rewiring_count
from spikeloom.sparsity.regrowth import GradientTrace
from spikeloom.sparsity.rewirer import Rewirer, Rewiring, SparseLayer, initialise_masks
from spikeloom.sparsity.rewiring import forget_state, prune_and_regrow, regrown_counts
from spikeloom.sparsity.schedule import Schedule
from spikeloom.sparsity.topology import layer_counts, random_mask

__all__ = [
    "GradientTrace",
    "PQParameters",
    "Rewirer",
    "Rewiring",
    "Schedule",
    "SparseLayer",
    "forget_state",
    "initialise_masks",
    "layer_counts",
    "pq_index",
    "prune_and_regrow",
    "random_mask",
    "regrown_counts",
    "retained_bound",
    "rewiring_count",
]
