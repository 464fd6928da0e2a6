"""The shape of a bank of states, whoever has it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class BankShape:
    """What a `MembraneBank` has to know.

    Attributes:
        bank_depth: states.
        group_bits: width of a state's address.
        accumulator_bits: signed width of a state.
        weight_bits: signed width of what is added to one.
        distributed_banks: the states lie in logic cells used as RAM, not in block RAM.
    """

    bank_depth: int
    group_bits: int
    accumulator_bits: int
    weight_bits: int
    distributed_banks: bool
