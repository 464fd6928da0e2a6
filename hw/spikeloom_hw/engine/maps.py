"""The maps of all populations and steps, and their summaries: a read and a write port each."""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from spikeloom_hw.core.memory_shape import BLOCK_RAM
from spikeloom_hw.core.write_port import write_port
from spikeloom_hw.engine.layouts import WordWrite
from spikeloom_hw.engine.params import LINE_WORDS, EngineParams


class Maps(wiring.Component):
    """Two memories side by side.

    Members, the same for `map` and `summary`:
        map_address: In, the word to read.
        map_enable: In, read; `map_word` keeps its value otherwise.
        map_word: Out, the word, a cycle later.
        map_write: In, a word to be stored, always taken.
    """

    def __init__(self, params: EngineParams) -> None:
        self.shapes = {
            "map": (params.map_address_bits, params.lanes, params.map_words),
            "summary": (params.summary_address_bits, LINE_WORDS, params.summary_words),
        }
        members = {}
        for name, (address, width, _) in self.shapes.items():
            stored = stream.Signature(WordWrite(address, width), always_ready=True)
            members |= {
                f"{name}_address": In(address),
                f"{name}_enable": In(1),
                f"{name}_word": Out(width),
                f"{name}_write": In(stored),
            }
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for name, (_, width, depth) in self.shapes.items():
            memory = Memory(shape=width, depth=depth, init=[], attrs=BLOCK_RAM)
            m.submodules[f"{name}_words"] = memory
            read, write = memory.read_port(), write_port(m, memory)
            stored = getattr(self, f"{name}_write")
            m.d.comb += [
                read.addr.eq(getattr(self, f"{name}_address")),
                read.en.eq(getattr(self, f"{name}_enable")),
                getattr(self, f"{name}_word").eq(read.data),
                write.addr.eq(stored.payload.address),
                write.data.eq(stored.payload.data),
                write.en.eq(stored.valid),
            ]
        return m
