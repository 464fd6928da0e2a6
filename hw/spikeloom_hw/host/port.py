"""Bytes of a serial line to the core's events, and its scores back to bytes.

::

    received ──► FIFO ──► words ──► spike, step ──► events
                 1 EBR      └──► identify ─┐
                                           ▼
    sent ◄────────────────────────── answers ◄── register ◄── scores

The words and answers are those of `spikeloom_hw.host.protocol`.

**No byte is lost.** A line cannot be stopped, so the core must keep up, or a buffer must bridge the
difference. A word takes 20 bit times: 600 cycles at 1 Mbaud and 30 MHz, in which a core reads 600
memory words of a spike's row, or updates 600 groups of neurons. Networks that fit the device stay
below that on average; when hidden neurons burst, the FIFO's 256 words bridge 154,000 cycles.

What else can hold the core up is its result: it waits until the answer before has left, which it
does at the speed at which words enter. An answer of ten scores takes as long as 21 words. So
samples of that many words and more can follow each other without end, and shorter ones as long as
what is not yet answered stays below 512 bytes. Should bytes be lost all the same, the receiver
counts them.
"""

from typing import Any

from amaranth.hdl import Array, Const, Module, Mux, Signal, signed
from amaranth.lib import data, enum, stream, wiring
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
        load: layout of what a loadable core is loaded with.
        counters: number of counters that the core has.

    Members:
        received: In, stream of bytes from the host.
        sent: Out, stream of bytes to the host.
        events: Out, stream of `event`.
        scores: In, stream of `score`.
        load: Out, stream of `load`, if there is one.
        select, count: Out and In, a counter's number and, a cycle later, its value, if any.
        ignored: Out(8), words that meant nothing; stays at 255.

    Cycles: an event is valid four cycles after its word's second byte is taken, if nothing waits
    before it: two in the FIFO, two in the decoder.
    """

    def __init__(
        self,
        *,
        event: EventLayout,
        score: ScoreLayout,
        inputs: int,
        design_hash: bytes,
        load: data.StructLayout | None = None,
        counters: int = 0,
    ) -> None:
        if not 0 < inputs <= protocol.ADDRESSES:
            raise ValueError(f"The protocol has {protocol.ADDRESSES} addresses, not {inputs!r}")
        if score.score_bits > 8 * protocol.SCORE_BYTES:
            widest = 8 * protocol.SCORE_BYTES
            raise ValueError(f"A score has up to {widest} bits, not {score.score_bits!r}")
        if score.label_bits > 8:
            raise ValueError(f"A class has up to 8 bits, not {score.label_bits!r}")
        self.event, self.score, self.inputs = event, score, inputs
        self.load_layout, self.counters = load, counters
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
                **_load_member(load),
                **_counter_members(counters),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        fifo: Any = SyncFIFOBuffered(width=8, depth=FIFO_BYTES)
        m.submodules.fifo = fifo
        m.submodules.words = words = WordDecoder(
            event=self.event, inputs=self.inputs, load=self.load_layout
        )
        m.submodules.answers = answers = AnswerEncoder(
            score=self.score, identity=self.identity, counters=self.counters
        )
        wiring.connect(m, wiring.flipped(self.received), fifo.w_stream)
        wiring.connect(m, fifo.r_stream, words.bytes)
        wiring.connect(m, words.events, wiring.flipped(self.events))
        wiring.connect(m, words.identify, answers.identify)
        wiring.connect(m, words.tell, answers.tell)
        if self.load_layout is not None:
            wiring.connect(m, words.load, wiring.flipped(self.load))
        if self.counters:
            m.d.comb += [self.select.eq(answers.select), answers.count.eq(self.count)]
        # The core finds its best score and the encoder picks a byte of it: not in the same cycle.
        m.submodules.score = score = StreamRegister(self.score)
        wiring.connect(m, wiring.flipped(self.scores), score.input)
        wiring.connect(m, score.output, answers.scores)
        wiring.connect(m, answers.bytes, wiring.flipped(self.sent))
        m.d.comb += self.ignored.eq(words.ignored)
        return m


class _Part(enum.Enum, shape=2):
    """What the next word is."""

    COMMAND = 0
    ADDRESS = 1
    COUNT = 2
    CHUNK = 3


def _load_member(load: data.StructLayout | None) -> dict[str, Any]:
    return {} if load is None else {"load": Out(stream.Signature(load))}


def _counter_members(counters: int) -> dict[str, Any]:
    if not counters:
        return {}
    return {"select": Out(range(counters)), "count": In(8 * protocol.COUNT_BYTES)}


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
                **_load_member(load),
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
                **_counter_members(counters),
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
