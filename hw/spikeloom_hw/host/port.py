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

from amaranth.hdl import Module
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from spikeloom_hw.events import EventLayout, ScoreLayout
from spikeloom_hw.host import protocol
from spikeloom_hw.host.answers import AnswerEncoder, counter_members
from spikeloom_hw.host.register import StreamRegister
from spikeloom_hw.host.words import WordDecoder, load_member

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
                **load_member(load),
                **counter_members(counters),
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
