"""From a layer's rows to memory words, and back.

Fewer index bits make narrower words but more of them. A gap of ``g`` bits reaches ``2**g``
addresses ahead; a longer way takes escapes, slots of weight 0 that move on by ``2**g``. Absolute
indices lose a bit with every doubling of the interleaved blocks, and a row that is not balanced
over ``lanes * blocks`` banks pads the words of its emptier blocks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from spikeloom.image import NetworkImage
from spikeloom.packing.rows import Rows
from spikeloom.packing.words import IndexForm, SynapseWords


@dataclass(frozen=True, kw_only=True)
class _Form:
    """How an index names its neuron, in how many bits."""

    form: IndexForm
    bits: int
    blocks: int = 1


@dataclass(frozen=True, kw_only=True)
class _Slots:
    """Synapses by row, lane and block, with the word of its row that each is in."""

    row: npt.NDArray[np.int64]
    lane: npt.NDArray[np.int64]
    index: npt.NDArray[np.int64]
    weight: npt.NDArray[np.int64]
    position: npt.NDArray[np.int64]
    escapes: npt.NDArray[np.int64]


POINTER_ROWS = (1, 2, 4, 8)


def pack(
    layer: Rows,
    lanes: int,
    *,
    index_form: IndexForm | None = None,
    index_bits: int | None = None,
    blocks: int | None = None,
    pointer_rows: int | None = None,
    granule: int | None = None,
) -> SynapseWords:
    """Packs ``layer`` into words of ``lanes`` slots.

    What is not given is chosen so that bits times words is least: a word is a cycle, so this weighs
    memory and time alike. Every form and width is laid out and counted.

    Args:
        layer: the synapses, by presynaptic row.
        lanes: slots a word, at least 1.
        index_form: "absolute" or "gap".
        index_bits: width of a gap, at least 1.
        blocks: interleaved blocks of absolute indices, a power of two.
        pointer_rows: rows of a pointer word, one of :data:`POINTER_ROWS`.
        granule: a power of two; rows are padded to multiples of it. By default none is padded.

    Raises:
        ValueError: an argument is out of range, or is given without the form that it belongs to.
    """
    if lanes < 1:
        raise ValueError(f"lanes must be at least 1, not {lanes!r}")
    if index_bits is not None and (index_bits < 1 or index_form != "gap"):
        raise ValueError(f"index_bits is {index_bits!r}: it takes index_form='gap' and 1 or more")
    if blocks is not None and (blocks.bit_count() != 1 or index_form != "absolute"):
        raise ValueError(f"blocks is {blocks!r}: it takes index_form='absolute' and a power of two")
    if pointer_rows not in (None, *POINTER_ROWS):
        raise ValueError(f"pointer_rows must be one of {POINTER_ROWS!r}, not {pointer_rows!r}")
    if granule is not None and granule.bit_count() != 1:
        raise ValueError(f"granule must be a power of two, not {granule!r}")
    if index_bits is not None:
        forms = iter([_Form(form="gap", bits=index_bits)])
    elif blocks is not None:
        forms = iter([_absolute(layer, lanes, blocks)])
    else:
        forms = (own for own in _forms(layer, lanes) if index_form in (None, own.form))
    candidates = (_lay_out(layer, lanes, form, pointer_rows, granule) for form in forms)
    return min(candidates, key=lambda words: (words.bits * words.words, words.words))


def pack_network(image: NetworkImage, lanes: Sequence[int]) -> tuple[SynapseWords, ...]:
    """Packs each layer of ``image`` for its own number of ``lanes``, in the best form."""
    return tuple(pack(layer, own) for layer, own in zip(image.layers, lanes, strict=True))


def unpack(words: SynapseWords) -> npt.NDArray[np.int64]:
    """The dense weights, int64 ``[inputs, neurons]``, that ``words`` stand for."""
    row = np.repeat(np.arange(words.inputs), words.count)
    used = words.weight != 0
    neuron = slot_addresses(words) * words.lanes + np.arange(words.lanes)
    dense = np.zeros((words.inputs, words.neurons), dtype=np.int64)
    rows = np.broadcast_to(row[:, None], used.shape)
    dense[rows[used], neuron[used]] = words.weight[used]
    return dense


def slot_addresses(words: SynapseWords) -> npt.NDArray[np.int64]:
    """The address in its bank that each slot names, int64 ``[words, lanes]``."""
    if words.index_form == "gap":
        steps = np.cumsum(words.index + 1, axis=0)
        before = np.vstack([np.zeros((1, words.lanes), dtype=np.int64), steps])
        return steps - np.repeat(before[words.base], words.count, axis=0) - 1
    position = np.arange(words.words) - np.repeat(words.base, words.count)
    return words.index * words.blocks + (position % words.blocks)[:, None]


def _forms(layer: Rows, lanes: int) -> Iterator[_Form]:
    blocks = 1
    while True:
        absolute = _absolute(layer, lanes, blocks)
        yield absolute
        if absolute.bits == 0:
            break
        blocks *= 2
    # A gap as wide as a plain index is no better than that; one of a bit there always is.
    for bits in range(1, max(2, _absolute(layer, lanes, 1).bits)):
        yield _Form(form="gap", bits=bits)


def _absolute(layer: Rows, lanes: int, blocks: int) -> _Form:
    groups = -(-layer.neurons // lanes)
    return _Form(form="absolute", bits=(-(-groups // blocks) - 1).bit_length(), blocks=blocks)


def _slots(layer: Rows, lanes: int, form: _Form) -> _Slots:
    target, row = layer.target.astype(np.int64), layer.row.astype(np.int64)
    lane, address = target % lanes, target // lanes
    block = address % form.blocks
    order = np.lexsort((address, block, lane, row))
    row, lane, address, block = row[order], lane[order], address[order], block[order]
    run = (row * lanes + lane) * form.blocks + block
    first = np.ones(len(run), dtype=bool)
    first[1:] = run[1:] != run[:-1]
    if form.form == "absolute":
        index, escapes = address // form.blocks, np.zeros_like(address)
    else:
        before = np.where(first, -1, np.roll(address, 1))
        escapes, index = np.divmod(address - before - 1, 1 << form.bits)
    taken = np.cumsum(1 + escapes)
    start = np.maximum.accumulate(np.where(first, taken - 1 - escapes, 0))
    return _Slots(
        row=row,
        lane=lane,
        index=index,
        weight=layer.weight[order].astype(np.int64),
        position=(taken - 1 - start) * form.blocks + block,
        escapes=escapes,
    )


def _lay_out(
    layer: Rows, lanes: int, form: _Form, pointer_rows: int | None, granule: int | None
) -> SynapseWords:
    slots = _slots(layer, lanes, form)
    count = np.zeros(layer.inputs, dtype=np.int64)
    np.maximum.at(count, slots.row, slots.position + 1)
    if granule is None:
        shared = int(np.bitwise_or.reduce(count, initial=0))
        granule = shared & -shared or 1
    count = -(-count // granule) * granule
    base = np.cumsum(count) - count
    index = np.zeros((int(count.sum()), lanes), dtype=np.int64)
    weight = np.zeros_like(index)
    word = base[slots.row] + slots.position
    index[word, slots.lane] = slots.index
    weight[word, slots.lane] = slots.weight
    escape_word = np.repeat(word, slots.escapes) - _count_down(slots.escapes)
    index[escape_word, np.repeat(slots.lane, slots.escapes)] = (1 << form.bits) - 1
    words = SynapseWords(
        name=layer.name,
        lanes=lanes,
        inputs=layer.inputs,
        neurons=layer.neurons,
        index_form=form.form,
        blocks=form.blocks,
        index_bits=form.bits,
        weight_bits=layer.weight_bits,
        pointer_rows=1,
        granule=granule,
        count=count,
        index=index,
        weight=weight,
    )
    choices = [replace(words, pointer_rows=rows) for rows in POINTER_ROWS]
    choices = [own for own in choices if pointer_rows in (None, own.pointer_rows)]
    return min(choices, key=lambda own: (_blocks(own), own.bits))


def _blocks(words: SynapseWords) -> int:
    """Block RAMs of 256 words of 16 bits, about the smallest there are, for the pointers."""
    return -(-words.pointers // 256) * -(-words.pointer_bits // 16)


def _count_down(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """``n, n-1, … 1`` for each ``n`` of ``counts``, one after another."""
    ends = np.repeat(np.cumsum(counts), counts)
    return ends - np.arange(len(ends))
