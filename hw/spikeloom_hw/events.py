"""What travels between layers, out of the core, and past the observer.

An event is ``SPIKE(address)`` or ``STEP(last)``. The spikes of a time step come in any order and
are closed by one STEP; the STEP of a sample's last time step carries ``last``.
"""

from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out


class EventLayout(data.StructLayout):
    """``SPIKE(address)`` when ``step`` is 0, ``STEP(last)`` when it is 1.

    Attributes:
        address_bits: width of a presynaptic neuron's number.
    """

    def __init__(self, address_bits: int) -> None:
        super().__init__({"address": address_bits, "step": 1, "last": 1})
        self.address_bits = address_bits


class ScoreLayout(data.StructLayout):
    """One output neuron's score. Neuron 0 comes first; ``last`` marks the final one.

    ``best`` is the neuron with the highest score so far, the lowest of equals: on the final beat
    it is the class.

    Attributes:
        score_bits: signed width of a score.
        label_bits: width of an output neuron's number.
    """

    def __init__(self, score_bits: int, label_bits: int) -> None:
        from amaranth.hdl import signed

        super().__init__({"value": signed(score_bits), "best": label_bits, "last": 1})
        self.score_bits = score_bits
        self.label_bits = label_bits


class TraceSignature(wiring.Signature):
    """What an observer sees of a layer: each group of neurons once a step, as it is updated.

    Members:
        valid: a group is shown in this cycle. There is no ready: an observer never slows a core.
        group: neuron = group·lanes + lane.
        spikes: bit ``lane`` is that neuron's spike.
        membranes: ``membrane_bits`` a lane, lane 0 lowest, after the step.
    """

    def __init__(self, *, group_bits: int, lanes: int, membrane_bits: int) -> None:
        super().__init__(
            {
                "valid": Out(1),
                "group": Out(group_bits),
                "spikes": Out(lanes),
                "membranes": Out(lanes * membrane_bits),
            }
        )
