"""The compressed-sparse form: rows of synapses as memory words of one slot a lane."""

from spikeloom.packing.cost import PackingCost, entropy_bound, packing_cost
from spikeloom.packing.lanes import LANES, mean_words, propose_lanes, resolve_lanes
from spikeloom.packing.pack import pack, pack_network, unpack
from spikeloom.packing.words import IndexForm, SynapseWords

__all__ = [
    "LANES",
    "IndexForm",
    "PackingCost",
    "SynapseWords",
    "entropy_bound",
    "mean_words",
    "pack",
    "pack_network",
    "packing_cost",
    "propose_lanes",
    "resolve_lanes",
    "unpack",
]
