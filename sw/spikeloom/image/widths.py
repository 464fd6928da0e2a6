"""How many bits the integers of a layer need, exactly."""

import numpy as np

from spikeloom.arithmetic import Integers, Leak, leak, rails


def signed_bits(lowest: int, highest: int) -> int:
    """The smallest two's complement width that holds ``lowest`` and ``highest``."""
    return 1 + max((~lowest if lowest < 0 else lowest).bit_length(), highest.bit_length())


def accumulator_range(
    *,
    membrane_bits: int,
    leak_spec: Leak,
    bias: Integers,
    negative: Integers,
    positive: Integers,
) -> tuple[int, int]:
    """The range that ``leak(v) + bias + any partial sum of weights`` can reach.

    An address spikes at most once in a step, so the sums of a neuron's negative and positive
    weights bound every partial sum, in every order of events.

    Args:
        membrane_bits: signed width of ``v``.
        leak_spec: how ``v`` decays.
        bias: int64 ``[neurons]``.
        negative: int64 ``[neurons]``, the sum of each neuron's negative weights, ≤ 0.
        positive: int64 ``[neurons]``, the sum of each neuron's positive weights, ≥ 0.

    Returns:
        ``(lowest, highest)`` over all neurons. It spans the membrane's rails as well.
    """
    low, high = rails(membrane_bits)
    # Every leak is monotone, so the rails hold the extremes.
    leaked_low, leaked_high = leak(np.array([low, high], dtype=np.int64), leak_spec).tolist()
    lowest = leaked_low + int((bias + negative).min())
    highest = leaked_high + int((bias + positive).max())
    return min(lowest, low), max(highest, high)
