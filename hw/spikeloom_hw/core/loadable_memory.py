"""A memory that the core reads, and that a host may fill and look into.

::

    address, enable ──► memory ──► data            a cycle later
                           ▲
    load (sixteen bits) ◄──┘

A word is loaded in chunks of sixteen bits, or of its own width where that is less: a host link has
sixteen-bit words, and so have the single-port RAMs of the iCE40UP5K. Those share one port between
loader and reader, and hold nothing when the device wakes; block RAM has a port for each, and its
first contents come with the bitstream. A look takes the reader's port, and so its time.
"""

from typing import Any

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from spikeloom_hw.core.memory_shape import BLOCK_RAM, CHUNK_BITS, MemoryShape
from spikeloom_hw.core.write_port import unless_reset, write_port

SINGLE_PORT_RAM = "single_port_ram"


class ChunkLayout(data.StructLayout):
    """A part of a word, to be stored or, with ``look``, to be shown.

    The word's address lies above the chunk's number.
    """

    def __init__(self, address_bits: int) -> None:
        super().__init__({"address": address_bits, "data": CHUNK_BITS, "look": 1})


class LoadableMemory(wiring.Component):
    """Words with one reader, and a loader where ``loadable``.

    Args:
        shape: width and depth.
        init: first contents, an integer a word; none for a single port.
        loadable: has the member ``load``.
        single_port: loader and reader share one port; the reader gets nothing new in a cycle in
            which a chunk is stored.
        spill_bits: of a single-port memory, the highest bits of a word, at most a chunk, that lie
            in block RAM beside it.

    Members:
        address: In, the word to read.
        enable: In, read; ``data`` keeps its value otherwise.
        data: Out, the word, a cycle later.
        load: In, :class:`ChunkLayout`, always taken. A look changes ``data``: only while nobody
            relies on it.
        chunk: Out, what a look found, a cycle later.
    """

    def __init__(
        self,
        shape: MemoryShape,
        *,
        init: list[int],
        loadable: bool = False,
        single_port: bool = False,
        spill_bits: int = 0,
    ) -> None:
        if single_port and not loadable:
            raise ValueError("a single-port memory has no first contents: it has to be loadable")
        self.shape = shape
        self.init = init
        self.loadable = loadable
        if spill_bits and (not single_port or (shape.width - spill_bits) % shape.chunk_bits):
            raise ValueError("what spills from a single-port memory is its last chunk")
        self.single_port = single_port
        self.spill_bits = spill_bits
        members: dict[str, Any] = {
            "address": In(shape.word_bits),
            "enable": In(1),
            "data": Out(shape.width),
        }
        if loadable:
            chunk = ChunkLayout(shape.address_bits)
            members["load"] = In(stream.Signature(chunk, always_ready=True))
            members["chunk"] = Out(CHUNK_BITS)
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shape = self.shape
        if not self.loadable:
            memory = Memory(shape=shape.width, depth=shape.depth, init=self.init, attrs=BLOCK_RAM)
            m.submodules.words = memory
            port = memory.read_port()
            m.d.comb += [
                port.addr.eq(self.address),
                port.en.eq(self.enable),
                self.data.eq(port.data),
            ]
            return m

        # One enable a chunk.
        chunk = self.load.payload
        look = self.load.valid & chunk.look
        selected = Signal(shape.chunks)
        with m.If(self.load.valid & ~chunk.look):
            if shape.select_bits:
                m.d.comb += selected.eq(Const(1) << chunk.address[: shape.select_bits])
            else:
                m.d.comb += selected.eq(1)
        stored_at = chunk.address[shape.select_bits :]
        stored = chunk.data[: shape.chunk_bits].replicate(shape.chunks)
        shown = chunk.address[: shape.select_bits]
        if shape.select_bits:
            shown = Signal(shape.select_bits)
            m.d.sync += shown.eq(chunk.address)
        m.d.comb += self.chunk.eq(self.data.word_select(shown, shape.chunk_bits))

        if self.single_port and platform is not None:
            chunks = shape.chunks - bool(self.spill_bits)
            data = Signal(chunks * shape.chunk_bits)
            m.submodules.ram = Instance(
                SINGLE_PORT_RAM,
                p_ADDRESS_BITS=shape.word_bits,
                p_DEPTH=shape.depth,
                p_CHUNKS=chunks,
                p_CHUNK_BITS=shape.chunk_bits,
                i_clk=ClockSignal(),
                i_address=Mux(self.load.valid, stored_at, self.address),
                i_enable=self.load.valid | self.enable,
                i_store=unless_reset(selected[:chunks]),
                i_data_in=stored[: len(data)],
                o_data_out=data,
            )
            m.d.comb += self.data.eq(Cat(data, self._spilled(m, selected[-1], look)))
            return m

        memory = Memory(
            shape=shape.chunks * shape.chunk_bits,
            depth=shape.depth,
            init=[] if self.single_port else self.init,
            attrs=BLOCK_RAM,
        )
        m.submodules.words = memory
        port = memory.read_port()
        loader = write_port(m, memory, granularity=shape.chunk_bits)
        busy = self.load.valid if self.single_port else Const(0)
        m.d.comb += [
            port.addr.eq(Mux(look, stored_at, self.address)),
            port.en.eq(self.enable & ~busy | look),
            self.data.eq(port.data),
            loader.addr.eq(stored_at),
            loader.data.eq(stored),
            loader.en.eq(selected),
        ]
        return m

    def _spilled(self, m: Module, selected: Value, look: Value) -> Value:
        """The highest bits of the word that is read, from block RAM, when their chunk spills."""
        if not self.spill_bits:
            return Const(0, 0)
        shape = self.shape
        m.submodules.spilled = memory = Memory(
            shape=self.spill_bits, depth=shape.depth, init=[], attrs=BLOCK_RAM
        )
        port, loader = memory.read_port(), write_port(m, memory)
        loaded = self.load.payload.address[shape.select_bits :]
        m.d.comb += [
            port.addr.eq(Mux(look, loaded, self.address)),
            port.en.eq(self.enable | look),
            loader.addr.eq(loaded),
            loader.data.eq(self.load.payload.data),
            loader.en.eq(selected),
        ]
        return port.data
