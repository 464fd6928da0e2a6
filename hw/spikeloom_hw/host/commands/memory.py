"""LOAD and READ: what lies in the memories of a loadable core."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikeloom.host.protocol import CHUNKS_IN_READ, KIND_BITS, LOAD_HEADER_BYTES, Status
from spikeloom_hw.core.layouts import LOOK_CYCLES, MemoryKind
from spikeloom_hw.core.memory_shape import CHUNK_BITS
from spikeloom_hw.host.commands.ports import command_members


class MemoryCommand(wiring.Component):
    """Stores chunks, or shows them; not while a sample is under way.

    Args:
        load: layout of what the core takes.
        layers: number of layers.

    Members:
        reading: In, the request is READ.
        rest: In, no sample is under way.
        load: Out, stream of `load`.
        chunk: In, ``LOOK_CYCLES`` after a look, what it found.
    """

    def __init__(self, load: data.StructLayout, *, layers: int) -> None:
        self.layers = layers
        super().__init__(
            {
                **command_members(),
                "reading": In(1),
                "rest": In(1),
                "load": Out(stream.Signature(load)),
                "chunk": In(CHUNK_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        payload, load = self.payload.payload, self.load.payload
        memory, address = Signal(16), Signal(16)
        header = Cat(memory, address)
        taken = Signal(range(LOAD_HEADER_BYTES))
        word = Signal(CHUNK_BITS)
        more = Signal(range(CHUNKS_IN_READ))
        cycle = Signal(range(LOOK_CYCLES + 1))
        status = Signal(8)
        answer = self.answer
        m.d.comb += [
            self.load.payload.kind.eq(memory[:KIND_BITS]),
            self.load.payload.layer.eq(memory[KIND_BITS:]),
            self.load.payload.address.eq(address),
            self.load.payload.data.eq(word),
            self.load.payload.look.eq(self.reading),
        ]
        kind = memory[:KIND_BITS]
        beyond = address >> len(load.address) != 0
        shown = (kind == MemoryKind.POINTERS) | (kind == MemoryKind.WEIGHTS)
        known = shown | (kind == MemoryKind.THRESHOLD) & ~self.reading
        absent = (memory[KIND_BITS:] >= self.layers) | beyond | ~known

        def refuse(why: Status) -> None:
            m.d.sync += status.eq(why)
            m.next = "DRAIN"

        with m.FSM(name="memory"):
            with m.State("HEADER"):
                m.d.comb += self.payload.ready.eq(1)
                with m.If(self.payload.valid):
                    m.d.sync += [
                        header.eq(Cat(header[8:], payload.data)),
                        taken.eq(taken + 1),
                    ]
                    with m.If(payload.end):
                        m.d.sync += status.eq(Status.MALFORMED)
                        m.next = "END"
                    with m.Elif(taken == LOAD_HEADER_BYTES - 1):
                        m.next = "CHECK"
            with m.State("CHECK"):
                m.d.sync += status.eq(Status.OK)
                m.next = "LOW"
                with m.If(self.reading):
                    m.next = "COUNT"
                with m.If(absent):
                    refuse(Status.MALFORMED)
                with m.If(~self.rest):
                    refuse(Status.UNAVAILABLE)
            for state, half, following in (("LOW", 0, "HIGH"), ("HIGH", 1, "STORE")):
                with m.State(state):
                    m.d.comb += self.payload.ready.eq(1)
                    with m.If(self.payload.valid):
                        m.d.sync += word.word_select(half, 8).eq(payload.data)
                        m.next = following
                        with m.If(payload.end):
                            m.d.sync += status.eq(Mux(half, Status.MALFORMED, Status.OK))
                            m.next = "END"
            with m.State("STORE"):
                m.d.comb += self.load.valid.eq(1)
                with m.If(self.load.ready):
                    m.d.sync += address.eq(address + 1)
                    m.next = "LOW"
            with m.State("COUNT"):
                m.d.comb += self.payload.ready.eq(1)
                with m.If(self.payload.valid):
                    m.d.sync += more.eq(payload.data)
                    m.next = "CLOSE"
                    with m.If(payload.end | (payload.data >= CHUNKS_IN_READ)):
                        m.d.sync += status.eq(Status.MALFORMED)
                        m.next = "DRAIN"
                        with m.If(payload.end):
                            m.next = "END"
            with m.State("CLOSE"):
                m.d.comb += self.payload.ready.eq(1)
                with m.If(self.payload.valid):
                    m.next = "LOOK"
                    with m.If(~payload.end):
                        refuse(Status.MALFORMED)
            with m.State("LOOK"):
                m.d.comb += self.load.valid.eq(1)
                m.d.sync += cycle.eq(0)
                with m.If(self.load.ready):
                    m.next = "WAIT"
            with m.State("WAIT"):
                m.d.sync += [cycle.eq(cycle + 1), word.eq(self.chunk)]
                with m.If(cycle == LOOK_CYCLES - 1):
                    m.next = "TELL_LOW"
            for state, half, following in (("TELL_LOW", 0, "TELL_HIGH"), ("TELL_HIGH", 1, "LOOK")):
                with m.State(state):
                    m.d.comb += [
                        answer.valid.eq(1),
                        answer.payload.data.eq(word.word_select(half, 8)),
                    ]
                    with m.If(answer.ready):
                        m.next = following
                        if half:
                            m.d.sync += [address.eq(address + 1), more.eq(more - 1)]
                            with m.If(more == 0):
                                m.next = "END"
            with m.State("DRAIN"):
                m.d.comb += self.payload.ready.eq(1)
                with m.If(self.payload.valid & payload.end):
                    m.next = "END"
            with m.State("END"):
                m.d.comb += [
                    answer.valid.eq(1),
                    answer.payload.data.eq(status),
                    answer.payload.end.eq(1),
                ]
                with m.If(answer.ready):
                    m.d.sync += taken.eq(0)
                    m.next = "HEADER"
        return m
