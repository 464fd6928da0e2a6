"""The faults that are planted in what the memories hold: one wrong bit each.

They are put where they matter: in the row that is read most, at the neuron that spikes most.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from spikeloom.reference import Trace
from spikeloom_cosim.core import Core
from spikeloom_cosim.fitting import Fitting
from spikeloom_hw.core import CORE_MODULE, CoreParams, LayerParams
from spikeloom_hw.core.layouts import MemoryKind, core_load_layout
from spikeloom_hw.core.memory_shape import MemoryShape

_WEIGHTS, _POINTERS = "stream.weights.words", "fetch.pointers.words"


@dataclass(frozen=True, kw_only=True)
class ContentFault:
    """One wrong bit in a memory.

    Attributes:
        kind: what it is a bit of.
        where: the memory, the word and the bit.
        layer: number of the layer.
        memory: name of the memory in its layer.
        word: the word's number.
        bit: of the word.
        loaded: the kind under which a host loads the memory, if it does.
        shape: of the memory, if a host loads it.
    """

    kind: str
    layer: int
    where: str
    memory: str
    word: int
    bit: int
    loaded: MemoryKind | None = None
    shape: MemoryShape | None = None

    def plant(self, core: Core, params: CoreParams, *, folder: Path) -> Core:
        """The core with this fault; its memory is written to `folder`.

        Raises:
            LookupError: the core has no such memory, or is not loaded with such a word.
        """
        if core.loads is not None and self.loaded is not None:
            return self._in_loads(core, params)
        name = f"{CORE_MODULE}.layer_{params.layers[self.layer].name}.{self.memory}.mem"
        found = [memory for memory in core.memories if memory.name == name]
        if len(found) != 1:
            raise LookupError(f"the core has no memory {name}")
        words = found[0].read_text().split()
        digits = len(words[self.word])
        words[self.word] = f"{int(words[self.word], 16) ^ 1 << self.bit:0{digits}x}"
        folder.mkdir(parents=True, exist_ok=True)
        changed = folder / name
        changed.write_text("\n".join(words) + "\n")
        others = (memory for memory in core.memories if memory.name != name)
        return replace(core, memories=(*others, changed))

    def _in_loads(self, core: Core, params: CoreParams) -> Core:
        assert core.loads is not None
        assert self.loaded is not None
        address, offset = 0, self.bit
        if self.shape is not None:
            chunk, offset = divmod(self.bit, self.shape.chunk_bits)
            address = self.word << self.shape.select_bits | chunk
        layout = core_load_layout(params)
        place = {"layer": self.layer, "kind": self.loaded.value, "address": address}
        header = sum(value << layout[name].offset for name, value in place.items())
        data = layout["data"].offset
        (found,) = np.nonzero(core.loads & np.uint64((1 << data) - 1) == np.uint64(header))
        if len(found) != 1:
            raise LookupError(f"the core is loaded {len(found)} times with {self.where}")
        loads = core.loads.copy()
        loads[found[0]] ^= np.uint64(1 << data + offset)
        return replace(core, loads=loads)


def content_faults(fitting: Fitting, params: CoreParams, trace: Trace) -> Iterator[ContentFault]:
    """A wrong bit in every kind of memory that each layer of a core has.

    Args:
        fitting: the core and its network.
        params: the core's.
        trace: what the network does on the samples of the check.
    """
    for number, layer in enumerate(params.layers):
        yield from _row_faults(fitting, number, layer, trace)
        yield from _neuron_faults(number, layer, trace)


def _row_faults(
    fitting: Fitting, number: int, layer: LayerParams, trace: Trace
) -> Iterator[ContentFault]:
    words = fitting.packed[number]
    events = trace.inputs_of(number).sum(axis=(0, 1), dtype=np.int64)
    row = int(np.argmax(events * words.count))
    first = int(words.count[:row].sum())
    lane = int(np.argmax(words.weight[first] != 0))
    slot = lane * layer.slot_bits
    name = f"layer_{layer.name}"

    def fault(kind: str, memory: str, word: int, bit: int) -> ContentFault:
        weights = memory == _WEIGHTS
        return ContentFault(
            kind=kind,
            where=f"{name}.{memory}, word {word}, bit {bit}",
            layer=number,
            memory=memory,
            word=word,
            bit=bit,
            loaded=MemoryKind.WEIGHTS if weights else MemoryKind.POINTERS,
            shape=layer.weight_memory if weights else layer.pointer_memory,
        )

    yield fault("weight", _WEIGHTS, first, slot + layer.index_bits)
    if layer.index_bits:
        yield fault("index", _WEIGHTS, first, slot)
    pointer, place = divmod(row, layer.pointer_rows)
    yield fault("pointer", _POINTERS, pointer, 0)
    length = layer.base_bits + place * layer.count_bits
    yield fault("row length", _POINTERS, pointer, length)


def _neuron_faults(number: int, layer: LayerParams, trace: Trace) -> Iterator[ContentFault]:
    name = f"layer_{layer.name}"
    spikes = trace.spikes[number].sum(axis=(0, 1), dtype=np.int64)
    group, lane = divmod(int(np.argmax(spikes)), layer.lanes)
    if layer.loadable and layer.spiking:
        yield ContentFault(
            kind="threshold",
            where=f"{name}, threshold, bit 0",
            layer=number,
            memory="",
            word=0,
            bit=0,
            loaded=MemoryKind.THRESHOLD,
        )
    own = {
        "threshold": (layer.spiking and layer.shared_threshold is None, layer.threshold_bits),
        "bias": (layer.shared_bias is None, layer.bias_bits),
    }
    for kind, (has, width) in own.items():
        if has and not (kind == "threshold" and layer.loadable):
            memory = {"threshold": "update.thresholds", "bias": "update.biases"}[kind]
            yield ContentFault(
                kind=kind,
                where=f"{name}.{memory}, word {group}, bit {lane * width}",
                layer=number,
                memory=memory,
                word=group,
                bit=lane * width,
            )
    memory = "membranes_0" if layer.overlapped else "bank_0.potentials"
    yield ContentFault(
        kind="first potential",
        where=f"{name}.{memory}, word 0, bit 0",
        layer=number,
        memory=memory,
        word=0,
        bit=0,
    )
