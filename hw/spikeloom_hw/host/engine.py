"""Carries out one request after another.

::

    frames ─► sequence number, command ─► payload ─► command ─► answer ─► contents
                                          refused frames ─► their status ─►

What each command does is its own affair (`commands`); here is what they share: the order of
sequence numbers, and the form of an answer. `docs/protocol.md` has the whole conversation.
"""

from collections.abc import Mapping
from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikeloom.host.protocol import ORDERED, SEQUENCES, Command, Status
from spikeloom_hw.host.layouts import FrameByteLayout


class Engine(wiring.Component):
    """Brings each request to its command, and the answer on its way.

    Args:
        commands: what carries out each command; several may share one.

    Members:
        frames: In, stream of :class:`FrameByteLayout`.
        refused: In, stream of a :class:`Status`, of frames that were refused.
        contents: Out, stream of :class:`FrameByteLayout`.
        command: Out(8), the command that is under way.
    """

    def __init__(self, commands: Mapping[Command, Any]) -> None:
        self.commands = dict(commands)
        super().__init__(
            {
                "frames": In(stream.Signature(FrameByteLayout())),
                "refused": In(stream.Signature(8)),
                "contents": Out(stream.Signature(FrameByteLayout())),
                "command": Out(8),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        sequence, following = Signal(range(SEQUENCES)), Signal(range(SEQUENCES))
        status = Signal(8)
        carried_out = Signal()
        # The payload's last byte has been taken, so its end is next.
        ended = Signal()
        frame, contents = self.frames, self.contents
        for component, _ in self._owners():
            m.d.comb += [
                component.payload.payload.end.eq(ended),
                component.payload.payload.data.eq(frame.payload.data),
            ]

        with m.FSM(name="engine"):
            with m.State("SEQUENCE"):
                m.d.sync += [ended.eq(0), carried_out.eq(0)]
                with m.If(frame.valid):
                    m.d.comb += frame.ready.eq(1)
                    m.d.sync += sequence.eq(frame.payload.data)
                    m.next = "COMMAND"
                with m.Elif(self.refused.valid):
                    m.d.comb += self.refused.ready.eq(1)
                    m.d.sync += [status.eq(self.refused.payload), ended.eq(1), sequence.eq(0)]
                    m.next = "NAME"
            with m.State("COMMAND"), m.If(frame.valid):
                m.d.comb += frame.ready.eq(1)
                m.d.sync += [self.command.eq(frame.payload.data), ended.eq(frame.payload.last)]
                m.next = "DECIDE"
            with m.State("DECIDE"):
                m.next = "NAME"
                self._decide(m, sequence, following, status, carried_out)
            with m.State("NAME"):
                m.d.comb += [contents.valid.eq(1), contents.payload.data.eq(sequence)]
                with m.If(contents.ready):
                    m.next = "CARRY_OUT"
                    with m.If(~carried_out):
                        m.next = "DRAIN"
            with m.State("DRAIN"):
                with m.If(ended):
                    m.next = "NEXT"
                with m.Else():
                    m.d.comb += frame.ready.eq(1)
                    with m.If(frame.valid):
                        m.d.sync += ended.eq(frame.payload.last)
            with m.State("CARRY_OUT"):
                done = self._carry_out(m, ended, status)
                with m.If(done):
                    m.next = "NEXT"
            with m.State("NEXT"):
                m.d.comb += [contents.valid.eq(1), contents.payload.data.eq(following)]
                with m.If(contents.ready):
                    m.next = "STATUS"
            with m.State("STATUS"):
                m.d.comb += [
                    contents.valid.eq(1),
                    contents.payload.data.eq(status),
                    contents.payload.last.eq(1),
                ]
                with m.If(contents.ready):
                    m.next = "SEQUENCE"
        return m

    def _decide(
        self, m: Module, sequence: Signal, following: Signal, status: Signal, carried_out: Signal
    ) -> None:
        """Whether the command is carried out, and which ordered one comes next."""
        ordered = Signal()
        with m.Switch(self.command):
            with m.Case(*[command for command in self.commands if command in ORDERED]):
                m.d.comb += ordered.eq(1)
                m.d.sync += carried_out.eq(sequence == following)
            with m.Case(*[command for command in self.commands if command not in ORDERED]):
                m.d.sync += carried_out.eq(1)
            with m.Default():
                m.d.sync += carried_out.eq(0)
        m.d.sync += status.eq(Status.UNKNOWN)
        with m.If(ordered):
            m.d.sync += status.eq(Status.SEQUENCE)
        with m.If(ordered & (sequence == following) | (self.command == Command.RESET)):
            m.d.sync += following.eq(sequence + 1)

    def _carry_out(self, m: Module, ended: Signal, status: Signal) -> Signal:
        """Connect the command's payload and answer; true when its answer ends."""
        done = Signal()
        with m.Switch(self.command):
            for component, commands in self._owners():
                payload, answer = component.payload, component.answer
                with m.Case(*commands):
                    m.d.comb += [
                        payload.valid.eq(ended | self.frames.valid),
                        self.frames.ready.eq(payload.ready & ~ended),
                        self.contents.valid.eq(answer.valid & ~answer.payload.end),
                        self.contents.payload.data.eq(answer.payload.data),
                        answer.ready.eq(self.contents.ready | answer.payload.end),
                        done.eq(answer.valid & answer.payload.end),
                    ]
                    with m.If(self.frames.valid & payload.ready & ~ended):
                        m.d.sync += ended.eq(self.frames.payload.last)
                    with m.If(done):
                        m.d.sync += status.eq(answer.payload.data)
        return done

    def _owners(self) -> list[tuple[Any, list[Command]]]:
        """Each component, and the commands that it carries out."""
        components = {id(component): component for component in self.commands.values()}
        return [
            (component, [name for name, owner in self.commands.items() if owner is component])
            for component in components.values()
        ]
