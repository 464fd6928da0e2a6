"""Everything between a line of bytes and the core.

::

    received ─► FrameReceiver ─► Engine ─► commands ─► (encoder) ─► SampleGate ─► events
    sent ◄───── FrameSender ◄──────┘           └── ResultStore ◄──── scores

`docs/protocol.md` has the conversation. **No byte is lost**: the receiver keeps two frames, one
that is carried out and one that comes; a host sends no third before the first is answered.
"""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikeloom.host import protocol
from spikeloom.host.protocol import Command
from spikeloom_hw.core.memory_shape import CHUNK_BITS
from spikeloom_hw.encoders import Encoder
from spikeloom_hw.events import EventLayout, ScoreLayout
from spikeloom_hw.host.commands.counters import CountersCommand
from spikeloom_hw.host.commands.events import EventsCommand
from spikeloom_hw.host.commands.frame import FrameCommand
from spikeloom_hw.host.commands.identity import IdentityCommand
from spikeloom_hw.host.commands.memory import MemoryCommand
from spikeloom_hw.host.commands.result import ResultCommand
from spikeloom_hw.host.engine import Engine
from spikeloom_hw.host.frame_receiver import FrameReceiver
from spikeloom_hw.host.frame_sender import FrameSender
from spikeloom_hw.host.layouts import FrameByteLayout
from spikeloom_hw.host.register import StreamRegister
from spikeloom_hw.host.results import ResultStore
from spikeloom_hw.host.samples import SampleGate

MOST_COUNTERS = (protocol.PAYLOAD_BYTES - len(protocol.LINK_COUNTS)) // protocol.COUNT_BYTES
"""Counters of a core that an answer has room for."""


