"""From a host's events to the map of a step.

The summary is cleared first, word by word. The first event of a map word then overwrites whatever
is left in it, and the others join it, so the map itself needs no clearing.
"""

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikeloom_hw.engine.layouts import InputLayout, SettingsLayout, WordWrite
from spikeloom_hw.engine.params import LINE_WORDS, EngineParams


class InputWriter(wiring.Component):
    """Writes the events of a step into a map.

    Cycles: one a summary word, two an event, one for the end of the step.

    Members:
        settings: In.
        start: In, begin in the next cycle.
        stop: In, be idle from the next cycle on, whatever is under way.
        map_first, summary_first: In, first words of the map and of its summary.
        busy: Out, from the cycle behind `start` until the end of the step is taken.
        events: In, `InputLayout`.
        map_address, map_word, summary_address, summary_word: the read ports.
        map_write, summary_write: Out, words to be stored.
    """

    def __init__(self, params: EngineParams) -> None:
        self.params = params
        words = WordWrite(params.map_address_bits, params.lanes)
        summaries = WordWrite(params.summary_address_bits, LINE_WORDS)
        super().__init__(
            {
                "settings": In(SettingsLayout(params)),
                "start": In(1),
                "stop": In(1),
                "map_first": In(params.map_address_bits),
                "summary_first": In(params.summary_address_bits),
                "busy": Out(1),
                "events": In(stream.Signature(InputLayout(params))),
                "map_address": Out(params.map_address_bits),
                "map_word": In(params.lanes),
                "summary_address": Out(params.summary_address_bits),
                "summary_word": In(LINE_WORDS),
                "map_write": Out(stream.Signature(words, always_ready=True)),
                "summary_write": Out(stream.Signature(summaries, always_ready=True)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        event = self.events.payload
        cleared = Signal(self.params.summary_address_bits)
        known = (self.summary_word >> event.bit)[0]
        m.d.comb += [
            self.busy.eq(1),
            self.map_address.eq(self.map_first + event.word),
            self.summary_address.eq(self.summary_first + event.summary),
            self.map_write.payload.address.eq(self.map_address),
            self.map_write.payload.data.eq(Mux(known, self.map_word, 0) | (Const(1) << event.lane)),
            self.summary_write.payload.address.eq(self.summary_address),
            self.summary_write.payload.data.eq(self.summary_word | (Const(1) << event.bit)),
        ]
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.busy.eq(0)
                m.d.sync += cleared.eq(0)
                with m.If(self.start):
                    m.next = "CLEAR"
            with m.State("CLEAR"):
                m.d.comb += [
                    self.summary_write.valid.eq(1),
                    self.summary_write.payload.address.eq(self.summary_first + cleared),
                    self.summary_write.payload.data.eq(0),
                ]
                m.d.sync += cleared.eq(cleared + 1)
                with m.If(cleared == self.settings.input.summaries):
                    m.next = "READ"
                self._stop(m)
            with m.State("READ"):
                with m.If(self.events.valid):
                    m.next = "WRITE"
                    with m.If(event.step):
                        m.d.comb += self.events.ready.eq(1)
                        m.next = "IDLE"
                self._stop(m)
            with m.State("WRITE"):
                m.d.comb += [
                    self.events.ready.eq(1),
                    self.map_write.valid.eq(1),
                    self.summary_write.valid.eq(1),
                ]
                m.next = "READ"
                self._stop(m)
        return m

    def _stop(self, m: Module) -> None:
        with m.If(self.stop):
            m.next = "IDLE"
