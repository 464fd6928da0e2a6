"""Bytes of a serial line to the core's events, and its scores back to bytes.

::

    received ──► FIFO ──► words ──► spike, step ──► events
                 1 EBR      └──► identify ─┐
                                           ▼
    sent ◄────────────────────────── answers ◄── register ◄── scores

The words and answers are those of `spikeloom_hw.host.protocol`.

**No byte is lost.** A line cannot be stopped, so the core must keep up, or a buffer must bridge the
difference. A word takes 20 bit times: 480 cycles at 1 Mbaud and 24 MHz, in which a core reads 480
memory words of a spike's row, or updates 480 groups of neurons. Networks that fit the device stay
below that on average; when hidden neurons burst, the FIFO's 256 words bridge 123,000 cycles.

What else can hold the core up is its result: it waits until the answer before has left, which it
does at the speed at which words enter. An answer of ten scores takes as long as 21 words. So
samples of that many words and more can follow each other without end, and shorter ones as long as
what is not yet answered stays below 512 bytes. Should bytes be lost all the same, the receiver
counts them.
"""

from typing import Any

from amaranth.hdl import Array, Const, Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from spikeloom_hw.events import EventLayout, ScoreLayout
from spikeloom_hw.host import protocol
from spikeloom_hw.host.register import StreamRegister

FIFO_BYTES = 512


class HostPort(wiring.Component):
    """Translates between a byte link and a core.

    Args:
        event: layout of the core's events.
        score: layout of the core's scores.
        inputs: number of addresses the network has.
        design_hash: four bytes that tell this design from others.

    Members:
        received: In, stream of bytes from the host.
        sent: Out, stream of bytes to the host.
        events: Out, stream of `event`.
        scores: In, stream of `score`.
        ignored: Out(8), words that meant nothing; stays at 255.

    Cycles: an event is valid four cycles after its word's second byte is taken, if nothing waits
    before it: two in the FIFO, two in the decoder.
    """

    def __init__(
        self, *, event: EventLayout, score: ScoreLayout, inputs: int, design_hash: bytes
    ) -> None:
        if not 0 < inputs <= protocol.ADDRESSES:
            raise ValueError(f"The protocol has {protocol.ADDRESSES} addresses, not {inputs!r}")
        if score.score_bits > 8 * protocol.SCORE_BYTES:
            widest = 8 * protocol.SCORE_BYTES
            raise ValueError(f"A score has up to {widest} bits, not {score.score_bits!r}")
        if score.label_bits > 8:
            raise ValueError(f"A class has up to 8 bits, not {score.label_bits!r}")
        self.event, self.score, self.inputs = event, score, inputs
        self.identity = protocol.encode_identity(
            protocol.Identity(version=protocol.VERSION, design_hash=design_hash)
        )
        super().__init__(
            {
                "received": In(stream.Signature(8)),
                "sent": Out(stream.Signature(8)),
                "events": Out(stream.Signature(event)),
                "scores": In(stream.Signature(score)),
                "ignored": Out(8),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        fifo: Any = SyncFIFOBuffered(width=8, depth=FIFO_BYTES)
        m.submodules.fifo = fifo
        m.submodules.words = words = WordDecoder(event=self.event, inputs=self.inputs)
        m.submodules.answers = answers = AnswerEncoder(score=self.score, identity=self.identity)
        wiring.connect(m, wiring.flipped(self.received), fifo.w_stream)
        wiring.connect(m, fifo.r_stream, words.bytes)
        wiring.connect(m, words.events, wiring.flipped(self.events))
        wiring.connect(m, words.identify, answers.identify)
        # The core finds its best score and the encoder picks a byte of it: not in the same cycle.
        m.submodules.score = score = StreamRegister(self.score)
        wiring.connect(m, wiring.flipped(self.scores), score.input)
        wiring.connect(m, score.output, answers.scores)
        wiring.connect(m, answers.bytes, wiring.flipped(self.sent))
        m.d.comb += self.ignored.eq(words.ignored)
        return m


class WordDecoder(wiring.Component):
    """Pairs bytes to words, and words to events or the request to identify.

    Args:
        event: layout of the events.
        inputs: number of addresses the network has.

    Members:
        bytes: In, stream of bytes, low byte of a word first.
        events: Out, stream of `event`.
        identify: Out, stream without payload: one beat a request.
        ignored: Out(8), words that meant nothing; stays at 255.

    Cycles: what a word means is valid two cycles after its second byte is taken.
    """

    def __init__(self, *, event: EventLayout, inputs: int) -> None:
        self.inputs = inputs
        super().__init__(
            {
                "bytes": In(stream.Signature(8)),
                "events": Out(stream.Signature(event)),
                "identify": Out(stream.Signature(0)),
                "ignored": Out(8),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word = Signal(16)
        step = (word == protocol.STEP) | (word == protocol.LAST_STEP)
        take = self.bytes.valid & self.bytes.ready
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
                with m.If((word < self.inputs) | step):
                    m.next = "EVENT"
                with m.Elif(word == protocol.IDENTIFY):
                    m.next = "IDENTIFY"
                with m.Else():
                    m.next = "LOW"
                    with m.If(self.ignored != 0xFF):
                        m.d.sync += self.ignored.eq(self.ignored + 1)
            for state, target in (("EVENT", self.events), ("IDENTIFY", self.identify)):
                with m.State(state):
                    m.d.comb += target.valid.eq(1)
                    with m.If(target.ready):
                        m.next = "LOW"
        return m


class AnswerEncoder(wiring.Component):
    """Serialises scores, the class, and the identity; one answer is never inside another.

    Args:
        score: layout of the scores.
        identity: bytes that answer a request to identify.

    Members:
        scores: In, stream of `score`.
        identify: In, stream without payload.
        bytes: Out, stream of bytes.

    Cycles: one byte a cycle; a request or a sample's first score is answered from the next cycle.
    """

    def __init__(self, *, score: ScoreLayout, identity: bytes) -> None:
        self.identity = identity
        super().__init__(
            {
                "scores": In(stream.Signature(score)),
                "identify": In(stream.Signature(0)),
                "bytes": Out(stream.Signature(8)),
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
                with m.Elif(self.scores.valid):
                    m.next = "SCORE"
            with m.State("IDENTITY"):
                m.d.comb += [self.bytes.valid.eq(1), self.bytes.payload.eq(identity[index])]
                with m.If(self.bytes.ready):
                    m.d.sync += index.eq(index + 1)
                    with m.If(index == len(identity) - 1):
                        m.d.comb += self.identify.ready.eq(1)
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