class HostPort(wiring.Component):
    """Serves a core to whoever is at the other end of a line of bytes.

    Args:
        event: layout of the core's events.
        score: layout of the core's scores.
        identity: who the device is.
        load: layout of what a loadable core is loaded with.
        encoder: makes events of values; the host may send either.

    Members:
        received: In, stream of bytes from the host, always taken.
        sent: Out, stream of bytes to the host.
        events: Out, stream of `event`.
        scores: In, stream of `score`, taken within two cycles.
        load, chunk: Out, stream of `load`, and In, what it finds, if there is such a layout.
        select, count: Out and In, a counter's number and, a cycle later, its value, if any.
        framing_errors, overruns: In(8), what the line has lost.
        lost: Out, something was refused or ignored since reset.
        label: Out, the class of the last sample.

    Raises:
        ValueError: the core has more of something than the protocol can name; the identity is not
            that of a device with, or without, an encoder.
    """

    def __init__(
        self,
        *,
        event: EventLayout,
        score: ScoreLayout,
        identity: protocol.Identity,
        load: data.StructLayout | None = None,
        encoder: Encoder | None = None,
    ) -> None:
        if not 0 < identity.inputs <= protocol.ADDRESSES:
            raise ValueError(
                f"The protocol has {protocol.ADDRESSES} addresses, not {identity.inputs!r}"
            )
        if score.score_bits > 8 * protocol.SCORE_BYTES:
            widest = 8 * protocol.SCORE_BYTES
            raise ValueError(f"A score has up to {widest} bits, not {score.score_bits!r}")
        if identity.outputs > protocol.LABELS:
            raise ValueError(
                f"The protocol names {protocol.LABELS} classes, not {identity.outputs!r}"
            )
        if identity.counters > MOST_COUNTERS:
            raise ValueError(
                f"The protocol has {MOST_COUNTERS} counters, not {identity.counters!r}"
            )
        if identity.takes_frames != (encoder is not None):
            raise ValueError(f"Encoder is {encoder!r}, takes_frames {identity.takes_frames!r}")
        self.event, self.score, self.identity = event, score, identity
        self.encoder = encoder
        self.load_layout = load
        members: dict[str, Any] = {
            "received": In(stream.Signature(8, always_ready=True)),
            "sent": Out(stream.Signature(8)),
            "events": Out(stream.Signature(event)),
            "scores": In(stream.Signature(score)),
            "framing_errors": In(8),
            "overruns": In(8),
            "lost": Out(1),
            "label": Out(score.label_bits),
        }
        if load is not None:
            members |= {"load": Out(stream.Signature(load)), "chunk": In(CHUNK_BITS)}
        if identity.counters:
            members |= {
                "select": Out(range(identity.counters)),
                "count": In(8 * protocol.COUNT_BYTES),
            }
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        identity = self.identity
        m.submodules.receiver = receiver = FrameReceiver()
        m.submodules.sender = sender = FrameSender()
        m.submodules.gate = gate = SampleGate(self.event)
        m.submodules.results = results = ResultStore(self.score)

        m.submodules.identity = who = IdentityCommand(protocol.encode_identity(identity))
        m.submodules.words = words = EventsCommand(event=self.event, inputs=identity.inputs)
        m.submodules.result = result = ResultCommand(
            outputs=identity.outputs, label_bits=self.score.label_bits
        )
        m.submodules.counters = counters = CountersCommand(identity.counters)
        commands: dict[Command, Any] = {
            Command.RESET: who,
            Command.IDENTIFY: who,
            Command.EVENTS: words,
            Command.RESULT: result,
            Command.COUNTERS: counters,
        }
        if self.load_layout is not None:
            m.submodules.memory = memory = MemoryCommand(self.load_layout, layers=identity.layers)
            commands |= {Command.LOAD: memory, Command.READ: memory}
        if self.encoder is not None:
            m.submodules.frame_command = frame_command = FrameCommand()
            m.submodules.encoder = encoder = self.encoder
            commands |= {Command.FRAME: frame_command}
            wiring.connect(m, frame_command.values, encoder.frames)
        m.submodules.engine = engine = Engine(commands)

        # Line, frames, requests, and back: registers keep the slots apart from the commands.
        wiring.connect(m, wiring.flipped(self.received), receiver.bytes)
        m.submodules.frame = frame = StreamRegister(FrameByteLayout())
        m.submodules.contents = contents = StreamRegister(FrameByteLayout())
        wiring.connect(m, receiver.frames, frame.input)
        wiring.connect(m, frame.output, engine.frames)
        wiring.connect(m, receiver.refused, engine.refused)
        wiring.connect(m, engine.contents, contents.input)
        wiring.connect(m, contents.output, sender.contents)
        wiring.connect(m, sender.bytes, wiring.flipped(self.sent))

        # Samples to the core, and results from it.
        give_up, rest, waiting = who.give_up, gate.rest, gate.waiting
        if self.encoder is None:
            wiring.connect(m, words.events, gate.input)
        else:
            # What is given up in the encoder comes to an end there, before the gate ends the rest.
            encoder = self.encoder
            m.d.comb += encoder.abort.eq(give_up)
            give_up &= ~encoder.busy
            rest &= ~encoder.busy
            waiting |= encoder.sending
            with m.If(encoder.sending):
                wiring.connect(m, encoder.events, gate.input)
            with m.Else():
                wiring.connect(m, words.events, gate.input)
        wiring.connect(m, gate.output, wiring.flipped(self.events))
        # The core finds its best score, and the store takes it: not in the same cycle.
        m.submodules.score = score = StreamRegister(self.score)
        wiring.connect(m, wiring.flipped(self.scores), score.input)
        wiring.connect(m, score.output, results.scores)
        m.d.comb += [
            who.reset.eq(engine.command == Command.RESET),
            who.rest.eq(rest),
            gate.give_up.eq(give_up),
            gate.told.eq(results.told),
            results.forget.eq(who.forget),
            result.complete.eq(results.complete),
            result.waiting.eq(waiting),
            results.sample.eq(result.sample),
            result.kept.eq(results.kept),
            result.label.eq(results.label),
            results.output.eq(result.output),
            result.value.eq(results.value),
            self.label.eq(results.shown),
        ]

        # Memories and counters of the core.
        if self.load_layout is not None:
            wiring.connect(m, memory.load, wiring.flipped(self.load))  # pyright: ignore[reportPossiblyUnboundVariable]
            m.d.comb += [
                memory.reading.eq(engine.command == Command.READ),  # pyright: ignore[reportPossiblyUnboundVariable]
                memory.rest.eq(rest),  # pyright: ignore[reportPossiblyUnboundVariable]
                memory.chunk.eq(self.chunk),  # pyright: ignore[reportPossiblyUnboundVariable]
            ]
        if identity.counters:
            m.d.comb += [self.select.eq(counters.select), counters.count.eq(self.count)]

        # What was lost on the way.
        ignored = Signal(8)
        with m.If(words.ignored & ~ignored.all()):
            m.d.sync += ignored.eq(ignored + 1)
        m.d.comb += [
            counters.refused.eq(receiver.refusals),
            counters.framing_errors.eq(self.framing_errors),
            counters.overruns.eq(self.overruns),
            counters.ignored.eq(ignored),
        ]
        m.d.sync += self.lost.eq(
            receiver.refusals.any()
            | self.framing_errors.any()
            | self.overruns.any()
            | ignored.any()
        )
        return m
