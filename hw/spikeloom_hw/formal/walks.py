"""The groups of neurons that a layer's update sends, at any pace."""

from typing import Any

from amaranth.hdl import Signal, Value

from spikeloom_hw.core.params import LayerParams
from spikeloom_hw.formal.bench import Bench


class Walks:
    """Drives a port of groups: one walk after another, each of all groups in order.

    A walk begins when it may, and not in the first cycle after the walk before it. Its groups come
    some time later, with any gaps. What ``NeuronUpdate`` does is one case of this; that it does
    nothing else is proved for it (``chain``).

    Attributes:
        under_way: a walk has begun, and not all of its groups have come.
        place: the group that comes next.
    """

    def __init__(self, bench: Bench, port: Any, params: LayerParams, *, may_begin: Value) -> None:
        m = bench.m
        self.groups = params.groups
        self.under_way = Signal()
        self.place = Signal(range(params.groups))
        bench.drive(port, "groups", lawful=False)
        group = port.payload
        final = self.place == params.groups - 1
        bench.assume(~port.valid | self.under_way)
        bench.assume(group.group == self.place)
        bench.assume(group.end == final)
        missing = params.groups * params.lanes - params.neurons
        bench.assume(~final | ~group.spikes[params.lanes - missing :].any())
        begins = bench.any(name="begins") & ~bench.before(port.valid)
        with m.If(port.valid):
            m.d.sync += self.place.eq(self.place + 1)
            with m.If(final):
                m.d.sync += [self.place.eq(0), self.under_way.eq(0)]
        with m.Elif(begins & may_begin):
            m.d.sync += self.under_way.eq(1)
