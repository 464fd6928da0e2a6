"""From a layer's rows to memory words, and back.

The index form is chosen by exact cost. A gap of ``g`` bits reaches ``2**g`` addresses ahead; a
longer way takes escapes, slots of weight 0 that move on by ``2**g``. Fewer index bits make
narrower words but more of them, so every width is counted and the cheapest kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spikeloom.image import Layer
from spikeloom.packing.words import IndexForm, SynapseWords, unsigned_bits


@dataclass(frozen=True, kw_only=True)
class _Slots:
    """Synapses sorted by (row, lane, address), with the position each takes in its lane's run."""

    row: npt.NDArray[np.int64]
    lane: npt.NDArray[np.int64]
    index: npt.NDArray[np.int64]
    weight: npt.NDArray[np.int64]
    position: npt.NDArray[np.int64]
    escapes: npt.NDArray[np.int64]


def pack(
    layer: Layer,
    lanes: int,
    *,
    index_form: IndexForm | None = None,
    index_bits: int | None = None,
) -> SynapseWords:
    """Packs ``layer`` into words of ``lanes`` slots.

    Args:
        layer: the synapses, by presynaptic row.
        lanes: slots a word, at least 1.
        index_form: "absolute" or "gap"; by default whichever stores fewer bits.
        index_bits: width of a gap, at least 1; by default the one that stores the fewest bits.

    Raises:
        ValueError: ``lanes`` or ``index_bits`` is below 1, or ``index_bits`` is given without
            ``index_form="gap"``.
    """
    if lanes < 1:
        raise ValueError(f"lanes must be at least 1, not {lanes!r}")
    if index_bits is not None and (index_bits < 1 or index_form != "gap"):
        raise ValueError(f"index_bits is {index_bits!r}: it takes index_form='gap' and 1 or more")
    candidates = (
        _lay_out(layer, lanes, form, bits)
        for form, bits in _forms(layer, lanes)
        if index_form in (None, form) and index_bits in (None, bits)
    )
    if index_bits is not None:
        candidates = iter([_lay_out(layer, lanes, "gap", index_bits)])
    return min(candidates, key=lambda words: (words.bits, words.words))


def unpack(words: SynapseWords) -> npt.NDArray[np.int64]:
    """The dense weights, int64 ``[inputs, neurons]``, that ``words`` stand for."""
    row = np.repeat(np.arange(words.inputs), words.count)
    if words.index_form == "gap":
        steps = np.cumsum(words.index + 1, axis=0)
        before = np.vstack([np.zeros((1, words.lanes), dtype=np.int64), steps])
        address = steps - np.repeat(before[words.base], words.count, axis=0) - 1
    else:
        address = words.index
    used = words.weight != 0
    neuron = address * words.lanes + np.arange(words.lanes)
    dense = np.zeros((words.inputs, words.neurons), dtype=np.int64)
    rows = np.broadcast_to(row[:, None], used.shape)
    dense[rows[used], neuron[used]] = words.weight[used]
    return dense


def _forms(layer: Layer, lanes: int) -> Iterator[tuple[IndexForm, int]]:
    absolute_bits = unsigned_bits(-(-layer.neurons // lanes) - 1)
    yield "absolute", absolute_bits
    for bits in range(1, absolute_bits):
        yield "gap", bits


def _slots(layer: Layer, lanes: int, form: IndexForm, bits: int) -> _Slots:
    lane, address = layer.target % lanes, (layer.target // lanes).astype(np.int64)
    order = np.lexsort((address, lane, layer.row))
    row, lane, address = layer.row[order], lane[order].astype(np.int64), address[order]
    run = row * lanes + lane
    first = np.ones(len(run), dtype=bool)
    first[1:] = run[1:] != run[:-1]
    if form == "absolute":
        index, escapes = address, np.zeros_like(address)
    else:
        before = np.where(first, -1, np.roll(address, 1))
        escapes, index = np.divmod(address - before - 1, 1 << bits)
    taken = np.cumsum(1 + escapes)
    start = np.maximum.accumulate(np.where(first, taken - 1 - escapes, 0))
    return _Slots(
        row=row,
        lane=lane,
        index=index,
        weight=layer.weight[order].astype(np.int64),
        position=taken - 1 - start,
        escapes=escapes,
    )


def _lay_out(layer: Layer, lanes: int, form: IndexForm, bits: int) -> SynapseWords:
    slots = _slots(layer, lanes, form, bits)
    count = np.zeros(layer.inputs, dtype=np.int64)
    np.maximum.at(count, slots.row, slots.position + 1)
    # An empty row points at the first word: its base is never read, and stays narrow.
    base = np.where(count > 0, np.cumsum(count) - count, 0)
    index = np.zeros((int(count.sum()), lanes), dtype=np.int64)
    weight = np.zeros_like(index)
    word = base[slots.row] + slots.position
    index[word, slots.lane] = slots.index
    weight[word, slots.lane] = slots.weight
    escape_word = np.repeat(word, slots.escapes) - _count_down(slots.escapes)
    index[escape_word, np.repeat(slots.lane, slots.escapes)] = (1 << bits) - 1
    return SynapseWords(
        name=layer.name,
        lanes=lanes,
        inputs=layer.inputs,
        neurons=layer.neurons,
        index_form=form,
        index_bits=bits,
        weight_bits=layer.weight_bits,
        base=base,
        count=count,
        index=index,
        weight=weight,
    )


def _count_down(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """``n, n-1, … 1`` for each ``n`` of ``counts``, one after another."""
    ends = np.repeat(np.cumsum(counts), counts)
    return ends - np.arange(len(ends))
