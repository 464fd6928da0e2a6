"""The neuron equation of ``spikeloom.arithmetic``, as a pipeline for one lane.

::

    cycle 1        2                3               4 (a multiplier's 5)
    compare,       reset,           leak            add bias
    u - threshold  clamp ──► v, spike               ──► potential of the next step

The bank keeps ``leak(v) + bias`` rather than ``v``: what a step begins with is made at the end of
the step before, while the sum is passing by anyway. A sample's last step leaves the bias alone.
"""

from amaranth.hdl import Const, Module, Mux, Signal, ValueLike, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikeloom.arithmetic import rails
from spikeloom.image import DecayLeak, IntegrateLeak, ShiftLeak
from spikeloom_hw.core.params import LayerParams


class NeuronLane(wiring.Component):
    """Leak, compare, reset and clamp of one lane's neurons, one a cycle.

    Members, with the cycle in which they belong to a neuron whose address is read in cycle 0:
        potential, threshold: In, cycle 1.
        exists: In, cycle 1; 0 for a lane that the last group leaves without a neuron.
        spike, membrane: Out, cycle 3.
        bias, last: In, in the cycle of ``next_potential``.
        next_potential: Out, cycle ``update_latency`` of the cycle model.
    """

    def __init__(self, params: LayerParams) -> None:
        self.params = params
        super().__init__(
            {
                "potential": In(signed(params.accumulator_bits)),
                "threshold": In(params.threshold_bits),
                "exists": In(1),
                "spike": Out(1),
                "membrane": Out(signed(params.membrane_bits)),
                "bias": In(signed(params.bias_bits)),
                "last": In(1),
                "next_potential": Out(signed(params.accumulator_bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        params = self.params
        wide = signed(params.accumulator_bits)

        # Cycle 1: compare, and subtract at the same time.
        fires = Signal()
        potential = Signal(wide)
        reduced = Signal(wide)
        m.d.sync += potential.eq(self.potential)
        if params.spiking:
            m.d.sync += fires.eq(self.exists & (self.potential >= self.threshold))
            if params.reset == "subtract":
                m.d.sync += reduced.eq(self.potential - self.threshold)

        # Cycle 2: reset and clamp.
        reset = Signal(wide)
        m.d.comb += reset.eq(Mux(fires, reduced, potential))
        m.d.sync += [
            self.spike.eq(fires),
            self.membrane.eq(_clamp(reset, params.membrane_bits)),
        ]

        # Cycle 3 (and 4): leak. Then the bias, which a new sample begins with.
        leaked = self._leak(m)
        m.d.comb += self.next_potential.eq(Mux(self.last, 0, leaked) + self.bias)
        return m

    def _leak(self, m: Module) -> Signal:
        membrane = self.membrane
        leaked = Signal(signed(self.params.membrane_bits))
        match self.params.leak:
            case IntegrateLeak():
                m.d.sync += leaked.eq(membrane)
            case ShiftLeak(shift=shift):
                m.d.sync += leaked.eq(membrane - (membrane >> shift))
            case DecayLeak(multiplier=multiplier, fraction_bits=fraction_bits):
                product = Signal(signed(self.params.membrane_bits + fraction_bits + 2))
                held = Signal.like(membrane)
                m.d.sync += [product.eq(membrane * multiplier), held.eq(membrane)]
                m.d.sync += leaked.eq(held - (product >> fraction_bits))
        return leaked


def _clamp(value: Signal, bits: int) -> ValueLike:
    """``value`` held within ``bits`` signed bits: its upper bits must all equal its sign."""
    low, high = rails(bits)
    upper = value[bits - 1 :]
    fits = upper.all() | ~upper.any()
    limit = Mux(value[-1], Const(low, signed(bits)), Const(high, signed(bits)))
    return Mux(fits, value[:bits].as_signed(), limit)
