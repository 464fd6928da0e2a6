"""The engine's banks are the chain's: `core.membrane_bank`."""

from spikeloom_hw.core.bank_shape import BankShape
from spikeloom_hw.engine.params import EngineParams


def bank_shape(params: EngineParams) -> BankShape:
    """A bank of an engine; what is added is as wide as a state."""
    return BankShape(
        bank_depth=params.state_words,
        group_bits=params.state_address_bits,
        accumulator_bits=params.state_bits,
        weight_bits=params.state_bits,
        distributed_banks=False,
    )
