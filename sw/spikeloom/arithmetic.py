"""The equations of a layer of a chain, in integers.

For layer ``l``, neuron ``n`` and time step ``t = 0 … T-1``::

    a[n,t] = bias[n] + Σ weight[m,n] over presynaptic m that spiked in step t
    u[n,t] = leak(v[n,t-1]) + a[n,t]
    s[n,t] = 1 if u[n,t] >= threshold[n] else 0
    v[n,t] = clamp(u - s·threshold[n])      reset "subtract"
           | clamp(u·(1-s))                 reset "zero"

The equations themselves stand in :mod:`spikeloom.neurons`; this module is their form for a layer
whose spikes are bool and whose reset takes off the threshold.

A spike is 0 or 1, so a weight needs no multiplier and no requantisation: the real scale of a
layer's weights cancels against its threshold. Clamping happens once a step, never while
accumulating, so the order of events within a step cannot change the result.

The torch modules, the integer reference, the gateware and the RTL are all held to these
functions by equality.
"""

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from spikeloom.errors import check_choice
from spikeloom.neurons import (
    DecayLeak,
    Integers,
    IntegrateLeak,
    Leak,
    Lif,
    Parameters,
    ShiftLeak,
    check_leak,
    first_leaking,
    leak,
)

__all__ = [
    "DecayLeak",
    "Integers",
    "IntegrateLeak",
    "Leak",
    "Reset",
    "ShiftLeak",
    "check_neuron",
    "first_leaking",
    "leak",
    "neuron_step",
    "rails",
]

Reset = Literal["subtract", "zero"]


def check_neuron(leak_spec: object, reset: object) -> None:
    """Refuse what is no leak or no reset, before it is taken for another.

    Raises:
        TypeError: the leak is none; a number's sentence says which leak it stands for.
        ValueError: the reset is none.
    """
    check_leak(leak_spec)
    check_choice("reset", reset, get_args(Reset))


def rails(membrane_bits: int) -> tuple[int, int]:
    """The lowest and highest membrane that ``membrane_bits`` signed bits hold."""
    return -(1 << (membrane_bits - 1)), (1 << (membrane_bits - 1)) - 1


def neuron_step(
    v: Integers,
    a: Integers,
    *,
    leak_spec: Leak,
    threshold: Integers,
    reset: Reset,
    spiking: bool,
    membrane_bits: int,
) -> tuple[npt.NDArray[np.bool_], Integers]:
    """One time step of a layer.

    Args:
        v: membranes after the step before, int64 ``[..., neurons]``, within the rails.
        a: summed input of this step, bias included, int64 ``[..., neurons]``.
        leak_spec: how the membrane decays.
        threshold: int64 ``[neurons]``, positive.
        reset: what a spike does to the membrane.
        spiking: False for a readout layer, which integrates and never spikes.
        membrane_bits: signed width of the membrane.

    Returns:
        ``(spikes, v)``: bool and int64 ``[..., neurons]``.
    """
    parameters = Parameters(
        threshold=threshold,
        amount=threshold,
        reset_value=np.zeros(1, dtype=np.int64),
        drive=np.zeros(1, dtype=np.int64),
        spiking=spiking,
        limits={"membrane": rails(membrane_bits)},
    )
    spikes, (v,) = Lif(leak=leak_spec, reset=reset).step((v,), a, parameters)
    return spikes.astype(bool), v
