"""What a proof is written in: the component under proof, free inputs, assumptions, assertions.

A property watches ports, and may look inside: the invariants with which an induction closes are
about registers. The memories of the component are replaced by registers (:class:`OpenMemory`) for
the same reason, and because a word that is read in the cycle in which it is written is then *any*
word, as devices leave it open.
"""

from collections.abc import Iterator
from typing import Any

from amaranth.asserts import AnyConst, AnySeq
from amaranth.back import rtlil
from amaranth.hdl import (
    Array,
    Assert,
    Assume,
    ClockDomain,
    Const,
    Cover,
    Fragment,
    Module,
    Mux,
    Shape,
    ShapeCastable,
    Signal,
    Value,
    ValueLike,
)
from amaranth.lib import memory

TOP = "proof"


class OpenMemory:
    """A memory of registers, made in place of ``amaranth.lib.memory.Memory``.

    What is read where it is written in the same cycle is any value, unless the port is
    transparent.

    Attributes:
        words: the contents, a Signal each.
    """

    def __init__(self, source: memory.Memory) -> None:
        self.source = source
        self.width = Shape.cast(source.shape).width
        self.words = [
            Signal(self.width, init=_bits(source, word), name=f"word_{place}")
            for place, word in enumerate(source.init)
        ]

    def elaborate(self) -> Module:
        """Registers and ports."""
        m = Module()
        words = Array(self.words)
        for port in self.source.write_ports:
            data = Value.cast(port.data)
            parts = len(port.en)
            part = self.width // parts
            for number in range(parts):
                with m.If(port.en[number]):
                    m.d.sync += (
                        words[port.addr]
                        .word_select(number, part)
                        .eq(data.word_select(number, part))
                    )
        for port in self.source.read_ports:
            data = Value.cast(port.data)
            if port.domain == "comb":
                m.d.comb += data.eq(words[port.addr])
                continue
            unknown = Signal(self.width)
            m.d.comb += unknown.eq(AnySeq(self.width))
            clash: Value = Const(0, 1)
            for write in self.source.write_ports:
                clash = clash | (write.en.any() & (write.addr == port.addr))
            with m.If(port.en):
                m.d.sync += data.eq(Mux(clash, unknown, words[port.addr]))
        return m


class _Platform:
    """Makes memories open, and remembers them in the order in which they are elaborated."""

    def __init__(self) -> None:
        self.memories: list[OpenMemory] = []

    def get_memory(self, source: memory.Memory) -> Module:
        made = OpenMemory(source)
        self.memories.append(made)
        return made.elaborate()


class Inside:
    """The registers and wires of an elaborated component, by name.

    ``inside["oldest"]`` is a Signal of the component itself, ``inside["update.walking"]`` one of
    its submodule ``update``, and ``inside.memory("queue")`` the words of a memory.
    """

    def __init__(self, fragment: Fragment) -> None:
        self._fragment = fragment

    def __getitem__(self, path: str) -> Signal:
        *modules, name = path.split(".")
        fragment = self._at(modules)
        for signal in _driven(fragment):
            if signal.name == name:
                return signal
        raise KeyError(path)

    def memory(self, path: str) -> list[Signal]:
        """The words of the memory at ``path``."""
        words = {
            s.name: s for s in _driven(self._at(path.split("."))) if s.name.startswith("word_")
        }
        return [words[f"word_{place}"] for place in range(len(words))]

    def let_loose(self, path: str) -> None:
        """Let everything that the submodule at ``path`` says be any value in any cycle."""
        fragment = self._at(path.split("."))
        said = {signal.name: signal for signal in _driven(fragment)}
        fragment.statements = {}
        fragment.subfragments = []
        for signal in said.values():
            value = Value.cast(signal)
            fragment.add_statements("comb", value.eq(AnySeq(len(value))))

    def _at(self, modules: list[str]) -> Fragment:
        fragment = self._fragment
        for name in modules:
            fragment = fragment.find_subfragment(name)
        return fragment


