"""The neuron equations, in integers: the one place where they are written.

For layer ``l``, neuron ``n`` and time step ``t = 0 … T-1``::

    a[n,t] = bias[n] + Σ weight[m,n] over presynaptic m that spiked in step t
    u[n,t] = leak(v[n,t-1]) + a[n,t]
    s[n,t] = 1 if u[n,t] >= threshold[n] else 0
    v[n,t] = clamp(u - s·threshold[n])      reset "subtract"
           | clamp(u·(1-s))                 reset "zero"

A spike is 0 or 1, so a weight needs no multiplier and no requantisation: the real scale of a
layer's weights cancels against its threshold. Clamping happens once a step, never while
accumulating, so the order of events within a step cannot change the result.

The torch modules, the integer reference, the gateware and the RTL are all held to these
functions by equality.
"""

from typing import Literal, get_args

import msgspec
import numpy as np
import numpy.typing as npt

from spikeloom.errors import check_choice

Integers = npt.NDArray[np.int64]

Reset = Literal["subtract", "zero"]


class _Leak(msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    """A kind of leak; ``kind`` names it in files."""


class IntegrateLeak(_Leak, frozen=True, kw_only=True, tag="none"):
    """``leak(v) = v``: the integrate-and-fire neuron (IF)."""


class ShiftLeak(_Leak, frozen=True, kw_only=True, tag="shift"):
    """``leak(v) = v - (v >> shift)``, arithmetic shift (floor), without a multiplier.

    Attributes:
        shift: 1 … 15. The membrane keeps about ``1 - 2**-shift`` of its value in a step; from 0 to
            ``2**shift - 1`` it keeps all of it (`first_leaking`).
    """

    shift: int


class DecayLeak(_Leak, frozen=True, kw_only=True, tag="decay"):
    """``leak(v) = v - ((v·multiplier) >> fraction_bits)``: a fixed-point decay.

    Attributes:
        multiplier: 1 … ``2**fraction_bits``. The fraction of the membrane lost in a step.
        fraction_bits: 1 … 15.
    """

    multiplier: int
    fraction_bits: int


Leak = IntegrateLeak | ShiftLeak | DecayLeak


def check_neuron(leak_spec: object, reset: object) -> None:
    """Refuse what is no leak or no reset, before it is taken for another.

    Raises:
        TypeError: the leak is none; a number's sentence says which leak it stands for.
        ValueError: the reset is none.
    """
    if not isinstance(leak_spec, Leak):
        raise _no_leak(leak_spec)
    check_choice("reset", reset, get_args(Reset))


def _no_leak(value: object) -> TypeError:
    """The refusal of what is no leak; other frameworks give the share that a membrane keeps."""
    leaks = "IntegrateLeak(), ShiftLeak(shift=…) or DecayLeak(multiplier=…, fraction_bits=…)"
    hint = ""
    if isinstance(value, float) and 0 <= value < 1:
        multiplier = max(1, round((1 - value) * 256))
        decay = f"DecayLeak(multiplier={multiplier}, fraction_bits=8)"
        hint = f"; {decay} keeps {value:g} of a membrane in a step"
    return TypeError(f"leak must be {leaks}, not {value!r}{hint}")


def leak(v: Integers, spec: Leak) -> Integers:
    """What is left of membranes ``v`` (int64, any shape) after one step of leaking."""
    match spec:
        case IntegrateLeak():
            return v
        case ShiftLeak(shift=shift):
            return v - (v >> shift)
        case DecayLeak(multiplier=multiplier, fraction_bits=fraction_bits):
            return v - ((v * multiplier) >> fraction_bits)
        case _:
            raise _no_leak(spec)


def first_leaking(spec: Leak) -> int | None:
    """The smallest positive membrane that leaks; None if none ever does.

    The part that is lost is rounded down, so a smaller positive membrane loses nothing and stays
    for ever, while every negative one loses at least 1 in a step.
    """
    match spec:
        case IntegrateLeak():
            return None
        case ShiftLeak(shift=shift):
            return 1 << shift
        case DecayLeak(multiplier=multiplier, fraction_bits=fraction_bits):
            return -(-(1 << fraction_bits) // multiplier)


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
    u = leak(v, leak_spec) + a
    spikes = (u >= threshold) & spiking
    after_reset = np.where(spikes, u - threshold if reset == "subtract" else 0, u)
    return spikes, np.clip(after_reset, *rails(membrane_bits))
