"""The core's own Verilog inside a board's top: what is built is what was proved, file by file."""

from dataclasses import replace
from typing import Any

from amaranth.hdl import ClockSignal, Instance, Module, ResetSignal
from amaranth.lib import wiring

from spikeloom_hw.core.params import CoreParams
from spikeloom_hw.core.spiking_core import core_members, counter_count

CORE_MODULE = "spikeloom_core"


class CoreInstance(wiring.Component):
    """An instance of the module in ``core.v``, with the observers' ports left open.

    Stands where a :class:`SpikingCore` would, and has its members but for the observers' ports.
    """

    def __init__(self, params: CoreParams) -> None:
        self.params = params
        self.counter_count = counter_count(params)
        super().__init__(core_members(replace(params, trace=False)))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ports: dict[str, Any] = {}
        if self.params.loadable:
            ports["i_load__payload"] = self.load.payload.as_value()
            ports["i_load__valid"] = self.load.valid
            ports["o_load__ready"] = self.load.ready
            ports["o_chunk"] = self.chunk
        if self.params.counters:
            ports["i_select"] = self.select
            ports["o_count"] = self.count
        m.submodules.core = Instance(
            CORE_MODULE,
            i_clk=ClockSignal(),
            i_rst=ResetSignal(),
            i_events__payload=self.events.payload.as_value(),
            i_events__valid=self.events.valid,
            o_events__ready=self.events.ready,
            o_scores__payload=self.scores.payload.as_value(),
            o_scores__valid=self.scores.valid,
            i_scores__ready=self.scores.ready,
            **ports,
        )
        return m
