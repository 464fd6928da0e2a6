"""The bits of an import: the widest form, or what suits weights of a given width."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from spikeloom.errors import UserError
from spikeloom.neurons import Rounding

WIDEST_STATE, EXACT_BITS = 48, 62
"""Bits of a state, and of a state times the multiplier of its decay, as networks have them."""


@dataclass(frozen=True, kw_only=True)
class Widths:
    """The bits of an import.

    Attributes:
        weight_bits: signed width of the weights.
        decay_bits: q, fraction bits of the decays.
        fraction_bits: f, of membranes and currents, at most.
        state_bits: signed width of membranes and currents.
        rounding: of the leak.
        narrower_weights: whether weights may have fewer bits where a state has no room for more.
        fewer_fractions: whether a population may have fewer fraction bits than `fraction_bits`.
    """

    weight_bits: int = 24
    decay_bits: int = 24
    fraction_bits: int = 8
    state_bits: int = 38
    rounding: Rounding = "nearest"
    narrower_weights: bool = True
    fewer_fractions: bool = True

    @classmethod
    def for_weights(cls, weight_bits: int | None, **given: Any) -> Widths:
        """The widest form, or what suits weights of `weight_bits`; `given` overrides each."""
        chosen = {name: value for name, value in given.items() if value is not None}
        decay = min(24, 12 if weight_bits and weight_bits <= 8 else (weight_bits or 20) + 4)
        decay = chosen.get("decay_bits", decay)
        plain = cls(
            weight_bits=weight_bits or 24,
            decay_bits=decay,
            fraction_bits=6 if weight_bits and weight_bits <= 8 else 8,
            state_bits=max(2, min(WIDEST_STATE, EXACT_BITS - decay)),
            narrower_weights=weight_bits is None,
            fewer_fractions="fraction_bits" not in chosen,
        )
        return replace(plain, **chosen)

    @property
    def room(self) -> int:
        """Bits of a state above its threshold, for what lies far below or above it."""
        return (self.state_bits - 1) // 4

    def check(self) -> None:
        """Refuse widths that the integers of a network cannot have.

        Raises:
            UserError: which, and its range.
        """
        ranges = {
            "weight_bits": (2, 32),
            "decay_bits": (1, 24),
            "fraction_bits": (0, 15),
            "state_bits": (2, WIDEST_STATE),
        }
        for name, (least, most) in ranges.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise UserError(
                    f"{name.replace('_', ' ')} is {value}: it must be {least} to {most}"
                )
        if self.state_bits + self.decay_bits > EXACT_BITS:
            raise UserError(
                f"states of {self.state_bits} bits with decays of {self.decay_bits}: together they "
                f"may have {EXACT_BITS}, so lower one of them"
            )
