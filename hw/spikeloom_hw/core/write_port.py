"""Nothing is stored while reset is on.

A register is put right by reset at a clock edge. At that same edge a memory would store what the
registers say before it: anything, in a flow in which they have no first values, or half of what was
under way, in a device that is reset in the middle of its work. So what outlives a reset has its
enable held low by it: every memory, and the registers that are loaded. ``docs/architecture.md`` has
the promise that rests on this.
"""

from amaranth.hdl import Module, Mux, ResetSignal, Value
from amaranth.lib.memory import Memory, WritePort


def unless_reset(enable: Value) -> Value:
    """``enable``, of any width, and 0 while the domain ``sync`` is in reset."""
    return Mux(ResetSignal("sync", allow_reset_less=True), 0, enable)


def write_port(m: Module, memory: Memory, *, granularity: int | None = None) -> WritePort:
    """A write port of ``memory`` to be driven in ``m``, which stores nothing in reset.

    Args:
        m: the module that has the memory.
        memory: not elaborated yet.
        granularity: bits that have an enable of their own; None: one enable for the word.
    """
    port = memory.write_port(granularity=granularity)
    asked = port.signature.create(path=("write",))
    m.d.comb += [
        port.addr.eq(asked.addr),
        port.data.eq(asked.data),
        port.en.eq(unless_reset(asked.en)),
    ]
    return asked
