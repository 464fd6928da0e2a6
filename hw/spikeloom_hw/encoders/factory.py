"""The encoder of a network, and its memory."""

from spikeloom.encoding import DeltaEncoding, Encoding, LatencyEncoding, encoding_inputs
from spikeloom_hw.core.memory_shape import MemoryShape
from spikeloom_hw.encoders.delta import DeltaEncoder, delta_memory
from spikeloom_hw.encoders.latency import LatencyEncoder, latency_memory

Encoder = LatencyEncoder | DeltaEncoder


def make_encoder(
    encoding: Encoding, *, values: int, time_steps: int, address_bits: int
) -> Encoder | None:
    """The gateware of an encoding, or None if it has none.

    Args:
        encoding: the code.
        values: of a sample.
        time_steps: T.
        address_bits: width of an event's address.

    Raises:
        UserError: the values are not T frames of a delta encoding.
    """
    match encoding:
        case LatencyEncoding(threshold=threshold):
            return LatencyEncoder(
                values=values,
                time_steps=time_steps,
                threshold=threshold,
                address_bits=address_bits,
            )
        case DeltaEncoding(delta=delta):
            return DeltaEncoder(
                channels=encoding_inputs(encoding, values, time_steps) // 2,
                time_steps=time_steps,
                delta=delta,
                address_bits=address_bits,
            )
        case _:
            return None


def encoder_memory(encoding: Encoding, *, values: int, time_steps: int) -> MemoryShape | None:
    """The memory of an encoding's gateware, or None if it has no gateware.

    Raises:
        UserError: the values are not T frames of a delta encoding.
    """
    match encoding:
        case LatencyEncoding():
            return latency_memory(values, time_steps)
        case DeltaEncoding():
            return delta_memory(encoding_inputs(encoding, values, time_steps) // 2)
        case _:
            return None
