"""What of a component outlasts a clock edge: its registers, and what it stores in memories."""

from collections.abc import Iterator
from typing import Any

from amaranth.asserts import AnySeq
from amaranth.hdl import Fragment, Instance, Module, Signal, Value, ValueLike
from amaranth.hdl._xfrm import LHSMaskCollector
from amaranth.lib import memory

from spikeloom_hw.core.loadable_memory import SINGLE_PORT_RAM


class State:
    """A component whose memories are taken out: what they show is any value in any cycle.

    Attributes:
        fragment: the component without them.
        enables: of every write port, by the memory's place in the component.
    """

    def __init__(self, component: Any) -> None:
        self._ports: list[Value] = []
        self.fragment = Fragment.get(component, self)
        self.enables = [*self._ports, *self._take_out(self.fragment)]

    def get_memory(self, source: memory.Memory) -> Module:
        """Called for each memory of the component, as Amaranth calls a platform's."""
        self._ports += [Value.cast(port.en) for port in source.write_ports]
        return _any_of(port.data for port in source.read_ports)

    def _take_out(self, fragment: Fragment) -> Iterator[Value]:
        """Take single-port memories out of ``fragment``; their enables."""
        for at, (part, *named) in enumerate(fragment.subfragments):
            if not isinstance(part, Instance):
                yield from self._take_out(part)
                continue
            if part.type != SINGLE_PORT_RAM:
                raise ValueError(f"Nothing is known of what {part.type!r} stores")
            yield Value.cast(part.ports["store"][0])
            shown = _any_of(value for value, kind in part.ports.values() if kind == "o")
            fragment.subfragments[at] = (Fragment.get(shown, None), *named)

    def registers(self) -> list[tuple[Signal, int]]:
        """The signals of the domain ``sync``, each with a mask of the bits that are registers."""
        collector = LHSMaskCollector()
        _visit(self.fragment, collector)
        return list(collector.lhs.items())


def _visit(fragment: Fragment, collector: LHSMaskCollector) -> None:
    collector.visit_stmt(fragment.statements.get("sync", ()))
    for part, *_ in fragment.subfragments:
        _visit(part, collector)


def _any_of(shown: Iterator[ValueLike]) -> Module:
    m = Module()
    for value in map(Value.cast, shown):
        m.d.comb += value.eq(AnySeq(len(value)))
    return m
