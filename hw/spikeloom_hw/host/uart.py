"""A serial line, 8N1: one start bit, eight data bits, lowest first, one stop bit.

The line idles high and has no clock. The receiver waits for the falling edge of a start bit, then
looks at the middle of each bit, and is ready for the next start bit from the middle of the stop bit
on: so both clocks may differ by 4 % before the last bit is read at its edge.

::

    ────┐start┌──┬──┬──┬──┬──┬──┬──┬──┬─stop─
        └─────┴──┴──┴──┴──┴──┴──┴──┴──┘
           ▲    ▲  ▲  ▲  …            ▲  ▲    sampled here
"""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

DATA_BITS = 8
FRAME_BITS = DATA_BITS + 2
SYNCHRONIZER_STAGES = 2
SHORTEST_BIT = 4


def uart_divisor(clock_hz: float, baud: int) -> int:
    """Clock cycles a bit takes, rounded to the nearest.

    Raises:
        ValueError: a bit would be shorter than four cycles, or more than 2 % off.
    """
    divisor = round(clock_hz / baud)
    if divisor < SHORTEST_BIT or abs(clock_hz / divisor / baud - 1) > 0.02:
        raise ValueError(f"A clock of {clock_hz!r} Hz cannot make {baud!r} baud within 2 %")
    return divisor


def _check_divisor(divisor: int) -> None:
    if not isinstance(divisor, int):
        raise TypeError(f"Divisor must be an integer, not {divisor!r}")
    if divisor < SHORTEST_BIT:
        raise ValueError(f"Divisor must be at least {SHORTEST_BIT} cycles a bit, not {divisor!r}")


class UartReceiver(wiring.Component):
    """Turns the line's levels into bytes.

    A line cannot be told to wait: a byte that completes while the one before it still stands at
    the output is lost, and counted. A frame without a stop bit is dropped and counted, and the
    receiver waits for the line to idle, so that a break counts once.

    Args:
        divisor: clock cycles a bit, 4 or more.

    Members:
        rx: In(1), the line; synchronised here.
        bytes: Out, stream of bytes.
        framing_errors: Out(8), frames without a stop bit; stays at 255.
        overruns: Out(8), bytes lost because the output was not taken; stays at 255.

    Cycles: a byte is valid `2 + 1 + divisor // 2 + 9 * divisor` cycles after the line falls.
    """

    def __init__(self, divisor: int) -> None:
        _check_divisor(divisor)
        self.divisor = divisor
        super().__init__(
            {
                "rx": In(1, init=1),  # pyright: ignore[reportCallIssue]  # not in the stubs
                "bytes": Out(stream.Signature(DATA_BITS)),
                "framing_errors": Out(8),
                "overruns": Out(8),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        line = Signal(init=1)
        m.submodules.synchronizer = FFSynchronizer(
            self.rx, line, init=1, stages=SYNCHRONIZER_STAGES, reset_less=False
        )
        timer = Signal(range(self.divisor))
        bits = Signal(range(FRAME_BITS))
        shift = Signal(DATA_BITS)
        done = Signal()

        with m.If(self.bytes.ready):
            m.d.sync += self.bytes.valid.eq(0)
        with m.If(timer != 0):
            m.d.sync += timer.eq(timer - 1)

        with m.FSM(name="receiver"):
            # The middle of the start bit tells a start from a spike on the line.
            with m.State("IDLE"), m.If(~line):
                m.d.sync += [timer.eq(self.divisor // 2 - 1), bits.eq(0)]
                m.next = "START"
            with m.State("START"), m.If(timer == 0):
                m.d.sync += timer.eq(self.divisor - 1)
                m.next = "DATA"
                with m.If(line):
                    m.next = "IDLE"
            with m.State("DATA"), m.If(timer == 0):
                m.d.sync += [
                    timer.eq(self.divisor - 1),
                    shift.eq(Cat(shift[1:], line)),
                    bits.eq(bits + 1),
                ]
                with m.If(bits == DATA_BITS - 1):
                    m.next = "STOP"
            with m.State("STOP"), m.If(timer == 0):
                m.d.comb += done.eq(line)
                m.next = "IDLE"
                with m.If(~line):
                    m.d.sync += self.framing_errors.eq(_saturating(self.framing_errors))
                    m.next = "BREAK"
            with m.State("BREAK"), m.If(line):
                m.next = "IDLE"

        # Hand over the byte, unless the last one still waits.
        with m.If(done):
            with m.If(self.bytes.valid & ~self.bytes.ready):
                m.d.sync += self.overruns.eq(_saturating(self.overruns))
            with m.Else():
                m.d.sync += [self.bytes.valid.eq(1), self.bytes.payload.eq(shift)]
        return m


class UartTransmitter(wiring.Component):
    """Turns bytes into the line's levels, one byte after the other without a gap.

    Args:
        divisor: clock cycles a bit, 4 or more.

    Members:
        bytes: In, stream of bytes.
        tx: Out(1), the line, high when idle.

    Cycles: the line falls one cycle after a byte is taken; `10 * divisor` cycles a byte.
    """

    def __init__(self, divisor: int) -> None:
        _check_divisor(divisor)
        self.divisor = divisor
        super().__init__({"bytes": In(stream.Signature(DATA_BITS)), "tx": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        timer = Signal(range(self.divisor))
        bits = Signal(range(FRAME_BITS + 1))
        shift = Signal(FRAME_BITS, init=-1)
        # The last cycle of a stop bit takes the next byte already. That it will is known a cycle
        # ahead, so ready is a register, and no path leads from the timer into the sender.
        ready = Signal(init=1)
        m.d.comb += [self.tx.eq(shift[0]), self.bytes.ready.eq(ready)]
        with m.If((bits == 1) & (timer == 1)):
            m.d.sync += ready.eq(1)
        with m.If(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.Elif(bits != 0):
            m.d.sync += [
                timer.eq(self.divisor - 1),
                bits.eq(bits - 1),
                shift.eq(Cat(shift[1:], Const(1, 1))),
            ]
        with m.If(self.bytes.valid & self.bytes.ready):
            m.d.sync += [
                ready.eq(0),
                timer.eq(self.divisor - 1),
                bits.eq(FRAME_BITS),
                shift.eq(Cat(Const(0, 1), self.bytes.payload, Const(1, 1))),
            ]
        return m


def _saturating(counter: Signal) -> Signal:
    """`counter + 1`, or `counter` when it is full."""
    return counter + (counter != (1 << len(counter)) - 1)  # type: ignore[return-value]
