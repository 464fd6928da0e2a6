"""Time to first spike: a frame is stored, then looked through once for each step.

::

    value ─► step = floor((255 - value)·T / 256), or T if it is dark ─► memory
                                                                          │
    SPIKE(place) where memory[place] = t; then STEP, for t = 0 … T-1 ◄────┘

What is stored is the step, which is narrower than the value. Sorting the places by their step would
save the T looks, and cost a memory of places; a serial line takes longer to bring the frame.
"""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory

from spikeloom.packing.words import unsigned_bits
from spikeloom_hw.core.memory_shape import BLOCK_RAM, LEAST_DEPTH, MemoryShape
from spikeloom_hw.core.write_port import write_port
from spikeloom_hw.encoders.members import VALUE_BITS, encoder_members

BRIGHTEST = (1 << VALUE_BITS) - 1


class LatencyEncoder(wiring.Component):
    """The events of :class:`spikeloom.encoding.LatencyEncoding`; those of a step by rising address.

    Cycles: 2 a value, then ``time_steps * (values + 1) + 1``, in which no value is taken.

    Args:
        values: of a sample.
        time_steps: T.
        threshold: values below it never spike.
        address_bits: width of an event's address.

    Members: as :func:`encoder_members`.
    """

    def __init__(self, *, values: int, time_steps: int, threshold: int, address_bits: int) -> None:
        if not 1 <= values <= 1 << address_bits:
            raise ValueError(f"Values must be 1 to {1 << address_bits}, not {values!r}")
        if time_steps < 1:
            raise ValueError(f"Time steps must be at least 1, not {time_steps!r}")
        if not 1 <= threshold <= BRIGHTEST:
            raise ValueError(f"Threshold must be 1 to {BRIGHTEST}, not {threshold!r}")
        self.values = values
        self.time_steps = time_steps
        self.threshold = threshold
        super().__init__(encoder_members(address_bits))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shape = latency_memory(self.values, self.time_steps)
        m.submodules.steps = steps = Memory(
            shape=shape.width, depth=shape.depth, init=[], attrs=BLOCK_RAM
        )
        write, read = write_port(m, steps), steps.read_port()
        place = Signal(range(self.values + 1))

        # A value's step, on its way into the memory.
        value = self.frames.payload
        product = Signal(range(BRIGHTEST * self.time_steps + 1))
        dark = Signal()
        m.d.comb += [
            write.addr.eq(place),
            write.data.eq(Mux(dark, self.time_steps, product >> VALUE_BITS)),
        ]

        # A place is read in one cycle and compared in the next; behind the last one comes the STEP.
        looked, closing = Signal(), Signal()
        looked_at = Signal.like(place)
        step = Signal(range(self.time_steps))
        last = step == self.time_steps - 1
        offered, begun = Signal(), Signal()
        event = Signal.like(self.events.payload)
        free = ~offered | self.events.ready
        m.d.comb += [
            read.addr.eq(place),
            read.en.eq(free),
            self.events.valid.eq(offered),
            self.events.payload.eq(event),
            self.busy.eq(1),
            self.sending.eq(1),
        ]
        with m.If(self.events.ready):
            m.d.sync += offered.eq(0)

        with m.FSM():
            with m.State("TAKE"):
                m.d.comb += [
                    self.frames.ready.eq(~self.abort),
                    self.busy.eq((place != 0) | offered),
                    self.sending.eq(offered),
                ]
                m.d.sync += [
                    product.eq((BRIGHTEST - value) * self.time_steps),
                    dark.eq(value < self.threshold),
                ]
                with m.If(self.abort):
                    m.d.sync += place.eq(0)
                with m.Elif(self.frames.valid):
                    m.next = "STORE"
            with m.State("STORE"):
                m.d.comb += write.en.eq(1)
                m.d.sync += [looked.eq(0), begun.eq(0), step.eq(0)]
                m.next = "TAKE"
                with m.If(self.abort):
                    m.d.sync += place.eq(0)
                with m.Elif(place == self.values - 1):
                    m.d.sync += place.eq(0)
                    m.next = "SEND"
                with m.Else():
                    m.d.sync += place.eq(place + 1)
            with m.State("SEND"):
                spikes = ~closing & (read.data == step)
                with m.If(self.abort):
                    m.d.sync += place.eq(0)
                    m.next = "TAKE"
                    with m.If(begun):
                        m.next = "END"
                with m.Elif(free):
                    m.d.sync += [
                        looked.eq(1),
                        looked_at.eq(place),
                        closing.eq(place == self.values),
                        place.eq(Mux(place == self.values, 0, place + 1)),
                        offered.eq(looked & (closing | spikes)),
                        begun.eq(begun | (looked & (closing | spikes))),
                        event.address.eq(Mux(closing, 0, looked_at)),
                        event.step.eq(closing),
                        event.last.eq(closing & last),
                    ]
                    with m.If(looked & closing):
                        m.d.sync += step.eq(step + 1)
                        with m.If(last):
                            m.d.sync += place.eq(0)
                            m.next = "TAKE"
            with m.State("END"), m.If(free):
                m.d.sync += [offered.eq(1), event.step.eq(1), event.last.eq(1)]
                m.d.sync += event.address.eq(0)
                m.next = "TAKE"
        return m


def latency_memory(values: int, time_steps: int) -> MemoryShape:
    """The memory of an encoder of so many values and steps."""
    return MemoryShape(unsigned_bits(time_steps), max(values, LEAST_DEPTH))
