"""What a packing costs, exactly, and how far it is from the entropy of the synapses."""

import msgspec
import numpy as np

from spikeloom.image import Layer
from spikeloom.packing.words import SynapseWords


class PackingCost(msgspec.Struct, frozen=True, kw_only=True):
    """Bits and words of a packed layer.

    Attributes:
        name: the layer.
        lanes: slots a word.
        index_form: "absolute" or "gap".
        index_bits, weight_bits: widths in a slot.
        words: words stored; each takes the core one cycle.
        word_bits: width of a word.
        pointer_bits: width of a row's pointer.
        bits: all that is stored: slots, padding, escapes and pointers.
        entropy_bits: the bound of :func:`entropy_bound`.
        fill: synapses as a fraction of the slots stored.
    """

    name: str
    lanes: int
    index_form: str
    index_bits: int
    weight_bits: int
    words: int
    word_bits: int
    pointer_bits: int
    bits: int
    entropy_bits: float
    fill: float


def packing_cost(layer: Layer, words: SynapseWords) -> PackingCost:
    """The cost of ``words``, which hold ``layer``."""
    return PackingCost(
        name=layer.name,
        lanes=words.lanes,
        index_form=words.index_form,
        index_bits=words.index_bits,
        weight_bits=words.weight_bits,
        words=words.words,
        word_bits=words.word_bits,
        pointer_bits=words.pointer_bits,
        bits=words.bits,
        entropy_bits=entropy_bound(layer),
        fill=layer.synapses / max(1, words.words * words.lanes),
    )


def entropy_bound(layer: Layer) -> float:
    """``nnz·(H(d)/d + H(w))`` bits: where the synapses are, and what their weights are.

    ``H(d)`` is the entropy of a synapse's presence at density ``d``, ``H(w)`` that of the weights
    as they are distributed in the layer. No code that knows only these can be shorter on average.
    """
    if layer.synapses == 0:
        return 0.0
    presence = _entropy(np.array([layer.density, 1.0 - layer.density]))
    _, counts = np.unique(layer.weight, return_counts=True)
    return layer.synapses * (presence / layer.density + _entropy(counts / layer.synapses))


def _entropy(probabilities: np.ndarray) -> float:
    positive = probabilities[probabilities > 0]
    return float(-(positive * np.log2(positive)).sum())
