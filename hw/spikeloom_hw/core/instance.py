"""The core's own Verilog inside a board's top: what is built is what was proved, file by file."""

from amaranth.hdl import ClockSignal, Instance, Module, ResetSignal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikeloom_hw.core.params import CoreParams
from spikeloom_hw.events import EventLayout, ScoreLayout

CORE_MODULE = "spikeloom_core"


class CoreInstance(wiring.Component):
    """An instance of the module in ``core.v``, with the observers' ports left open.

    Stands where a :class:`SpikingCore` would, and has its members ``events`` and ``scores``.
    """

    def __init__(self, params: CoreParams) -> None:
        event = EventLayout(params.layers[0].address_bits)
        score = ScoreLayout(params.score_bits, params.label_bits)
        super().__init__(
            {"events": In(stream.Signature(event)), "scores": Out(stream.Signature(score))}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
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
        )
        return m
