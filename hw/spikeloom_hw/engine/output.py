"""From the states of the last population to scores and a class."""

from amaranth.hdl import Array, Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikeloom_hw.engine.layouts import SettingsLayout, score_layout
from spikeloom_hw.engine.params import EngineParams
from spikeloom_hw.engine.program import registers


class Output(wiring.Component):
    """Tells the states of a list of neurons, with the best so far.

    Cycles: three a score.

    Members:
        settings: In.
        start: In, begin in the next cycle.
        stop: In, be idle from the next cycle on.
        busy: Out, from the cycle behind `start` until the last score is taken.
        scan: Out, the state to read.
        states: In, what the banks show, a cycle later.
        scores: Out, `ScoreLayout`.
    """

    def __init__(self, params: EngineParams) -> None:
        self.params = params
        self.label_bits = registers(params)["output"]["neurons"]
        wide = signed(params.state_bits)
        super().__init__(
            {
                "settings": In(SettingsLayout(params)),
                "start": In(1),
                "stop": In(1),
                "busy": Out(1),
                "scan": Out(params.state_address_bits),
                "states": In(wide).array(params.lanes),
                "scores": Out(stream.Signature(score_layout(params))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        params = self.params
        neuron = Signal(self.label_bits)
        value, best_value = Signal(signed(params.state_bits)), Signal(signed(params.state_bits))
        best = Signal(self.label_bits)
        better = (neuron == 0) | (value > best_value)
        last = neuron == self.settings.output.neurons
        score = self.scores.payload
        m.d.comb += [
            self.busy.eq(1),
            self.scan.eq(self.settings.target.base + (neuron >> params.lane_bits)),
            score.value.eq(value),
            score.best.eq(Mux(better, neuron, best)),
            score.last.eq(last),
        ]
        lane = Array(self.states)[neuron[: params.lane_bits]] if params.lane_bits else None
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.busy.eq(0)
                m.d.sync += neuron.eq(0)
                with m.If(self.start):
                    m.next = "READ"
            with m.State("READ"):
                m.next = "HOLD"
                self._stop(m)
            with m.State("HOLD"):
                m.d.sync += value.eq(self.states[0] if lane is None else lane)
                m.next = "TELL"
                self._stop(m)
            with m.State("TELL"):
                m.d.comb += self.scores.valid.eq(1)
                with m.If(self.scores.ready):
                    m.d.sync += neuron.eq(neuron + 1)
                    with m.If(better):
                        m.d.sync += [best_value.eq(value), best.eq(neuron)]
                    m.next = "READ"
                    with m.If(last):
                        m.next = "IDLE"
                self._stop(m)
        return m

    def _stop(self, m: Module) -> None:
        with m.If(self.stop):
            m.next = "IDLE"
