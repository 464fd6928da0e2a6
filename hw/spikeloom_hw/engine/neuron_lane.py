"""One lane's update: the neuron equations with their settings as signals.

```
 cycle   1           2            3                4        5          6
         + bias ──►  + current ─► compare,      ─► reset, ─► · keep ─► round, shift,
 state   (+ drive)   (membrane)   subtract         clamp     (product)  late reset    ─► state
```

A neuron with a current passes twice: its current first, its membrane three cycles behind it, so
that the current is clamped just when the membrane takes it in.
"""

from amaranth.hdl import Const, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spikeloom_hw.engine.layouts import SettingsLayout
from spikeloom_hw.engine.params import LANE_PARAMETERS, EngineParams
from spikeloom_hw.engine.program import Reset, Rounding

LATENCY = 7
"""Cycles from a state's address to the one in which it is written."""
SHOWN = 5
"""Cycles from a state's address to the one in which spike and value stand."""
CURRENT_LEAD = 3
"""Cycles from a current's address to that of its membrane."""


class TokenLayout(data.StructLayout):
    """What a stage of the update knows about the states in it.

    `current`: they are currents; `first`: the first plane of what is sent; `partial`: only some
    lanes have a neuron; `bit`, `flush`: place in the summary, and whether its word is full.
    """

    def __init__(self, params: EngineParams) -> None:
        super().__init__(
            {
                "valid": 1,
                "current": 1,
                "first": 1,
                "partial": 1,
                "bit": 4,
                "flush": 1,
                "address": params.state_address_bits,
            }
        )


class NeuronLane(wiring.Component):
    """Decay, compare, reset and clamp of one lane's neurons, a state a cycle.

    Members:
        settings: In.
        stages: In, the tokens of cycles 0 to `LATENCY`.
        exists: In, whether the lane has a neuron in a partial group.
        state: In, cycle 1, what the bank shows.
        parameters: In, what differs from neuron to neuron, by name.
        spike, value: Out, cycle `SHOWN`.
        left: Out, cycle `LATENCY`, the state to be written.
        clear: In, `left` is 0 from the next cycle on.
    """

    def __init__(self, params: EngineParams) -> None:
        self.params = params
        wide = signed(params.state_bits)
        super().__init__(
            {
                "settings": In(SettingsLayout(params)),
                "stages": In(data.ArrayLayout(TokenLayout(params), LATENCY + 1)),
                "exists": In(1),
                "state": In(wide),
                "parameters": In(data.StructLayout(dict.fromkeys(LANE_PARAMETERS, wide))),
                "spike": Out(1),
                "value": Out(wide),
                "left": Out(wide),
                "clear": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        params, settings, neuron = self.params, self.settings, self.settings.neuron
        wide = signed(params.state_bits)
        given = self.parameters
        two = neuron.two if params.currents else Const(0, 1)

        # Cycle 1: what joins in every step.
        now = self.stages[1]
        added = Signal(wide)
        joining = Signal(wide)
        m.d.comb += joining.eq(Mux(now.current | ~two, given.bias, given.drive))
        m.d.sync += added.eq(self.state + Mux(now.first, joining, 0))

        # Cycle 2: the current, which is in cycle 5 now.
        potential = Signal(wide)
        joined = Mux(two & ~self.stages[2].current, self.value, 0) if params.currents else 0
        m.d.sync += potential.eq(added + joined)

        # Cycle 3: compare, and subtract at the same time.
        held, reduced = Signal(wide), Signal(wide)
        fires = Signal()
        membrane = ~self.stages[3].current
        there = self.exists | ~self.stages[3].partial
        compared = potential >= given.threshold
        m.d.sync += [
            held.eq(potential),
            fires.eq(neuron.spiking & membrane & there & compared),
            reduced.eq(
                Mux(
                    neuron.reset == Reset.VALUE,
                    given.reset_value,
                    potential - given.amount,
                )
            ),
        ]

        # Cycle 4: reset and clamp.
        resets = (neuron.reset == Reset.SUBTRACT) | (neuron.reset == Reset.VALUE)
        after, limited = Signal(wide), Signal(wide)
        high, low = Signal(wide), Signal(wide)
        current_now = self.stages[4].current
        there_now = self.exists | ~self.stages[4].partial
        fired = Signal()
        m.d.comb += [
            after.eq(Mux(fires & resets, reduced, held)),
            high.eq(Mux(current_now, settings.current_high.limit, settings.high.limit)),
            low.eq(Mux(current_now, settings.current_low.limit, settings.low.limit)),
            limited.eq(Mux(after > high, high, after)),
        ]
        m.d.sync += [
            self.value.eq(Mux(limited < low, low, limited)),
            fired.eq(fires),
            self.spike.eq(Mux(neuron.relay, held[0] & there_now & ~current_now, fires)),
        ]

        # Cycle 5: the share that is kept, rounded: a multiplier adds for nothing.
        one = 1 << params.decay_bits
        kept, constant = Signal(params.decay_bits + 1), Signal(params.decay_bits)
        rounding = Signal(2)
        product = Signal(signed(params.state_bits + params.decay_bits + 1))
        fired_before = Signal()
        of_current = self.stages[5].current
        m.d.comb += [
            kept.eq(Mux(of_current, settings.current_decay.keep, settings.decay.keep)),
            rounding.eq(Mux(of_current, neuron.current_rounding, neuron.rounding)),
        ]
        with m.Switch(rounding):
            with m.Case(Rounding.FLOOR):
                m.d.comb += constant.eq(one - 1)
            with m.Case(Rounding.NEAREST):
                m.d.comb += constant.eq(one // 2 - 1)
            with m.Case(Rounding.TOWARD_ZERO):
                m.d.comb += constant.eq(Mux(self.value < 0, one - 1, 0))
        m.d.sync += [product.eq(self.value * kept + constant), fired_before.eq(fired)]

        # Cycle 6: without the fraction, and without what a spike takes off late.
        late = fired_before & (neuron.reset == Reset.LATE)
        rounded = Signal(wide)
        m.d.comb += rounded.eq(product >> params.decay_bits)
        m.d.sync += self.left.eq(rounded - Mux(late, given.amount, 0))
        with m.If(self.clear):
            m.d.sync += self.left.eq(0)
        return m