class Bench:
    """One proof under construction.

    Attributes:
        covering: cover statements are searched for; otherwise assertions are proved.
        m: the module that holds component and properties; its domain ``sync`` has no reset, unless
            ``reset`` is called.
    """

    def __init__(self, *, covering: bool = False) -> None:
        self.covering = covering
        self.m = Module()
        self.m.domains.sync = self._clock = ClockDomain("sync", reset_less=True)
        # Apart from the conditions under which a property stands.
        self.m.submodules.apart = self._apart = Module()

    def add(self, component: Any, name: str = "dut") -> Inside:
        """Put ``component`` into the bench; what is inside it can be looked at from now on."""
        fragment = Fragment.get(component, _Platform())
        setattr(self.m.submodules, name, fragment)
        return Inside(fragment)

    def reset(self, *, free: bool = True) -> Signal:
        """Give ``sync`` a reset: one that comes in any cycle if ``free``, else the component's."""
        assert self._clock.rst is None
        self._clock.rst = self.any(name="reset") if free else Signal(name="reset")
        return self._clock.rst

    def any(self, shape: Any = 1, *, name: str) -> Any:
        """A value that is any in every cycle."""
        signal = Signal(shape, name=name)
        value = Value.cast(signal)
        self._apart.d.comb += value.eq(AnySeq(len(value)))
        return signal

    def constant(self, shape: Any = 1, *, name: str) -> Any:
        """A value that is any, and the same in every cycle."""
        signal = Signal(shape, name=name)
        value = Value.cast(signal)
        self._apart.d.comb += value.eq(AnyConst(len(value)))
        return signal

    def before(self, value: ValueLike, *, init: int = 0) -> Signal:
        """``value`` of the cycle before, whether that was one of reset or not."""
        value = Value.cast(value)
        held = Signal(value.shape(), init=init, name="before", reset_less=True)
        self._apart.d.sync += held.eq(value)
        return held

    def assume(self, condition: ValueLike) -> None:
        """Hold the surroundings to ``condition`` in every cycle."""
        self.m.d.comb += Assume(condition, None, src_loc_at=1)

    def lead(self, condition: ValueLike) -> None:
        """Where cover statements are searched for, hold the surroundings to ``condition``.

        It makes the way to them short, and has no part in the proof.
        """
        if self.covering:
            self.m.d.comb += Assume(condition, None, src_loc_at=1)

    def prove(self, condition: ValueLike) -> None:
        """``condition`` holds in every cycle."""
        self.m.d.comb += Assert(condition, None, src_loc_at=1)

    def cover(self, condition: ValueLike) -> None:
        """``condition`` is reached: the proof is about something."""
        self.m.d.comb += Cover(condition, None, src_loc_at=1)

    def drive(self, port: Any, name: str, *, lawful: bool = True) -> None:
        """Let anything come into ``port``; if ``lawful``, by the rules of streams."""
        payload = Value.cast(port.payload)
        self.m.d.comb += [
            port.valid.eq(self.any(name=f"{name}_valid")),
            payload.eq(self.any(len(payload), name=f"{name}_payload")),
        ]
        if lawful:
            self.assume(self.lawful(port))

    def take(self, port: Any, name: str) -> None:
        """Take what comes out of ``port``, or make it wait."""
        self.m.d.comb += port.ready.eq(self.any(name=f"{name}_ready"))

    def lawful(self, port: Any) -> Value:
        """What waits stays: ``valid`` until it is taken, and the payload with it."""
        payload = Value.cast(port.payload)
        waited = self.before(port.valid & ~port.ready)
        return ~waited | (port.valid & (payload == self.before(payload)))

    def rtlil(self) -> str:
        """The bench as RTLIL, with the module ``proof`` on top."""
        return rtlil.convert(self.m, name=TOP, ports=[self._clock.clk])


def _driven(fragment: Fragment) -> Iterator[Signal]:
    for statements in fragment.statements.values():
        for statement in statements:
            yield from statement._lhs_signals()


def _bits(source: memory.Memory, word: Any) -> int:
    shape = source.shape
    if isinstance(shape, ShapeCastable):
        word = Const.cast(shape.const(word))
        return word.value & ((1 << len(word)) - 1)
    return int(word) & ((1 << Shape.cast(shape).width) - 1)
