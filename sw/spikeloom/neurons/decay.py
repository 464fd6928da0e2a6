"""What a step leaves of a membrane or a current: the decays, in integers.

A decay takes the share `m / 2^q` of a state in a step. The share is no whole number, and
`rounding` says which integer is taken instead:

| rounding      | what is left of `v`                              | who computes it              |
| ------------- | ------------------------------------------------ | ---------------------------- |
| "floor"       | `v - floor(v·m / 2^q)`                           | one shift, no carry          |
| "nearest"     | `v - floor(v·m / 2^q + 1/2)`                     | one carry-in more            |
| "toward-zero" | `sign(v) · floor(abs(v)·(2^q - m) / 2^q)`        | Loihi, of the part it keeps  |

Rounding down leaves positive membranes below `2^q / m` where they are, for ever: such a neuron
leaks for negative membranes only. Rounding to the nearest halves that dead zone and makes it
symmetric; toward zero, there is none.
"""

from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

Rounding = Literal["floor", "nearest", "toward-zero"]


class _Leak(
    msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True, omit_defaults=True
):
    """A kind of leak; ``kind`` names it in files."""


class IntegrateLeak(_Leak, frozen=True, kw_only=True, tag="none"):
    """``leak(v) = v``: the integrate-and-fire neuron (IF)."""


class ShiftLeak(_Leak, frozen=True, kw_only=True, tag="shift"):
    """``leak(v) = v - (v >> shift)``, without a multiplier.

    Attributes:
        shift: 1 … 15. The membrane keeps about ``1 - 2**-shift`` of its value in a step; rounded
            down, it keeps all of it from 0 to ``2**shift - 1`` (`first_leaking`).
        rounding: of the part that is lost; the shift rounds it down by itself.
    """

    shift: int
    rounding: Rounding = "floor"


class DecayLeak(_Leak, frozen=True, kw_only=True, tag="decay"):
    """``leak(v) = v - ((v·multiplier) >> fraction_bits)``: a fixed-point decay.

    Attributes:
        multiplier: 1 … ``2**fraction_bits``. The fraction of the membrane lost in a step.
        fraction_bits: 1 … 24.
        rounding: of the part that is lost; the shift rounds it down by itself.
    """

    multiplier: int
    fraction_bits: int
    rounding: Rounding = "floor"


Leak = IntegrateLeak | ShiftLeak | DecayLeak


def check_leak(value: object) -> None:
    """Refuse what is no leak, before it is taken for another.

    Raises:
        TypeError: `value` is none; a number's sentence says which leak it stands for.
    """
    if isinstance(value, Leak):
        return
    leaks = "IntegrateLeak(), ShiftLeak(shift=…) or DecayLeak(multiplier=…, fraction_bits=…)"
    hint = ""
    # Other frameworks give the share that a membrane keeps.
    if isinstance(value, float) and 0 <= value < 1:
        multiplier = max(1, round((1 - value) * 256))
        decay = f"DecayLeak(multiplier={multiplier}, fraction_bits=8)"
        hint = f"; {decay} keeps {value:g} of a membrane in a step"
    raise TypeError(f"leak must be {leaks}, not {value!r}{hint}")


def first_leaking(spec: Leak) -> int | None:
    """The smallest positive membrane that leaks; None if none ever does.

    Where the part that is lost is rounded down, a smaller positive membrane loses nothing and
    stays for ever, while every negative one loses at least 1 in a step.
    """
    match spec:
        case IntegrateLeak():
            return None
        case ShiftLeak(shift=bits, rounding=rounding):
            multiplier = 1
        case DecayLeak(multiplier=multiplier, fraction_bits=bits, rounding=rounding):
            pass
    match rounding:
        case "floor":
            return -(-(1 << bits) // multiplier)
        case "nearest":
            return -(-(1 << (bits - 1)) // multiplier)
        case "toward-zero":
            return 1


def leak(v: Integers, spec: Leak) -> Integers:
    """What is left of membranes ``v`` (int64, any shape) after one step of leaking.

    Raises:
        TypeError: `spec` is no leak.
    """
    match spec:
        case IntegrateLeak():
            return v
        case ShiftLeak(shift=shift, rounding=rounding):
            return _decay(v, 1, shift, rounding)
        case DecayLeak(multiplier=multiplier, fraction_bits=bits, rounding=rounding):
            return _decay(v, multiplier, bits, rounding)
    check_leak(spec)
    raise AssertionError(spec)


def _decay(v: Integers, multiplier: int, bits: int, rounding: Rounding) -> Integers:
    match rounding:
        case "floor":
            return v - ((v * multiplier) >> bits)
        case "nearest":
            return v - ((v * multiplier + (1 << (bits - 1))) >> bits)
        case "toward-zero":
            return np.sign(v) * ((np.abs(v) * ((1 << bits) - multiplier)) >> bits)
