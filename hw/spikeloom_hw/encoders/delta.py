"""Send on delta: each value against its channel's last one that was sent.

::

    value ─► moved = value - reference ─► moved ≥ δ: SPIKE(2c), moved ≤ -δ: SPIKE(2c + 1)
                        ▲                    │
                     memory ◄── value ───────┘   and STEP behind the last channel

Nothing is stored but a reference for each channel, so that a sample may have any number of frames.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.memory import Memory

from spikeloom_hw.core.memory_shape import BLOCK_RAM, LEAST_DEPTH, MemoryShape
from spikeloom_hw.core.write_port import write_port
from spikeloom_hw.encoders.members import VALUE_BITS, encoder_members

WIDEST = (1 << VALUE_BITS) - 1


class DeltaEncoder(wiring.Component):
    """The events of :class:`spikeloom.encoding.DeltaEncoding`; those of a step by rising channel.

    Cycles: 3 a value, one more if it spikes, one more behind the last value of a frame.

    Args:
        channels: values of a frame.
        time_steps: T, frames of a sample.
        delta: by how much a channel must have moved.
        address_bits: width of an event's address.

    Members: as :func:`encoder_members`.
    """

    def __init__(self, *, channels: int, time_steps: int, delta: int, address_bits: int) -> None:
        if not 1 <= 2 * channels <= 1 << address_bits:
            raise ValueError(f"Channels must be 1 to {(1 << address_bits) // 2}, not {channels!r}")
        if time_steps < 1:
            raise ValueError(f"Time steps must be at least 1, not {time_steps!r}")
        if not 1 <= delta <= WIDEST:
            raise ValueError(f"Delta must be 1 to {WIDEST}, not {delta!r}")
        self.channels = channels
        self.time_steps = time_steps
        self.delta = delta
        super().__init__(encoder_members(address_bits))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shape = delta_memory(self.channels)
        m.submodules.references = references = Memory(
            shape=shape.width, depth=shape.depth, init=[], attrs=BLOCK_RAM
        )
        write, read = write_port(m, references), references.read_port()
        channel = Signal(range(self.channels))
        frame = Signal(range(self.time_steps))
        first, last = frame == 0, frame == self.time_steps - 1
        final = channel == self.channels - 1
        value = Signal(VALUE_BITS)
        moved = Signal(signed(VALUE_BITS + 1))
        rises, falls = moved >= self.delta, moved <= -self.delta
        fell, begun, stopping = Signal(), Signal(), Signal()
        stop = self.abort | stopping
        event = self.events.payload

        # The first frame finds references of the sample before, and takes them for 0.
        m.d.comb += [
            read.addr.eq(channel),
            write.addr.eq(channel),
            write.data.eq(Mux(rises | falls, value, 0)),
            event.last.eq(event.step & last),
            self.busy.eq(1),
            self.sending.eq(1),
        ]
        with m.If(~event.step):
            m.d.comb += event.address.eq(Cat(fell, channel))

        with m.FSM():
            with m.State("TAKE"):
                m.d.comb += [
                    self.frames.ready.eq(~self.abort),
                    self.busy.eq(begun | (channel != 0)),
                    self.sending.eq(0),
                ]
                m.d.sync += value.eq(self.frames.payload)
                with m.If(self.frames.valid):
                    m.next = "WEIGH"
                self._give_up(m, self.abort, begun, channel)
            with m.State("WEIGH"):
                m.d.sync += moved.eq(value - Mux(first, 0, read.data))
                m.next = "DECIDE"
                self._give_up(m, self.abort, begun, channel)
            with m.State("DECIDE"):
                m.d.comb += write.en.eq(rises | falls | first)
                m.d.sync += fell.eq(falls)
                with m.If(rises | falls):
                    m.next = "SPIKE"
                with m.Elif(final):
                    m.next = "STEP"
                with m.Else():
                    m.d.sync += channel.eq(channel + 1)
                    m.next = "TAKE"
                self._give_up(m, self.abort, begun, channel)
            with m.State("SPIKE"):
                m.d.comb += self.events.valid.eq(1)
                m.d.sync += [begun.eq(1), stopping.eq(stop)]
                with m.If(self.events.ready):
                    with m.If(final):
                        m.next = "STEP"
                    with m.Else():
                        m.d.sync += channel.eq(channel + 1)
                        m.next = "TAKE"
                    with m.If(stop):
                        m.next = "END"
            with m.State("STEP"):
                m.d.comb += [self.events.valid.eq(1), event.step.eq(1)]
                m.d.sync += [begun.eq(1), stopping.eq(stop)]
                with m.If(self.events.ready):
                    m.d.sync += [channel.eq(0), frame.eq(frame + 1)]
                    m.next = "TAKE"
                    with m.If(last):
                        m.d.sync += [frame.eq(0), begun.eq(0), stopping.eq(0)]
                    with m.Elif(stop):
                        m.next = "END"
            with m.State("END"):
                m.d.comb += [self.events.valid.eq(1), event.step.eq(1), event.last.eq(1)]
                with m.If(self.events.ready):
                    m.d.sync += [channel.eq(0), frame.eq(0), begun.eq(0), stopping.eq(0)]
                    m.next = "TAKE"
        return m

    def _give_up(self, m: Module, abort: Signal, begun: Signal, channel: Signal) -> None:
        """Overrides what a state does that offers no event."""
        with m.If(abort):
            m.d.sync += channel.eq(0)
            m.next = "TAKE"
            with m.If(begun):
                m.next = "END"


def delta_memory(channels: int) -> MemoryShape:
    """The memory of an encoder of so many channels."""
    return MemoryShape(VALUE_BITS, max(channels, LEAST_DEPTH))
