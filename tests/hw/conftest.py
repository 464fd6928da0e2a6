"""What all gateware tests share."""

import gc
import random

import pytest
from amaranth._unused import MustUse
from amaranth.hdl import Module, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from spikeloom.host.protocol import Identity
from spikeloom_hw.events import EventLayout, ScoreLayout


@pytest.fixture
def refused_components(monkeypatch):
    """For tests of constructors that refuse: what they leave behind is never elaborated."""
    monkeypatch.setattr(MustUse, "_MustUse__silence", True)
    yield
    gc.collect()


@pytest.fixture
def echo_core():
    """A small component with a core's boundary, for tests of what surrounds a core."""
    return EchoCore()


@pytest.fixture
def large_core():
    """The same, with 32 block RAMs of an iCE40."""
    return EchoCore(address_bits=15, word_bits=4)


OUTPUTS = 4
ECHO_IDENTITY = Identity(
    loadable=False,
    takes_frames=False,
    design_hash=b"an echo.",
    inputs=16,
    outputs=OUTPUTS,
    layers=1,
    counters=0,
    clock_hz=4_000_000,
)


class EchoCore(wiring.Component):
    """Address `a` adds one to output `a mod 4`; the class is the last address's output.

    Its `identity` is that of a board with four cycles a bit of its serial line.
    With `address_bits` and `word_bits` it takes more block RAM, to no use.
    """

    def __init__(self, address_bits=4, word_bits=2):
        self.address_bits, self.word_bits = address_bits, word_bits
        self.identity = ECHO_IDENTITY
        super().__init__(
            {
                "events": In(stream.Signature(EventLayout(address_bits))),
                "scores": Out(stream.Signature(ScoreLayout(9, 2))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        # A translation through block RAM, so that the bitstream holds contents.
        useless = random.Random(1)
        words = [
            useless.getrandbits(self.word_bits) & -OUTPUTS | a % OUTPUTS
            for a in range(1 << self.address_bits)
        ]
        m.submodules.table = table = memory.Memory(
            shape=self.word_bits, depth=len(words), init=words, attrs={"ram_style": "block"}
        )
        read = table.read_port()
        counts = [Signal(8, name=f"count{n}") for n in range(OUTPUTS)]
        index = Signal(range(OUTPUTS))
        best = Signal(2)
        event = self.events.payload

        with m.FSM():
            with m.State("EVENT"):
                m.d.comb += [self.events.ready.eq(1), read.addr.eq(event.address)]
                with m.If(self.events.valid):
                    with m.If(~event.step):
                        m.next = "COUNT"
                    with m.Elif(event.last):
                        m.next = "SCORE"
            with m.State("COUNT"):
                with m.Switch(read.data[:2]):
                    for n, count in enumerate(counts):
                        with m.Case(n):
                            m.d.sync += count.eq(count + ~read.data[2:].xor())
                m.d.sync += best.eq(read.data)
                m.next = "EVENT"
            with m.State("SCORE"):
                m.d.comb += [
                    self.scores.valid.eq(1),
                    self.scores.payload.best.eq(best),
                    self.scores.payload.last.eq(index == OUTPUTS - 1),
                ]
                with m.Switch(index):
                    for n, count in enumerate(counts):
                        with m.Case(n):
                            m.d.comb += self.scores.payload.value.eq(count)
                with m.If(self.scores.ready):
                    m.d.sync += index.eq(index + 1)
                    with m.If(self.scores.payload.last):
                        m.d.sync += [count.eq(0) for count in counts]
                        m.next = "EVENT"
        return m
