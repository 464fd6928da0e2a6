"""The neuron equation for one neuron in one cycle, in integers wider than any that occur."""

from dataclasses import dataclass

from amaranth.hdl import Module, Mux, Signal, Value, signed

from spikeloom.arithmetic import DecayLeak, IntegrateLeak, Leak, ShiftLeak, rails
from spikeloom.image import Layer

WIDE = 12


@dataclass(frozen=True)
class Updated:
    """A neuron after its update.

    Attributes:
        spike: it fires.
        membrane: after reset and clamp.
        potential: with which it enters the next step.
    """

    spike: Signal
    membrane: Signal
    potential: Signal


def update(
    m: Module, layer: Layer, *, u: Value, threshold: Value, bias: Value, last: Value
) -> Updated:
    """What ``spikeloom.arithmetic.neuron_step`` makes of the sum ``u``, and the step after it."""
    low, high = rails(layer.membrane_bits)
    spike = Signal()
    reset, membrane, potential = (Signal(signed(WIDE)) for _ in range(3))
    m.d.comb += [
        spike.eq((u >= threshold) if layer.spiking else 0),
        reset.eq(Mux(spike, u - threshold if layer.reset == "subtract" else 0, u)),
        membrane.eq(Mux(reset > high, high, Mux(reset < low, low, reset))),
        potential.eq(Mux(last, 0, _leaked(membrane, layer.leak)) + bias),
    ]
    return Updated(spike, membrane, potential)


def _leaked(membrane: Signal, leak: Leak) -> Value:
    match leak:
        case IntegrateLeak():
            return membrane
        case ShiftLeak(shift=shift):
            return membrane - (membrane >> shift)
        case DecayLeak(multiplier=multiplier, fraction_bits=fraction_bits):
            return membrane - ((membrane * multiplier) >> fraction_bits)
