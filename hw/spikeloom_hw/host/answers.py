"""Answers to the host: scores and classes, counters, and who the device is."""

from typing import Any

from amaranth.hdl import Array, Const, Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikeloom_hw.events import ScoreLayout
from spikeloom_hw.host import protocol


def counter_members(counters: int) -> dict[str, Any]:
    """The members ``select`` and ``count``, if there are counters."""
    if not counters:
        return {}
    return {"select": Out(range(counters)), "count": In(8 * protocol.COUNT_BYTES)}


class AnswerEncoder(wiring.Component):
    """Serialises scores, the class, and the identity; one answer is never inside another.

    Args:
        score: layout of the scores.
        identity: bytes that answer a request to identify.
        counters: number of counters to tell.

    Members:
        scores: In, stream of `score`.
        identify, tell: In, streams without payload.
        select, count: Out and In, a counter's number and, a cycle later, its value, if any.
        bytes: Out, stream of bytes.

    Cycles: one byte a cycle; a request or a sample's first score is answered from the next cycle.
    """

    def __init__(self, *, score: ScoreLayout, identity: bytes, counters: int = 0) -> None:
        self.identity = identity
        self.counters = counters
        super().__init__(
            {
                "scores": In(stream.Signature(score)),
                "identify": In(stream.Signature(0)),
                "tell": In(stream.Signature(0)),
                "bytes": Out(stream.Signature(8)),
                **counter_members(counters),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        identity = Array(Const(byte, 8) for byte in self.identity)
        value = Signal(signed(8 * protocol.SCORE_BYTES))
        m.d.comb += value.eq(self.scores.payload.value)
        index = Signal(range(max(len(identity), protocol.SCORE_BYTES)))

        with m.FSM(name="answer"):
            with m.State("IDLE"):
                m.d.sync += index.eq(0)
                with m.If(self.identify.valid):
                    m.next = "IDENTITY"
                with m.Elif(self.tell.valid):
                    m.next = "COUNTER"
                with m.Elif(self.scores.valid):
                    m.next = "SCORE"
            with m.State("IDENTITY"):
                m.d.comb += [self.bytes.valid.eq(1), self.bytes.payload.eq(identity[index])]
                with m.If(self.bytes.ready):
                    m.d.sync += index.eq(index + 1)
                    with m.If(index == len(identity) - 1):
                        m.d.comb += self.identify.ready.eq(1)
                        m.next = "IDLE"
            with m.State("COUNTER"):
                if self.counters:
                    self._tell(m, index)
                else:
                    m.d.comb += self.tell.ready.eq(1)
                    m.next = "IDLE"
            # A score is kept by its sender until its last byte has gone.
            with m.State("SCORE"):
                m.d.comb += [
                    self.bytes.valid.eq(self.scores.valid),
                    self.bytes.payload.eq(value.word_select(index[:2], 8)),
                ]
                with m.If(self.scores.valid & self.bytes.ready):
                    m.d.sync += index.eq(index + 1)
                    with m.If(index == protocol.SCORE_BYTES - 1):
                        m.d.sync += index.eq(0)
                        with m.If(self.scores.payload.last):
                            m.next = "CLASS"
                        with m.Else():
                            m.d.comb += self.scores.ready.eq(1)
            with m.State("CLASS"):
                m.d.comb += [
                    self.bytes.valid.eq(1),
                    self.bytes.payload.eq(self.scores.payload.best),
                ]
                with m.If(self.bytes.ready):
                    m.d.comb += self.scores.ready.eq(1)
                    m.next = "IDLE"
        return m

    def _tell(self, m: Module, index: Signal) -> None:
        # A count goes on counting while it is told: its bytes are those of one moment.
        held = Signal(8 * protocol.COUNT_BYTES)
        number = Signal(range(self.counters))
        fresh = Signal(2)
        final = number == self.counters - 1
        m.d.comb += self.select.eq(number)
        with m.If(fresh != 3):
            m.d.sync += [fresh.eq(fresh + 1), held.eq(self.count)]
        with m.Else():
            m.d.comb += [
                self.bytes.valid.eq(1),
                self.bytes.payload.eq(held.word_select(index[:2], 8)),
            ]
            with m.If(self.bytes.ready):
                m.d.sync += index.eq(index + 1)
                with m.If(index == protocol.COUNT_BYTES - 1):
                    m.d.sync += [index.eq(0), fresh.eq(0), number.eq(Mux(final, 0, number + 1))]
                    with m.If(final):
                        m.d.comb += self.tell.ready.eq(1)
                        m.next = "IDLE"
