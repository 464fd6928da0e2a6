"""Words from the host to what they mean: events, requests, and memory contents."""

from typing import Any

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

from spikeloom_hw.events import EventLayout
from spikeloom_hw.host import protocol


def load_member(load: data.StructLayout | None) -> dict[str, Any]:
    """The member ``load``, if there is anything to load."""
    return {} if load is None else {"load": Out(stream.Signature(load))}


class _Part(enum.Enum, shape=2):
    """What the next word is."""

    COMMAND = 0
    ADDRESS = 1
    COUNT = 2
    CHUNK = 3


class WordDecoder(wiring.Component):
    """Pairs bytes to words, and words to events or the request to identify.

    Args:
        event: layout of the events.
        inputs: number of addresses the network has.
        load: layout of what a loadable core is loaded with.

    Members:
        bytes: In, stream of bytes, low byte of a word first.
        events: Out, stream of `event`.
        identify, tell: Out, streams without payload: one beat a request.
        load: Out, stream of `load`, if there is one.
        ignored: Out(8), words that meant nothing; stays at 255.

    Cycles: what a word means is valid two cycles after its second byte is taken.
    """

    def __init__(
        self, *, event: EventLayout, inputs: int, load: data.StructLayout | None = None
    ) -> None:
        self.inputs = inputs
        self.load_layout = load
        super().__init__(
            {
                "bytes": In(stream.Signature(8)),
                "events": Out(stream.Signature(event)),
                "identify": Out(stream.Signature(0)),
                "tell": Out(stream.Signature(0)),
                "ignored": Out(8),
                **load_member(load),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word = Signal(16)
        step = (word == protocol.STEP) | (word == protocol.LAST_STEP)
        take = self.bytes.valid & self.bytes.ready
        part = Signal(_Part)
        is_load = Const(0, 1) if self.load_layout is None else word[12:] == protocol.LOAD >> 12
        m.d.comb += [
            self.events.payload.address.eq(Mux(word[-1], 0, word)),
            self.events.payload.step.eq(word[-1]),
            self.events.payload.last.eq(word[-1] & word[0]),
        ]

        # A word takes hundreds of cycles to arrive: each part of the work has a cycle of its own.
        with m.FSM(name="word"):
            for state, following, half in (("LOW", "HIGH", 0), ("HIGH", "MEANING", 1)):
                with m.State(state):
                    m.d.comb += self.bytes.ready.eq(1)
                    with m.If(take):
                        m.d.sync += word.word_select(half, 8).eq(self.bytes.payload)
                        m.next = following
            with m.State("MEANING"):
                with m.If(part != _Part.COMMAND):
                    m.next = "LOAD"
                with m.Elif((word < self.inputs) | step):
                    m.next = "EVENT"
                with m.Elif(word == protocol.IDENTIFY):
                    m.next = "IDENTIFY"
                with m.Elif(word == protocol.COUNTERS):
                    m.next = "TELL"
                with m.Elif(is_load):
                    m.next = "LOAD"
                with m.Else():
                    m.next = "LOW"
                    with m.If(self.ignored != 0xFF):
                        m.d.sync += self.ignored.eq(self.ignored + 1)
            with m.State("LOAD"):
                m.next = "LOW"
                if self.load_layout is not None:
                    self._load(m, word, part)
            for state, target in (
                ("EVENT", self.events),
                ("IDENTIFY", self.identify),
                ("TELL", self.tell),
            ):
                with m.State(state):
                    m.d.comb += target.valid.eq(1)
                    with m.If(target.ready):
                        m.next = "LOW"
        return m

    def _load(self, m: Module, word: Signal, part: Any) -> None:
        """What the word is to a load; a chunk is taken in the cycle in which it is offered."""
        address = Signal(16)
        remaining = Signal(16)
        with m.Switch(part):
            with m.Case(_Part.COMMAND):
                m.d.sync += [
                    self.load.payload.kind.eq(word[: protocol.KIND_BITS]),
                    self.load.payload.layer.eq(word[protocol.KIND_BITS : 12]),
                    part.eq(_Part.ADDRESS),
                ]
            with m.Case(_Part.ADDRESS):
                m.d.sync += [address.eq(word), part.eq(_Part.COUNT)]
            with m.Case(_Part.COUNT):
                m.d.sync += [remaining.eq(word), part.eq(_Part.CHUNK)]
            with m.Case(_Part.CHUNK):
                m.d.comb += self.load.valid.eq(1)
                m.d.sync += [address.eq(address + 1), remaining.eq(remaining - 1)]
                with m.If(remaining == 0):
                    m.d.sync += part.eq(_Part.COMMAND)
        m.d.comb += [self.load.payload.address.eq(address), self.load.payload.data.eq(word)]
