"""The encoder of a network, and its memory."""

import msgspec

from spikeloom.encoding import DeltaEncoding, LatencyEncoding, SampleCode, encoding_inputs
from spikeloom.errors import UserError
from spikeloom_hw.core.memory_shape import MemoryShape
from spikeloom_hw.encoders.delta import DeltaEncoder, delta_memory
from spikeloom_hw.encoders.latency import LatencyEncoder, latency_memory

Encoder = LatencyEncoder | DeltaEncoder


def make_encoder(code: SampleCode, *, address_bits: int) -> Encoder | None:
    """The gateware of a code, or None if its encoding has none.

    Args:
        code: how samples become events.
        address_bits: width of an event's address.

    Raises:
        UserError: the values are not T frames of a delta encoding.
    """
    match code.encoding:
        case LatencyEncoding(threshold=threshold):
            return LatencyEncoder(
                values=code.values,
                time_steps=code.time_steps,
                threshold=threshold,
                address_bits=address_bits,
            )
        case DeltaEncoding(delta=delta):
            return DeltaEncoder(
                channels=_channels(code),
                time_steps=code.time_steps,
                delta=delta,
                address_bits=address_bits,
            )
        case _:
            return None


def check_encoder(code: SampleCode) -> None:
    """Refuse a code of which there is no gateware.

    Raises:
        UserError: the encoding has no gateware, or the values are not T frames of a delta encoding.
    """
    encoder_memory(code)


def require_encoder(code: SampleCode, *, address_bits: int) -> Encoder:
    """As :func:`make_encoder`.

    Raises:
        UserError: the encoding has no gateware.
    """
    encoder = make_encoder(code, address_bits=address_bits)
    if encoder is None:
        raise _without_gateware(code)
    return encoder


def encoder_memory(code: SampleCode) -> MemoryShape:
    """The memory of a code's gateware.

    Raises:
        UserError: the encoding has no gateware, or the values are not T frames of a delta encoding.
    """
    match code.encoding:
        case LatencyEncoding():
            return latency_memory(code.values, code.time_steps)
        case DeltaEncoding():
            return delta_memory(_channels(code))
        case _:
            raise _without_gateware(code)


def _without_gateware(code: SampleCode) -> UserError:
    kind = msgspec.to_builtins(code.encoding)["kind"]
    return UserError(
        f"the {kind} encoding has no gateware: send events, without --encoder, or train with the "
        "latency or the delta encoding"
    )


def _channels(code: SampleCode) -> int:
    return encoding_inputs(code.encoding, code.values, code.time_steps) // 2
